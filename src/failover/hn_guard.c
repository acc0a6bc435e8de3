/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/hn_guard.h"

#include "base/log.h"
#include "base/move_lock.h"
#include "kernel/diff.h"

#include <linux/if.h>
#include <string.h>

#define MOVE_LOOK (NV_USEC_PER_SEC / 10)
#define VLAN_LOOK (2 * NV_USEC_PER_SEC)

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

/* hyperv_vfup refuses a VLAN that the lagg has already under another name. */
static bool hn_guard_is_refused(const struct nv_links *links, const struct nv_link *hn,
	const struct nv_link *lagg, const struct nv_link *vlan)
{
	size_t length = strlen(hn->name);
	bool is_named = strncmp(vlan->name, hn->name, length) == 0;
	const struct nv_link *there = NULL;

	while ((there = nv_links_next_vlan(links, lagg->ifindex, there ? there->ifindex : 0)))
		if (there->vlan_id == vlan->vlan_id && strlen(there->name) > strlen(lagg->name))
			return !is_named ||
			       !nv_streq(there->name + strlen(lagg->name), vlan->name + length);
	return false;
}

/* A VLAN that is up. Whoever has just made it gives it addresses for a moment still. */
static bool hn_guard_finds_vlan(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_link *lagg, struct nv_str *what)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	uint64_t now = nv_loop_now(failover->loop);
	const struct nv_link *vlan = NULL;
	struct nv_link live;

	while ((vlan = nv_links_next_vlan(links, view->hn->ifindex, vlan ? vlan->ifindex : 0)))
		if ((vlan->flags & IFF_UP) && !hn_guard_is_refused(links, view->hn, lagg, vlan))
			break;
	if (!vlan || nv_kernel_link(failover->kernel, vlan->ifindex, &live) < 0 ||
		live.lower != view->hn->ifindex) {
		managed->memory.vlan = 0;
		return false;
	}
	if (managed->memory.vlan != vlan->ifindex) {
		managed->memory.vlan = vlan->ifindex;
		managed->memory.vlan_since = now;
	}
	if (now - managed->memory.vlan_since < VLAN_LOOK) {
		nv_failover_look_in(failover, VLAN_LOOK - (now - managed->memory.vlan_since));
		return false;
	}
	nv_str_printf(what, "the VLAN %s", vlan->name);
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
static bool hn_guard_finds(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_link *lagg, struct nv_str *what)
{
	const struct nv_reclaim *reclaim = &managed->memory.reclaim;
	unsigned int reports = managed->memory.bypass_reports;

	if (hn_guard_finds_master(failover, view, what) ||
		hn_guard_finds_addr(failover, view, what) ||
		hn_guard_finds_vlan(failover, managed, view, lagg, what) ||
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
		!hn_guard_finds(failover, managed, view, lagg, &what))
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
