/* SPDX-License-Identifier: BSD-2-Clause */
/* What is set for an interface below /proc/sys/net, and moves with it. Functions log what fails. */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/*
 * Gives the new interface of @move all that differs on the old one, of its directories under
 * net/ipv4/conf, net/ipv6/conf, net/ipv4/neigh, net/ipv6/neigh and net/mpls/conf. Duplicate address
 * detection and the making of addresses stay as the lagg has them; a secret for stable addresses
 * makes others on another link, and stays behind.
 */
void nv_sysctls_copy(struct nv_kernel *kernel, const struct nv_move *move);

/*
 * Strict reverse path filtering (rp_filter 1) would drop what arrives on the one while the route
 * back is by the other: it is loose (2) on both until nv_sysctls_settle() or nv_sysctls_undo().
 */
void nv_sysctls_loosen(struct nv_kernel *kernel, struct nv_move *move);

/* After the new interface was set up, which has IPv6 follow the link: the MTU of IPv6 alone. */
void nv_sysctls_copy_mtu(struct nv_kernel *kernel, const struct nv_move *move);

/* Reverse path filtering is as it was before, on both. */
void nv_sysctls_settle(struct nv_kernel *kernel, const struct nv_move *move);

/* The same on the old one only. */
void nv_sysctls_undo(struct nv_kernel *kernel, const struct nv_move *move);

/* Listens to router advertisements: a host that forwards does so only when told twice. */
void nv_sysctls_accept_rtadv(struct nv_kernel *kernel, const char *ifname);

/* Writes net/FAMILY/conf/IFNAME/NAME; a kernel that has no such file is told nothing. */
void nv_sysctls_set(struct nv_kernel *kernel, const char *family, const char *ifname,
	const char *name, const char *value);
