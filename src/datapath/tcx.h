/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our programs at tcx, which the kernel has since Linux 6.6: the places of tc's filters, without
 * clsact and without the walk through classifiers before each frame. A program there belongs to the
 * device, as a filter does. Ours stands first and is known by its name; others' stay.
 */
#pragma once

#include <bpf/libbpf.h>
#include <stdint.h>

/*
 * Programs that are known to be ours. To learn the name of any other one takes CAP_SYS_ADMIN
 * (bpf(2), BPF_PROG_GET_FD_BY_ID); without it, what is not known counts as somebody else's.
 */
struct nv_tcx_known {
	int program; /* descriptors; -1: none */
	int replaced; /* another version's, which @program takes the place of */
};

/*
 * The id of our program on this side. -ENOENT: there is none; -EPERM: none is known, and there are
 * some whose names may not be read; -EINVAL: the kernel has no tcx.
 */
int nv_tcx_program(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	uint32_t *ret_id);

/*
 * Puts @known->program in the place of ours, or in front if there is none. -EINVAL: the kernel has
 * no tcx; -ENODEV: no such link; or another -errno.
 */
int nv_tcx_attach(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known);

/* Takes ours away. 0, or -errno when there was none. */
int nv_tcx_detach(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known);
