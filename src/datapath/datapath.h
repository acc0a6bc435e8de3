/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path: eBPF programs at tc, and their state in a pinned map.
 *
 * Ingress of hn and VF always goes to the pair's upper. Egress of the upper goes to the active
 * port. Programs, filters and maps outlive the process. The next process that opens the same run
 * directory adopts them. Several processes (netvfd, hyperv_vfup) may have it open: changes are made
 * under a lock file.
 */
#pragma once

#include "datapath/pair.h"
#include "kernel/kernel.h"

struct nv_datapath;

/*
 * Opens the data path of this network namespace. Mounts a bpf file system at @run_dir/bpf unless
 * there is one. Loads the programs, or adopts those in use: the pinned ones, or those that the
 * filters run if the pins went with a mount namespace. Programs of another version are replaced;
 * their pairs are kept.
 * Returns 0 or -errno: -EPERM (needs CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, and CAP_SYS_ADMIN to
 * mount and to find what is not pinned), -EOPNOTSUPP (the kernel lacks a feature that Linux 5.10
 * has), -EBUSY (another process held the lock for seconds), -EPROTO (pairs of a version that this
 * one cannot read).
 * @kernel must live as long.
 */
int nv_datapath_open(
	struct nv_kernel *kernel, const char *run_dir, struct nv_datapath **ret_datapath);

/*
 * Whether calls wait for another process to release the lock, which is the default; -EBUSY after
 * five seconds. Otherwise they return -EAGAIN at once, with nothing done.
 */
void nv_datapath_be_patient(struct nv_datapath *datapath, bool patient);

/*
 * For a process with more capabilities than the one that opens the data path next: mounts the bpf
 * file system, and pins what is in use and not pinned. Returns 0 or -errno as nv_datapath_open().
 */
int nv_datapath_repin(struct nv_kernel *kernel, const char *run_dir);

/* Closes the data path; everything in the kernel stays. */
struct nv_datapath *nv_datapath_free(struct nv_datapath *datapath);
NV_DEFINE_AUTO(nv_datapath, struct nv_datapath *, nv_datapath_free);

/*
 * Attaches the hooks that the kernel has (@wanted), or removes them; they outlive the process. They
 * are tried first on a device of our own (hooks.h). If those that run do not see each change of a
 * device's state, the programs look before each frame.
 * Returns 0, or -errno if there are no hooks now: -ENOTSUP (no gain: the programs cannot look),
 * -EBUSY (the lock), or the kernel's error (no BTF, no tracing programs, locked down).
 */
int nv_datapath_hook(struct nv_datapath *datapath, bool wanted);

/* What is in use by the programs and hooks of this process. */
const char *nv_datapath_handover(
	const struct nv_datapath *datapath); /* "hooks", "looks", "netlink" */
/* How its programs read the VF's state: "directly", "by calls" or "not" (enum nv_handover). */
const char *nv_datapath_reads(const struct nv_datapath *datapath);
/* Writes the reason and the effect to @buffer: a sentence without its full stop. */
int nv_datapath_handover_why(const struct nv_datapath *datapath, char *buffer, size_t size);

/* What sees each moment, by the hooks of this process, in the order of enum nv_dp_moment_id. */
void nv_datapath_moments(
	const struct nv_datapath *datapath, struct nv_dp_moment ret_moments[NV_DP_MOMENTS]);

/* Whether pairs of an earlier process were found when it was opened. */
bool nv_datapath_adopted(const struct nv_datapath *datapath);

/* The @kernel of nv_datapath_open(). */
struct nv_kernel *nv_datapath_kernel(const struct nv_datapath *datapath);

/* Returns 0, or -ENOENT: this hn has no pair. */
int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair);

/*
 * Calls @each for every pair. If @each returns a value other than 0, stops and returns it. Pairs
 * whose hn does not exist any more are included; their owner removes them.
 */
int nv_datapath_each(struct nv_datapath *datapath,
	int (*each)(const struct nv_dp_pair *pair, void *data), void *data);

/*
 * Changes a pair under the lock. @edit gets the current pair (for a new one only hn is set) and
 * changes it. If it returns 0, the pair is written; any other value is returned and nothing is
 * written. It must not call the data path. If the pair lacks the active port or the upper that it
 * names, hn is written. @edit may also change hn, to replace one that is gone.
 *
 * Programs are attached before the map names an interface, and removed after the map does not name
 * it any more: at no moment is there an upper without a path. Programs that somebody removed are
 * attached again.
 * -EINVAL (not two or three interfaces), -EBUSY (an interface belongs to another pair, or its tc
 * filter of priority 1 belongs to somebody else, or hn has the qdisc "ingress", or the lock is
 * held), -ENODEV (a new interface does not exist), -ENOSPC (1,024 pairs), -EOPNOTSUPP (a kernel
 * without clsact or cls_bpf).
 */
int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data);

/*
 * From now on the upper sends by hn what its VF may not send. The limits are removed with the pair;
 * limits for a VF that is not the pair's have no effect. -ENOENT: there is no such pair.
 */
int nv_datapath_limit(struct nv_datapath *datapath, int hn, const struct nv_dp_limits *limits);

/* nv_datapath_edit() that writes these fields and keeps the others. */
int nv_datapath_change(struct nv_datapath *datapath, int hn, const struct nv_dp_change *change);

/* Writes into *pair what @change, a struct nv_dp_change, says. Returns 0. */
int nv_dp_change_apply(struct nv_dp_pair *pair, void *change);

