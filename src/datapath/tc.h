/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our programs at tc: at tcx where the kernel has that, else as a filter of one handle at one
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
 * Has @known->program run on this side, in place of another version's without a gap; makes clsact
 * where a filter needs it and there is none. Returns 0, -ENODEV (no such link), -EOPNOTSUPP (the
 * kernel has neither tcx nor clsact with bpf filters), or another -errno; of a filter also -EBUSY
 * (our priority is in other hands, or the qdisc "ingress" has the place of clsact and this is
 * egress).
 */
int nv_tc_attach(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side,
	const struct nv_tcx_known *known);

/*
 * The id of our program. Returns 0 or -errno when there is none; -EPERM: none is known, and there
 * are programs whose names may not be read.
 */
int nv_tc_program(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	uint32_t *ret_id);

/*
 * Removes ours of one side; clsact stays, for Linux 6.1 lets a device send nothing for a moment
 * when any of its qdiscs comes or goes (qdisc_graft()). Returns whether it was a filter in clsact.
 */
bool nv_tc_remove(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known);

/* Removes ours of both sides, and clsact with our last filter if none is left in it. Never fails:
 * what is not there is removed. */
void nv_tc_detach(struct nv_kernel *kernel, int ifindex, const struct nv_tcx_known *ingress,
	const struct nv_tcx_known *egress);
