/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * laggN, behind a table of operations. lagg_bpf.c: a device of its own, for which the data path
 * receives and sends. lagg_bond.c: a bond of the kernel.
 *
 * With both forms, the data path leads frames of the lagg to the active port, before a bond chooses
 * one, and delivers received frames to the lagg, unless the port is a bond port. So a port that is
 * not in the bond, or not yet, works too.
 */
#pragma once

#include "datapath/datapath.h"
#include "pair/config.h"

struct nv_lagg_ops {
	const char *const *kinds; /* kinds of links, best first; ends with NULL */

	/*
	 * The rows below may be NULL if there is nothing to do. @lagg is of one of the kinds. They
	 * return 0 or -errno.
	 */

	/* Called after the lagg was made or adopted, and behaves like an Ethernet link. */
	int (*dress)(struct nv_kernel *kernel, const struct nv_link *lagg);
	int (*set_carrier)(struct nv_kernel *kernel, const struct nv_link *lagg, bool carrier);
	int (*take_port)(struct nv_kernel *kernel, const struct nv_link *lagg, int port);
	/* Called before the lagg is deleted. */
	void (*release_ports)(struct nv_kernel *kernel, const struct nv_link *lagg);
};

extern const struct nv_lagg_ops nv_lagg_bpf, nv_lagg_bond;

/*
 * Makes the lagg of an hn, of the first of the form's kinds that the kernel has. It has hn's MAC
 * address and MTU, ARP and multicast, no IPv6 address generation, and no duplicate address
 * detection (accept_dad 0, dad_transmits 0). The data path knows it, so that frames leave by the
 * active port when it is up. A bond is up, because it checks its ports only then; other kinds are
 * down.
 *
 * @type: not NV_LAGG_AUTO.
 * @name: "lagg0". -EEXIST: a link has the name, or this hn has a lagg of any form under any name;
 *        *ret_ifindex is set to that. -EOPNOTSUPP: the kernel has none of the kinds.
 */
int nv_lagg_create(struct nv_datapath *datapath, const struct nv_link *hn, const char *name,
	enum nv_lagg_type type, int *ret_ifindex);

/*
 * Removes the lagg from the data path (the pair becomes transparent) and deletes the device. The
 * ports of a bond are set down for a moment.
 */
int nv_lagg_destroy(struct nv_datapath *datapath, int hn);

/*
 * Shows on the lagg whether one of its ports is usable: by its carrier (dummy), by its peer (veth),
 * or by its operational state (ifb, whose carrier cannot be set). A bond does this by itself.
 */
int nv_lagg_set_carrier(struct nv_datapath *datapath, int lagg, bool carrier);

/* Whether a link is a bond, to which ports must be added. */
bool nv_lagg_has_ports(const struct nv_link *lagg);

/*
 * Makes a link a port of a bond, and sets it up. The kernel accepts only a port that is down: a
 * port that is up is set down for a moment, and a real card's link needs seconds to come back.
 * Returns 0 also if it is a port already, and for a lagg without ports. -EBUSY: it has another
 * master. On failure it is up again if it was.
 */
int nv_lagg_take_port(struct nv_datapath *datapath, int lagg, int port);

/* Makes a bond show @port as its active one. This is for people: the data path decides. */
int nv_lagg_prefer(struct nv_datapath *datapath, int lagg, int port);