/*
 * Whether an interface that is up gets a program without losing what it sends: at tcx (Linux 6.6).
 * clsact, which a filter needs, stops the interface's queues for some milliseconds as it is added
 * (qdisc_graft(), net/sched/sch_api.c).
 */
bool nv_datapath_attaches_gently(const struct nv_datapath *datapath);

/*
 * nv_datapath_change() for a VF that has just appeared, to which the host may send already. Of a
 * new pair only the VF gets its program, because each program at tcx waits for an RCU grace period:
 * 1 is returned then, and the next change of the pair attaches the others. Until then hn sends and
 * receives its own frames as without a pair.
 */
int nv_datapath_join(struct nv_datapath *datapath, int hn, const struct nv_dp_change *change);

/*
 * Finds the interfaces of a pair that exist and lack our program, because somebody has removed it.
 * Returns their number, or -ENOENT: this hn has no pair. Takes no lock: an interface that another
 * process adds or removes right now may be among them.
 */
int nv_datapath_missing(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES]);

/*
 * Whether our program at the pair's upper leads its frames to the active port. Without it, an hn
 * sends them itself, a bond chooses a port, and other laggs send nothing.
 */
bool nv_datapath_leads(struct nv_datapath *datapath, const struct nv_dp_pair *pair);

/* Both 0 also if ours is not there, or not needed there. Filters in clsact count too. */
struct nv_dp_others nv_datapath_others(struct nv_datapath *datapath, const struct nv_dp_pair *pair);

/*
 * Attaches our programs again to these interfaces. Takes the lock only if there are any. Returns
 * their number; 0: nothing was missing; -ENOENT: this hn has no pair; -EAGAIN or -EBUSY: the lock;
 * or as nv_tc_attach(). After an error all other programs are attached.
 */
int nv_datapath_reattach(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES]);

/* What nv_datapath_reports() returns. */
enum nv_dp_report {
	/*
	 * an upper has sent group reports (IGMP, MLD): its groups have changed, or a router has
	 * asked
	 */
	NV_DP_REPORT_GROUPS = 1 << 0,
	/*
	 * an hn has sent frames by itself, though a lagg is its upper: it has a configuration of
	 * its own again: nv_datapath_was_bypassed(). Said once a second for each pair
	 */
	NV_DP_REPORT_BYPASS = 1 << 1,
	NV_DP_REPORT_TRAFFIC = 1 << 2, /* as nv_datapath_await_traffic() asked */
	/*
	 * an active VF with a MAC address of its own cannot send, and hn does. Said ten times a
	 * second at most for each pair
	 */
	NV_DP_REPORT_LEFT = 1 << 3,
	/*
	 * a bond's frames leave by hn, because the active VF may not send them
	 * (nv_datapath_limit()). Said once a second at most for each pair
	 */
	NV_DP_REPORT_FOREIGN = 1 << 4,
};

/*
 * A descriptor that is readable when nv_datapath_reports() can read reports. For one process only:
 * the others would not see the same reports. Owned by @datapath. Returns the descriptor or -errno.
 */
int nv_datapath_reports_fd(struct nv_datapath *datapath);

/* Reads all reports. Returns the bits of enum nv_dp_report that were among them. */
unsigned int nv_datapath_reports(struct nv_datapath *datapath);

/* Whether NV_DP_REPORT_BYPASS of @hn was among the reports that were read last. */
bool nv_datapath_was_bypassed(const struct nv_datapath *datapath, int hn);

/*
 * Removes the pair: the programs of hn, VF and lagg, and the map's entries. Returns 0 also if there
 * is no such pair. A user's filters stay; clsact is removed if no filter is left. Waits for an RCU
 * grace period.
 */
int nv_datapath_remove(struct nv_datapath *datapath, int hn);

/*
 * Transmits on @port from now on (on hn as long as the VF cannot send and the programs see it).
 * Stores one word in the mapped table: no system call, no lock. This is the hot path of every
 * switch. A VF that needs no program while it is active gets it before hn becomes active, so that
 * no copy is delivered, and loses it afterwards.
 * Returns 0, or 1: traffic uses @port, but the VF's program waits for the lock; an
 * nv_datapath_change() of nothing corrects this. -ENOENT: there is no such pair. -ENODEV: it has no
 * VF.
 */
int nv_datapath_activate(struct nv_datapath *datapath, int hn, enum nv_port port);

/*
 * Records that the pair's VF was set up, for this process and the next: if it is down later, an
 * administrator has set it down. This is cleared when the VF leaves the pair, or with @up false.
 * Does nothing if @vf is not the pair's VF. Stores one word, no lock.
 */
void nv_datapath_note_vf_up(struct nv_datapath *datapath, int hn, int vf, bool up);
bool nv_datapath_vf_was_up(struct nv_datapath *datapath, int hn, int vf);

/*
 * The next frame that the pair's upper sends by @vf is reported once: NV_DP_REPORT_TRAFFIC. Returns
 * false if it will not be: @vf is not the pair's VF, or an earlier version made the table. Stores
 * one word, no lock.
 */
bool nv_datapath_await_traffic(struct nv_datapath *datapath, int hn, int vf);

/* The counters of a port (hn's or VF's ifindex). -ENOENT: it is not a port. */
int nv_datapath_counters(
	struct nv_datapath *datapath, int ifindex, struct nv_dp_counters *ret_counters);
