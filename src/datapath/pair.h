/* SPDX-License-Identifier: BSD-2-Clause */
/* What the data path stores and counts of a pair, as plain values. */
#pragma once

#include "kernel/types.h"
#include "pair/multicast.h"
#include "pair/state.h"

#include <stdint.h>

#define NV_DP_INTERFACES 3 /* of a pair, at most */

struct nv_dp_pair {
	int hn;
	int vf; /* 0: there is none */
	int lagg; /* 0: there is none; a lagg that exists transmits even before it is the upper */
	enum nv_mode mode;
	enum nv_port active;
	/* 1 << enum nv_port: the lagg is a bond and this port is a bond port */
	unsigned int inside;
	enum nv_multicast multicast;
	uint8_t mac[NV_MAC_LEN];
	/* the VF's, if it has another one; else zeros (pair/vf_mac.h) */
	uint8_t vf_mac[NV_MAC_LEN];
};

/* How many tcx programs of others are at the egress of the upper, before and behind ours. */
struct nv_dp_others {
	unsigned int before;
	unsigned int behind;
};

/* The interface that has the pair's addresses. */
static inline int nv_dp_pair_upper(const struct nv_dp_pair *pair)
{
	switch (pair->mode) {
	case NV_MODE_HN:
		return pair->hn;
	case NV_MODE_LAGG:
		return pair->lagg;
	case NV_MODE_VF:
		return pair->vf;
	}
	return pair->hn;
}

/*
 * Whether frames that the VF receives reach the upper without us, and are not checked for copies:
 * the VF is the active port of the bond that is the upper. Then no program is attached to it.
 */
static inline bool nv_dp_pair_is_direct(const struct nv_dp_pair *pair)
{
	return pair->mode == NV_MODE_LAGG && pair->active == NV_PORT_VF &&
	       pair->inside & 1U << NV_PORT_VF && pair->multicast != NV_MULTICAST_ONCE;
}

/*
 * Counted since the port joined. A frame that the stack has not split yet, or has merged, counts
 * once.
 */
struct nv_dp_count {
	uint64_t packets;
	uint64_t bytes;
};

struct nv_dp_counters {
	/* sent by the upper on this port; not counted if the VF is the upper */
	struct nv_dp_count tx;
	struct nv_dp_count rx; /* received on this port and redirected to the upper */
	struct nv_dp_count stray; /* part of rx: on hn while the VF was active */
	struct nv_dp_count dropped_own; /* own frames that came back */
	struct nv_dp_count dropped_copy; /* copies of group frames that arrived on the other port */
	uint64_t heard; /* frames of rx to one station */
	/* of those: answers of ARP and neighbour discovery to what the VF could carry */
	uint64_t answers;
};

/* What a host accepts from a VF. */
struct nv_dp_limits {
	int vf; /* 0: it accepts everything */
	bool any_mac; /* it accepts every source MAC address */
	uint8_t mac[NV_MAC_LEN]; /* else only this one */
	uint64_t vlan[4096 / 64]; /* a bit for each registered VLAN; untagged frames are accepted */
};

/* Whether the VF takes frames in the VLAN of a VLAN interface. */
static inline bool nv_dp_limits_has_vlan(
	const struct nv_dp_limits *limits, const struct nv_link *vlan)
{
	unsigned int id = vlan->vlan_id % 4096;

	return !vlan->vlan_is_8021ad && (limits->vlan[id / 64] >> id % 64 & 1);
}

/* Which fields of a pair nv_datapath_change() writes. */
enum nv_dp_field {
	NV_DP_HN = 1 << 0,
	NV_DP_VF = 1 << 1,
	NV_DP_LAGG = 1 << 2,
	NV_DP_MODE = 1 << 3,
	NV_DP_ACTIVE = 1 << 4,
	NV_DP_MULTICAST = 1 << 5,
	NV_DP_MAC = 1 << 6,
	NV_DP_VF_MAC = 1 << 7,
};

struct nv_dp_change {
	unsigned int what; /* of enum nv_dp_field; 0: writes the pair unchanged */
	struct nv_dp_pair to;
};

/*
 * How frames change to hn when the VF ceases to send, best first. With the first two, the programs
 * look at the VF's state themselves: before each frame, or with hooks, after a hook has counted an
 * event.
 */
enum nv_handover {
	NV_HANDOVER_CAST, /* they read directly: Linux 6.2 with BTF */
	NV_HANDOVER_PROBE, /* they read with helper calls: Linux 5.10 with BTF, not locked down */
	/* they do not look: frames go to the VF until nv_datapath_activate() */
	NV_HANDOVER_NETLINK,
};

#ifndef NV_HANDOVER_FIRST
/* the best one that is tried; tests begin with another one */
#define NV_HANDOVER_FIRST NV_HANDOVER_CAST
#endif

/* The moments at which a VF ceases to send. */
enum nv_dp_moment_id {
	NV_DP_MOMENT_RELEASED, /* the driver core begins to unbind the driver */
	NV_DP_MOMENT_REMOVED, /* the interface is unregistered */
	NV_DP_MOMENT_CLOSED, /* it is set down */
	NV_DP_MOMENT_CARRIER, /* it loses its carrier */
	NV_DP_MOMENT_DETACHED, /* the driver declares it not present */
	NV_DP_MOMENTS, /* how many */
};

struct nv_dp_moment {
	const char *name; /* for people: "set down" */
	const char *by; /* "hook", "look" (before each frame) or "nothing" (frames may be lost) */
	const char *function; /* the kernel function with the hook; NULL: no hook */
	uint64_t runs; /* runs of the hook since it was attached, for any device */
};
