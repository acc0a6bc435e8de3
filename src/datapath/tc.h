/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our programs at tc: at tcx if the kernel has it, else as a filter with one handle and one
 * priority in clsact. A user's own filters and programs stay, and come after ours.
 */
#pragma once

#include "datapath/tcx.h"
#include "kernel/kernel.h"

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#define NV_TC_HANDLE   0x6e76
#define NV_TC_PRIORITY 1

/*
 * Where a program is to run if the kernel has tcx. A program that is added there runs after an RCU
 * grace period, 10 ms or more, in which RTNL is held (tcx_prog_attach(), kernel/bpf/tcx.c). A
 * filter runs at once, but clsact stops what an interface that is up sends.
 */
enum nv_tc_place {
	NV_TC_KEEP, /* where it is; if it is nowhere, at tcx */
	NV_TC_SOON, /* where it is; if it is nowhere, as a filter */
	NV_TC_MOVE, /* at tcx; a filter moves there */
};

/*
 * Makes @known->program run on this side, in place of another version's without a gap. Adds clsact
 * if a filter needs it and there is none. Returns 0, -ENODEV (no such link), -EOPNOTSUPP (the
 * kernel has neither tcx nor clsact with bpf filters), or another -errno. For a filter also -EBUSY:
 * our priority belongs to somebody else, or the qdisc "ingress" is in the place of clsact and this
 * is egress.
 */
int nv_tc_attach(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side,
	const struct nv_tcx_known *known, enum nv_tc_place place);

/*
 * The id of our program. Returns 0 or -errno if there is none; -EPERM: none is known to be ours,
 * and there are programs whose names may not be read.
 */
int nv_tc_program(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	uint32_t *ret_id);

/*
 * Removes our program from one side. clsact stays: Linux 6.1 stops a device's queues for a moment
 * when a qdisc is added or removed (qdisc_graft()). Returns whether it was a filter in clsact.
 */
bool nv_tc_remove(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known);

/*
 * Removes our programs from both sides, and clsact with our last filter if no other filter is in
 * it. @moved: our filter may have moved before, so clsact goes if no filter is in it. Never fails:
 * removes what is there.
 */
void nv_tc_detach(struct nv_kernel *kernel, int ifindex, const struct nv_tcx_known *ingress,
	const struct nv_tcx_known *egress, bool moved);

/*
 * How many programs and filters of others an interface has, on both sides. Filters of one priority
 * count as one. tcx programs whose names may not be read (struct nv_tcx_known) do not count.
 */
unsigned int nv_tc_count_others(struct nv_kernel *kernel, int ifindex);

/* Those before and behind our program at egress; both 0 if ours is not there. */
struct nv_dp_others nv_tc_others_at_egress(
	struct nv_kernel *kernel, int ifindex, const struct nv_tcx_known *known);
