/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/hn_replace.h"

#include "base/log.h"
#include "failover/concern.h"
#include "failover/managed_table.h"
#include "failover/owners.h"
#include "failover/port_setup.h"

#include <errno.h>
#include <string.h>

static bool replace_is_there(const struct nv_failover *failover, int ifindex)
{
	return nv_links_by_index(nv_monitor_links(failover->monitor), ifindex);
}

/* Its configuration is on the lagg, so nobody else sets it up. */
static void replace_open(
	struct nv_failover *failover, const struct nv_link *hn, const struct nv_link *lagg)
{
	int r;

	nv_port_setup(failover->kernel, hn, lagg->mtu, NULL);
	r = nv_kernel_link_up(failover->kernel, hn->ifindex, true);
	if (r < 0 && r != -ENODEV)
		nv_warn("cannot set %s, a port of %s, up: %s", hn->name, lagg->name,
			nv_strerror(r));
}

void nv_hn_take_back(struct nv_failover *failover, struct nv_managed *managed)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, managed->id.hn);
	const struct nv_link *lagg = nv_links_by_index(links, managed->id.lagg);

	if (!managed->memory.hn_lost || !hn)
		return;
	managed->memory.hn_lost = false;
	managed->memory.programs_due = true;
	if (lagg && managed->state.mode == NV_MODE_LAGG)
		replace_open(failover, hn, lagg);
}

/* Whether the pair has only its lagg, with the MAC address of this link. */
static bool replace_is_bare(const struct nv_failover *failover, const struct nv_managed *managed,
	const struct nv_link *link)
{
	struct nv_dp_pair path;

	return managed->state.mode == NV_MODE_LAGG && !replace_is_there(failover, managed->id.hn) &&
	       !replace_is_there(failover, managed->state.vf) &&
	       nv_datapath_get(failover->datapath, managed->id.hn, &path) == 0 &&
	       memcmp(path.mac, link->mac, NV_MAC_LEN) == 0;
}

/* The pair whose hn is gone and whose place the new one takes: by its VF, else by its lagg. */
static struct nv_managed *replace_find_orphan(
	struct nv_failover *failover, const struct nv_link *new, int vf)
{
	int hn = 0;

	while ((hn = nv_owners_next(failover, vf, hn))) {
		struct nv_managed *managed = nv_managed_find(failover, hn);

		if (managed->state.vf == vf && !replace_is_there(failover, hn))
			return managed;
	}
	for (size_t i = 0; i < failover->n_managed; i++)
		if (replace_is_bare(failover, &failover->managed[i], new))
			return &failover->managed[i];
	return NULL;
}

/* Returns 0, with *ret_managed NULL if there is no such pair, or -EAGAIN. */
static int replace_take_place(struct nv_failover *failover, const struct nv_pair *pair,
	struct nv_hns *due, struct nv_managed **ret_managed)
{
	const struct nv_dp_change change = {.what = NV_DP_HN, .to.hn = pair->hn};
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, pair->hn);
	struct nv_managed *managed = hn ? replace_find_orphan(failover, hn, pair->vf) : NULL;
	const struct nv_link *lagg;
	int r;

	if (!managed || pair->match != NV_MATCH_MANAGED)
		return 0;
	lagg = nv_links_by_index(links, managed->id.lagg);
	r = nv_datapath_change(failover->datapath, managed->id.hn, &change);
	managed->memory.found = r == -EAGAIN;
	if (r == -EAGAIN)
		return r;
	if (r < 0) {
		nv_err("%s: cannot take the place of %s in its pair: %s", hn->name,
			managed->id.hn_name, nv_strerror(r));
		nv_hns_add(due, managed->id.hn);
		return 0;
	}
	if (lagg)
		replace_open(failover, hn, lagg);
	managed = nv_managed_rename(failover, managed, pair->hn);
	managed->state.announced = false;
	managed->state.dormant = false;
	managed->memory.hn_lost = false;
	managed->memory.carrier = NV_CARRIER_UNKNOWN;
	*ret_managed = managed;
	return 0;
}

/* Ends the pair of an hn that can take another's place: *managed is NULL then. 0 or -EAGAIN. */
static int replace_make_way(
	struct nv_failover *failover, const struct nv_pair *pair, struct nv_managed **managed)
{
	const struct nv_link *hn = nv_links_by_index(nv_monitor_links(failover->monitor), pair->hn);

	if ((*managed)->state.vf || (*managed)->id.lagg || !hn || pair->match != NV_MATCH_MANAGED ||
		!replace_find_orphan(failover, hn, pair->vf))
		return 0;
	if (nv_datapath_remove(failover->datapath, pair->hn) == -EAGAIN) {
		(*managed)->memory.found = true;
		return -EAGAIN;
	}
	(*managed)->memory.dropped = true;
	nv_managed_sweep(failover);
	*managed = NULL;
	return 0;
}

int nv_hn_replace(struct nv_failover *failover, const struct nv_pair *pair, struct nv_hns *due,
	struct nv_managed **managed)
{
	int r = *managed ? replace_make_way(failover, pair, managed) : 0;

	return r == 0 && !*managed ? replace_take_place(failover, pair, due, managed) : r;
}

void nv_hn_call_heirs(struct nv_failover *failover, const struct nv_managed *managed)
{
	for (size_t i = 0; i < failover->pairs.count; i++) {
		int hn = failover->pairs.pair[i].hn;
		const struct nv_link *link =
			nv_links_by_index(nv_monitor_links(failover->monitor), hn);

		if (link && replace_is_bare(failover, managed, link))
			nv_concern_soon(failover, hn);
	}
}
