/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/mode.h"

#include "base/log.h"
#include "base/rundir.h"
#include "failover/port_setup.h"
#include "kernel/diff.h"
#include "services/manager.h"
#include "services/udev.h"
#include "services/unused_hn.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>

/*
 * How long after netvfd's start a manager may take to say whether it configures hn; and after a VF
 * came whoever configures it.
 */
#define DECIDED_WITHIN (30 * NV_USEC_PER_SEC)

#define UDEV_WAIT (NV_UDEV_WAIT_MS * NV_USEC_PER_SEC / 1000)

/* Looked up each time, because a manager may start or stop at any time. */
static void mode_find_manager(struct nv_failover *failover, struct nv_managed *managed)
{
	const struct nv_hn_config *config = &failover->settings->hn;
	const char *manager = nv_manager_of(managed->id.hn);

	if (manager && manager != managed->status.manager &&
		nv_hn_is_transparent(config, managed->id.hn_name, true) &&
		!nv_hn_is_transparent(config, managed->id.hn_name, false))
		nv_notice(
			"%s: %s configures it, so it keeps its configuration and sends by its VF (netvf_vf_transparent=AUTO)",
			managed->id.hn_name, manager);
	managed->status.manager = manager;
}

enum mode_origin {
	ORIGIN_ANY,
	ORIGIN_NOT_IPV6, /* none that IPv6 has made by itself */
	ORIGIN_FOR_EVER, /* nor one with a lifetime */
};

static bool mode_is_from(const struct nv_addr *addr, enum mode_origin origin)
{
	return origin == ORIGIN_ANY || addr->flags & IFA_F_PERMANENT ||
	       (origin == ORIGIN_NOT_IPV6 && addr->local.family == AF_INET);
}

/* An address that reaches further than the link. */
static bool mode_has_address(
	const struct nv_failover *failover, int ifindex, enum mode_origin origin)
{
	const struct nv_addrs addrs = nv_addrs_of(nv_monitor_addrs(failover->monitor), ifindex);

	for (size_t i = 0; i < addrs.count; i++)
		if (addrs.addr[i].scope < RT_SCOPE_LINK && mode_is_from(&addrs.addr[i], origin))
			return true;
	return false;
}

/* Whether nobody has configured hn, and rc.conf does not mention it. */
static bool mode_is_untouched(const struct nv_failover *failover, const struct nv_managed *managed)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, managed->id.hn);

	return hn && !hn->master && !nv_links_next_stacked(links, hn->ifindex, 0) &&
	       !mode_has_address(failover, managed->id.hn, ORIGIN_ANY) &&
	       !nv_rcconf_get_for(failover->rcconf, "ifconfig_%s", managed->id.hn_name);
}

/* Somebody's own address and no lease, which may be for ever too. */
static bool mode_has_static_address(const struct nv_failover *failover, int ifindex)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};

	if (!mode_has_address(failover, ifindex, ORIGIN_FOR_EVER) ||
		nv_kernel_routes(failover->kernel, ifindex, &routes) < 0)
		return false;
	for (size_t i = 0; i < routes.count; i++)
		if (routes.route[i].protocol == RTPROT_DHCP)
			return false;
	return true;
}

/* An earlier netvfd, or one before the boot, may have known what this one has not judged yet. */
static void mode_recall(const struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, int vf)
{
	struct nv_managed_memory *memory = &managed->memory;

	if (memory->judged_vf < 0) {
		memory->unused_kept = nv_unused_hn_is_kept(failover->run_dir, hn);
		memory->hn_unused |= memory->unused_kept;
		memory->recalled = memory->unused_kept;
	}
	if (memory->judged_vf != vf)
		memory->own_until =
			memory->unused_kept ? nv_loop_now(failover->loop) + DECIDED_WITHIN : 0;
	memory->judged_vf = vf;
}

static void mode_keep(const struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, bool unused)
{
	bool keep = unused && failover->ops->answers_vf_up(managed->id.hn_name, failover->data);
	int r = managed->memory.unused_kept == keep
			? 0
			: nv_unused_hn_keep(failover->run_dir, hn, keep);

	managed->memory.unused_kept = keep;
	if (r < 0)
		nv_warn("%s: cannot keep in %s that it is %s: %s; network managers %s its VF the next time that it appears",
			managed->id.hn_name, nv_state_dir(failover->run_dir),
			keep ? "not used" : "used", nv_strerror(r),
			keep ? "leave alone" : "may configure");
}

/* Whether a VF that has an address is used by itself, if nobody has configured hn. */
static bool mode_is_address_own(
	const struct nv_failover *failover, struct nv_managed *managed, int vf, bool is_static)
{
	struct nv_managed_memory *memory = &managed->memory;
	bool recalled = memory->recalled;

	memory->recalled = false;
	/* A manager may wait at hn for what only the VF hears. */
	if (is_static || !nv_manager_of(managed->id.hn))
		return true;
	/* Since the last boot somebody may have told it to ask at both. */
	return recalled ? mode_has_static_address(failover, vf) : memory->hn_unused;
}

/* Whether a VF without an address may still get its own. */
static bool mode_awaits_address(struct nv_failover *failover, const struct nv_managed *managed)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t until = managed->memory.own_until;

	if (now < until)
		nv_failover_look_in(failover, until - now);
	return now < until;
}

