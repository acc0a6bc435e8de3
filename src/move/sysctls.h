/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves an interface's settings below /proc/sys/net. Functions log what fails. */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/*
 * Reads what nv_sysctls_copy() and nv_sysctls_copy_mtu() give the new interface of @move. Needed
 * where the old one is deleted before the new one is made; nv_sysctls_copy() does it else.
 */
void nv_sysctls_save(struct nv_kernel *kernel, struct nv_move *move);

/*
 * Gives the new interface of @move every value that differs on the old one, from net/ipv4/conf,
 * net/ipv6/conf, net/ipv4/neigh, net/ipv6/neigh and net/mpls/conf. Duplicate address detection and
 * address generation stay as the lagg has them. A secret for stable addresses stays behind, because
 * it makes other addresses on another link.
 */
void nv_sysctls_copy(struct nv_kernel *kernel, struct nv_move *move);

/*
 * Strict reverse path filtering (rp_filter 1) would drop frames that arrive on one interface while
 * the route back uses the other. Where it is strict on either, makes it loose (2) on both until
 * nv_sysctls_complete() or nv_sysctls_undo(). Call it before nv_sysctls_copy(), because the new
 * interface may be in use already.
 */
void nv_sysctls_loosen(struct nv_kernel *kernel, struct nv_move *move);

/*
 * Copies the IPv6 MTU. Call it after the new interface was set up, because that resets the IPv6 MTU
 * to the link's.
 */
void nv_sysctls_copy_mtu(struct nv_kernel *kernel, const struct nv_move *move);

/*
 * Restores reverse path filtering: the new interface gets the old one's, unless it keeps its
 * settings.
 */
void nv_sysctls_complete(struct nv_kernel *kernel, const struct nv_move *move);

/* Restores it on the old interface, and on a new one that keeps its settings. */
void nv_sysctls_undo(struct nv_kernel *kernel, const struct nv_move *move);

/*
 * Makes the interface accept router advertisements: an interface that forwards accepts them only
 * with accept_ra 2.
 */
void nv_sysctls_accept_rtadv(struct nv_kernel *kernel, const char *ifname);

/* Writes net/FAMILY/conf/IFNAME/NAME. Ignores it if the kernel has no such file. */
void nv_sysctls_set(struct nv_kernel *kernel, const char *family, const char *ifname,
	const char *name, const char *value);
