/* SPDX-License-Identifier: BSD-2-Clause */
/* hyperv_vfup HN: moves the configuration of hn to its lagg. See hyperv_vfup(8). */
#include "base/log.h"
#include "base/move_lock.h"
#include "control/client.h"
#include "datapath/lagg.h"
#include "datapath/tc.h"
#include "failover/port_setup.h"
#include "libexec/context.h"
#include "libexec/release.h"
#include "move/apply.h"
#include "move/dependents.h"
#include "move/dhcp_clients.h"
#include "move/journal.h"
#include "move/print.h"
#include "pair/vf_mac.h"
#include "services/manager.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PROGRAM "hyperv_vfup"

#define CARRIER_WAIT_MS 10000

struct vfup {
	struct nv_context context;
	struct nv_datapath *datapath;
	const struct nv_link *hn;
	const struct nv_link *vf; /* NULL: it is gone */
	bool no_daemon; /* netvfd does not run */
	bool force; /* hn moves although others use it by its name */
	char lagg_name[IFNAMSIZ];
	int lagg;
	struct nv_dp_pair pair; /* as last read from the data path */
	struct nv_interface *wanted;
	struct nv_plan plan;
	struct nv_journal journal; /* what hn had before */
	int lock;
};

static void vfup_auto(struct vfup *up)
{
	nv_plan_auto(&up->plan);
	nv_journal_auto(&up->journal);
	nv_interface_free(up->wanted);
	nv_datapath_free(up->datapath);
	nv_context_auto(&up->context);
	nv_fd_auto(&up->lock);
}

/*
 * Runs the administrator's own program for this hn: hyperv_vfup.HN beside this one. Returns only if
 * there is none, or if it cannot be run (then false).
 */
static bool vfup_run_custom(const char *hn)
{
	char self[4096];
	char path[sizeof(self) + IFNAMSIZ + sizeof(PROGRAM)];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	struct stat status;

	if (length <= 0)
		return true;
	self[length] = '\0';
	slash = strrchr(self, '/');
	snprintf(path, sizeof(path), "%.*s/" PROGRAM ".%s", (int)(slash - self), self, hn);
	if (strcmp(path, self) == 0 || stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return true;
	execl(path, path, NULL);
	nv_err("cannot run %s, which takes the place of " PROGRAM " for %s: %s", path, hn,
		nv_strerror(errno));
	return false;
}

/* A second run waits here, and then finds the work done. */
static bool vfup_take_lock(struct vfup *up, const char *hn, enum nv_move_direction direction)
{
	int r;

	for (char *slash = up->context.run_dir; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(up->context.run_dir, 0755);
		*slash = '/';
	}
	mkdir(up->context.run_dir, 0755);
	r = nv_move_lock_take(up->context.run_dir, hn, direction, &up->lock);
	if (r < 0)
		nv_err("cannot lock %s in %s: %s", hn, up->context.run_dir, nv_strerror(r));
	return r == 0;
}

enum look {
	LOOK_GO_ON,
	LOOK_DONE, /* there is nothing to do; the reason was printed */
	LOOK_FAILED, /* the error was printed */
};

/* Prints the reason. */
static bool vfup_is_transparent(const struct vfup *up, const char *hn)
{
	const char *manager = nv_manager_of(up->hn->ifindex);

	if (!nv_hn_is_transparent(&up->context.settings->hn, hn, manager))
		return false;
	if (nv_hn_is_transparent(&up->context.settings->hn, hn, false))
		nv_notice(
			"%s is in transparent mode (netvf_vf_transparent): it keeps its configuration and has no lagg",
			hn);
	else
		nv_notice(
			"%s is in transparent mode, because %s configures it (netvf_vf_transparent=AUTO): it keeps its configuration and has no lagg",
			hn, manager);
	return true;
}

static enum look vfup_look(struct vfup *up, const char *hn)
{
	const struct nv_pair *pair;

	if (!nv_context_look(&up->context))
		return LOOK_FAILED;
	up->hn = nv_links_by_name(&up->context.links, hn);
	if (!up->hn) {
		nv_err("there is no interface %s", hn);
		return LOOK_FAILED;
	}
	pair = nv_pairs_by_hn(&up->context.pairs, up->hn->ifindex);
	if (!pair) {
		nv_err("%s is no synthetic interface that a VF can belong to; name it in rc.conf's netvf_pairs or netvf_synthetic if it is",
			hn);
		return LOOK_FAILED;
	}
	if (pair->match != NV_MATCH_MANAGED) {
		nv_notice("%s is left alone: %s", hn, pair->why);
		return pair->match == NV_MATCH_OBSERVED ? LOOK_DONE : LOOK_FAILED;
	}
	if (vfup_is_transparent(up, hn))
		return LOOK_DONE;
	up->vf = pair->vf ? nv_links_by_index(&up->context.links, pair->vf) : NULL;
	if (nv_hn_lagg_name(hn, up->lagg_name) < 0) {
		nv_err("cannot name a lagg for %s: its name has no digits, or too many", hn);
		return LOOK_FAILED;
	}
	return LOOK_GO_ON;
}

static bool vfup_open_datapath(struct vfup *up)
{
	int r = nv_datapath_open(up->context.kernel, up->context.run_dir, &up->datapath);

	if (r < 0)
		nv_err("cannot open the data path in %s: %s%s", up->context.run_dir, nv_strerror(r),
			r == -EOPNOTSUPP ? "; it needs Linux 5.10 or later with eBPF" : "");
	return r == 0;
}

static int vfup_enter_datapath(struct vfup *up)
{
	struct nv_dp_change change = {
		.what = NV_DP_VF | NV_DP_ACTIVE | NV_DP_MAC | NV_DP_VF_MAC,
		.to = {.vf = up->vf ? up->vf->ifindex : 0,
			.active = up->vf && nv_link_usable(up->vf) ? NV_PORT_VF : NV_PORT_HN},
	};

	memcpy(change.to.mac, up->hn->mac, NV_MAC_LEN);
	nv_vf_mac_find(up->hn, up->vf, up->hn->mac, change.to.vf_mac);
	return nv_datapath_change(up->datapath, up->hn->ifindex, &change);
}

/* Whether no netvfd runs. One that is too busy to accept a connection does. */
static bool vfup_is_alone(const char *run_dir)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	int r = nv_client_open(run_dir, &client);

	return r < 0 && r != -ETIMEDOUT;
}

