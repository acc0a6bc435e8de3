/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs at tc. Egress of the upper goes to the active port. Ingress of both ports goes to
 * the upper. Other frames continue unchanged (TC_ACT_UNSPEC) to the filters of a user and to the
 * stack.
 *
 * A program is detached when its device goes. So if a new device gets an ifindex that the maps
 * still have, no program runs on that device.
 */
#include "datapath/bpf/copies.h"
#include "datapath/bpf/device.h"
#include "datapath/bpf/maps.h"
#include "datapath/bpf/vf_mac.h"
#include "datapath/shared.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

/*
 * Marks a frame that these programs have redirected to a port, where our program runs next: it is
 * already handled and counted. tc_index survives a redirect, and is cleared when it was read.
 * skb->cb does not survive one, and skb->mark belongs to others. Where a port's program is missing
 * for a moment, the mark of a frame that it received also survives that the guest forwards it; so
 * what is sent has another.
 */
#define TC_MARK_DONE 0x6e76
#define TC_MARK_SENT 0x6e78
/* Marks a frame that a port has received for a lagg. Nothing reads it but hn's egress. */
#define TC_MARK_RECEIVED 0x6e77

/* RFC 826: where in a frame, and what */
#define ARP_OPERATION	(sizeof(struct ethhdr) + 6)
#define ARP_REPLY	2
#define NEIGHBOR_ADVERT 136 /* RFC 4861 */

/* Nanoseconds between two reports of a kind for a pair. */
#define BYPASS_EVERY  1000000000
#define FOREIGN_EVERY 1000000000
#define LEFT_EVERY    100000000

#define RECENT 256
/*
 * With hooks, each 64th frame by the VF on a CPU has the VF looked at all the same, because hooks
 * may have disappeared. Without hooks each frame has.
 */
#define LOOK_EVERY 64

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * NV_DP_PAIRS_MAX);
	__type(key, __u32);
	__type(value, struct nv_counts);
} nv_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NV_DP_PAIRS_MAX);
	__type(key, __u32);
	__type(value, struct nv_limits);
} nv_limits SEC(".maps");

/* What netvfd is told: nv_datapath_reports(). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NV_DP_REPORTS_SIZE);
} nv_reports SEC(".maps");

static __always_inline void count_frame(struct nv_count *count, const struct __sk_buff *skb)
{
	count->packets++;
	count->bytes += skb->len;
}

static __always_inline struct nv_counts *counts_of(__u32 slot, enum nv_port port)
{
	__u32 key = 2 * slot + port;

	return bpf_map_lookup_elem(&nv_counts, &key);
}

/*
 * The last result of nv_ports for an ifindex, indexed by its low bits: ifindex << 32 | slot. It may
 * be outdated; then the pair in that slot does not have the interface.
 */
static __u64 recent[RECENT];

/* The pair that an interface belongs to, and its slot; NULL: none. */
static __always_inline struct nv_entry *pair_of(__u32 ifindex, __u32 *slot)
{
	volatile __u64 *answer = &recent[ifindex % RECENT];
	__u64 last = *answer;
	struct nv_entry *entry;
	__u32 *found;

	*slot = (__u32)last;
	if (last >> 32 == ifindex) {
		entry = bpf_map_lookup_elem(&nv_pairs, slot);
		if (entry && nv_entry_has(entry, ifindex))
			return entry;
	}
	found = bpf_map_lookup_elem(&nv_ports, &ifindex);
	if (!found)
		return NULL;
	*slot = *found;
	*answer = (__u64)ifindex << 32 | *slot;
	return bpf_map_lookup_elem(&nv_pairs, slot);
}

static __always_inline bool is_marked(struct __sk_buff *skb, __u32 mark)
{
	if (skb->tc_index != mark)
		return false;
	skb->tc_index = 0;
	return true;
}

/*
 * Whether the VF can send: the last result if the hooks have counted no event since, else from a
 * new look.
 * @again: look in any case
 */
