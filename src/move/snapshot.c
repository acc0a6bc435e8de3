/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the configuration of an interface, and of those stacked on it, from the kernel. */
#include "kernel/bridge_port.h"
#include "move/apply.h"

#include <errno.h>

/* Whether a link is @hn, a VLAN on it, or a VLAN on that, over a few levels at most. */
static bool snapshot_is_above(const struct nv_links *links, const struct nv_link *link, int hn)
{
	for (int steps = 0; link && steps < 8; steps++) {
		if (link->ifindex == hn)
			return true;
		link = link->lower_elsewhere ? NULL : nv_links_by_index(links, link->lower);
	}
	return false;
}

/* Finds hn and the interfaces stacked on it, as link maps to themselves. */
static int snapshot_find_tree(const struct nv_links *links, int hn, struct nv_link_maps *ret_tree)
{
	struct nv_link_map *tree = calloc(links->count ? links->count : 1, sizeof(*tree));
	size_t count = 0;

	if (!tree)
		return -ENOMEM;
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];

		if (snapshot_is_above(links, link, hn))
			tree[count++] = (struct nv_link_map){
				link->ifindex, link->ifindex, link->name, link->name};
	}
	*ret_tree = (struct nv_link_maps){tree, count};
	return 0;
}

/* Keeps the objects that name one of @tree and none of @seen. */
static int snapshot_keep(const struct nv_rtobjs *found, const struct nv_link_maps *tree,
	const struct nv_link_maps *seen, struct nv_rtobjs *objs)
{
	int r = 0;

	nv_each_rtobj (obj, found)
		if (r == 0 && nv_rtobj_refers(obj, tree) && !nv_rtobj_refers(obj, seen))
			r = nv_rtobjs_add(objs, obj);
	return r;
}

static int snapshot_take(struct nv_kernel *kernel, enum nv_rtobj_kind kind, int ifindex,
	const struct nv_link_maps *tree, const struct nv_link_maps *seen, struct nv_rtobjs *objs)
{
	NV_AUTO(nv_rtobjs) struct nv_rtobjs found = {};
	int r = nv_kernel_rtobjs(kernel, kind, ifindex, &found);

	/* Kernels before 5.3 have no next hops with ids. */
	if (kind == NV_RTOBJ_NEXTHOP && (r == -EOPNOTSUPP || r == -EINVAL))
		return 0;
	return r < 0 ? r : snapshot_keep(&found, tree, seen, objs);
}

static int snapshot_take_objs(
	struct nv_kernel *kernel, const struct nv_link_maps *tree, struct nv_rtobjs *objs)
{
	struct nv_link_maps seen = {tree->map, 0};
	int r = snapshot_take(kernel, NV_RTOBJ_NEXTHOP, 0, tree, &seen, objs);

	if (r == 0)
		r = snapshot_take(kernel, NV_RTOBJ_RULE, 0, tree, &seen, objs);
	/* Ask for one link at a time: a router's full table would be large. */
	for (; seen.count < tree->count && r == 0; seen.count++) {
		int ifindex = tree->map[seen.count].from;

		r = snapshot_take(kernel, NV_RTOBJ_NEIGH, ifindex, tree, &seen, objs);
		if (r == 0)
			r = snapshot_take(kernel, NV_RTOBJ_ROUTE, ifindex, tree, &seen, objs);
	}
	return r;
}

static const struct nv_link *snapshot_bridge_of(
	const struct nv_links *links, const struct nv_link *link)
{
	const struct nv_link *master = nv_links_by_index(links, link->master);

	return master && nv_streq(master->kind, "bridge") ? master : NULL;
}

static int snapshot_take_port(
	struct nv_kernel *kernel, const struct nv_link *link, struct nv_rtobjs *ports)
{
	const struct nv_link_map self = {link->ifindex, link->ifindex, link->name, link->name};
	const struct nv_link_maps list = {&self, 1};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs found = {};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs fdb = {};
	int r = nv_kernel_rtobjs(kernel, NV_RTOBJ_BRPORT, 0, &found);

	if (r == 0)
		r = nv_kernel_rtobjs(kernel, NV_RTOBJ_FDB, link->ifindex, &fdb);
	nv_each_rtobj (obj, &found)
		if (r == 0 && nv_rtobj_refers(obj, &list))
			r = nv_rtobjs_add(ports, obj);
	nv_each_rtobj (obj, &fdb)
		if (r == 0 && nv_rtobj_refers(obj, &list) && !nv_fdb_is_of_itself(obj, link->mac))
			r = nv_rtobjs_add(ports, obj);
	return r;
}

static int snapshot_take_ports(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_link_maps *tree, struct nv_rtobjs *ports)
{
	int r = 0;

	for (size_t i = 0; i < tree->count && r == 0; i++) {
		const struct nv_link *link = nv_links_by_index(links, tree->map[i].from);

		if (snapshot_bridge_of(links, link))
			r = snapshot_take_port(kernel, link, ports);
	}
	return r;
}

int nv_snapshot_take(struct nv_kernel *kernel, int hn, struct nv_snapshot *ret_snapshot)
{
	NV_AUTO(nv_snapshot) struct nv_snapshot snapshot = {};
	struct nv_link_maps tree = {};
	int r = nv_kernel_links(kernel, &snapshot.links);

	if (r == 0)
		r = nv_kernel_addrs(kernel, 0, &snapshot.addrs);
	if (r == 0)
		r = snapshot_find_tree(&snapshot.links, hn, &tree);
	if (r == 0)
		r = snapshot_take_objs(kernel, &tree, &snapshot.objs);
	if (r == 0)
		r = snapshot_take_ports(kernel, &snapshot.links, &tree, &snapshot.ports);
	free((void *)tree.map);
	if (r < 0)
		return r;
	*ret_snapshot = TAKE_STRUCT(snapshot);
	return 0;
}
