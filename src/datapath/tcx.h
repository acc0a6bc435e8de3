/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our programs at tcx, which the kernel has since Linux 6.6: the places of tc's filters, without
 * clsact and without the walk through classifiers before each frame. A program there belongs to the
 * device, as a filter does. Ours stands first and is known by its name; others' stay.
 */
#pragma once

#include <bpf/libbpf.h>
#include <stdint.h>

/* The id of our program on this side. -ENOENT: there is none; -EINVAL: the kernel has no tcx. */
int nv_tcx_program(int ifindex, enum bpf_tc_attach_point side, uint32_t *ret_id);

/* Puts @program in the place of ours, which has the id @old, or in front if that is 0. -EINVAL: the
 * kernel has no tcx; -ENODEV: no such link; or another -errno. */
int nv_tcx_attach(int ifindex, enum bpf_tc_attach_point side, int program, uint32_t old);

/* Takes ours away. 0, or -errno when there was none. */
int nv_tcx_detach(int ifindex, enum bpf_tc_attach_point side);
