/* SPDX-License-Identifier: BSD-2-Clause */
/* laggN as a device of its own without any function: the data path does everything. */
#include "datapath/lagg.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

/* The other end of a veth only provides the carrier: it has no protocols and receives nothing. */
static int lagg_bpf_dress(struct nv_kernel *kernel, const struct nv_link *lagg)
{
	const struct nv_link_change change = {
		.what = NV_LINK_FLAGS,
		.flags_mask = IFF_NOARP,
		.to.flags = IFF_NOARP,
	};
	char path[NV_SYSCTL_PATH_MAX];
	struct nv_link peer;
	int r;

	if (strcmp(lagg->kind, "veth"))
		return 0;
	r = nv_kernel_link(kernel, lagg->lower, &peer);
	if (r == 0)
		r = nv_kernel_link_set(kernel, peer.ifindex, &change);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", peer.name);
	r = nv_kernel_sysctl_write(kernel, path, "1");
	return r == -ENOENT ? 0 : r;
}

static int lagg_bpf_set_carrier(struct nv_kernel *kernel, const struct nv_link *lagg, bool carrier)
{
	struct nv_link_change change = {};

	if (!strcmp(lagg->kind, "veth"))
		return nv_kernel_link_up(kernel, lagg->lower, carrier);
	if (!strcmp(lagg->kind, "dummy")) {
		change.what = NV_LINK_CARRIER;
		change.to.carrier = carrier;
	} else {
		change.what = NV_LINK_MODE | NV_LINK_OPERSTATE;
		change.to.link_mode = carrier ? IF_LINK_MODE_DEFAULT : IF_LINK_MODE_DORMANT;
		change.to.operstate = carrier ? IF_OPER_UP : IF_OPER_DORMANT;
	}
	return nv_kernel_link_set(kernel, lagg->ifindex, &change);
}

/* A dummy has a carrier that can be set, and nothing else. */
static const char *const kinds[] = {"dummy", "ifb", "veth", NULL};

const struct nv_lagg_ops nv_lagg_bpf = {
	.kinds = kinds,
	.dress = lagg_bpf_dress,
	.set_carrier = lagg_bpf_set_carrier,
};
