/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VF with a MAC address of its own. Its host accepts and delivers that address only, and the
 * upper has hn's. So a frame that leaves by the VF gets the VF's address in place of the upper's:
 * as its source, and where the sender tells its address, in ARP (RFC 826) and in the options of
 * neighbour discovery (RFC 4861, 4.6.1). A frame to the VF gets the upper's address as its
 * destination; the kernel does not read the other addresses in it.
 *
 * What is not translated (ARP and neighbour discovery behind a second VLAN tag, an address in a
 * protocol of another kind) tells hn's address. Frames to that arrive by hn.
 */
#pragma once

#include "datapath/shared.h"

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VF_MAC_ARP_SENDER	(sizeof(struct ethhdr) + 8) /* behind the fixed part */
#define VF_MAC_ICMP		(sizeof(struct ethhdr) + sizeof(struct ipv6hdr))
#define VF_MAC_OPTIONS_MAX	8 /* options of a message that are looked at */
#define VF_MAC_ROUTER_SOLICIT	133
#define VF_MAC_ROUTER_ADVERT	134
#define VF_MAC_NEIGHBOR_SOLICIT 135
#define VF_MAC_NEIGHBOR_ADVERT	136
#define VF_MAC_SOURCE_LINKADDR	1
#define VF_MAC_TARGET_LINKADDR	2

/* An option with an Ethernet address; its length is in units of 8 bytes. */
struct vf_mac_option {
	__u8 type;
	__u8 length;
	__u16 mac[3];
};

static __always_inline bool vf_mac_is(const __u16 one[3], const __u16 other[3])
{
	return one[0] == other[0] && one[1] == other[1] && one[2] == other[2];
}

static __always_inline bool is_from(const struct ethhdr *frame, const __u16 mac[3])
{
	return vf_mac_is((const __u16 *)frame->h_source, mac);
}

/* Whether the pair has sent this frame, by either port. */
static __always_inline bool vf_mac_is_own(const struct ethhdr *frame, const struct nv_entry *entry)
{
	return is_from(frame, entry->mac) ||
	       (NV_READ(entry->own_mac_vf) && is_from(frame, entry->vf_mac));
}

/* Whether a frame is for a MAC address of the pair's. */
static __always_inline bool vf_mac_is_to(const struct ethhdr *frame, const struct nv_entry *entry)
{
	const __u16 *mac = (const __u16 *)frame->h_dest;

	return vf_mac_is(mac, entry->mac) ||
	       (NV_READ(entry->own_mac_vf) && vf_mac_is(mac, entry->vf_mac));
}

static __always_inline void vf_mac_put_arp(struct __sk_buff *skb, const struct nv_entry *entry)
{
	__u16 sender[3];

	if (bpf_skb_load_bytes(skb, VF_MAC_ARP_SENDER, sender, sizeof(sender)) == 0 &&
		vf_mac_is(sender, entry->mac))
		bpf_skb_store_bytes(skb, VF_MAC_ARP_SENDER, entry->vf_mac, ETH_ALEN, 0);
}

static __always_inline void vf_mac_put_option(struct __sk_buff *skb, const struct nv_entry *entry,
	__u32 at, const struct vf_mac_option *before)
{
	struct vf_mac_option after = *before;
	__s64 difference;

	__builtin_memcpy(after.mac, entry->vf_mac, ETH_ALEN);
	difference = bpf_csum_diff(
		(__be32 *)before, sizeof(*before), (__be32 *)&after, sizeof(after), 0);
	bpf_l4_csum_replace(
		skb, VF_MAC_ICMP + offsetof(struct icmp6hdr, icmp6_cksum), 0, (__u64)difference, 0);
	bpf_skb_store_bytes(skb, at, &after, sizeof(after), 0);
}

/* Where the options of a message begin in its ICMPv6 part; 0: it has none with our address. */
static __always_inline __u32 vf_mac_options(__u8 type)
{
	switch (type) {
	case VF_MAC_ROUTER_SOLICIT:
		return 8;
	case VF_MAC_ROUTER_ADVERT:
		return 16;
	case VF_MAC_NEIGHBOR_SOLICIT:
	case VF_MAC_NEIGHBOR_ADVERT:
		return 24;
	}
	return 0;
}

static __always_inline void vf_mac_put_discovery(
	struct __sk_buff *skb, const struct nv_entry *entry)
{
	struct vf_mac_option option;
	__u8 next, type;
	__u32 at;

	if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + offsetof(struct ipv6hdr, nexthdr),
		    &next, sizeof(next)) < 0 ||
		next != IPPROTO_ICMPV6 ||
		bpf_skb_load_bytes(skb, VF_MAC_ICMP, &type, sizeof(type)) < 0)
		return;
	at = vf_mac_options(type);
	if (!at)
		return;
	at += VF_MAC_ICMP;
	for (__u32 i = 0; i < VF_MAC_OPTIONS_MAX; i++) {
		if (bpf_skb_load_bytes(skb, at, &option, sizeof(option)) < 0 || !option.length)
			return;
		if ((option.type == VF_MAC_SOURCE_LINKADDR ||
			    option.type == VF_MAC_TARGET_LINKADDR) &&
			vf_mac_is(option.mac, entry->mac))
			vf_mac_put_option(skb, entry, at, &option);
		at += option.length * 8U;
	}
}

/* A frame of the upper's that leaves by the VF. Pointers into the frame are invalid afterwards. */
static __always_inline void vf_mac_leave(struct __sk_buff *skb, const struct nv_entry *entry)
{
	const struct ethhdr *frame = (const void *)(long)skb->data;
	__be16 protocol;

	if ((const void *)(frame + 1) > (const void *)(long)skb->data_end ||
		!is_from(frame, entry->mac))
		return;
	protocol = frame->h_proto;
	if (protocol == bpf_htons(ETH_P_ARP))
		vf_mac_put_arp(skb, entry);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		vf_mac_put_discovery(skb, entry);
	bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_source), entry->vf_mac, ETH_ALEN, 0);
}

/*
 * A received frame, unless the VF itself is the upper. Those to the VF come by the VF, and by hn
 * where the host sends to both ports. Pointers into the frame are invalid afterwards.
 */
static __always_inline void vf_mac_arrive(
	struct __sk_buff *skb, const struct nv_entry *entry, __u32 upper)
{
	const struct ethhdr *frame = (const void *)(long)skb->data;
	__u32 vf = NV_READ(entry->own_mac_vf);

	if (!vf || vf == upper || (const void *)(frame + 1) > (const void *)(long)skb->data_end ||
		!vf_mac_is((const __u16 *)frame->h_dest, entry->vf_mac))
		return;
	bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_dest), entry->mac, ETH_ALEN, 0);
	bpf_skb_change_type(skb, PACKET_HOST); /* hn has taken it for another host's */
}