/* If netvfd runs, the pair is in the data path already, and netvfd chooses the active port. */
static bool vfup_join(struct vfup *up)
{
	int r;

	up->no_daemon = vfup_is_alone(up->context.run_dir);
	if (!up->no_daemon && nv_datapath_get(up->datapath, up->hn->ifindex, &up->pair) == 0)
		return true;
	if (up->no_daemon)
		nv_notice(
			"netvfd does not run in %s: nothing switches %s between its ports until it does; start it (systemctl start netvfd)",
			up->context.run_dir, up->hn->name);
	r = vfup_enter_datapath(up);
	if (r == 0)
		r = nv_datapath_get(up->datapath, up->hn->ifindex, &up->pair);
	if (r < 0)
		nv_err("cannot add %s and its VF to the data path: %s", up->hn->name,
			nv_strerror(r));
	return r == 0;
}

static bool vfup_has_routes(struct vfup *up)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};

	return nv_kernel_routes(up->context.kernel, up->hn->ifindex, &routes) == 0 &&
	       nv_routes_have_configured(&routes);
}

/*
 * Whether an earlier run has left work, or somebody has configured hn since: addresses, routes, a
 * VLAN, a DHCP client or a bridge port.
 */
static bool vfup_has_leftovers(struct vfup *up)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients clients = {};

	return (up->hn->master && up->hn->master != up->pair.lagg) ||
	       nv_links_next_vlan(&up->context.links, up->hn->ifindex, 0) ||
	       (nv_kernel_addrs(up->context.kernel, up->hn->ifindex, &addrs) == 0 && addrs.count) ||
	       vfup_has_routes(up) || (nv_dhcp_find(up->hn->name, &clients) == 0 && clients.count);
}

