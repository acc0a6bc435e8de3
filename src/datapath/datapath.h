/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path: eBPF programs at tc, state in a pinned map, keyed by ifindex.
 *
 * Ingress of hn and of VF goes to the pair's upper, always. Egress of the upper goes to the active
 * port. Programs, filters and maps outlive the process; whoever opens the same run directory next
 * adopts them. Several processes (netvfd, hyperv_vfup) may hold it open: every change is made
 * under a lock file.
 */
#pragma once

#include "kernel/kernel.h"
#include "pair/multicast.h"
#include "pair/state.h"

#include <stdint.h>

struct nv_datapath;

struct nv_dp_pair {
	int hn;
	int vf; /* 0: none joined */
	int lagg; /* 0: there is none; a lagg that exists transmits even before it is the upper */
	enum nv_mode mode;
	enum nv_port active;
	unsigned int inside; /* 1 << enum nv_port: lagg is a bond and takes this port's frames */
	enum nv_multicast multicast;
	uint8_t mac[NV_MAC_LEN];
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
 * Whether what the VF receives is at the upper without us, and nobody looks for copies in it: it is
 * the active port of the bond that is the upper. Then no program stands in its way.
 */
static inline bool nv_dp_pair_is_direct(const struct nv_dp_pair *pair)
{
	return pair->mode == NV_MODE_LAGG && pair->active == NV_PORT_VF &&
	       pair->inside & 1U << NV_PORT_VF && pair->multicast != NV_MULTICAST_ONCE;
}

/* Since the port joined. A frame that the stack has not split yet, or has merged, counts once. */
struct nv_dp_count {
	uint64_t packets;
	uint64_t bytes;
};

struct nv_dp_counters {
	struct nv_dp_count tx; /* sent by the upper through this port; not if it is the VF itself */
	struct nv_dp_count rx; /* received on this port and given to the upper by us */
	struct nv_dp_count stray; /* of rx: on hn while the VF was active */
	struct nv_dp_count dropped_own; /* frames of ours that came back */
	struct nv_dp_count dropped_copy; /* a flooded frame's copy on the port that is not active */
};

/*
 * Opens the data path of this network namespace: mounts a bpf file system at @run_dir/bpf unless
 * one is there, loads the programs or adopts those in force: the pinned ones or, where the pins
 * went with a mount namespace, those that the filters run. Programs of another version are
 * replaced, their pairs kept.
 * Returns 0 or -errno: -EPERM (needs CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, and
 * CAP_SYS_ADMIN to mount and to find what is not pinned), -EOPNOTSUPP (kernel without what is
 * needed; Linux 5.10 or later has it), -EBUSY (another process holds the lock for seconds), -EPROTO
 * (pairs of a version that this one cannot read).
 * @kernel must live as long.
 */
int nv_datapath_open(
	struct nv_kernel *kernel, const char *run_dir, struct nv_datapath **ret_datapath);

/*
 * Whether calls wait until another process gives the lock up, as they do at first; -EBUSY after
 * five seconds. Else they return -EAGAIN at once, with nothing done.
 */
void nv_datapath_be_patient(struct nv_datapath *datapath, bool patient);

/*
 * For a process that may do more than who opens the data path next: mounts the bpf file system and
 * pins what is in force there, where that is not so. Returns 0 or -errno as nv_datapath_open().
 */
int nv_datapath_repin(struct nv_kernel *kernel, const char *run_dir);

/* Closes it; everything in the kernel stays. */
struct nv_datapath *nv_datapath_free(struct nv_datapath *datapath);
NV_DEFINE_AUTO(nv_datapath, struct nv_datapath *, nv_datapath_free);

/*
 * How frames leave by hn when the VF ceases to send, from the best on. In the first two forms the
 * programs look at the VF's state, and need nobody to tell them: before each frame, or, with hooks,
 * when one of these has given a sign.
 */
enum nv_handover {
	NV_HANDOVER_CAST, /* they read it directly: Linux 6.2 with BTF */
	NV_HANDOVER_PROBE, /* they read it by calls: Linux 5.10 with BTF, not locked down */
	NV_HANDOVER_NETLINK, /* they do not: frames go to the VF until nv_datapath_activate() */
};

#ifndef NV_HANDOVER_FIRST
#define NV_HANDOVER_FIRST NV_HANDOVER_CAST /* the best that is tried; tests begin with another */
#endif

/*
 * Puts the hooks in the kernel in force, as many as it has, or takes them away; they outlive the
 * process. They are tried first, on a device of our own (hooks.h). Where those that run do not see
 * each change of a device's state, the programs look before each frame, and as much reaches the
 * other end.
 * Returns 0, or -errno when there are none now: -ENOTSUP (nothing to gain: the programs cannot
 * look), -EBUSY (the lock), or how the kernel refused (no BTF, no tracing programs, locked down).
 */
int nv_datapath_hook(struct nv_datapath *datapath, bool wanted);

/* Which of all this is in force for the programs and hooks of this process. */
const char *nv_datapath_handover(
	const struct nv_datapath *datapath); /* "hooks", "looks", "netlink" */
/* How its programs read the VF's state: "directly", "by calls" or "not" (enum nv_handover). */
const char *nv_datapath_reads(const struct nv_datapath *datapath);
/* Why, and what it means: a sentence for people without its end. */
int nv_datapath_handover_why(const struct nv_datapath *datapath, char *buffer, size_t size);

/* From which moment on a VF does not send any more. */
enum nv_dp_moment_id {
	NV_DP_MOMENT_RELEASED, /* the driver core has the driver let go of the card */
	NV_DP_MOMENT_REMOVED, /* the interface is unregistered */
	NV_DP_MOMENT_CLOSED, /* it is set down */
	NV_DP_MOMENT_CARRIER, /* it loses its carrier */
	NV_DP_MOMENT_DETACHED, /* the driver declares it not present */
	NV_DP_MOMENTS, /* how many */
};

struct nv_dp_moment {
	const char *name; /* for people: "set down" */
	const char *by; /* "hook"; "look": before each frame; "nothing": then frames may be lost */
	const char *function; /* of the kernel, at which the hook is; NULL: no hook */
	uint64_t runs; /* of the hook, since it was attached, whatever device it was for */
};

/* How each moment is seen, by the hooks of this process, in the order of enum nv_dp_moment_id. */
void nv_datapath_moments(
	const struct nv_datapath *datapath, struct nv_dp_moment ret_moments[NV_DP_MOMENTS]);

/* Whether an earlier process's pairs were found at open. */
bool nv_datapath_adopted(const struct nv_datapath *datapath);

/* The kernel that it was opened with. */
struct nv_kernel *nv_datapath_kernel(const struct nv_datapath *datapath);

/* -ENOENT: this hn has no pair here. */
int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair);

