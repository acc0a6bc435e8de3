/* SPDX-License-Identifier: BSD-2-Clause */
/* A port stays bare: it carries frames of the upper and has nothing of its own. */
#pragma once

#include "kernel/kernel.h"

/*
 * Readies a link to carry the frames of another: it hears all multicast groups, makes itself no
 * IPv6 address, and its MTU becomes @mtu (0: stays). A port that refuses the MTU keeps its own,
 * with a warning; @ret_mtu (may be NULL) is what it has then.
 * Returns 0 or -errno: -ENODEV: it has gone.
 */
int nv_port_setup(
	struct nv_kernel *kernel, const struct nv_link *link, uint32_t mtu, uint32_t *ret_mtu);

/*
 * The same for a VF, which has no configuration to lose: it also ceases to listen to router
 * advertisements, and what it has heard or made itself in IPv6 before (addresses, prefixes,
 * routers) goes. A VF that comes up would otherwise send the machine's IPv6 traffic out past the
 * upper.
 */
int nv_port_setup_vf(
	struct nv_kernel *kernel, const struct nv_link *vf, uint32_t mtu, uint32_t *ret_mtu);

/*
 * Gives a port its upper's MTU. Where the port refuses one above 1500 that is more than it has, the
 * upper falls back to 1500, as hn(4) does: it could not send by the port what it promises.
 * Returns 0, or -errno where a port is left that cannot carry what the upper sends; both are told.
 */
int nv_port_setup_mtu(
	struct nv_kernel *kernel, const struct nv_link *upper, const struct nv_link *port);

/*
 * Readies a VF whose upper is hn itself, in the order of FreeBSD's hn(4): it gets hn's MTU, then
 * becomes bare, then gets hn's promiscuous mode and is set up.
 * Returns 0 or -errno: the VF is not up.
 */
int nv_port_setup_transparent(
	struct nv_kernel *kernel, const struct nv_link *hn, const struct nv_link *vf);
