/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/act.h"

#include "base/log.h"
#include "base/move_lock.h"
#include "datapath/lagg.h"
#include "failover/bond_ports.h"
#include "failover/dormant.h"
#include "failover/mode.h"
#include "failover/notify_peers.h"
#include "failover/port_setup.h"
#include "pair/vf_mac.h"
#include "services/udev.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

/* The commands of one step while they are carried out. */
struct act {
	struct nv_failover *failover;
	struct nv_managed *managed;
	const struct nv_view *view;
	int bond; /* the bond that takes the VF; 0: none */
	bool look_again;
};

/* Makes the VF bare, and able to carry what the upper may send. */
static void act_prepare_vf(struct act *act, int vf, bool up)
{
	const struct nv_links *links = nv_monitor_links(act->failover->monitor);
	const struct nv_managed_id *id = &act->managed->id;
	const struct nv_link *link = nv_links_by_index(links, vf);
	const struct nv_link *upper = nv_links_by_index(links, id->lagg ? id->lagg : id->hn);
	int r;

	if (!link || !upper)
		return;
	r = nv_port_setup_vf(act->failover->kernel, link, upper->mtu, NULL);
	if (r == 0 && up)
		r = nv_kernel_link_up(act->failover->kernel, vf, true);
	if (r < 0)
		nv_warn("cannot prepare %s as a port of %s: %s", link->name, upper->name,
			nv_strerror(r));
}

static int act_change_path(const struct act *act, unsigned int what, struct nv_dp_pair to)
{
	const struct nv_dp_change change = {.what = what, .to = to};

	return nv_datapath_change(act->failover->datapath, act->managed->id.hn, &change);
}

/*
 * Where programs are not attached gently, the pair is added to the data path when its hn is first
 * seen: once and early, not when a VF comes. Elsewhere act_join() adds it. It stays there.
 */
static int act_enter(const struct act *act)
{
	struct nv_dp_pair to = {};

	memcpy(to.mac, act->view->mac, NV_MAC_LEN);
	return act_change_path(act, NV_DP_MAC, to);
}

static int act_drop_lagg(const struct act *act)
{
	int r = act_change_path(act, NV_DP_LAGG, (struct nv_dp_pair){});

	if (r == -EAGAIN)
		return r;
	nv_notice("%s: its lagg is gone; the pair continues in transparent mode",
		act->managed->id.hn_name);
	nv_bond_ports_reopen(act->failover, &act->view->path);
	return r;
}

static void act_note_switch(struct act *act, enum nv_port port)
{
	struct nv_failover *failover = act->failover;
	struct nv_managed *managed = act->managed;
	const char *to = port == NV_PORT_VF ? managed->id.vf_name : managed->id.hn_name;

	managed->status.since = nv_loop_now(failover->loop);
	managed->status.switches++;
	nv_notice("%s: transmitting on %s", managed->id.hn_name, to);
	failover->ops->switched(managed->id.hn_name, to, nv_port_name(port), failover->data);
}

/*
 * What others send to a VF that is gone, and had a MAC address of its own, is lost until they have
 * another address. So they get it before the commands that wait for RTNL, which the kernel holds
 * while it removes an interface.
 */
static void act_tell_address(const struct act *act, enum nv_port port)
{
	const uint8_t none[NV_MAC_LEN] = {};

	if (port == NV_PORT_HN && act->view->facts.hn_usable &&
		memcmp(act->view->path.vf_mac, none, sizeof(none)) != 0)
		nv_notify_addresses(act->failover, act->managed);
}

static int act_activate(struct act *act, enum nv_port port)
{
	int r = nv_datapath_activate(act->failover->datapath, act->managed->id.hn, port);

	if (r < 0)
		return r;
	act->managed->memory.programs_due |= r > 0;
	act_tell_address(act, port);
	act_note_switch(act, port);
	return 0;
}

static int act_make_bond(struct act *act)
{
	int r = nv_bond_ports_make(act->failover, act->managed, act->view->hn, &act->bond);

	/* The VF does not become a bond port, so it may be usable at once. */
	act->look_again |= r < 0;
	return r == -EAGAIN ? r : 0;
}

static int act_set_mode(const struct act *act, enum nv_mode mode)
{
	const struct nv_managed_id *id = &act->managed->id;
	int r = 0;

	/* hyperv_vfup may not have taken everything from the lagg yet, and deletes it itself. */
	if (mode == NV_MODE_VF && id->lagg &&
		nv_move_lock_is_to_hn(act->failover->run_dir, id->hn_name))
		return -EAGAIN;
	if (mode == NV_MODE_VF && id->lagg) /* the lagg was made for nothing */
		r = nv_lagg_destroy(act->failover->datapath, id->hn);
	if (r == -EAGAIN)
		return r;
	return act_change_path(act, NV_DP_MODE, (struct nv_dp_pair){.mode = mode});
}

static void act_ready_vf(struct act *act, int vf)
{
	if (act->managed->state.mode == NV_MODE_LAGG)
		act_prepare_vf(act, vf, true);
	else
		nv_mode_ready_vf(act->failover, act->managed, vf);
}

static void act_stop_vf(const struct act *act, int vf)
{
	nv_datapath_note_vf_up(act->failover->datapath, act->managed->id.hn, vf, false);
	nv_mode_stop_vf(act->failover, act->managed, vf);
}

