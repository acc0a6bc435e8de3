/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/lagg.h"

#include "base/str.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

static const struct nv_lagg_ops *lagg_ops_of(enum nv_lagg_type type)
{
	switch (type) {
	case NV_LAGG_BPF:
		return &nv_lagg_bpf;
	case NV_LAGG_BOND:
		return &nv_lagg_bond;
	case NV_LAGG_AUTO:
		break;
	}
	return NULL;
}

/* The type of a link by its kind; NULL: it is not a lagg. */
static const struct nv_lagg_ops *lagg_find_ops(const struct nv_link *link)
{
	for (enum nv_lagg_type type = NV_LAGG_BPF; type <= NV_LAGG_BOND; type++)
		for (const char *const *kind = lagg_ops_of(type)->kinds; *kind; kind++)
			if (nv_streq(link->kind, *kind))
				return lagg_ops_of(type);
	return NULL;
}

static int lagg_make(struct nv_kernel *kernel, const struct nv_link *hn, const char *name,
	const struct nv_lagg_ops *ops, int *ret_ifindex)
{
	struct nv_link link = {.mtu = hn->mtu, .has_mac = true};
	char peer[IFNAMSIZ];
	int r = -EOPNOTSUPP;

	if (!nv_strcopy(link.name, sizeof(link.name), name) ||
		snprintf(peer, sizeof(peer), "%sp", name) >= (int)sizeof(peer))
		return -ENAMETOOLONG;
	memcpy(link.mac, hn->mac, sizeof(link.mac));
	for (const char *const *kind = ops->kinds; *kind && r == -EOPNOTSUPP; kind++) {
		nv_strcopy(link.kind, sizeof(link.kind), *kind);
		r = nv_kernel_link_add(
			kernel, &link, nv_streq(*kind, "veth") ? peer : NULL, ret_ifindex);
	}
	return r;
}

/* Makes a new link behave like an Ethernet link: dummy and ifb are created with NOARP. */
static int lagg_dress(struct nv_kernel *kernel, int ifindex)
{
	const struct nv_link_change change = {
		.what = NV_LINK_FLAGS,
		.flags_mask = IFF_NOARP | IFF_MULTICAST,
		.to.flags = IFF_MULTICAST,
	};
	static const struct {
		const char *key;
		const char *value;
	} ipv6[] = {
		{"addr_gen_mode", "1"}, /* IN6_ADDR_GEN_MODE_NONE */
		{"accept_dad", "0"}, /* hn or the VF may still have the same address */
		{"dad_transmits", "0"},
	};
	const struct nv_lagg_ops *ops;
	char path[NV_SYSCTL_PATH_MAX];
	struct nv_link link;
	int r;

	r = nv_kernel_link(kernel, ifindex, &link);
	if (r == 0)
		r = nv_kernel_link_set(kernel, ifindex, &change);
	for (size_t i = 0; r == 0 && i < NV_ARRAY_SIZE(ipv6); i++) {
		snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", link.name, ipv6[i].key);
		r = nv_kernel_sysctl_write(kernel, path, ipv6[i].value);
		if (r == -ENOENT) /* a kernel without IPv6 */
			r = 0;
	}
	ops = r < 0 ? NULL : lagg_find_ops(&link);
	return ops && ops->dress ? ops->dress(kernel, &link) : r;
}

static int lagg_set(struct nv_dp_pair *pair, void *data)
{
	const struct nv_dp_pair *wanted = data;

	if (pair->mode == NV_MODE_LAGG) /* a lagg that is gone */
		pair->mode = NV_MODE_HN;
	pair->lagg = wanted->lagg;
	memcpy(pair->mac, wanted->mac, sizeof(pair->mac));
	return 0;
}

/* The lagg of an hn, under any name; 0: there is none. */
static int lagg_of_pair(struct nv_datapath *datapath, int hn)
{
	struct nv_dp_pair pair;
	struct nv_link link;

	if (nv_datapath_get(datapath, hn, &pair) < 0 || !pair.lagg ||
		nv_kernel_link(nv_datapath_kernel(datapath), pair.lagg, &link) < 0 ||
		!lagg_find_ops(&link))
		return 0;
	return pair.lagg;
}

/*
 * Whether a link is as lagg_dress() leaves it and nobody else does: with ARP and a MAC address, and
 * without address generation.
 */
static bool lagg_is_dressed(const struct nv_link *link)
{
	return !(link->flags & IFF_NOARP) && link->addr_gen_mode == IN6_ADDR_GEN_MODE_NONE;
}

/* Whether a link is a bond without ports. */
static bool lagg_is_empty(const struct nv_links *links, const struct nv_link *lagg)
{
	for (size_t i = 0; i < links->count; i++)
		if (links->link[i].master == lagg->ifindex)
			return false;
	return nv_lagg_has_ports(lagg);
}

