/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/concern.h"

#include "failover/owners.h"

#include <string.h>

/* Links that are looked at below one that has changed; more: it concerns all pairs. */
#define BELOW_MAX  4096
#define BELOW_DEEP 16 /* levels */

/* Returns whether it is a pair's own link. */
static bool concern_mark(struct nv_failover *failover, int ifindex)
{
	int hn = nv_owners_next(failover, ifindex, 0);
	bool is_owned = hn;

	for (; hn; hn = nv_owners_next(failover, ifindex, hn))
		nv_hns_add(&failover->due, hn);
	return is_owned;
}

/* The link in this network namespace that it is stacked on; 0: none. A veth's is its other end. */
static int concern_lower(const struct nv_link *link)
{
	return link->lower_elsewhere || nv_streq(link->kind, "veth") ? 0 : link->lower;
}

/* The pairs on which @ifindex is stacked, or whose links are ports of it. */
static void concern_mark_below(
	struct nv_failover *failover, int ifindex, unsigned int level, unsigned int *looked)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *link = nv_links_by_index(links, ifindex);

	if (!ifindex)
		return;
	if (level == BELOW_DEEP || ++*looked > BELOW_MAX) {
		failover->due.all = true;
		return;
	}
	concern_mark(failover, ifindex);
	if (link)
		concern_mark_below(failover, concern_lower(link), level + 1, looked);
	for (link = nv_links_next_port(links, ifindex, 0); link && !failover->due.all;
		link = nv_links_next_port(links, ifindex, link->ifindex))
		concern_mark_below(failover, link->ifindex, level + 1, looked);
}

static bool concern_has_lagg(const struct nv_managed *managed, const struct nv_link *lagg)
{
	char name[IFNAMSIZ];

	return nv_hn_lagg_name(managed->id.hn_name, name) == 0 && nv_streq(name, lagg->name);
}

/*
 * A lagg that somebody has just made, or will just give to a pair. Its name tells whose it is, or
 * its MAC address. If nothing does, it may be anybody's.
 */
static void concern_mark_lagg(struct nv_failover *failover, const struct nv_link *lagg)
{
	bool found = false;

	for (size_t i = 0; i < failover->pairs.count; i++) {
		const struct nv_pair *pair = &failover->pairs.pair[i];

		if (!lagg->has_mac || memcmp(pair->mac, lagg->mac, NV_MAC_LEN) != 0)
			continue;
		nv_hns_add(&failover->due, pair->hn);
		found = true;
	}
	for (size_t i = 0; i < failover->n_managed; i++) {
		if (!concern_has_lagg(&failover->managed[i], lagg))
			continue;
		nv_hns_add(&failover->due, failover->managed[i].id.hn);
		found = true;
	}
	failover->due.all |= !found;
}

/* Interfaces of containers and virtual machines, of which many come and go. */
static bool concern_is_apart(const struct nv_link *link)
{
	static const char *const apart[] = {"veth", "tun", "ifb"};

	for (size_t i = 0; i < NV_ARRAY_SIZE(apart); i++)
		if (nv_streq(link->kind, apart[i]))
			return true;
	return false;
}

static void concern_mark_link(struct nv_failover *failover, const struct nv_link *link)
{
	bool is_owned = concern_mark(failover, link->ifindex);
	unsigned int looked = 0;

	concern_mark_below(failover, link->ifindex, 0, &looked);
	concern_mark_below(failover, concern_lower(link), 1, &looked);
	if (!is_owned && !link->lower && nv_is_lagg_name(link->name))
		concern_mark_lagg(failover, link);
	failover->stirred |= is_owned || !concern_is_apart(link);
}

void nv_concern_link(
	struct nv_failover *failover, const struct nv_link *old, const struct nv_link *new)
{
	if (!failover->monitor) {
		failover->due.all = true;
		return;
	}
	failover->rematch |= nv_pairs_depend(
		nv_monitor_links(failover->monitor), &failover->settings->hn, old, new);
	if (old)
		concern_mark_link(failover, old);
	if (new)
		concern_mark_link(failover, new);
}

void nv_concern_addr(struct nv_failover *failover, int ifindex)
{
	concern_mark(failover, ifindex);
}

void nv_concern_name(struct nv_failover *failover, const char *ifname)
{
	const struct nv_link *link = nv_links_by_name(nv_monitor_links(failover->monitor), ifname);
	bool found = link && concern_mark(failover, link->ifindex);

	for (size_t i = 0; i < failover->n_managed; i++) {
		const struct nv_managed_id *id = &failover->managed[i].id;

		if (!nv_streq(id->hn_name, ifname) && !nv_streq(id->vf_name, ifname))
			continue;
		nv_hns_add(&failover->due, id->hn);
		found = true;
	}
	failover->due.all |= !found;
}

void nv_concern_soon(struct nv_failover *failover, int hn)
{
	nv_deadlines_add(&failover->clock, hn, nv_loop_now(failover->loop));
	nv_watch_arm(failover->again, 0);
}
