/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/lagg.h"

#include "base/str.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

/* What a lagg is made of, best first: a dummy shows a carrier and has nothing else to it. */
static const char *const kinds[] = {"dummy", "ifb", "veth"};

static bool is_kind(const char *kind)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

static int make(
	struct nv_kernel *kernel, const struct nv_link *hn, const char *name, int *ret_ifindex)
{
	struct nv_link link = {.mtu = hn->mtu, .has_mac = true};
	char peer[IFNAMSIZ];
	int r = -EOPNOTSUPP;

	if (!nv_strcopy(link.name, sizeof(link.name), name) ||
		snprintf(peer, sizeof(peer), "%sp", name) >= (int)sizeof(peer))
		return -ENAMETOOLONG;
	memcpy(link.mac, hn->mac, sizeof(link.mac));
	for (size_t i = 0; i < NV_ARRAY_SIZE(kinds) && r == -EOPNOTSUPP; i++) {
		nv_strcopy(link.kind, sizeof(link.kind), kinds[i]);
		r = nv_kernel_link_add(
			kernel, &link, strcmp(kinds[i], "veth") ? NULL : peer, ret_ifindex);
	}
	return r;
}

/* Writes net/ipv6/conf/NAME/KEY; without IPv6 there is nothing to write. */
static int ipv6_set(struct nv_kernel *kernel, const char *name, const char *key, const char *value)
{
	char path[128];
	int r;

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", name, key);
	r = nv_kernel_sysctl_write(kernel, path, value);
	return r == -ENOENT ? 0 : r;
}

/* The other end of a veth only lends its carrier: it speaks no protocol and hears nothing. */
static int silence(struct nv_kernel *kernel, int ifindex)
{
	const struct nv_link_change change = {
		.what = NV_LINK_FLAGS,
		.flags_mask = IFF_NOARP,
		.to.flags = IFF_NOARP,
	};
	struct nv_link link;
	int r;

	r = nv_kernel_link(kernel, ifindex, &link);
	if (!r)
		r = nv_kernel_link_set(kernel, ifindex, &change);
	if (!r)
		r = ipv6_set(kernel, link.name, "disable_ipv6", "1");
	return r;
}

/* Makes a link that is down behave like an Ethernet link: dummy and ifb are born NOARP. */
static int dress(struct nv_kernel *kernel, int ifindex)
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
	struct nv_link link;
	int r;

	r = nv_kernel_link(kernel, ifindex, &link);
	if (!r)
		r = nv_kernel_link_set(kernel, ifindex, &change);
	for (size_t i = 0; !r && i < NV_ARRAY_SIZE(ipv6); i++)
		r = ipv6_set(kernel, link.name, ipv6[i].key, ipv6[i].value);
	if (!r && !strcmp(link.kind, "veth"))
		r = silence(kernel, link.lower);
	return r;
}

static int set_lagg(struct nv_dp_pair *pair, void *data)
{
	const struct nv_dp_pair *wanted = data;

	if (pair->form == NV_FORM_LAGG) /* of one that is gone */
		pair->form = NV_FORM_HN;
	pair->lagg = wanted->lagg;
	memcpy(pair->mac, wanted->mac, sizeof(pair->mac));
	return 0;
}

/* The lagg that an hn has, under whatever name; 0: none that exists. */
static int present(struct nv_datapath *datapath, int hn)
{
	struct nv_dp_pair pair;
	struct nv_link link;

	if (nv_datapath_get(datapath, hn, &pair) < 0 || !pair.lagg ||
		nv_kernel_link(nv_datapath_kernel(datapath), pair.lagg, &link) < 0 ||
		!is_kind(link.kind))
		return 0;
	return pair.lagg;
}

/* As dress() leaves a link, and nobody else: one that has ARP and MAC, and makes no addresses. */
static bool is_dressed(const struct nv_link *link)
{
	return !(link->flags & IFF_NOARP) && link->addr_gen_mode == IN6_ADDR_GEN_MODE_NONE;
}

/*
 * Takes a link that can only be this hn's lagg, by its name, kind and MAC, though the data path
 * does not know it: who made it died at that moment (it was never up), or hn went and is back.
 */
static int take_orphan(
	struct nv_kernel *kernel, const struct nv_link *hn, const char *name, int *ret_ifindex)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	const struct nv_link *link;
	int r;

	r = nv_kernel_links(kernel, &links);
	if (r < 0)
		return r;
	link = nv_links_by_name(&links, name);
	if (!link || !is_kind(link->kind) || !link->has_mac || link->master ||
		memcmp(link->mac, hn->mac, sizeof(link->mac)) ||
		((link->flags & IFF_UP) && !is_dressed(link)))
		return -EEXIST;
	*ret_ifindex = link->ifindex;
	return 0;
}

int nv_lagg_create(
	struct nv_datapath *datapath, const struct nv_link *hn, const char *name, int *ret_ifindex)
{
	struct nv_kernel *kernel = nv_datapath_kernel(datapath);
	struct nv_dp_pair wanted = {.lagg = present(datapath, hn->ifindex)};
	bool made;
	int r;

	if (wanted.lagg) {
		*ret_ifindex = wanted.lagg;
		return -EEXIST;
	}
	r = make(kernel, hn, name, &wanted.lagg);
	made = r == 0;
	if (r == -EEXIST)
		r = take_orphan(kernel, hn, name, &wanted.lagg);
	if (r < 0)
		return r;
	memcpy(wanted.mac, hn->mac, sizeof(wanted.mac));
	r = dress(kernel, wanted.lagg);
	if (!r)
		r = nv_datapath_edit(datapath, hn->ifindex, set_lagg, &wanted);
	if (r < 0 && made)
		nv_kernel_link_del(kernel, wanted.lagg);
	if (r < 0)
		return r;
	*ret_ifindex = wanted.lagg;
	return 0;
}

static int take_lagg(struct nv_dp_pair *pair, void *data)
{
	int *lagg = data;

	*lagg = pair->lagg;
	pair->lagg = 0;
	if (pair->form == NV_FORM_LAGG)
		pair->form = NV_FORM_HN;
	return *lagg ? 0 : -ENOENT;
}

int nv_lagg_destroy(struct nv_datapath *datapath, int hn)
{
	int lagg = 0;
	int r;

	r = nv_datapath_edit(datapath, hn, take_lagg, &lagg);
	if (r < 0)
		return r;
	r = nv_kernel_link_del(nv_datapath_kernel(datapath), lagg);
	return r == -ENODEV ? 0 : r;
}

int nv_lagg_set_carrier(struct nv_datapath *datapath, int lagg, bool carrier)
{
	struct nv_kernel *kernel = nv_datapath_kernel(datapath);
	struct nv_link_change change = {};
	struct nv_link link;
	int r;

	r = nv_kernel_link(kernel, lagg, &link);
	if (r < 0)
		return r;
	if (!strcmp(link.kind, "veth"))
		return nv_kernel_link_up(kernel, link.lower, carrier);
	if (!strcmp(link.kind, "dummy")) {
		change.what = NV_LINK_CARRIER;
		change.to.carrier = carrier;
	} else {
		change.what = NV_LINK_MODE | NV_LINK_OPERSTATE;
		change.to.link_mode = carrier ? IF_LINK_MODE_DEFAULT : IF_LINK_MODE_DORMANT;
		change.to.operstate = carrier ? IF_OPER_UP : IF_OPER_DORMANT;
	}
	return nv_kernel_link_set(kernel, lagg, &change);
}
