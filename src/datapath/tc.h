/* SPDX-License-Identifier: BSD-2-Clause */
/* Our filters at tc: one handle at one priority in clsact, so that a user's own filters stay. */
#pragma once

#include "kernel/kernel.h"

#include <bpf/libbpf.h>
#include <stdint.h>

#define NV_TC_HANDLE   0x6e76
#define NV_TC_PRIORITY 1

/*
 * Makes our filter on this side run @program, in place of another version's without a gap; makes
 * clsact where there is none.
 * Returns 0, -ENODEV (no such link), -EBUSY (our priority is in other hands, or the qdisc
 * "ingress" has the place of clsact and this is egress), -EOPNOTSUPP (the kernel has no clsact or
 * no bpf filters), or another -errno.
 */
int nv_tc_attach(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side, int program);

/* The id of the program that our filter runs. Returns 0 or -errno when there is none. */
int nv_tc_program(int ifindex, enum bpf_tc_attach_point side, uint32_t *ret_id);

/* Removes our filters of both sides, and clsact if no filter is left in it. Never fails: what is
 * not there is removed. */
void nv_tc_detach(struct nv_kernel *kernel, int ifindex);
