/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/hn_guard.h"

#include "base/log.h"
#include "base/move_lock.h"
#include "kernel/diff.h"

#define MOVE_LOOK (NV_USEC_PER_SEC / 10)

/*
 * A report, of which there is one a second at most, may be about a frame from before the move. So
 * one alone does not count.
 */
#define SENDER_REPORTS 2

/*
 * The monitor may not have heard yet what hyperv_vfup has just removed, so the kernel is asked
 * before somebody is blamed.
 */
static bool hn_guard_finds_master(
	const struct nv_failover *failover, const struct nv_view *view, struct nv_str *what)
{
	const struct nv_link *master =
		nv_links_by_index(nv_monitor_links(failover->monitor), view->hn->master);
	struct nv_link now;

	if (!master || master->ifindex == view->path.lagg ||
		nv_kernel_link(failover->kernel, view->hn->ifindex, &now) < 0 ||
		now.master != master->ifindex)
		return false;
	nv_str_printf(what, "to %s as a port", master->name);
	return true;
}

static bool hn_guard_finds_addr(
	const struct nv_failover *failover, const struct nv_view *view, struct nv_str *what)
{
	const struct nv_addrs *known = nv_monitor_addrs(failover->monitor);
	NV_AUTO(nv_addrs) struct nv_addrs now = {};
	char text[NV_IP_TEXT];

	if (!nv_addrs_of(known, view->hn->ifindex).count ||
		nv_kernel_addrs(failover->kernel, view->hn->ifindex, &now) < 0 || !now.count)
		return false;
	nv_str_printf(what, "the address %s/%u", nv_ip_text(&now.addr[0].local, text),
		now.addr[0].prefix_len);
	return true;
}

static bool hn_guard_finds_vlan(
	const struct nv_failover *failover, const struct nv_view *view, struct nv_str *what)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *link = nv_links_next_stacked(links, view->hn->ifindex, 0);
	struct nv_link now;

	while (link && !link->vlan_id)
		link = nv_links_next_stacked(links, view->hn->ifindex, link->ifindex);
	if (!link || nv_kernel_link(failover->kernel, link->ifindex, &now) < 0 ||
		now.lower != view->hn->ifindex)
		return false;
	nv_str_printf(what, "the VLAN %s", link->name);
	return true;
}

static bool hn_guard_finds_route(
	const struct nv_failover *failover, const struct nv_view *view, struct nv_str *what)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};

	if (nv_kernel_routes(failover->kernel, view->hn->ifindex, &routes) < 0 ||
		!nv_routes_have_configured(&routes))
		return false;
	nv_str_add(what, "a route");
	return true;
}

/*
 * Routes and clients are looked for when hn has sent a frame. A DHCP client may be hidden from this
 * process. Whatever else sends (a socket that is bound to hn) is no configuration, so hyperv_vfup
 * looks at a sender once and not again and again.
 */
static bool hn_guard_finds(const struct nv_failover *failover, const struct nv_managed *managed,
	const struct nv_view *view, struct nv_str *what)
{
	const struct nv_reclaim *reclaim = &managed->memory.reclaim;
	unsigned int reports = managed->memory.bypass_reports;

	if (hn_guard_finds_master(failover, view, what) ||
		hn_guard_finds_addr(failover, view, what) ||
		hn_guard_finds_vlan(failover, view, what) ||
		(reports && hn_guard_finds_route(failover, view, what)))
		return true;
	nv_str_add(what, "something to send by itself, such as a DHCP client");
	return reports >= SENDER_REPORTS &&
	       !nv_reclaim_is_in_row(reclaim, nv_loop_now(failover->loop));
}

static void hn_guard_tell(struct nv_managed *managed, const char *lagg, const char *what)
{
	const char *hn = managed->id.hn_name;

	if (managed->memory.reclaim.count == NV_RECLAIM_MAX)
		nv_warn("%s: somebody gives it a configuration again and again, now %s; the next time netvfd leaves it there for %u minutes; its traffic goes the way of %s. 'netvf doctor' says what to do",
			hn, what, (unsigned int)(NV_RECLAIM_QUIET / (60 * NV_USEC_PER_SEC)), lagg);
	else if (!managed->warned.reclaimed)
		nv_warn("%s: somebody gave it %s, but its configuration is on %s; VF_UP is raised again, so that hyperv_vfup moves that too. Configure %s instead",
			hn, what, lagg, lagg);
	managed->warned.reclaimed = true;
}

void nv_hn_guard(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_dp_pair *path)
{
	const struct nv_link *lagg =
		nv_links_by_index(nv_monitor_links(failover->monitor), path->lagg);
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t left = nv_reclaim_left(&managed->memory.reclaim, now);
	NV_AUTO(nv_str) struct nv_str what = {};

	if (path->mode != NV_MODE_LAGG || !lagg || !view->hn || !view->facts.vf_usable ||
		view->facts.giving_back || !view->facts.answered || !managed->state.announced ||
		!hn_guard_finds(failover, managed, view, &what))
		return;
	if (nv_move_lock_is_taken(failover->run_dir, managed->id.hn_name)) {
		/* It sent before its configuration had moved. */
		managed->memory.bypass_reports = 0;
		left = MOVE_LOOK;
	}
	if (left) {
		nv_failover_look_in(failover, left);
		return;
	}
	nv_reclaim_note(&managed->memory.reclaim, now);
	hn_guard_tell(managed, lagg->name, nv_str_text(&what));
	managed->memory.bypass_reports = 0;
	failover->ops->raise_vf(managed->id.hn_name, "VF_UP", failover->data);
	nv_failover_look_in(failover, nv_reclaim_left(&managed->memory.reclaim, now));
}

bool nv_hn_guard_has_given_up(const struct nv_failover *failover, const struct nv_managed *managed)
{
	const struct nv_reclaim *reclaim = &managed->memory.reclaim;

	return managed->state.mode == NV_MODE_LAGG && reclaim->count >= NV_RECLAIM_MAX &&
	       nv_reclaim_left(reclaim, nv_loop_now(failover->loop));
}