/* Writes the journal before anything is changed. If it cannot be written, nothing is begun. */
static bool vfup_take_journal(struct vfup *up, const struct nv_snapshot *now)
{
	const char *hn = up->hn->name;
	int r = nv_journal_read(up->context.run_dir, up->hn, &up->journal);

	if (r < 0)
		nv_warn("cannot read the journal of an earlier run for %s: %s", hn, nv_strerror(r));
	r = nv_journal_take(
		up->context.kernel, up->hn, now, &up->plan, !up->pair.lagg, &up->journal);
	if (r == 0)
		r = nv_journal_ports(&up->journal, &up->plan);
	if (r == 0)
		r = nv_journal_write(up->context.run_dir, hn, &up->journal);
	nv_strcopy(up->plan.move[0].accept_ra, sizeof(up->plan.move[0].accept_ra),
		up->journal.settings.accept_ra);
	nv_strcopy(up->plan.move[0].rp_filter, sizeof(up->plan.move[0].rp_filter),
		up->journal.settings.rp_filter);
	if (r < 0)
		nv_err("cannot write in %s the journal of %s, which is needed to move back: %s; nothing is changed",
			up->context.run_dir, hn, nv_strerror(r));
	return r == 0;
}

/* Prints the live configuration that rc.conf replaces. */
static void vfup_report_left(const struct vfup *up)
{
	const size_t many = 10;
	size_t count = 0;

	nv_each_rtobj (obj, &up->plan.dropped) {
		NV_AUTO(nv_str) struct nv_str text = {};

		nv_rtobj_text(obj, &text);
		if (count++ < many)
			nv_notice("the %s of %s does not move: rc.conf has another value",
				nv_str_text(&text), up->hn->name);
	}
	if (count > many)
		nv_notice("and so %zu more", count - many);
}

/* @ret_obstacle: why hn's configuration cannot move; "": it can, if there is a plan. */
static bool vfup_find_plan(
	struct vfup *up, struct nv_snapshot *ret_now, struct nv_str *ret_obstacle)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	int r = nv_interface_build(
		up->context.rcconf, up->hn->name, up->lagg_name, up->hn->mac, &faults, &up->wanted);

	nv_faults_log(&faults);
	if (r < 0) {
		nv_err("the configuration of %s in rc.conf cannot be used (%s), so nothing is changed",
			up->hn->name, nv_strerror(r));
		return false;
	}
	up->wanted->exclusive = !up->context.settings->inherit;
	if (up->wanted->has_mac)
		nv_warn("the MAC address in rc.conf for %s is ignored: %s has that of %s and its VF",
			up->hn->name, up->lagg_name, up->hn->name);
	r = nv_snapshot_take(up->context.kernel, up->hn->ifindex, ret_now);
	if (r == 0)
		r = nv_plan_make(ret_now, up->hn->ifindex, up->lagg_name, up->wanted, &up->plan,
			ret_obstacle);
	if (r == -EBUSY)
		return true;
	if (r < 0)
		nv_err("cannot plan the move from %s to %s: %s", up->hn->name, up->lagg_name,
			nv_strerror(r));
	return r == 0 && nv_dhcp_clients_choose(&up->plan) == 0;
}

/*
 * Whether nobody has configured hn. Its lagg would be another interface without an address, and a
 * VF that somebody configured would lose its configuration. Prints the reason.
 */
static bool vfup_is_unconfigured(const struct vfup *up)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients clients = {};
	const char *hn = up->hn->name;

	if (up->pair.mode == NV_MODE_LAGG || !nv_plan_is_empty(&up->plan) ||
		(nv_dhcp_find(hn, &clients) == 0 && clients.count))
		return false;
	nv_notice(
		"%s has no lagg, because nobody has configured it: give it an address, or configure it in rc.conf",
		hn);
	return true;
}

static void vfup_find_dependents_of(const struct vfup *up, const struct nv_packet_filters *filters,
	const struct nv_link *link, const char *to, struct nv_str *why)
{
	unsigned int programs = nv_tc_count_others(up->context.kernel, link->ifindex);

	nv_dependents_find(up->context.kernel, filters, link, to, why);
	if (programs)
		nv_str_printf(why, "%stc programs or filters are at %s (%u)",
			nv_str_text(why)[0] ? "; " : "", link->name, programs);
}

