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

#include "hn/machine.h"
#include "kernel/kernel.h"

#include <stdint.h>

struct nv_datapath;

struct nv_dp_pair {
	int hn;
	int vf; /* 0: none joined */
	int lagg; /* 0: there is none; a lagg that exists transmits even before it is the upper */
	enum nv_form form;
	enum nv_port active;
	uint8_t mac[NV_MAC_LEN];
};

/* Packets and bytes since the port joined. */
struct nv_dp_count {
	uint64_t packets;
	uint64_t bytes;
};

struct nv_dp_counters {
	struct nv_dp_count tx; /* sent by the upper through this port */
	struct nv_dp_count rx; /* received on this port and given to the upper */
	struct nv_dp_count stray; /* of rx: on hn while the VF was active */
	struct nv_dp_count dropped_own; /* frames of ours that came back */
	struct nv_dp_count dropped_copy; /* a flooded frame's copy on the port that is not active */
};

/*
 * Opens the data path of this network namespace: mounts a bpf file system at @run_dir/bpf unless
 * one is there, loads the programs or adopts those pinned there. A pinned program of another
 * version is replaced, its pairs kept.
 * Returns 0 or -errno: -EPERM (needs CAP_BPF, CAP_NET_ADMIN, and CAP_SYS_ADMIN to mount),
 * -EOPNOTSUPP (kernel without what is needed; Linux 5.10 or later has it).
 */
int nv_datapath_open(
	struct nv_kernel *kernel, const char *run_dir, struct nv_datapath **ret_datapath);

/* Closes it; everything in the kernel stays. */
struct nv_datapath *nv_datapath_free(struct nv_datapath *datapath);
NV_DEFINE_AUTO(nv_datapath, struct nv_datapath *, nv_datapath_free);

/* Whether an earlier process's programs and pairs were found at open. */
bool nv_datapath_adopted(const struct nv_datapath *datapath);

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
 * changes it, and returns 0 to have it written or another value to leave it, which is returned.
 * Filters are attached where a role is new before the map says so, the map is written upper first,
 * and filters are removed after: at no moment is there an upper without a path.
 */
int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data);

/* Takes the pair out: filters of hn, VF and lagg, and the map's entries. 0 also when not there. */
int nv_datapath_remove(struct nv_datapath *datapath, int hn);

/* Transmits on @port from now on; one map write an upper. The hot path of every switch. */
int nv_datapath_activate(struct nv_datapath *datapath, int hn, enum nv_port port);

/* Of one port (hn's or VF's ifindex). -ENOENT: not a port. */
int nv_datapath_counters(
	struct nv_datapath *datapath, int ifindex, struct nv_dp_counters *ret_counters);
