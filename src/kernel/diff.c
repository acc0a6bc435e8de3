/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/diff.h"

#include "base/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int diff_order(long long a, long long b)
{
	return (a > b) - (a < b);
}

static int diff_compare_ip(const struct nv_ip *a, const struct nv_ip *b)
{
	size_t size = a->family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
	int families = diff_order(a->family, b->family);

	return families ? families : memcmp(&a->v6, &b->v6, size);
}

/*
 * In IPv6 a link has an address once. In IPv4 it may have an address several times, with different
 * prefixes or peers.
 */
int nv_addr_compare(const struct nv_addr *a, const struct nv_addr *b)
{
	int r = diff_order(a->ifindex, b->ifindex);

	if (r == 0)
		r = diff_compare_ip(&a->local, &b->local);
	if (r == 0 && a->local.family == AF_INET)
		r = diff_order(a->prefix_len, b->prefix_len);
	if (r == 0 && a->local.family == AF_INET)
		r = diff_compare_ip(&a->peer, &b->peer);
	return r;
}

static int diff_compare_elements(const void *a, const void *b)
{
	return nv_addr_compare(a, b);
}

void nv_addrs_sort(struct nv_addrs *addrs)
{
	if (addrs->count)
		qsort(addrs->addr, addrs->count, sizeof(addrs->addr[0]), diff_compare_elements);
}

/* The index of @like, or the one at which it would be inserted. */
static size_t diff_place(const struct nv_addrs *addrs, const struct nv_addr *like)
{
	return nv_place(
		addrs->addr, addrs->count, sizeof(addrs->addr[0]), like, diff_compare_elements);
}

const struct nv_addr *nv_addrs_find(const struct nv_addrs *addrs, const struct nv_addr *like)
{
	size_t at = diff_place(addrs, like);

	return at < addrs->count && nv_addr_compare(&addrs->addr[at], like) == 0 ? &addrs->addr[at]
										 : NULL;
}

static int diff_compare_ifindex(const void *addr, const void *ifindex)
{
	return diff_order(((const struct nv_addr *)addr)->ifindex, *(const int *)ifindex);
}

struct nv_addrs nv_addrs_of(const struct nv_addrs *addrs, int ifindex)
{
	size_t at = nv_place(
		addrs->addr, addrs->count, sizeof(addrs->addr[0]), &ifindex, diff_compare_ifindex);
	struct nv_addrs of = {.addr = addrs->count ? &addrs->addr[at] : NULL};

	while (at + of.count < addrs->count && of.addr[of.count].ifindex == ifindex)
		of.count++;
	return of;
}

int nv_addrs_put(struct nv_addrs *addrs, const struct nv_addr *addr)
{
	size_t at = diff_place(addrs, addr);
	int r;

	if (!nv_addrs_find(addrs, addr)) {
		r = nv_addrs_add(addrs, addr);
		if (r < 0)
			return r;
		memmove(&addrs->addr[at + 1], &addrs->addr[at],
			(addrs->count - 1 - at) * sizeof(*addr));
	}
	addrs->addr[at] = *addr;
	return 0;
}

void nv_addrs_remove(struct nv_addrs *addrs, const struct nv_addr *like)
{
	size_t at = diff_place(addrs, like);

	if (at >= addrs->count || nv_addr_compare(&addrs->addr[at], like) != 0)
		return;
	addrs->count--;
	memmove(&addrs->addr[at], &addrs->addr[at + 1],
		(addrs->count - at) * sizeof(addrs->addr[0]));
}

static bool diff_same_mac(bool has_a, const uint8_t *a, bool has_b, const uint8_t *b)
{
	return has_a == has_b && (!has_a || memcmp(a, b, NV_MAC_LEN) == 0);
}

static bool diff_same_vlan(const struct nv_link *a, const struct nv_link *b)
{
	size_t length = a->vlan_length <= sizeof(a->vlan) ? a->vlan_length : 0;

	return a->vlan_id == b->vlan_id && a->vlan_is_8021ad == b->vlan_is_8021ad &&
	       a->vlan_length == b->vlan_length && memcmp(a->vlan, b->vlan, length) == 0;
}