/*
 * A host that steers by MAC address sends to the VF from plug-in on. So the VF is set up here
 * rather than in hyperv_vfattach, which takes longer and tries again if the driver refuses.
 */
static void act_open_vf(const struct act *act, const struct nv_link *vf)
{
	struct nv_failover *failover = act->failover;
	int r;

	if (!failover->ops->sets_up(vf->name, failover->data) || !nv_udev_allows_up(vf->ifindex))
		return;
	r = nv_kernel_link_up(failover->kernel, vf->ifindex, true);
	if (r < 0 && r != -ENODEV)
		nv_info("cannot set %s, the VF of %s, up yet: %s; hyperv_vfattach tries again",
			vf->name, act->managed->id.hn_name, nv_strerror(r));
}

/* All that nv_port_sync() would change at once: each change costs time that the VF has not got. */
static void act_describe_new(const struct act *act, struct nv_dp_change *change)
{
	const struct nv_link *hn = act->view->hn;

	memcpy(change->to.mac, act->view->path.mac, NV_MAC_LEN);
	if (!act->view->in_path) {
		change->what |= NV_DP_MAC | NV_DP_MULTICAST;
		change->to.multicast = act->failover->settings->hn.multicast;
		memcpy(change->to.mac, hn && hn->has_mac ? hn->mac : act->view->mac, NV_MAC_LEN);
	}
	if (change->to.mode != NV_MODE_VF)
		nv_vf_mac_find(hn, act->view->vf, change->to.mac, change->to.vf_mac);
}

static int act_join(struct act *act, const struct nv_pair_command *command)
{
	const struct nv_link *vf = act->view->vf;
	bool down = vf && !(vf->flags & IFF_UP);
	struct nv_dp_change change = {
		.what = NV_DP_VF | NV_DP_MODE | NV_DP_ACTIVE | NV_DP_VF_MAC,
		.to = {.vf = command->vf, .mode = command->mode},
	};
	int r;

	if (command->on)
		act_prepare_vf(act, command->vf, false);
	act_describe_new(act, &change);
	r = nv_datapath_join(act->failover->datapath, act->managed->id.hn, &change);
	if (r < 0)
		return r;
	if (down)
		act->failover->ops->raise_attach(vf->name, act->failover->data);
	act->managed->memory.incomplete |= r > 0;
	if (command->on && down)
		act_open_vf(act, vf);
	return 0;
}

static void act_raise_vf(const struct act *act, const char *type)
{
	act->failover->ops->raise_vf(act->managed->id.hn_name, type, act->failover->data);
}

static int act_one(struct act *act, const struct nv_pair_command *command)
{
	switch (command->verb) {
	case NV_PAIR_ENTER:
		return act_enter(act);
	case NV_PAIR_DROP_LAGG:
		return act_drop_lagg(act);
	case NV_PAIR_REMOVE_VF:
		return act_change_path(act, NV_DP_VF | NV_DP_ACTIVE, (struct nv_dp_pair){});
	case NV_PAIR_MAKE_BOND:
		return act_make_bond(act);
	case NV_PAIR_BOND_VF:
		nv_bond_ports_take_vf(act->failover, act->managed, act->bond, act->view->vf);
		return 0;
	case NV_PAIR_JOIN:
		return act_join(act, command);
	case NV_PAIR_ACTIVATE:
		return act_activate(act, command->port);
	case NV_PAIR_READY_VF:
		act_ready_vf(act, command->vf);
		return 0;
	case NV_PAIR_STOP_VF:
		act_stop_vf(act, command->vf);
		return 0;
	case NV_PAIR_RAISE_VF_UP:
		act_raise_vf(act, "VF_UP");
		return 0;
	case NV_PAIR_RAISE_VF_DOWN:
		act_raise_vf(act, "VF_DOWN");
		return 0;
	case NV_PAIR_SET_MODE:
		return act_set_mode(act, command->mode);
	case NV_PAIR_OPEN_HN:
		return nv_dormant_open(act->failover, act->managed);
	case NV_PAIR_SET_DORMANT:
		nv_dormant_set(act->failover, act->managed, command->on);
		return 0;
	}
	return 0;
}

static void act_restore_state(const struct act *act, int error)
{
	struct nv_pair_state *state = &act->managed->state;
	bool was_exclusive = state->was_exclusive;
	struct nv_dp_pair pair = {};

	nv_err("%s: cannot change its data path: %s; traffic stays on the same port, and the next change of a link tries again",
		act->managed->id.hn_name, nv_strerror(error));
	nv_datapath_get(act->failover->datapath, act->managed->id.hn, &pair);
	nv_pair_adopt(state, pair.vf, pair.active, pair.mode);
	state->was_exclusive = was_exclusive;
	act->managed->memory.failed = true;
}

enum nv_act_result nv_act(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_pair_commands *commands)
{
	struct act act = {
		.failover = failover, .managed = managed, .view = view, .bond = view->path.lagg};

	for (size_t i = 0; i < commands->count; i++) {
		int r = act_one(&act, &commands->command[i]);

		if (r == -EAGAIN) {
			managed->state = commands->command[i].before;
			return NV_ACT_LOCKED;
		}
		/* The interface has gone meanwhile: netlink has reported this or is about to. */
		if (r == 0 || r == -ENODEV || r == -ENOENT)
			continue;
		act_restore_state(&act, r);
		return NV_ACT_DONE;
	}
	return act.look_again ? NV_ACT_LOOK_AGAIN : NV_ACT_DONE;
}
