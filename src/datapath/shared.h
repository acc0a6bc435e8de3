/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs in the kernel and the processes share. Both compilers read this file.
 *
 *   nv_ports   hash: ifindex -> slot of the pair that it belongs to
 *   nv_pairs   array, mapped into the processes: slot -> the pair, once for all of its interfaces
 *   nv_counts  per-CPU array: 2 * slot + port -> counters
 *   nv_limits  array: slot -> what the pair's VF may send
 *   nv_reports ring buffer: struct nv_report_of
 *
 * A switch stores one aligned word in the array. Every program on every interface of the pair sees
 * it with its next frame, and no reader sees half of a change.
 *
 * Processes store which port is to be active. Whether an active VF can send, only the kernel knows.
 * The hooks count events after which it may not be able to. A program that has looked stores the
 * count for which the VF could send. While there are hooks, processes write these words only to add
 * an event: so no decision of a process can hide an event that a hook has counted.
 *
 * The layout may only grow at the end of struct nv_entry and struct nv_counts: a process of another
 * version keeps the pairs by copying the words that both versions have.
 */
#pragma once

#include "pair/multicast.h"
#include "pair/state.h"

#include <linux/types.h>

#define NV_DP_PAIRS_MAX 1024
#define NV_DP_PORTS_MAX (3 * NV_DP_PAIRS_MAX)

#define NV_DP_VLANS 4096
/* bytes: some 250 of struct nv_report_of that nobody has read yet; further ones are dropped */
#define NV_DP_REPORTS_SIZE 4096

#define NV_ENTRY_FIRST_SIZE 32 /* bytes in the first version; every version has these */

struct nv_entry {
	__u32 hn; /* ifindex; 0: the slot is free */
	__u32 vf; /* 0: none */
	__u32 lagg; /* 0: none */
	__u32 mode; /* enum nv_mode */
	__u32 active; /* enum nv_port */
	__u16 mac[3]; /* in wire order; 16 bits wide because frames are only aligned to that */
	__u16 multicast; /* enum nv_multicast */
	__u32 inside; /* 1 << enum nv_port: this port is a port of the bond that is the lagg */
	__u32 event_seq; /* NV_HOOKED while there are hooks, + NV_EVENT for each event */
	__u32 removing_vf; /* a VF whose driver is being unbound; 0: none */
	__u32 ok_seq; /* event_seq when the VF was seen able to send; 0: it was not */
	__u32 was_up; /* the VF, if it was set up since it joined; 0: it was not */
	__u32 tell_traffic; /* the next frame by the VF is reported: NV_REPORT_TRAFFIC */
	__u32 own_mac_vf; /* the VF, if it has a MAC address of its own: vf_mac; 0: it has `mac` */
	__u16 vf_mac[3];
	__u16 limited; /* a VF in this slot has limits: nv_limits */
};

#define NV_HOOKED 1U
#define NV_EVENT  2U

/* What a host accepts from a VF; everything else leaves by hn. */
struct nv_limits {
	/*
	 * ifindex; 0: it accepts everything. Limits for a VF that is not the pair's have no effect
	 */
	__u32 vf;
	__u16 mac[3]; /* source MAC address, in wire order */
	__u16 any_mac; /* not 0: it accepts every source MAC address */
	__u64 vlan[NV_DP_VLANS / 64]; /* a bit for each registered VLAN */
};

/* What the programs tell netvfd. */
enum nv_report {
	NV_REPORT_GROUPS, /* the upper has sent a group report */
	NV_REPORT_BYPASS, /* hn has sent a frame by itself, though a lagg is the upper */
	NV_REPORT_TRAFFIC, /* the upper sends by the VF again */
	/* a VF with a MAC address of its own cannot send, so its frames leave by hn */
	NV_REPORT_LEFT,
	NV_REPORT_FOREIGN, /* a bond's frame left by hn, because of what the VF may send */
};

struct nv_report_of {
	__u32 slot; /* of the pair */
	__u32 report; /* enum nv_report */
};

/* The hooks, each on a function of the kernel (bpf/hooks.bpf.c). */
enum nv_hook {
	NV_HOOK_DEV_CLOSE_MANY,
	NV_HOOK_NETIF_CLOSE_MANY,
	NV_HOOK_DEACTIVATE,
	NV_HOOK_CARRIER,
	NV_HOOK_DETACH,
	NV_HOOK_RELEASE_INTERNAL,
	NV_HOOK_RELEASE_STATIC,
	NV_HOOK_RELEASE,
	NV_HOOKS, /* how many */
};

struct nv_count {
	__u64 packets;
	__u64 bytes;
};

/*
 * A further counter is also read in counts.c, put into struct nv_dp_counters (pair.h) by
 * datapath.c, and told by netvfd/methods.c; metrics follow from there. The last two are for
 * failover/vf_proof.c alone.
 */
struct nv_counts {
	struct nv_count tx;
	struct nv_count rx;
	struct nv_count stray;
	struct nv_count own;
	struct nv_count copy;
	__u64 heard; /* of rx: frames to one station */
	/* of those: ARP replies and neighbour advertisements to requests that the VF could carry */
	__u64 answers;
};

/* Reads a word that another CPU may change at any time, exactly once. */
#define NV_READ(word) (*(const volatile __u32 *)&(word))

/*
 * Every entry is valid: a port or an upper that the pair does not have counts as hn. So the words
 * need not change together.
 */
static inline __u32 nv_entry_active(const struct nv_entry *entry)
{
	__u32 vf = NV_READ(entry->vf);

	return vf && NV_READ(entry->active) == NV_PORT_VF ? vf : NV_READ(entry->hn);
}

static inline bool nv_entry_has(const struct nv_entry *entry, __u32 ifindex)
{
	return ifindex == NV_READ(entry->lagg) || ifindex == NV_READ(entry->vf) ||
	       ifindex == NV_READ(entry->hn);
}

static inline __u32 nv_entry_upper(const struct nv_entry *entry)
{
	__u32 mode = NV_READ(entry->mode);
	__u32 other = 0;

	if (mode == NV_MODE_LAGG)
		other = NV_READ(entry->lagg);
	else if (mode == NV_MODE_VF)
		other = NV_READ(entry->vf);
	return other ? other : NV_READ(entry->hn);
}