/*
 * Calls @each for every pair; stops at and returns a non-zero value. Pairs whose hn no longer
 * exists are listed too: their owner removes them.
 */
int nv_datapath_each(struct nv_datapath *datapath,
	int (*each)(const struct nv_dp_pair *pair, void *data), void *data);

/*
 * Changes a pair under the lock: @edit gets the pair as it is (or, for a new one, only hn set),
 * changes it, and returns 0 to have it written or another value to leave it, which is returned. It
 * must not call the data path. A port or an upper that the pair has not is written as hn. A new hn
 * takes the place of one that has gone: it is @edit's to change too.
 *
 * Filters are attached before the map names an interface and removed after it names it no more: at
 * no moment is there an upper without a path. Filters of the pair that somebody removed come back.
 * -EINVAL (not two or three interfaces), -EBUSY (an interface is another pair's, or its tc filter
 * of priority 1 is in other hands, or hn has the qdisc "ingress", or the lock is), -ENODEV (an
 * interface that comes does not exist), -ENOSPC (256 pairs), -EOPNOTSUPP (kernel without clsact or
 * cls_bpf).
 */
int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data);

/* What a host takes from a VF that it does not trust. */
struct nv_dp_limits {
	int vf; /* 0: it takes all */
	uint8_t mac[NV_MAC_LEN]; /* of the source */
	uint64_t vlan[4096 / 64]; /* a bit for each that is registered; untagged frames it takes */
};

/*
 * From now on the upper sends by hn what its VF may not send. They are forgotten with the pair; of
 * another VF than the pair's they count for nothing. -ENOENT: no such pair.
 */
int nv_datapath_limit(struct nv_datapath *datapath, int hn, const struct nv_dp_limits *limits);

/* Which fields of a pair nv_datapath_change() writes. */
enum nv_dp_field {
	NV_DP_HN = 1 << 0,
	NV_DP_VF = 1 << 1,
	NV_DP_LAGG = 1 << 2,
	NV_DP_MODE = 1 << 3,
	NV_DP_ACTIVE = 1 << 4,
	NV_DP_MULTICAST = 1 << 5,
	NV_DP_MAC = 1 << 6,
};

struct nv_dp_change {
	unsigned int what; /* of enum nv_dp_field; 0: the pair is written as it is */
	struct nv_dp_pair to;
};

/* nv_datapath_edit() with an edit that writes these fields and keeps the others. */
int nv_datapath_change(struct nv_datapath *datapath, int hn, const struct nv_dp_change *change);

/*
 * A descriptor that is readable while an upper's reports of groups (IGMP, MLD) wait to be taken by
 * nv_datapath_reports(): which groups it hears has changed, or a router has asked. Owned by
 * @datapath. For one process; others would take them from it. Returns it or -errno.
 */
int nv_datapath_reports_fd(struct nv_datapath *datapath);
void nv_datapath_reports(struct nv_datapath *datapath);

/*
 * Takes the pair out: filters of hn, VF and lagg, and the map's entries. 0 also when not there. A
 * user's filters stay; clsact goes if none is left in it. Waits for an RCU grace period.
 */
int nv_datapath_remove(struct nv_datapath *datapath, int hn);

/*
 * Transmits on @port from now on, on hn still while the VF cannot send and the programs see it: one
 * word stored into the mapped table, no system call, no lock. The hot path of every switch. Only a
 * VF whose frames need no program while it is active gets it before hn is, so that no copy is taken
 * for more, and loses it afterwards.
 * Returns 0, or 1: traffic goes by @port, but the VF's program waits for the lock; a
 * nv_datapath_change() of nothing sets it right. -ENOENT: no such pair. -ENODEV: it has no VF.
 */
int nv_datapath_activate(struct nv_datapath *datapath, int hn, enum nv_port port);

/*
 * Remembers that the pair's VF has been set up, for this process and the next: one that is down
 * after that is so by an administrator. It is forgotten when the VF leaves the pair, or by @up
 * false. Nothing happens where @vf is not the VF of this pair. One word stored, no lock.
 */
void nv_datapath_note_vf_up(struct nv_datapath *datapath, int hn, int vf, bool up);
bool nv_datapath_vf_was_up(struct nv_datapath *datapath, int hn, int vf);

/* Of one port (hn's or VF's ifindex). -ENOENT: not a port. */
int nv_datapath_counters(
	struct nv_datapath *datapath, int ifindex, struct nv_dp_counters *ret_counters);