bool nv_mode_is_vfs_own(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	struct nv_managed_memory *memory = &managed->memory;
	const struct nv_link *hn =
		nv_links_by_index(nv_monitor_links(failover->monitor), managed->id.hn);
	bool may_be = hn && managed->state.mode != NV_MODE_LAGG &&
		      !nv_hn_is_transparent(&failover->settings->hn, managed->id.hn_name, false);
	/* Later it is somebody's mistake. */
	bool comes = managed->state.vf != vf || memory->judged_vf != vf;
	bool is_static = may_be && vf && comes && mode_has_static_address(failover, vf);
	bool addressed = may_be && vf && mode_has_address(failover, vf, ORIGIN_NOT_IPV6);
	bool unused, own;

	if (!hn) {
		memory->hn_unused = false;
		return false;
	}
	mode_recall(failover, managed, hn, vf);
	/* An hn that is not used is set up all the same (NV_PAIR_OPEN_HN). */
	unused = may_be && (memory->hn_unused || !(hn->flags & IFF_UP) || is_static) &&
		 mode_is_untouched(failover, managed);
	if (addressed)
		memory->own_until = 0;
	own = unused && vf &&
	      (addressed ? mode_is_address_own(failover, managed, vf, is_static)
			 : mode_awaits_address(failover, managed));
	memory->hn_unused = unused && (own || (!addressed && memory->hn_unused));
	mode_keep(failover, managed, hn, unused && (own || (!addressed && memory->unused_kept)));
	return own;
}

/*
 * At boot a VF may appear before a manager has looked at hn. A lagg would make hn dormant, and the
 * manager waits for its carrier.
 */
static bool mode_is_undecided(struct nv_failover *failover, const struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest)
{
	uint64_t been = nv_loop_now(failover->loop) - failover->started;

	if (managed->status.manager || !facts->answered || facts->mode != NV_MODE_HN ||
		been >= DECIDED_WITHIN || !nv_manager_is_silent(managed->id.hn) ||
		!mode_is_untouched(failover, managed))
		return false;
	if (DECIDED_WITHIN - been < *soonest)
		*soonest = DECIDED_WITHIN - been;
	return true;
}

bool nv_mode_is_transparent(const struct nv_failover *failover, const struct nv_managed *managed)
{
	return !managed->memory.vfs_own &&
	       nv_hn_is_transparent(&failover->settings->hn, managed->id.hn_name,
		       managed->status.manager || managed->memory.undecided);
}

bool nv_mode_decide(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest)
{
	mode_find_manager(failover, managed);
	managed->memory.undecided = mode_is_undecided(failover, managed, facts, soonest);
	return nv_mode_is_transparent(failover, managed);
}

/* For how long a VF may still wait for its name; 0: it need not. */
static uint64_t mode_await_name(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	uint64_t left = nv_attach_delay_left(
		&managed->memory.attach_delay, vf, nv_loop_now(failover->loop), UDEV_WAIT);

	if (!left || nv_udev_allows_up(vf))
		return 0;
	managed->memory.unnamed_vf = vf;
	nv_watch_arm(failover->names, NV_MODE_NAME_LOOK);
	return left;
}

void nv_mode_wait(struct nv_failover *failover, struct nv_managed *managed,
	struct nv_pair_facts *facts, uint64_t *soonest)
{
	uint64_t limit = failover->settings->attwait * NV_USEC_PER_SEC;
	uint64_t left = nv_attach_delay_left(
		&managed->memory.attach_delay, facts->vf, nv_loop_now(failover->loop), limit);
	bool unready = facts->transparent && !managed->state.ready;

	managed->memory.unnamed_vf = 0;
	if (!left && unready)
		left = mode_await_name(failover, managed, facts->vf);
	if (!left && unready)
		left = nv_retry_left(
			&managed->memory.setup_retry, facts->vf, nv_loop_now(failover->loop));
	facts->waiting = left && unready;
	if (facts->waiting && left < *soonest)
		*soonest = left;
}

void nv_mode_ready_vf(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *link = nv_links_by_index(links, vf);
	const struct nv_link *hn = nv_links_by_index(links, managed->id.hn);
	struct nv_retry *setup = &managed->memory.setup_retry;
	int r = link && hn ? nv_port_setup_transparent(failover->kernel, hn, link) : 0;

	if (!link || !hn)
		return;
	if (r == 0) {
		if (setup->vf == vf)
			nv_notice("%s, the VF of %s, is set up now", link->name, hn->name);
		*setup = (struct nv_retry){};
		return;
	}
	managed->state.ready = false;
	/* -ENODEV: its driver has detached it, or it is gone, which netlink is about to say. */
	if (nv_retry_note(setup, vf, nv_loop_now(failover->loop)) && r != -ENODEV)
		nv_warn("cannot set %s up with the MTU and flags of %s: %s; traffic stays on %s; netvfd tries again while %s exists",
			link->name, hn->name, nv_strerror(r), hn->name, link->name);
}

void nv_mode_stop_vf(struct nv_failover *failover, const struct nv_managed *managed, int vf)
{
	int r = nv_kernel_link_up(failover->kernel, vf, false);

	if (r < 0 && r != -ENODEV)
		nv_warn("%s: was set down, but its VF %s cannot be: %s", managed->id.hn_name,
			managed->id.vf_name, nv_strerror(r));
}
