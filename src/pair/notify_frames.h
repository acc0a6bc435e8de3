/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Ethernet frames by which a host tells where it is: its addresses, its multicast groups.
 * Values in, bytes out. Pure.
 */
#pragma once

#include "kernel/types.h"

#define NV_FRAME_GROUPS_MAX 48 /* in one report: it fits in IPv6's smallest MTU */
#define NV_FRAME_MAX	    1040 /* bytes */

struct nv_frame {
	size_t length;
	uint8_t bytes[NV_FRAME_MAX];
};

/*
 * Gratuitous ARP, as the kernel's own (arp_notify): a request for @address by its holder, to all
 * (RFC 5227, 3).
 */
void nv_frame_arp(const uint8_t mac[NV_MAC_LEN], struct in_addr address, struct nv_frame *ret);

/*
 * Unsolicited neighbour advertisement with the override flag, to all nodes (RFC 4861, 7.2.6).
 * @router: the host forwards; without it a router would be struck off its hosts' lists.
 */
void nv_frame_na(const uint8_t mac[NV_MAC_LEN], const struct in6_addr *address, bool router,
	struct nv_frame *ret);

/*
 * An IGMP membership report. Version 3 (RFC 3376, 4.2): up to NV_FRAME_GROUPS_MAX groups, each as
 * wanted from all sources; 1 and 2 (RFC 2236): the first group only. @source may be 0.0.0.0.
 */
void nv_frame_igmp(const uint8_t mac[NV_MAC_LEN], struct in_addr source, unsigned int version,
	const struct in_addr *group, size_t count, struct nv_frame *ret);

/*
 * The same for IPv6: version 2 is RFC 3810's, 5.2; 1 is RFC 2710's, of the first group only.
 * @source: a link-local address, or :: where there is none (RFC 3590).
 */
void nv_frame_mld(const uint8_t mac[NV_MAC_LEN], const struct in6_addr *source,
	unsigned int version, const struct in6_addr *group, size_t count, struct nv_frame *ret);
