/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Ethernet frames by which an interface announces its addresses and its multicast groups, and
 * those by which it asks a neighbour whether it is there.
 * Values in, bytes out. Pure.
 */
#pragma once

#include "kernel/types.h"

#define NV_FRAME_GROUPS_MAX 48 /* in one report, so that it fits in the smallest IPv6 MTU */
#define NV_FRAME_MAX	    1040 /* bytes */

struct nv_frame {
	size_t length;
	uint8_t bytes[NV_FRAME_MAX];
};

/*
 * Gratuitous ARP, as the kernel sends it (arp_notify): a broadcast request for @address with
 * @address as the sender (RFC 5227, 3).
 */
void nv_frame_arp(const uint8_t mac[NV_MAC_LEN], struct in_addr address, struct nv_frame *ret);

/*
 * Unsolicited neighbour advertisement with the override flag, to all nodes (RFC 4861, 7.2.6).
 * @router: the interface forwards; without the flag, hosts would remove a router from their lists.
 */
void nv_frame_na(const uint8_t mac[NV_MAC_LEN], const struct in6_addr *address, bool router,
	struct nv_frame *ret);

/*
 * An IGMP membership report. Version 3 (RFC 3376, 4.2): up to NV_FRAME_GROUPS_MAX groups, each
 * joined for all sources; versions 1 and 2 (RFC 2236): the first group only. @source may be
 * 0.0.0.0.
 */
void nv_frame_igmp(const uint8_t mac[NV_MAC_LEN], struct in_addr source, unsigned int version,
	const struct in_addr *group, size_t count, struct nv_frame *ret);

/*
 * An MLD report. Version 2 (RFC 3810, 5.2) like IGMP version 3; version 1 (RFC 2710): the first
 * group only. @source: a link-local address, or :: if there is none (RFC 3590).
 */
void nv_frame_mld(const uint8_t mac[NV_MAC_LEN], const struct in6_addr *source,
	unsigned int version, const struct in6_addr *group, size_t count, struct nv_frame *ret);

/* Who asks whom; both addresses are of one family. */
struct nv_frame_ask {
	const uint8_t *mac; /* of the one who asks, NV_MAC_LEN bytes */
	const uint8_t *neighbour_mac;
	const struct nv_ip *address;
	const struct nv_ip *neighbour;
	uint16_t vlan; /* the tag of the frame; 0: none */
};

/*
 * A request to one neighbour, as the kernel sends it to check an entry of its table (RFC 1122,
 * 2.3.2.1; RFC 4861, 7.3.1): an ARP request or a neighbour solicitation. It says nothing new about
 * @ask->address, which must be an address that the interface has.
 */
void nv_frame_request(const struct nv_frame_ask *ask, struct nv_frame *ret);
