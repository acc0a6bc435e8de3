/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/notify_frames.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <string.h>

#define HOPS_NEIGHBOUR 255 /* proves that no router has forwarded the packet */
#define HOPS_REPORT    1

#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_V3_REPORT 0x22
#define MLD_V2_REPORT  143
#define IS_EXCLUDE     2 /* record type: the group is joined for all sources except those listed */

static const struct in6_addr all_nodes = {{{0xff, 0x02, [15] = 0x01}}};
static const struct in6_addr all_mld_routers = {{{0xff, 0x02, [15] = 0x16}}};

static void frames_put(struct nv_frame *frame, const void *bytes, size_t length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static void frames_put8(struct nv_frame *frame, unsigned int value)
{
	frame->bytes[frame->length++] = (uint8_t)value;
}

static void frames_put16(struct nv_frame *frame, unsigned int value)
{
	frames_put8(frame, value >> 8);
	frames_put8(frame, value);
}

static uint32_t frames_sum(const uint8_t *bytes, size_t length)
{
	uint32_t total = 0;

	for (size_t i = 0; i < length; i++)
		total += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
	return total;
}

/* Writes the Internet checksum of @total and of the bytes from @from on to @at. */
static void frames_put_checksum(struct nv_frame *frame, size_t at, size_t from, uint32_t total)
{
	total += frames_sum(frame->bytes + from, frame->length - from);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	frame->bytes[at] = (uint8_t)(~total >> 8);
	frame->bytes[at + 1] = (uint8_t)~total;
}

static void frames_begin(struct nv_frame *frame, const uint8_t to[NV_MAC_LEN],
	const uint8_t from[NV_MAC_LEN], unsigned int protocol)
{
	frame->length = 0;
	frames_put(frame, to, NV_MAC_LEN);
	frames_put(frame, from, NV_MAC_LEN);
	frames_put16(frame, protocol);
}

static void frames_put_arp_request(struct nv_frame *frame, const uint8_t mac[NV_MAC_LEN],
	const struct in_addr *address, const struct in_addr *asked)
{
	static const uint8_t nobody[NV_MAC_LEN];

	frames_put16(frame, 1); /* hardware type: Ethernet */
	frames_put16(frame, ETHERTYPE_IP);
	frames_put8(frame, NV_MAC_LEN);
	frames_put8(frame, sizeof(*address));
	frames_put16(frame, 1); /* operation: request */
	frames_put(frame, mac, NV_MAC_LEN);
	frames_put(frame, address, sizeof(*address));
	frames_put(frame, nobody, NV_MAC_LEN);
	frames_put(frame, asked, sizeof(*asked));
}

void nv_frame_arp(const uint8_t mac[NV_MAC_LEN], struct in_addr address, struct nv_frame *ret)
{
	static const uint8_t broadcast[NV_MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	frames_begin(ret, broadcast, mac, ETHERTYPE_ARP);
	frames_put_arp_request(ret, mac, &address, &address);
}

/* An IPv4 header with the router alert option (RFC 2113), which IGMP requires; 24 bytes. */
static void frames_begin_igmp(struct nv_frame *frame, const uint8_t mac[NV_MAC_LEN],
	struct in_addr source, struct in_addr to, size_t length)
{
	const uint8_t *bytes = (const uint8_t *)&to;
	const uint8_t group[NV_MAC_LEN] = {0x01, 0x00, 0x5e, bytes[1] & 0x7f, bytes[2], bytes[3]};
	static const uint8_t router_alert[] = {0x94, 0x04, 0x00, 0x00};
	size_t start;

	frames_begin(frame, group, mac, ETHERTYPE_IP);
	start = frame->length;
	frames_put16(
		frame, 0x46c0); /* version 4, header of six words, class "internetwork control" */
	frames_put16(frame, (unsigned int)(24 + length));
	frames_put16(frame, 0);
	frames_put16(frame, 0x4000); /* do not fragment */
	frames_put8(frame, HOPS_REPORT);
	frames_put8(frame, IPPROTO_IGMP);
	frames_put16(frame, 0);
	frames_put(frame, &source, sizeof(source));
	frames_put(frame, &to, sizeof(to));
	frames_put(frame, router_alert, sizeof(router_alert));
	frames_put_checksum(frame, start + 10, start, 0);
}

void nv_frame_igmp(const uint8_t mac[NV_MAC_LEN], struct in_addr source, unsigned int version,
	const struct in_addr *group, size_t count, struct nv_frame *ret)
{
	const struct in_addr all_routers = {htonl(0xe0000016)};
	size_t start;

	if (version == 3)
		frames_begin_igmp(ret, mac, source, all_routers, 8 + count * 8);
	else
		frames_begin_igmp(ret, mac, source, group[0], 8);
	start = ret->length;
	frames_put8(ret, version == 3	? IGMP_V3_REPORT
			 : version == 2 ? IGMP_V2_REPORT
					: IGMP_V1_REPORT);
	frames_put8(ret, 0);
	frames_put16(ret, 0);
	if (version == 3) {
		frames_put16(ret, 0);
		frames_put16(ret, (unsigned int)count);
		for (size_t i = 0; i < count; i++) {
			frames_put8(ret, IS_EXCLUDE);
			frames_put8(ret, 0);
			frames_put16(ret, 0);
			frames_put(ret, &group[i], sizeof(group[i]));
		}
	} else {
		frames_put(ret, &group[0], sizeof(group[0]));
	}
	frames_put_checksum(ret, start + 2, start, 0);
}

static void frames_put_ipv6(struct nv_frame *frame, const struct in6_addr *source,
	const struct in6_addr *to, unsigned int next, size_t length, unsigned int hops)
{
	frames_put16(frame, 0x6000);
	frames_put16(frame, 0);
	frames_put16(frame, (unsigned int)length);
	frames_put8(frame, next);
	frames_put8(frame, hops);
	frames_put(frame, source, sizeof(*source));
	frames_put(frame, to, sizeof(*to));
}

static void frames_begin_ipv6(struct nv_frame *frame, const uint8_t mac[NV_MAC_LEN],
	const struct in6_addr *source, const struct in6_addr *to, unsigned int next, size_t length,
	unsigned int hops)
{
	const uint8_t *bytes = to->s6_addr;
	const uint8_t group[NV_MAC_LEN] = {0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]};

	frames_begin(frame, group, mac, ETHERTYPE_IPV6);
	frames_put_ipv6(frame, source, to, next, length, hops);
}

/* The checksum covers the bytes from @from on and the addresses before them (RFC 8200, 8.1). */
static void frames_put_icmp6_checksum_of(struct nv_frame *frame, size_t addresses, size_t from)
{
	uint32_t total = frames_sum(frame->bytes + addresses, 2 * sizeof(struct in6_addr));

	total += (uint32_t)(frame->length - from) + IPPROTO_ICMPV6;
	frames_put_checksum(frame, from + 2, from, total);
}

static void frames_put_icmp6_checksum(struct nv_frame *frame, size_t from)
{
	frames_put_icmp6_checksum_of(frame, ETHER_HDR_LEN + 8, from);
}

static void frames_put_solicitation(struct nv_frame *frame, const struct nv_frame_ask *ask)
{
	const struct in6_addr *asked = &ask->neighbour->v6;
	size_t begin = frame->length;
	size_t start;

	frames_put_ipv6(frame, &ask->address->v6, asked, IPPROTO_ICMPV6, 32, HOPS_NEIGHBOUR);
	start = frame->length;
	frames_put8(frame, ND_NEIGHBOR_SOLICIT);
	frames_put8(frame, 0);
	frames_put16(frame, 0);
	frames_put16(frame, 0);
	frames_put16(frame, 0);
	frames_put(frame, asked, sizeof(*asked));
	frames_put8(frame, ND_OPT_SOURCE_LINKADDR);
	frames_put8(frame, 1);
	frames_put(frame, ask->mac, NV_MAC_LEN);
	frames_put_icmp6_checksum_of(frame, begin + 8, start);
}

void nv_frame_request(const struct nv_frame_ask *ask, struct nv_frame *ret)
{
	bool is_ipv6 = ask->neighbour->family == AF_INET6;
	unsigned int protocol = is_ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_ARP;

	frames_begin(ret, ask->neighbour_mac, ask->mac, ask->vlan ? ETHERTYPE_VLAN : protocol);
	if (ask->vlan) {
		frames_put16(ret, ask->vlan);
		frames_put16(ret, protocol);
	}
	if (is_ipv6)
		frames_put_solicitation(ret, ask);
	else
		frames_put_arp_request(ret, ask->mac, &ask->address->v4, &ask->neighbour->v4);
}

void nv_frame_na(const uint8_t mac[NV_MAC_LEN], const struct in6_addr *address, bool router,
	struct nv_frame *ret)
{
	size_t start;

	frames_begin_ipv6(ret, mac, address, &all_nodes, IPPROTO_ICMPV6, 32, HOPS_NEIGHBOUR);
	start = ret->length;
	frames_put8(ret, ND_NEIGHBOR_ADVERT);
	frames_put8(ret, 0);
	frames_put16(ret, 0);
	frames_put8(ret, router ? 0xa0 : 0x20); /* flags: override, and router if it is one */
	frames_put8(ret, 0);
	frames_put16(ret, 0);
	frames_put(ret, address, sizeof(*address));
	frames_put8(ret, ND_OPT_TARGET_LINKADDR);
	frames_put8(ret, 1);
	frames_put(ret, mac, NV_MAC_LEN);
	frames_put_icmp6_checksum(ret, start);
}

/* The hop-by-hop options that MLD requires: router alert (RFC 2711) and padding; 8 bytes. */
static void frames_begin_mld(struct nv_frame *frame, const uint8_t mac[NV_MAC_LEN],
	const struct in6_addr *source, const struct in6_addr *to, size_t length)
{
	static const uint8_t options[] = {IPPROTO_ICMPV6, 0, 0x05, 0x02, 0, 0, 0x01, 0};

	frames_begin_ipv6(
		frame, mac, source, to, IPPROTO_HOPOPTS, sizeof(options) + length, HOPS_REPORT);
	frames_put(frame, options, sizeof(options));
}

void nv_frame_mld(const uint8_t mac[NV_MAC_LEN], const struct in6_addr *source,
	unsigned int version, const struct in6_addr *group, size_t count, struct nv_frame *ret)
{
	size_t start;

	if (version == 2)
		frames_begin_mld(ret, mac, source, &all_mld_routers, 8 + count * 20);
	else
		frames_begin_mld(ret, mac, source, &group[0], 24);
	start = ret->length;
	frames_put8(ret, version == 2 ? MLD_V2_REPORT : MLD_LISTENER_REPORT);
	frames_put8(ret, 0);
	frames_put16(ret, 0);
	frames_put16(ret, 0);
	frames_put16(ret, version == 2 ? (unsigned int)count : 0);
	for (size_t i = 0; i < (version == 2 ? count : 1); i++) {
		if (version == 2) {
			frames_put8(ret, IS_EXCLUDE);
			frames_put8(ret, 0);
			frames_put16(ret, 0);
		}
		frames_put(ret, &group[i], sizeof(group[i]));
	}
	frames_put_icmp6_checksum(ret, start);
}
