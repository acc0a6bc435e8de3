/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/observe.h"

#include "base/move_lock.h"
#include "datapath/lagg.h"
#include "failover/mode.h"
#include "failover/vf_proof.h"
#include "pair/vf_mac.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>

#define GIVING_BACK_LOOK (NV_USEC_PER_SEC / 10)

/* A second VF is ignored while the known one is there, as in hn(4). */
static int observe_vf(
	const struct nv_managed *managed, const struct nv_pair *pair, const struct nv_links *links)
{
	switch (pair->match) {
	case NV_MATCH_MANAGED:
		return pair->vf;
	case NV_MATCH_REFUSED:
		return nv_links_by_index(links, managed->state.vf) ? managed->state.vf : 0;
	case NV_MATCH_OBSERVED:
		return 0;
	}
	return 0;
}

static void observe_links(const struct nv_failover *failover, const struct nv_managed *managed,
	const struct nv_pair *pair, struct nv_view *view)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	struct nv_pair_facts *facts = &view->facts;

	facts->vf = observe_vf(managed, pair, links);
	view->hn = nv_links_by_index(links, managed->id.hn);
	view->vf = facts->vf ? nv_links_by_index(links, facts->vf) : NULL;
	view->ours = pair->match == NV_MATCH_MANAGED;
	memcpy(view->mac, pair->mac, NV_MAC_LEN);
	facts->vf_usable = view->vf && nv_link_usable(view->vf);
	facts->vf_up = view->vf && (view->vf->flags & IFF_UP);
	facts->hn_usable = view->hn && nv_link_usable(view->hn);
	facts->hn_up = !view->hn || (view->hn->flags & IFF_UP);
	facts->hn_dormant = view->hn && view->hn->link_mode == IF_LINK_MODE_DORMANT;
}

/* The monitor may not know a lagg yet that was just made, so the kernel is asked too. */
static bool observe_is_lagg_gone(const struct nv_failover *failover, int lagg)
{
	struct nv_link link;

	return lagg && !nv_links_by_index(nv_monitor_links(failover->monitor), lagg) &&
	       nv_kernel_link(failover->kernel, lagg, &link) == -ENODEV;
}

static int observe_path(
	struct nv_failover *failover, const struct nv_managed *managed, struct nv_view *view)
{
	struct nv_pair_facts *facts = &view->facts;
	int r = nv_datapath_get(failover->datapath, managed->id.hn, &view->path);

	if (r == -EAGAIN)
		return r;
	view->in_path = r == 0;
	facts->entered =
		view->in_path || !view->ours || nv_datapath_attaches_gently(failover->datapath);
	if (r < 0)
		view->path = (struct nv_dp_pair){.hn = managed->id.hn, .mode = NV_MODE_HN};
	facts->lagg_gone = observe_is_lagg_gone(failover, view->path.lagg);
	if (facts->lagg_gone) {
		view->path.lagg = 0;
		if (view->path.mode == NV_MODE_LAGG)
			view->path.mode = NV_MODE_HN;
	}
	facts->mode = view->path.mode;
	return 0;
}

static bool observe_is_bond(const struct nv_failover *failover, int ifindex)
{
	const struct nv_link *link =
		nv_links_by_index(nv_monitor_links(failover->monitor), ifindex);

	return link && nv_lagg_has_ports(link);
}

/*
 * A VF that is up may carry frames already, and would lose its link for seconds if it was set down
 * to become a bond port. So it gets no bond that the administrator did not ask for.
 */
static bool observe_wants_bond(const struct nv_failover *failover, const struct nv_link *vf)
{
	switch (failover->settings->hn.lagg) {
	case NV_LAGG_BPF:
		return false;
	case NV_LAGG_BOND:
		return true;
	case NV_LAGG_AUTO:
		return !(vf->flags & IFF_UP);
	}
	return false;
}

/*
 * A bond gives its ports its own MAC address, or takes theirs. So a VF with a MAC address of its
 * own becomes no bond port: the data path serves it.
 */
static enum nv_pair_bond observe_bond(const struct nv_failover *failover,
	const struct nv_managed *managed, const struct nv_view *view)
{
	const struct nv_link *vf = view->vf;
	char name[IFNAMSIZ];

	if (!view->ours || !view->hn || !vf || vf->master ||
		vf->ifindex == managed->memory.refused || nv_vf_has_own_mac(view->hn, vf))
		return NV_BOND_NONE;
	if (view->path.lagg)
		return observe_is_bond(failover, view->path.lagg) ? NV_BOND_TAKE : NV_BOND_NONE;
	if (!observe_wants_bond(failover, vf) || managed->memory.no_bond ||
		nv_hn_lagg_name(view->hn->name, name) < 0)
		return NV_BOND_NONE;
	return NV_BOND_MAKE;
}

/*
 * While hyperv_vfup moves the configuration back, what it does to hn is not undone. The pair is
 * settled again when it has ended.
 */
static bool observe_is_given_back(
	const struct nv_failover *failover, const struct nv_managed *managed, struct nv_view *view)
{
	if (view->path.mode != NV_MODE_LAGG ||
		!nv_move_lock_is_to_hn(failover->run_dir, managed->id.hn_name))
		return false;
	view->wait = view->wait < GIVING_BACK_LOOK ? view->wait : GIVING_BACK_LOOK;
	return true;
}

static void observe_holddown(
	const struct nv_failover *failover, struct nv_managed *managed, struct nv_view *view)
{
	struct nv_holddown *holddown = &managed->memory.holddown;
	uint64_t limit = failover->settings->holddown * NV_USEC_PER_SEC;
	uint64_t now = nv_loop_now(failover->loop);
	struct nv_pair_facts *facts = &view->facts;
	uint64_t left;

	/* The hold-down belongs to the VF: another VF begins without one. */
	if (facts->vf != managed->state.vf)
		*holddown = (struct nv_holddown){};
	nv_holddown_note(holddown, now, facts->vf_usable,
		facts->vf_usable && managed->state.active == NV_PORT_VF);
	left = nv_holddown_left(holddown, now, limit);
	facts->held_down = facts->vf_usable && left && managed->state.active == NV_PORT_HN;
	if (facts->held_down && left < view->wait)
		view->wait = left;
}

int nv_observe(struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair,
	struct nv_view *ret_view)
{
	struct nv_view view = {.facts.override = managed->memory.override, .wait = UINT64_MAX};
	struct nv_pair_facts *facts = &view.facts;
	int r;

	observe_links(failover, managed, pair, &view);
	r = observe_path(failover, managed, &view);
	if (r < 0)
		return r;
	if (facts->vf && !managed->memory.vfs_own)
		facts->answered = failover->ops->answers_vf_up(managed->id.hn_name, failover->data);
	facts->bond = observe_bond(failover, managed, &view);
	facts->giving_back = observe_is_given_back(failover, managed, &view);
	facts->transparent = nv_mode_decide(failover, managed, facts, &view.wait);
	observe_holddown(failover, managed, &view);
	nv_mode_wait(failover, managed, facts, &view.wait);
	nv_vf_proof_observe(managed, facts);
	*ret_view = view;
	return 0;
}