/*
 * What names hn or a VLAN of it would see no frame any more: a packet filter refuses what it let
 * in, and a socket that is bound to hn hears nothing. @ret_why: what there is; "" if nothing is.
 */
static void vfup_find_dependents(const struct vfup *up, struct nv_str *ret_why)
{
	NV_AUTO(nv_packet_filters) struct nv_packet_filters filters = {};
	const struct nv_links *links = &up->context.links;

	nv_dependents_read(&filters, ret_why);
	vfup_find_dependents_of(up, &filters, up->hn, up->lagg_name, ret_why);
	for (size_t i = 1; i < up->plan.count; i++) {
		const struct nv_move *move = &up->plan.move[i];
		const struct nv_link *vlan = nv_links_by_index(links, move->was);

		if (vlan)
			vfup_find_dependents_of(up, &filters, vlan, move->to_name, ret_why);
	}
	nv_dependents_find_stacked(up->context.kernel, links, up->hn, ret_why);
	nv_dependents_find_nexthops(&up->plan, ret_why);
}

static void vfup_tell_dependents(const struct vfup *up, const char *why)
{
	nv_notice(
		"%s keeps its configuration and has no lagg, because it is in use by its name, and %s would take its frames: %s. Its VF carries the traffic all the same. For a lagg let them use %s, a packet filter both; 'netvf plan --force %s' or netvf_move_named=YES in rc.conf moves it as it is",
		up->hn->name, up->lagg_name, why, up->lagg_name, up->hn->name);
}

/* The reason is told once, and kept for `netvf doctor`. */
static bool vfup_is_depended_on(const struct vfup *up)
{
	NV_AUTO(nv_str) struct nv_str why = {};

	if (up->pair.mode != NV_MODE_LAGG && !up->force && !up->context.settings->move_named)
		vfup_find_dependents(up, &why);
	if (nv_dependents_keep(up->context.run_dir, up->hn->name, nv_str_text(&why)))
		vfup_tell_dependents(up, nv_str_text(&why));
	return nv_str_text(&why)[0];
}

/* Likewise. */
static bool vfup_is_hindered(const struct vfup *up, const char *obstacle)
{
	const char *hn = up->hn->name;

	if (obstacle[0] && nv_dependents_keep(up->context.run_dir, hn, obstacle))
		nv_notice("%s keeps its configuration: %s", hn, obstacle);
	return obstacle[0];
}

static enum look vfup_make_plan(struct vfup *up)
{
	NV_AUTO(nv_snapshot) struct nv_snapshot now = {};
	NV_AUTO(nv_str) struct nv_str obstacle = {};

	if (!vfup_find_plan(up, &now, &obstacle))
		return LOOK_FAILED;
	if (vfup_is_hindered(up, nv_str_text(&obstacle)) || vfup_is_unconfigured(up) ||
		vfup_is_depended_on(up))
		return LOOK_DONE;
	vfup_report_left(up);
	return vfup_take_journal(up, &now) ? LOOK_GO_ON : LOOK_FAILED;
}

/*
 * netvfd has made the bond already that netvf_lagg=auto asks for, unless it is not possible. If the
 * kernel has no bonding, or the VF cannot be a bond port, the other form is made.
 */
static int vfup_create_lagg(struct vfup *up)
{
	bool wants_bond = up->context.settings->hn.lagg == NV_LAGG_BOND;
	bool is_bond = wants_bond && !nv_vf_has_own_mac(up->hn, up->vf);
	int r = nv_lagg_create(up->datapath, up->hn, up->lagg_name,
		is_bond ? NV_LAGG_BOND : NV_LAGG_BPF, &up->lagg);

	if (r == 0 && wants_bond && !is_bond)
		nv_notice(
			"netvf_lagg=bond in rc.conf is impossible: %s has a MAC address of its own, and a bond gives its ports one address; %s is made as with netvf_lagg=bpf",
			up->vf->name, up->lagg_name);
	if (r != -EOPNOTSUPP || !is_bond)
		return r;
	nv_warn("netvf_lagg=bond in rc.conf is impossible: this kernel has no bonding; %s is made as with netvf_lagg=bpf",
		up->lagg_name);
	return nv_lagg_create(up->datapath, up->hn, up->lagg_name, NV_LAGG_BPF, &up->lagg);
}

