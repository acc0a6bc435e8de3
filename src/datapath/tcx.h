/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our programs at tcx (Linux 6.6): like tc filters, but without clsact and without a walk through
 * classifiers for each frame. A program there belongs to the device, as a filter does. Ours is the
 * first and is recognized by its name; others stay.
 */
#pragma once

#include "datapath/pair.h"

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Programs that are known to be ours. Reading the name of any other program needs CAP_SYS_ADMIN
 * (bpf(2), BPF_PROG_GET_FD_BY_ID). Without it, an unknown program counts as somebody else's.
 */
struct nv_tcx_known {
	int program; /* descriptors; -1: none */
	int replaced; /* another version's, which @program replaces */
};

/* Whether this kernel has tcx. Needs CAP_NET_ADMIN; without it, the answer is no. */
bool nv_tcx_is_there(void);

/*
 * The id of our program on this side. -ENOENT: there is none; -EPERM: none is known to be ours, and
 * there are some whose names may not be read; -EINVAL: the kernel has no tcx.
 */
int nv_tcx_program(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	uint32_t *ret_id);

/* Whether the program with this id is on this side: one system call, for who looks often. */
bool nv_tcx_runs(int ifindex, enum bpf_tc_attach_point side, uint32_t id);

/*
 * Puts @known->program in the place of ours, or before all others if there is none. -EINVAL: the
 * kernel has no tcx; -ENODEV: no such link; or another -errno.
 */
int nv_tcx_attach(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known);

/* Counts the programs of others on this side, before and behind ours; none if ours is not there. */
void nv_tcx_find_others(int ifindex, enum bpf_tc_attach_point side,
	const struct nv_tcx_known *known, struct nv_dp_others *ret_others);

/* Counts the programs of others by their names; those whose name may not be read do not count. */
unsigned int nv_tcx_count_others(int ifindex, enum bpf_tc_attach_point side);

/* Removes ours. Returns 0, or -errno if there was none. */
int nv_tcx_detach(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known);