static __always_inline bool is_able(
	struct __sk_buff *skb, struct nv_entry *entry, __u32 slot, __u32 vf, bool again)
{
	__u32 seq = NV_READ(entry->event_seq);
	bool hooked = seq & NV_HOOKED;
	__u32 ok = NV_READ(entry->ok_seq);
	bool able;

	if (hooked && ok == seq && !again)
		return true;
	able = NV_READ(entry->removing_vf) != vf && can_send(skb, slot, vf);
	if (hooked && ok != (able ? seq : 0))
		*(volatile __u32 *)&entry->ok_seq = able ? seq : 0;
	return able;
}

/* Whether a frame is untagged, or its VLAN is registered with the VF. */
static __always_inline bool is_vlan_registered(
	struct __sk_buff *skb, const struct ethhdr *frame, const struct nv_limits *limits)
{
	const __be16 *tci = (const __be16 *)(frame + 1);
	__be16 protocol = frame->h_proto;
	__u32 id;

	if (skb->vlan_present) {
		protocol = skb->vlan_proto;
		id = skb->vlan_tci;
	} else if (protocol != bpf_htons(ETH_P_8021Q)) {
		return protocol != bpf_htons(ETH_P_8021AD);
	} else if ((const void *)(tci + 1) <= (const void *)(long)skb->data_end) {
		id = bpf_ntohs(*tci);
	} else {
		return false;
	}
	id %= NV_DP_VLANS;
	return protocol == bpf_htons(ETH_P_8021Q) && limits->vlan[id / 64] >> id % 64 & 1;
}

/*
 * Whether the byte at this offset has this value. Drivers that receive into pages leave only the
 * Ethernet header where data and data_end can read (napi_gro_frags(), net/core/gro.c), mlx4 and
 * rvu_nicvf each frame.
 */
static __always_inline bool has_byte(struct __sk_buff *skb, __u32 at, __u8 value)
{
	__u8 byte;

	return bpf_skb_load_bytes(skb, at, &byte, sizeof(byte)) == 0 && byte == value;
}

/*
 * Whether a frame may be a group report: IGMP, or IPv6 with a hop-by-hop header as in MLD; untagged
 * or with the tag in the metadata.
 */
static __always_inline bool is_report(struct __sk_buff *skb, const struct ethhdr *frame)
{
	if (frame->h_proto == bpf_htons(ETH_P_IP))
		return has_byte(
			skb, sizeof(*frame) + offsetof(struct iphdr, protocol), IPPROTO_IGMP);
	return frame->h_proto == bpf_htons(ETH_P_IPV6) &&
	       has_byte(skb, sizeof(*frame) + offsetof(struct ipv6hdr, nexthdr), IPPROTO_HOPOPTS);
}

static __always_inline bool tell(__u32 slot, enum nv_report report)
{
	struct nv_report_of what = {.slot = slot, .report = report};

	return bpf_ringbuf_output(&nv_reports, &what, sizeof(what), 0) == 0;
}

/* bpf_ktime_get_ns() of the last report. */
static __u64 bypass_told[NV_DP_PAIRS_MAX];
static __u64 foreign_told[NV_DP_PAIRS_MAX];
static __u64 left_told[NV_DP_PAIRS_MAX];

static __always_inline void tell_seldom(__u32 slot, enum nv_report report, __u64 *last, __u64 every)
{
	volatile __u64 *told = &last[slot % NV_DP_PAIRS_MAX];
	__u64 now = bpf_ktime_get_ns();

	if (now - *told < every)
		return;
	*told = now;
	tell(slot, report);
}

/* Whether a port is in the bond that is the lagg. */
static __always_inline bool is_inside(const struct nv_entry *entry, enum nv_port port)
{
	return NV_READ(entry->inside) & 1U << port;
}

/* The limits of a VF; NULL: it has none. */
static __always_inline const struct nv_limits *limits_of(__u32 slot, __u32 vf)
{
	const struct nv_limits *limits = bpf_map_lookup_elem(&nv_limits, &slot);

	return limits && NV_READ(limits->vf) == vf ? limits : NULL;
}