/*
 * A bond gets nothing before it has a carrier: without one an IPv6 address is not used. Usually
 * netvfd made the VF a bond port when it appeared. Otherwise the VF is set down for that, and its
 * link needs seconds. If the VF goes meanwhile, the next step that needs it reports it.
 */
static void vfup_ready_bond(struct vfup *up)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct nv_kernel *kernel = up->context.kernel;
	struct nv_link lagg, vf;
	int r;

	if (!up->vf || nv_vf_has_own_mac(up->hn, up->vf) ||
		nv_kernel_link(kernel, up->lagg, &lagg) < 0 || !nv_lagg_has_ports(&lagg))
		return;
	r = nv_lagg_take_port(up->datapath, up->lagg, up->vf->ifindex);
	if (r < 0 && r != -ENODEV)
		nv_warn("%s refuses %s as a port: %s", up->lagg_name, up->vf->name, nv_strerror(r));
	for (int i = 0; i < CARRIER_WAIT_MS / 10 && r == 0 && !lagg.carrier; i++) {
		nanosleep(&pause, NULL);
		r = nv_kernel_link(kernel, up->vf->ifindex, &vf);
		if (r == 0)
			r = nv_kernel_link(kernel, up->lagg, &lagg);
	}
}

static bool vfup_make_lagg(struct vfup *up)
{
	int r = vfup_create_lagg(up);

	if (r == 0 || (r == -EEXIST && up->lagg))
		vfup_ready_bond(up);
	if (r == 0 || (r == -EEXIST && up->lagg))
		return true;
	if (r == -EEXIST)
		nv_err("there is another interface %s: rename it, so that %s can have its lagg",
			up->lagg_name, up->hn->name);
	else if (r < 0)
		nv_err("cannot make %s: %s", up->lagg_name, nv_strerror(r));
	return r == 0;
}

/* The ports get the lagg's MTU. If one refuses it, the lagg gets that port's MTU. */
static bool vfup_ready_ports(struct vfup *up)
{
	struct nv_kernel *kernel = up->context.kernel;
	uint32_t mtu = up->plan.move[0].mtu;
	uint32_t vf_mtu = UINT32_MAX;
	int r = nv_port_setup(kernel, up->hn, mtu, &mtu);

	if (r == 0)
		r = nv_kernel_link_up(kernel, up->hn->ifindex, true);
	if (r < 0) {
		nv_err("cannot prepare %s as a port: %s", up->hn->name, nv_strerror(r));
		return false;
	}
	r = up->vf ? nv_port_setup_vf(kernel, up->vf, mtu, &vf_mtu) : 0;
	if (r < 0) {
		nv_err("cannot prepare %s as a port: %s", up->vf->name, nv_strerror(r));
		return false;
	}
	mtu = mtu < vf_mtu ? mtu : vf_mtu;
	for (size_t i = 0; i < up->plan.count; i++)
		if (i == 0 || up->plan.move[i].mtu > mtu)
			up->plan.move[i].mtu = mtu;
	return true;
}

/* From here on frames arrive on the lagg. */
static bool vfup_take_over(struct vfup *up)
{
	bool carrier = nv_link_usable(up->hn) || (up->vf && nv_link_usable(up->vf));
	const struct nv_dp_change change = {.what = NV_DP_MODE, .to.mode = NV_MODE_LAGG};
	int r = nv_datapath_change(up->datapath, up->hn->ifindex, &change);
	struct nv_link lagg;

	if (r < 0) {
		nv_err("cannot make %s the upper of %s: %s", up->lagg_name, up->hn->name,
			nv_strerror(r));
		return false;
	}
	nv_lagg_set_carrier(up->datapath, up->lagg, carrier);
	/*
	 * If the VF of a bond has just gone, the bond has no port, and so neither a carrier nor
	 * hn's MAC address.
	 */
	if (nv_kernel_link(up->context.kernel, up->lagg, &lagg) == 0 && !lagg.carrier)
		nv_lagg_take_port(up->datapath, up->lagg, up->hn->ifindex);
	return true;
}

