/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a link a bare port: it carries frames of the upper and has nothing of its own. */
#pragma once

#include "kernel/kernel.h"

/*
 * Prepares a link to carry the frames of another one: it receives all multicast groups, makes
 * itself no IPv6 address, and gets @mtu (0: unchanged). A port that refuses the MTU keeps its own,
 * with a warning; @ret_mtu (may be NULL) is the resulting MTU.
 * Returns 0 or -errno; -ENODEV: the link is gone.
 */
int nv_port_setup(
	struct nv_kernel *kernel, const struct nv_link *link, uint32_t mtu, uint32_t *ret_mtu);

/*
 * The same for a VF, which has no configuration to lose. It also stops accepting router
 * advertisements, and loses what IPv6 has configured on it (addresses, prefixes, routers).
 * Otherwise a VF that comes up would send the machine's IPv6 traffic past the upper.
 */
int nv_port_setup_vf(
	struct nv_kernel *kernel, const struct nv_link *vf, uint32_t mtu, uint32_t *ret_mtu);

/*
 * Gives a port its upper's MTU. If the port refuses one above 1500 that is larger than its own, the
 * upper falls back to 1500, as in hn(4): it could not send larger frames by the port.
 * Returns 0, also after that; or -errno: the port's driver refuses for the moment and is to be
 * asked again (nv_retry_is_worth()), which is not logged; the port is smaller than 1500; or the
 * upper cannot fall back.
 */
int nv_port_agree_mtu(
	struct nv_kernel *kernel, const struct nv_link *upper, const struct nv_link *port);

/*
 * Prepares a VF in transparent mode, in the order of FreeBSD's hn(4): it gets hn's MTU, becomes
 * bare, gets hn's promiscuous mode, and is set up.
 * Returns 0, or -errno: the VF may still be down, and must not be used.
 */
int nv_port_setup_transparent(
	struct nv_kernel *kernel, const struct nv_link *hn, const struct nv_link *vf);