/* Whether the host accepts a frame from the VF. */
static __always_inline bool is_accepted(
	struct __sk_buff *skb, const struct ethhdr *frame, __u32 slot, __u32 vf)
{
	const struct nv_limits *limits = limits_of(slot, vf);

	return !limits || ((limits->any_mac || is_from(frame, limits->mac)) &&
				  is_vlan_registered(skb, frame, limits));
}

/*
 * If the host floods, a group frame that the upper forwards for somebody else comes back on the
 * other port, and its source MAC address does not tell. It is noted as in copies.h, so that its
 * copy is dropped. A report of groups is told to netvfd. The port may still change afterwards; one
 * record too many does no harm, because the other port brings no copy then.
 */
static __always_inline void note_group(struct __sk_buff *skb, const struct ethhdr *frame,
	const struct nv_entry *entry, __u32 slot, enum nv_port port)
{
	if (!NV_READ(entry->vf))
		return;
	if (is_report(skb, frame))
		tell(slot, NV_REPORT_GROUPS);
	if (entry->multicast == NV_MULTICAST_ONCE && !is_from(frame, entry->mac))
		copy_record(skb, slot, port);
}

/*
 * The port that a frame leaves by if the VF can send: @active, but hn if the host would not accept
 * the frame from the VF. Group frames are noted.
 */
static __always_inline __u32 leave_by(
	struct __sk_buff *skb, const struct nv_entry *entry, __u32 slot, __u32 hn, __u32 active)
{
	const struct ethhdr *frame = (const void *)(long)skb->data;

	if ((const void *)(frame + 1) > (const void *)(long)skb->data_end)
		return active;
	if (entry->limited && active != hn && !is_accepted(skb, frame, slot, active)) {
		active = hn;
		if (is_inside(entry, NV_PORT_HN))
			tell_seldom(slot, NV_REPORT_FOREIGN, foreign_told, FOREIGN_EVERY);
	}
	if (frame->h_dest[0] & 1)
		note_group(skb, frame, entry, slot, active == hn ? NV_PORT_HN : NV_PORT_VF);
	return active;
}

static __always_inline bool is_of_ip(const struct ethhdr *frame)
{
	return frame->h_proto == bpf_htons(ETH_P_IP) || frame->h_proto == bpf_htons(ETH_P_ARP) ||
	       frame->h_proto == bpf_htons(ETH_P_IPV6);
}

/*
 * What hn sends by itself though a lagg is its upper: somebody has given it an address, a route, a
 * DHCP client or a bridge. Its own frames go the way of the lagg's, and netvfd is told of IP, not
 * of the kernel's group reports. A bridge that has both as ports must not send back what the
 * network has sent: the host's switch would look for its sender here. Other frames of a bridge
 * pass, because hn is its port until hyperv_vfup has given that role to the lagg.
 */
enum bypass {
	BYPASS_LEAD, /* as the lagg's */
	BYPASS_PASS,
	BYPASS_DROP,
};

static __always_inline enum bypass bypass_of(
	struct __sk_buff *skb, const struct nv_entry *entry, __u32 slot)
{
	const struct ethhdr *frame = (const void *)(long)skb->data;

	if ((const void *)(frame + 1) > (const void *)(long)skb->data_end)
		return BYPASS_PASS;
	if (!is_from(frame, entry->mac))
		return skb->tc_index == TC_MARK_RECEIVED ? BYPASS_DROP : BYPASS_PASS;
	if (is_of_ip(frame) && !is_report(skb, frame))
		tell_seldom(slot, NV_REPORT_BYPASS, bypass_told, BYPASS_EVERY);
	return BYPASS_LEAD;
}

/* Others send to a VF with a MAC address of its own until they are told hn's. */
static __always_inline void tell_left(const struct nv_entry *entry, __u32 slot, __u32 vf)
{
	if (NV_READ(entry->own_mac_vf) == vf)
		tell_seldom(slot, NV_REPORT_LEFT, left_told, LEFT_EVERY);
}