static void vfup_undo(struct vfup *up)
{
	struct nv_link hn = *up->hn;
	int restored = 0;
	int r;

	nv_apply_undo(up->context.kernel, &up->plan);
	r = nv_lagg_destroy(up->datapath, hn.ifindex);
	if (r < 0)
		nv_err("cannot destroy %s: %s", up->lagg_name, nv_strerror(r));
	if (nv_kernel_link(up->context.kernel, hn.ifindex, &hn) == 0)
		restored = nv_journal_restore(up->context.kernel, &up->journal, &hn);
	nv_journal_forget(up->context.run_dir, up->hn->name);
	if (restored < 0)
		nv_err("%s has its configuration, but not all of its settings: %s", up->hn->name,
			nv_strerror(restored));
	else if (r == 0)
		nv_notice("%s is as it was before, with its configuration", up->hn->name);
}

/*
 * Make before break: until vfup_take_over(), things are only added, so deleting the lagg undoes
 * them; and frames arrive on hn, which still has its configuration.
 */
static bool vfup_move(struct vfup *up)
{
	struct nv_kernel *kernel = up->context.kernel;
	bool before = up->pair.mode != NV_MODE_LAGG;

	up->plan.move[0].to = up->lagg;
	up->plan.move[0].keeps = !before;
	if (!vfup_ready_ports(up) || !nv_apply(kernel, &up->plan, NV_STAGE_FILL) ||
		!vfup_take_over(up)) {
		if (before)
			vfup_undo(up);
		return false;
	}
	nv_apply(kernel, &up->plan, NV_STAGE_STRIP_PATHS);
	nv_info("the configuration of %s is on %s", up->hn->name, up->lagg_name);
	if (nv_dhcp_clients_are_slow(&up->plan) && !nv_context_background(PROGRAM))
		nv_notice("so DHCP is waited for here");
	nv_dhcp_clients_move(kernel, &up->plan);
	nv_apply(kernel, &up->plan, NV_STAGE_STRIP);
	nv_journal_complete(kernel, &up->journal, &up->plan.move[0]);
	if (up->no_daemon) /* else netvfd does so when it sees that hn is bare */
		nv_lagg_take_port(up->datapath, up->lagg, up->hn->ifindex);
	return true;
}

static bool vfup_run(struct vfup *up, const char *hn)
{
	const struct nv_link *lagg;

	if (!nv_context_open(&up->context) || !vfup_take_lock(up, hn, NV_MOVE_TO_LAGG))
		return false;
	switch (vfup_look(up, hn)) {
	case LOOK_GO_ON:
		break;
	case LOOK_DONE:
		return true;
	case LOOK_FAILED:
		return false;
	}
	if (!up->vf) {
		nv_notice("the VF of %s is gone", hn);
		lagg = nv_links_by_name(&up->context.links, up->lagg_name);
		/* a bond without a port */
		if (!lagg || (nv_lagg_has_ports(lagg) && !lagg->carrier))
			return true;
	}
	if (!vfup_open_datapath(up) || !vfup_join(up))
		return false;
	if (up->pair.mode == NV_MODE_LAGG && !vfup_has_leftovers(up)) {
		nv_info("%s is the upper of %s already", up->lagg_name, hn);
		return true;
	}
	switch (vfup_make_plan(up)) {
	case LOOK_GO_ON:
		break;
	case LOOK_DONE:
		return true;
	case LOOK_FAILED:
		return false;
	}
	return vfup_make_lagg(up) && vfup_move(up);
}