bool nv_link_equal(const struct nv_link *a, const struct nv_link *b)
{
	return a->ifindex == b->ifindex && strcmp(a->name, b->name) == 0 && a->type == b->type &&
	       a->flags == b->flags && a->mtu == b->mtu && a->tx_queue_len == b->tx_queue_len &&
	       a->group == b->group && memcmp(&a->token, &b->token, sizeof(a->token)) == 0 &&
	       a->promiscuity == b->promiscuity && a->operstate == b->operstate &&
	       a->link_mode == b->link_mode && a->carrier == b->carrier &&
	       diff_same_mac(a->has_mac, a->mac, b->has_mac, b->mac) &&
	       diff_same_mac(a->has_permanent_mac, a->permanent_mac, b->has_permanent_mac,
		       b->permanent_mac) &&
	       a->master == b->master && a->stp == b->stp && a->isolated == b->isolated &&
	       a->primary == b->primary && a->lower == b->lower &&
	       a->lower_elsewhere == b->lower_elsewhere && diff_same_vlan(a, b) &&
	       a->addr_gen_mode == b->addr_gen_mode && strcmp(a->kind, b->kind) == 0 &&
	       strcmp(a->driver, b->driver) == 0 && strcmp(a->parent_bus, b->parent_bus) == 0 &&
	       a->is_virtfn == b->is_virtfn && strcmp(a->parent_dev, b->parent_dev) == 0 &&
	       strcmp(a->alias, b->alias) == 0;
}

static bool diff_same_ip(bool has_a, const struct nv_ip *a, bool has_b, const struct nv_ip *b)
{
	return has_a == has_b && (!has_a || diff_compare_ip(a, b) == 0);
}

bool nv_addr_equal(const struct nv_addr *a, const struct nv_addr *b)
{
	return nv_addr_compare(a, b) == 0 && a->prefix_len == b->prefix_len &&
	       diff_same_ip(a->has_peer, &a->peer, b->has_peer, &b->peer) &&
	       diff_same_ip(a->has_broadcast, &a->broadcast, b->has_broadcast, &b->broadcast) &&
	       a->scope == b->scope && a->protocol == b->protocol && a->flags == b->flags &&
	       a->metric == b->metric && strcmp(a->label, b->label) == 0;
}

/* Compares the first elements of two sorted lists. */
static unsigned int diff_relation(int comparison)
{
	if (comparison < 0)
		return NV_DIFF_GONE;
	return comparison > 0 ? NV_DIFF_NEW : NV_DIFF_CHANGED;
}

void nv_diff_links(const struct nv_links *old, const struct nv_links *new, unsigned int which,
	nv_diff_link_fn each, void *data)
{
	size_t i = 0;
	size_t j = 0;

	while (i < old->count || j < new->count) {
		const struct nv_link *was = i < old->count ? &old->link[i] : NULL;
		const struct nv_link *is = j < new->count ? &new->link[j] : NULL;
		unsigned int what = diff_relation(!is	 ? -1
						  : !was ? 1
							 : diff_order(was->ifindex, is->ifindex));

		i += what != NV_DIFF_NEW;
		j += what != NV_DIFF_GONE;
		if (!(which & what) || (what == NV_DIFF_CHANGED && nv_link_equal(was, is)))
			continue;
		each(what == NV_DIFF_NEW ? NULL : was, what == NV_DIFF_GONE ? NULL : is, data);
	}
}

void nv_diff_addrs(const struct nv_addrs *old, const struct nv_addrs *new, unsigned int which,
	nv_diff_addr_fn each, void *data)
{
	size_t i = 0;
	size_t j = 0;

	while (i < old->count || j < new->count) {
		const struct nv_addr *was = i < old->count ? &old->addr[i] : NULL;
		const struct nv_addr *is = j < new->count ? &new->addr[j] : NULL;
		unsigned int what = diff_relation(!is ? -1 : !was ? 1 : nv_addr_compare(was, is));

		i += what != NV_DIFF_NEW;
		j += what != NV_DIFF_GONE;
		if (!(which & what) || (what == NV_DIFF_CHANGED && nv_addr_equal(was, is)))
			continue;
		each(what == NV_DIFF_NEW ? NULL : was, what == NV_DIFF_GONE ? NULL : is, data);
	}
}