SEC("tc")
int netvf_egress(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct nv_counts *counts;
	struct nv_entry *entry;
	__u32 active, hn, lagg, slot, upper;

	if (is_marked(skb, TC_MARK_SENT))
		return TC_ACT_UNSPEC;
	entry = pair_of(ifindex, &slot);
	if (!entry)
		return TC_ACT_UNSPEC;

	/* A lagg transmits as soon as it exists. */
	hn = NV_READ(entry->hn);
	lagg = NV_READ(entry->lagg);
	if (ifindex != lagg) {
		upper = nv_entry_upper(entry);
		if (ifindex != hn || (upper != hn && upper != lagg))
			return TC_ACT_UNSPEC;
		switch (upper == hn ? BYPASS_LEAD : bypass_of(skb, entry, slot)) {
		case BYPASS_LEAD:
			break;
		case BYPASS_PASS:
			return TC_ACT_UNSPEC;
		case BYPASS_DROP:
			return TC_ACT_SHOT;
		}
	}

	active = leave_by(skb, entry, slot, hn, nv_entry_active(entry));
	counts = counts_of(slot, active == hn ? NV_PORT_HN : NV_PORT_VF);
	if (active != hn && counts &&
		!is_able(skb, entry, slot, active, counts->tx.packets % LOOK_EVERY == 0)) {
		tell_left(entry, slot, active);
		active = hn;
		counts = counts_of(slot, NV_PORT_HN);
	}
	if (counts)
		count_frame(&counts->tx, skb);
	if (active != hn && NV_READ(entry->tell_traffic) && tell(slot, NV_REPORT_TRAFFIC))
		*(volatile __u32 *)&entry->tell_traffic = 0;
	if (active == ifindex)
		return TC_ACT_UNSPEC;
	if (active == hn)
		skb->tc_index = TC_MARK_SENT;
	else if (NV_READ(entry->own_mac_vf) == active)
		vf_mac_leave(skb, entry);
	return bpf_redirect(active, 0);
}

/* Whether a group frame on a port is dropped as a copy. */
static __always_inline bool is_copy(
	struct __sk_buff *skb, const struct nv_entry *entry, __u32 slot, bool on_hn, bool on_active)
{
	switch (entry->multicast) {
	case NV_MULTICAST_ACTIVE:
		return !on_active;
	case NV_MULTICAST_ONCE:
		return NV_READ(entry->vf) &&
		       copy_record(skb, slot, on_hn ? NV_PORT_HN : NV_PORT_VF);
	}
	return false;
}

/*
 * Whether a frame tells a neighbour's MAC address to the pair, which has asked for it: an ARP reply
 * or a neighbour advertisement. A port may have asked: hn (see bypass_of()), or a VF to which
 * somebody gives an address again and again (pair/guard.h). The kernel gives each interface
 * neighbours of its own, and a reply that nobody waits for changes nothing.
 */
static __always_inline bool is_answer(
	struct __sk_buff *skb, const struct ethhdr *frame, const struct nv_entry *entry)
{
	const struct ipv6hdr *ip = (const void *)(frame + 1);

	if (!vf_mac_is_to(frame, entry))
		return false;
	if (frame->h_proto == bpf_htons(ETH_P_ARP))
		return has_byte(skb, ARP_OPERATION, 0) &&
		       has_byte(skb, ARP_OPERATION + 1, ARP_REPLY);
	/* of most frames, this is what it costs */
	if (frame->h_proto != bpf_htons(ETH_P_IPV6) ||
		((const void *)(ip + 1) <= (const void *)(long)skb->data_end &&
			ip->nexthdr != IPPROTO_ICMPV6))
		return false;
	return has_byte(skb, sizeof(*frame) + offsetof(struct ipv6hdr, nexthdr), IPPROTO_ICMPV6) &&
	       has_byte(skb, sizeof(*frame) + sizeof(*ip), NEIGHBOR_ADVERT);
}