static bool vfup_release(struct vfup *up, const char *hn)
{
	struct nv_dp_pair pair = {};

	if (!nv_context_open_anyway(&up->context) || !vfup_take_lock(up, hn, NV_MOVE_TO_HN) ||
		!nv_context_look(&up->context))
		return false;
	up->hn = nv_links_by_name(&up->context.links, hn);
	if (!up->hn) {
		nv_err("there is no interface %s", hn);
		return false;
	}
	if (!vfup_open_datapath(up))
		return false;
	nv_datapath_get(up->datapath, up->hn->ifindex, &pair);
	up->lagg = nv_links_by_index(&up->context.links, pair.lagg) ? pair.lagg : 0;
	/* If a run was killed when it was about to delete the lagg, that lagg is used again. */
	if (!up->lagg && nv_hn_lagg_name(hn, up->lagg_name) == 0 &&
		nv_links_by_name(&up->context.links, up->lagg_name))
		vfup_create_lagg(up);
	return nv_release(&up->context, up->datapath, up->hn, up->lagg);
}

/*
 * Releases every hn. If netvfd does not run, removes netvf's programs and settings from them too.
 */
static bool vfup_release_all(void)
{
	NV_AUTO(vfup) struct vfup all = {.lock = -1};
	bool done = true;

	if (!nv_context_open_anyway(&all.context) || !nv_context_look(&all.context))
		return false;
	for (size_t i = 0; i < all.context.pairs.count; i++) {
		NV_AUTO(vfup) struct vfup up = {.lock = -1};
		const struct nv_pair *pair = &all.context.pairs.pair[i];
		const struct nv_link *hn = nv_links_by_index(&all.context.links, pair->hn);

		if (!hn || pair->match == NV_MATCH_OBSERVED)
			continue;
		done &= vfup_release(&up, hn->name) &&
			(!vfup_is_alone(all.context.run_dir) ||
				nv_release_ports(&up.context, up.datapath, up.hn));
	}
	return done;
}

/* Prints the steps and changes nothing. */
static bool vfup_show_plan(struct vfup *up, const char *hn, bool json)
{
	NV_AUTO(nv_snapshot) struct nv_snapshot now = {};
	NV_AUTO(nv_str) struct nv_str obstacle = {};
	NV_AUTO(nv_str) struct nv_str why = {};
	int r;

	if (!nv_context_open(&up->context) || vfup_look(up, hn) != LOOK_GO_ON ||
		!vfup_find_plan(up, &now, &obstacle))
		return false;
	if (nv_str_text(&obstacle)[0]) {
		nv_err("%s keeps its configuration: %s", hn, nv_str_text(&obstacle));
		return false;
	}
	if (!up->context.settings->move_named)
		vfup_find_dependents(up, &why);
	if (nv_str_text(&why)[0])
		vfup_tell_dependents(up, nv_str_text(&why));
	r = nv_print_plan(&up->plan, json);
	if (r < 0)
		nv_err("cannot print the plan: %s", nv_strerror(r));
	return r == 0;
}

static int vfup_usage(void)
{
	nv_err("usage: " PROGRAM
	       " [-f | -r | -n [-j]] HN (the synthetic interface, for example hn0; -f: move it although others use it by its name; -r: release it, without HN all; -n: show what would be done, -j: in JSON)");
	return 1;
}

int main(int argc, char **argv)
{
	NV_AUTO(vfup) struct vfup up = {.lock = -1};
	const char *name = argv[0] ? argv[0] : "";
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	bool back = false;
	bool only_show = false;
	bool json = false;
	const char *hn;
	int opt;

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_INFO);
	while ((opt = getopt(argc, argv, "fjnr")) != -1) {
		if (opt == '?')
			return vfup_usage();
		up.force |= opt == 'f';
		back |= opt == 'r';
		only_show |= opt == 'n';
		json |= opt == 'j';
	}
	argc -= optind;
	hn = argc == 1 ? argv[optind] : argc == 0 && dot ? dot + 1 : "";
	if (back && !argc && !dot)
		return vfup_release_all() ? 0 : 1;
	if (!hn[0] || strlen(hn) >= IFNAMSIZ || strchr(hn, '/'))
		return vfup_usage();
	if (only_show)
		return vfup_show_plan(&up, hn, json) ? 0 : 1;
	if (back)
		return vfup_release(&up, hn) ? 0 : 1;
	if (!vfup_run_custom(hn))
		return 1;
	return vfup_run(&up, hn) ? 0 : 1;
}
