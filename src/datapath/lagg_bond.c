/* SPDX-License-Identifier: BSD-2-Clause */
/* laggN as the kernel's active-backup bond (drivers/net/bonding/bond_main.c, Linux 6.1). */
#include "datapath/lagg.h"

#include <errno.h>

#define TRIES 10

/* A bond checks the carriers of its ports only while it is up. */
static int lagg_bond_dress(struct nv_kernel *kernel, const struct nv_link *lagg)
{
	return nv_kernel_link_up(kernel, lagg->ifindex, true);
}

/* bond_enslave() refuses a link that is up, sets it up itself, and gives it the bond's MTU. */
static int lagg_bond_take_port(struct nv_kernel *kernel, const struct nv_link *lagg, int port)
{
	const struct nv_link_change enter = {
		.what = NV_LINK_MASTER,
		.to.master = lagg->ifindex,
	};
	struct nv_link link;
	int r = nv_kernel_link(kernel, port, &link);

	if (r < 0 || link.master == lagg->ifindex)
		return r;
	if (link.master)
		return -EBUSY;
	r = -EPERM; /* its error if somebody has set the link up in between */
	for (int i = 0; i < TRIES && r == -EPERM; i++) {
		r = nv_kernel_link_up(kernel, port, false);
		if (r == 0)
			r = nv_kernel_link_set(kernel, port, &enter);
	}
	if (r < 0 && (link.flags & IFF_UP))
		nv_kernel_link_up(kernel, port, true);
	return r;
}

/* The kernel sets a port down when it leaves the bond. */
static void lagg_bond_release_ports(struct nv_kernel *kernel, const struct nv_link *lagg)
{
	const struct nv_link_change leave = {.what = NV_LINK_MASTER};
	NV_AUTO(nv_links) struct nv_links links = {};

	if (nv_kernel_links(kernel, &links) < 0)
		return;
	for (size_t i = 0; i < links.count; i++) {
		const struct nv_link *port = &links.link[i];

		if (port->master != lagg->ifindex)
			continue;
		if (nv_kernel_link_set(kernel, port->ifindex, &leave) == 0 &&
			(port->flags & IFF_UP))
			nv_kernel_link_up(kernel, port->ifindex, true);
	}
}

static const char *const kinds[] = {"bond", NULL};

const struct nv_lagg_ops nv_lagg_bond = {
	.kinds = kinds,
	.dress = lagg_bond_dress,
	.take_port = lagg_bond_take_port,
	.release_ports = lagg_bond_release_ports,
};