/* Whether a request in the VLAN of this frame would leave by the VF, if that is active. */
static __always_inline bool is_vlan_of_vf(
	struct __sk_buff *skb, const struct ethhdr *frame, const struct nv_entry *entry, __u32 slot)
{
	const struct nv_limits *limits = limits_of(slot, NV_READ(entry->vf));

	return !limits || is_vlan_registered(skb, frame, limits);
}

static __always_inline void count_arrival(struct nv_counts *counts, const struct __sk_buff *skb,
	const struct ethhdr *frame, bool proof)
{
	count_frame(&counts->rx, skb);
	counts->heard += !(frame->h_dest[0] & 1);
	counts->answers += proof;
}

/* To the upper, and an answer also to the ports that may have asked. */
static __always_inline int deliver(
	struct __sk_buff *skb, const struct nv_entry *entry, __u32 upper, bool answer)
{
	__u32 hn = NV_READ(entry->hn);

	/*
	 * The queue of the VF that a driver has recorded is none of the upper's, for which the
	 * kernel would warn, and not spread the frame (get_rps_cpu(), net/core/dev.c).
	 */
	skb->queue_mapping = 0;
	/* If the upper is a port, its own program clears the mark; a lagg would not. */
	skb->tc_index = TC_MARK_DONE;
	if (upper != hn && upper != NV_READ(entry->vf)) {
		if (answer)
			bpf_clone_redirect(skb, hn, BPF_F_INGRESS);
		skb->tc_index = TC_MARK_RECEIVED;
	}
	if (answer && skb->ifindex != hn) {
		bpf_clone_redirect(skb, upper, BPF_F_INGRESS);
		skb->tc_index = 0;
		return TC_ACT_UNSPEC;
	}
	return bpf_redirect(upper, BPF_F_INGRESS);
}

SEC("tc")
int netvf_ingress(struct __sk_buff *skb)
{
	const struct ethhdr *frame = (const void *)(long)skb->data;
	__u32 ifindex = skb->ifindex;
	struct nv_counts *counts;
	struct nv_entry *entry;
	__u32 active, upper, hn, slot;
	bool answer;

	if (is_marked(skb, TC_MARK_DONE))
		return TC_ACT_UNSPEC;
	entry = pair_of(ifindex, &slot);
	if (!entry)
		return TC_ACT_UNSPEC;
	hn = NV_READ(entry->hn);
	if (ifindex != hn && ifindex != NV_READ(entry->vf))
		return TC_ACT_UNSPEC;
	counts = counts_of(slot, ifindex == hn ? NV_PORT_HN : NV_PORT_VF);
	if (!counts || (const void *)(frame + 1) > (const void *)(long)skb->data_end)
		return TC_ACT_UNSPEC;

	/* Not for frames that arrive on the VF: each proves that the VF works. */
	active = nv_entry_active(entry);
	if (ifindex == hn && active != hn && !is_able(skb, entry, slot, active, false))
		active = hn;
	if (vf_mac_is_own(frame, entry)) {
		count_frame(&counts->own, skb);
		return TC_ACT_SHOT;
	}
	if ((frame->h_dest[0] & 1) && is_copy(skb, entry, slot, ifindex == hn, ifindex == active)) {
		count_frame(&counts->copy, skb);
		return TC_ACT_SHOT;
	}
	answer = is_answer(skb, frame, entry);
	count_arrival(counts, skb, frame, answer && is_vlan_of_vf(skb, frame, entry, slot));
	if (ifindex == hn && active != hn)
		count_frame(&counts->stray, skb);

	upper = nv_entry_upper(entry);
	vf_mac_arrive(skb, entry, upper);
	if (upper == ifindex)
		return TC_ACT_UNSPEC;
	/* A bond takes the frames of its ports after this program (__netif_receive_skb_core()). */
	if (is_inside(entry, ifindex == hn ? NV_PORT_HN : NV_PORT_VF) &&
		upper == NV_READ(entry->lagg))
		return TC_ACT_UNSPEC;
	return deliver(skb, entry, upper, answer);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
