/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface laggN: what it is made of, behind one small table. lagg_bpf.c: a device of its own,
 * for which the data path receives and sends. lagg_bond.c: the kernel's bond.
 *
 * The data path leads what a lagg of either form sends to the active port, before a bond chooses
 * one, and what arrives to the lagg, unless a bond takes it from its port by itself. So a port that
 * a bond does not have, or does not have yet, works all the same.
 */
#pragma once

#include "datapath/datapath.h"
#include "pair/config.h"

struct nv_lagg_ops {
	const char *const *kinds; /* of link, best first; NULL ends them */

	/*
	 * The rows below may be NULL, where there is nothing to do. @lagg is of one of the kinds;
	 * they return 0 or -errno.
	 */

	/* After the lagg was made or found, and is an Ethernet link like any other. */
	int (*dress)(struct nv_kernel *kernel, const struct nv_link *lagg);
	int (*set_carrier)(struct nv_kernel *kernel, const struct nv_link *lagg, bool carrier);
	int (*take_port)(struct nv_kernel *kernel, const struct nv_link *lagg, int port);
	/* Before the lagg is deleted. */
	void (*release_ports)(struct nv_kernel *kernel, const struct nv_link *lagg);
};

extern const struct nv_lagg_ops nv_lagg_bpf, nv_lagg_bond;

/*
 * Makes the lagg of an hn, of the first of the form's kinds that the kernel has; with hn's MAC and
 * MTU, ARP and multicast on, no IPv6 address generation, no duplicate address detection (accept_dad
 * 0, dad_transmits 0), and known to the data path, so that what is sent on it once it is up goes
 * out of the active port. A bond is up, without which it would not look at its ports; else it is
 * down.
 *
 * @name: "lagg0". -EEXIST: a link has the name, or this hn has a lagg already, under this or
 * another name, in whatever form: then @ret_ifindex is set to it. -EOPNOTSUPP: the kernel has none
 * of the kinds.
 */
int nv_lagg_create(struct nv_datapath *datapath, const struct nv_link *hn, const char *name,
	enum nv_lagg_type type, int *ret_ifindex);

/*
 * Takes it out of the data path (the pair becomes transparent) and deletes the device. Ports of a
 * bond are closed by that for a moment.
 */
int nv_lagg_destroy(struct nv_datapath *datapath, int hn);

/*
 * Shows on the lagg whether any of its ports is usable: by its carrier (dummy), by its peer (veth)
 * or by its operational state (ifb, which has no carrier to set). A bond sees it for itself.
 */
int nv_lagg_set_carrier(struct nv_datapath *datapath, int lagg, bool carrier);

/* Whether a link is a bond, which wants its ports to be taken in. */
bool nv_lagg_has_ports(const struct nv_link *lagg);

/*
 * Makes a link a port of a bond, up. The kernel takes only one that is down: a port that is up is
 * closed for a moment, and a real card's link needs seconds to come back. 0 also when it is one
 * already, and for a lagg that has no ports. -EBUSY: it has another master. On failure it is up
 * again, if it was.
 */
int nv_lagg_take_port(struct nv_datapath *datapath, int lagg, int port);

/* Has a bond show @port as the active one, which is for people: the data path decides. */
int nv_lagg_prefer(struct nv_datapath *datapath, int lagg, int port);