/*
 * Adopts a link that can only be this hn's lagg, by its name, kind and MAC address, although the
 * data path does not know it: the process that made it died at that moment (it was never up), or hn
 * went and is back. A bond that has lost its last port has a random MAC address.
 */
static int lagg_take_orphan(
	struct nv_kernel *kernel, const struct nv_link *hn, const char *name, int *ret_ifindex)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	const struct nv_link *link;
	int r;

	r = nv_kernel_links(kernel, &links);
	if (r < 0)
		return r;
	link = nv_links_by_name(&links, name);
	if (!link || !lagg_find_ops(link) || !link->has_mac || link->master ||
		(memcmp(link->mac, hn->mac, sizeof(link->mac)) && !lagg_is_empty(&links, link)) ||
		((link->flags & IFF_UP) && !lagg_is_dressed(link)))
		return -EEXIST;
	*ret_ifindex = link->ifindex;
	return 0;
}

int nv_lagg_create(struct nv_datapath *datapath, const struct nv_link *hn, const char *name,
	enum nv_lagg_type type, int *ret_ifindex)
{
	struct nv_kernel *kernel = nv_datapath_kernel(datapath);
	struct nv_dp_pair wanted = {.lagg = lagg_of_pair(datapath, hn->ifindex)};
	bool made;
	int r;

	if (wanted.lagg) {
		*ret_ifindex = wanted.lagg;
		return -EEXIST;
	}
	r = lagg_make(kernel, hn, name, lagg_ops_of(type), &wanted.lagg);
	made = r == 0;
	if (r == -EEXIST)
		r = lagg_take_orphan(kernel, hn, name, &wanted.lagg);
	if (r < 0)
		return r;
	memcpy(wanted.mac, hn->mac, sizeof(wanted.mac));
	r = lagg_dress(kernel, wanted.lagg);
	if (r == 0)
		r = nv_datapath_edit(datapath, hn->ifindex, lagg_set, &wanted);
	if (r < 0 && made)
		nv_kernel_link_del(kernel, wanted.lagg);
	if (r < 0)
		return r;
	*ret_ifindex = wanted.lagg;
	return 0;
}

static int lagg_take_out(struct nv_dp_pair *pair, void *data)
{
	int *lagg = data;

	*lagg = pair->lagg;
	pair->lagg = 0;
	if (pair->mode == NV_MODE_LAGG)
		pair->mode = NV_MODE_HN;
	return *lagg ? 0 : -ENOENT;
}

/* The link and its type; -ENODEV: there is none. */
static int lagg_find(struct nv_datapath *datapath, int lagg, struct nv_link *ret_link,
	const struct nv_lagg_ops **ret_ops)
{
	int r = nv_kernel_link(nv_datapath_kernel(datapath), lagg, ret_link);

	if (r < 0)
		return r;
	*ret_ops = lagg_find_ops(ret_link);
	return *ret_ops ? 0 : -ENODEV;
}

int nv_lagg_destroy(struct nv_datapath *datapath, int hn)
{
	struct nv_kernel *kernel = nv_datapath_kernel(datapath);
	const struct nv_lagg_ops *ops;
	struct nv_link link;
	int lagg = 0;
	int r;

	r = nv_datapath_edit(datapath, hn, lagg_take_out, &lagg);
	if (r < 0)
		return r;
	if (lagg_find(datapath, lagg, &link, &ops) == 0 && ops->release_ports)
		ops->release_ports(kernel, &link);
	r = nv_kernel_link_del(kernel, lagg);
	return r == -ENODEV ? 0 : r;
}

int nv_lagg_set_carrier(struct nv_datapath *datapath, int lagg, bool carrier)
{
	const struct nv_lagg_ops *ops;
	struct nv_link link;
	int r = lagg_find(datapath, lagg, &link, &ops);

	if (r < 0 || !ops->set_carrier)
		return r;
	return ops->set_carrier(nv_datapath_kernel(datapath), &link, carrier);
}

bool nv_lagg_has_ports(const struct nv_link *lagg)
{
	const struct nv_lagg_ops *ops = lagg_find_ops(lagg);

	return ops && ops->take_port;
}

int nv_lagg_take_port(struct nv_datapath *datapath, int lagg, int port)
{
	const struct nv_lagg_ops *ops;
	struct nv_link link;
	int r = lagg_find(datapath, lagg, &link, &ops);

	if (r < 0 || !ops->take_port)
		return r;
	return ops->take_port(nv_datapath_kernel(datapath), &link, port);
}

int nv_lagg_prefer(struct nv_datapath *datapath, int lagg, int port)
{
	const struct nv_link_change change = {.what = NV_LINK_PRIMARY, .to.primary = port};

	return nv_kernel_link_set(nv_datapath_kernel(datapath), lagg, &change);
}
