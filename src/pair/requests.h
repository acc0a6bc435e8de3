/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which neighbours are asked whether a port passes frames, and by which frames. Pure.
 *
 * Neighbours are those that the kernel knows on the upper, or on a VLAN or bridge on it. They are
 * asked as the kernel does to check an entry: by a request to the neighbour's own MAC address, from
 * an address that the interface has. So nobody else receives it, and no address is claimed.
 */
#pragma once

#include "pair/notify_frames.h"

#define NV_REQUESTS_MAX 4 /* neighbours that are asked at one time */

struct nv_requests {
	size_t count;
	struct nv_frame frame[NV_REQUESTS_MAX];
};

struct nv_requests_view {
	const struct nv_links *links;
	const struct nv_addrs *addrs; /* of all links */
	const struct nv_neighs *neighs; /* of @link */
	const struct nv_link *link; /* the upper, or an interface stacked on it */
	int upper;
	const uint8_t *mac; /* of the upper; NV_MAC_LEN bytes */
	const uint8_t *port_mac; /* of the port that asks: @mac, or a VF's own */
	/* if @link is a bridge: what is behind the upper, of which alone the port can tell */
	const struct nv_groups *behind;
};

/*
 * Adds the requests to neighbours on one interface, those first that the kernel has confirmed last.
 * Adds none if its frames do not leave the upper with the MAC address of the pair and at most one
 * tag.
 */
void nv_requests_add(struct nv_requests *requests, const struct nv_requests_view *view);
