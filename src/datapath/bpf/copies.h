/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivers each group frame (multicast or broadcast) once, from the port that brings it first. A
 * frame that arrived on one port gives a credit. An equal frame on the other port uses the credit
 * and is dropped. Equal frames in a row on one port are all delivered, and each gives a credit.
 *
 * A credit is valid for COPY_LIFETIME. That is longer than a frame waits in the queues of a port,
 * and shorter than the second after which ARP and neighbour discovery repeat a frame.
 *
 * The memory is fixed. A credit that is too old, or the oldest of too many, is dropped; then a copy
 * is delivered like a new frame.
 */
#pragma once

#include "pair/state.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define COPY_BUCKETS_BITS 12
#define COPY_WAYS	  8 /* frames in a bucket */
#define COPY_TIME(ns)	  ((__u32)((ns) >> 20)) /* in units of 1.05 ms; only differences are used */
#define COPY_LIFETIME	  256U /* in these units: 268 ms */
#define COPY_BYTES	  128 /* bytes of a frame that are compared, in addition to its length */
#define COPY_PADDED	  60 /* length in bytes to which Ethernet pads a frame; virtio does not */

struct copy {
	__u64 digest; /* 0: the place is free */
	__u32 when; /* time of the last frame, COPY_TIME */
	__s32 balance; /* credits: above 0 the VF's, below 0 hn's */
};

struct bucket {
	struct bpf_spin_lock lock;
	struct copy copy[COPY_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << COPY_BUCKETS_BITS);
	__type(key, __u32);
	__type(value, struct bucket);
} nv_copies SEC(".maps");

union copy_bytes {
	__u8 byte[COPY_BYTES];
	__be16 half[COPY_BYTES / 2];
	__u64 word[COPY_BYTES / 8];
};

/*
 * A frame from another guest of this host may reach hn before its UDP checksum was computed
 * (CHECKSUM_PARTIAL), and the VF after that. Handles IPv4 without options and IPv6 without
 * extension headers.
 */
static __always_inline void copy_clear_checksum(union copy_bytes *frame)
{
	if (frame->half[6] == bpf_htons(ETH_P_IP) && frame->byte[14] == 0x45 &&
		frame->byte[23] == 17 && !(frame->half[10] & bpf_htons(0x1fff)))
		frame->half[20] = 0;
	else if (frame->half[6] == bpf_htons(ETH_P_IPV6) && frame->byte[20] == 17)
		frame->half[30] = 0;
}

static __always_inline __u64 copy_mix(__u64 digest, const __u64 word[COPY_BYTES / 16])
{
#pragma unroll
	for (__u32 i = 0; i < COPY_BYTES / 16; i++) {
		digest = (digest ^ word[i]) * 0x9e3779b97f4a7c15;
		digest ^= digest >> 29;
	}
	return digest;
}

/*
 * Never 0, except for a frame that cannot be read. VLAN tags are in the metadata here, not in the
 * frame.
 */
static __always_inline __u64 copy_digest(struct __sk_buff *skb, __u32 slot)
{
	__u32 padded = skb->len > COPY_PADDED ? skb->len : COPY_PADDED;
	__u64 tag = skb->vlan_present ? skb->vlan_tci & 0xfff : 0;
	__u64 digest = (__u64)padded << 32 | tag << 16 | slot;
	union copy_bytes frame = {};
	__u64 size = skb->len;

	/*
	 * The compiler must not compare a 32-bit copy of it, as clang 21 would: Linux 5.10 does not
	 * apply the bounds of such a copy to the original.
	 */
	asm volatile("" : "+r"(size));
	if (size > sizeof(frame))
		size = sizeof(frame);
	if (size < sizeof(struct ethhdr) || bpf_skb_load_bytes(skb, 0, &frame, size) < 0)
		return 0;
	copy_clear_checksum(&frame);
	digest = copy_mix(digest, frame.word);
	if (padded > COPY_BYTES / 2)
		digest = copy_mix(digest, frame.word + COPY_BYTES / 16);
	return digest | 1;
}

/*
 * In the units of COPY_TIME; ~0: the place is free. @now was read before the lock was taken (no
 * helper may be called under it), so another processor may have written a later time meanwhile.
 */
static __always_inline __u32 copy_age(const struct copy *copy, __u32 now)
{
	__u32 age = now - copy->when;

	if (!copy->digest)
		return ~0U;
	return age < -COPY_LIFETIME ? age : 0;
}

/*
 * The place of a frame in a bucket, or the place it gets: a free one, else the oldest. Needs the
 * lock.
 */
static __always_inline __u32 copy_place(const struct bucket *bucket, __u64 digest, __u32 now)
{
	__u32 oldest = 0;
	__u32 place = 0;

#pragma unroll
	for (__u32 i = 0; i < COPY_WAYS; i++) {
		const struct copy *copy = &bucket->copy[i];
		__u32 age = copy_age(copy, now);

		if (copy->digest == digest && age < COPY_LIFETIME)
			return i;
		if (age > oldest) {
			oldest = age;
			place = i;
		}
	}
	return place;
}

/*
 * Records a group frame on a port of the pair in @slot, received or sent. Returns true if the frame
 * is a copy: the other port has a credit for it.
 */
static __always_inline bool copy_record(struct __sk_buff *skb, __u32 slot, enum nv_port port)
{
	__s32 one = port == NV_PORT_VF ? 1 : -1;
	__u64 digest = copy_digest(skb, slot);
	__u32 key = digest >> (64 - COPY_BUCKETS_BITS);
	__u32 now = COPY_TIME(bpf_ktime_get_ns());
	struct bucket *bucket = bpf_map_lookup_elem(&nv_copies, &key);
	struct copy *copy;
	bool paid = false;

	if (!bucket || !digest)
		return false;
	bpf_spin_lock(&bucket->lock);
	copy = &bucket->copy[copy_place(bucket, digest, now) % COPY_WAYS];
	if (copy->digest != digest || copy_age(copy, now) >= COPY_LIFETIME)
		copy->balance = 0;
	paid = (copy->balance ^ one) < 0 && copy->balance;
	copy->balance += one;
	copy->digest = copy->balance ? digest : 0;
	if (!paid)
		copy->when = now;
	bpf_spin_unlock(&bucket->lock);
	return paid;
}
