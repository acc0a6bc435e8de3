/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/requests.h"

#include "base/str.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <string.h>

/* Whether the link's frames leave the upper as this file makes them; *ret_vlan: their tag. */
static bool requests_find_tag(const struct nv_requests_view *view, uint16_t *ret_vlan)
{
	const struct nv_link *upper = nv_links_by_index(view->links, view->upper);
	const struct nv_link *link = view->link;

	if (!upper || memcmp(link->mac, view->mac, NV_MAC_LEN) != 0)
		return false;
	*ret_vlan = 0;
	if (link == upper)
		return true;
	if (nv_streq(link->kind, "bridge"))
		return upper->master == link->ifindex;
	*ret_vlan = link->vlan_id;
	return nv_streq(link->kind, "vlan") && link->lower == view->upper &&
	       !link->lower_elsewhere && !link->vlan_is_8021ad && link->vlan_id;
}

/* Whether the neighbour may be on the network, and is not the guest's own behind a bridge. */
static bool requests_is_outside(const struct nv_requests_view *view, const struct nv_neigh *neigh)
{
	if (!view->behind)
		return true;
	for (size_t i = 0; i < view->behind->count; i++)
		if (memcmp(view->behind->group[i].mac, neigh->mac, NV_MAC_LEN) == 0)
			return true;
	return false;
}

/* In the order of asking; 0: not at all. */
static unsigned int requests_rank(const struct nv_requests_view *view, const struct nv_neigh *neigh)
{
	if (neigh->ifindex != view->link->ifindex || neigh->mac[0] & 1 ||
		memcmp(neigh->mac, view->mac, NV_MAC_LEN) == 0 || !requests_is_outside(view, neigh))
		return 0;
	if (neigh->state & NUD_REACHABLE)
		return 3;
	if (neigh->state & (NUD_STALE | NUD_DELAY | NUD_PROBE))
		return 2;
	return neigh->state & NUD_PERMANENT ? 1 : 0;
}

static bool requests_is_in_prefix(const struct nv_addr *addr, const struct nv_ip *address)
{
	const uint8_t *a = (const uint8_t *)&addr->local.v6;
	const uint8_t *b = (const uint8_t *)&address->v6;
	unsigned int whole = addr->prefix_len / 8;
	unsigned int rest = addr->prefix_len % 8;

	return memcmp(a, b, whole) == 0 && (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* An address of the link that it may use, in one network with the neighbour; NULL: none. */
static const struct nv_ip *requests_find_source(
	const struct nv_requests_view *view, const struct nv_neigh *neigh)
{
	for (size_t i = 0; i < view->addrs->count; i++) {
		const struct nv_addr *addr = &view->addrs->addr[i];

		if (addr->ifindex == neigh->ifindex &&
			addr->local.family == neigh->address.family &&
			!(addr->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) &&
			requests_is_in_prefix(addr, &neigh->address))
			return &addr->local;
	}
	return NULL;
}

void nv_requests_add(struct nv_requests *requests, const struct nv_requests_view *view)
{
	struct nv_frame_ask ask = {.mac = view->port_mac};

	if (!requests_find_tag(view, &ask.vlan))
		return;
	for (unsigned int rank = 3; rank > 0; rank--) {
		for (size_t i = 0; i < view->neighs->count; i++) {
			const struct nv_neigh *neigh = &view->neighs->neigh[i];

			if (requests->count == NV_REQUESTS_MAX)
				return;
			if (requests_rank(view, neigh) != rank)
				continue;
			ask.address = requests_find_source(view, neigh);
			ask.neighbour = &neigh->address;
			ask.neighbour_mac = neigh->mac;
			if (ask.address)
				nv_frame_request(&ask, &requests->frame[requests->count++]);
		}
	}
}
