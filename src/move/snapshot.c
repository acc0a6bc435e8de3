/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/bridge_port.h"
#include "move/apply.h"

#include <errno.h>

/* @hn itself, or a VLAN on it, or a VLAN on that: a few steps down at most. */
static bool is_above(const struct nv_links *links, const struct nv_link *link, int hn)
{
	for (int steps = 0; link && steps < 8; steps++) {
		if (link->ifindex == hn)
			return true;
		link = link->lower_elsewhere ? NULL : nv_links_by_index(links, link->lower);
	}
	return false;
}

/* hn and what is stacked on it, each in the place of itself. */
static int find_tree(const struct nv_links *links, int hn, struct nv_renamings *ret_tree)
{
	struct nv_renaming *tree = calloc(links->count ? links->count : 1, sizeof(*tree));
	size_t count = 0;

	if (!tree)
		return -ENOMEM;
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];

		if (is_above(links, link, hn))
			tree[count++] = (struct nv_renaming){
				link->ifindex, link->ifindex, link->name, link->name};
	}
	*ret_tree = (struct nv_renamings){tree, count};
	return 0;
}

/* Those that name one of @tree, and none of @seen. */
static int keep(const struct nv_things *found, const struct nv_renamings *tree,
	const struct nv_renamings *seen, struct nv_things *things)
{
	int r = 0;

	nv_each_thing (thing, found)
		if (r == 0 && nv_thing_refers(thing, tree) && !nv_thing_refers(thing, seen))
			r = nv_things_add(things, thing);
	return r;
}

static int take(struct nv_kernel *kernel, enum nv_thing_kind kind, int ifindex,
	const struct nv_renamings *tree, const struct nv_renamings *seen, struct nv_things *things)
{
	NV_AUTO(nv_things) struct nv_things found = {};
	int r = nv_kernel_things(kernel, kind, ifindex, &found);

	/* A kernel that has no next hops by id (before 5.3) has none to move. */
	if (kind == NV_THING_NEXTHOP && (r == -EOPNOTSUPP || r == -EINVAL))
		return 0;
	return r < 0 ? r : keep(&found, tree, seen, things);
}

static int take_things(
	struct nv_kernel *kernel, const struct nv_renamings *tree, struct nv_things *things)
{
	struct nv_renamings seen = {tree->renaming, 0};
	int r = take(kernel, NV_THING_NEXTHOP, 0, tree, &seen, things);

	if (r == 0)
		r = take(kernel, NV_THING_RULE, 0, tree, &seen, things);
	/* One link's only: a router's full table would be large. */
	for (; seen.count < tree->count && r == 0; seen.count++) {
		int ifindex = tree->renaming[seen.count].from;

		r = take(kernel, NV_THING_NEIGH, ifindex, tree, &seen, things);
		if (r == 0)
			r = take(kernel, NV_THING_ROUTE, ifindex, tree, &seen, things);
	}
	return r;
}

static const struct nv_link *bridge_of(const struct nv_links *links, const struct nv_link *link)
{
	const struct nv_link *master = nv_links_by_index(links, link->master);

	return master && nv_streq(master->kind, "bridge") ? master : NULL;
}

static int take_port(struct nv_kernel *kernel, const struct nv_link *link, struct nv_things *ports)
{
	const struct nv_renaming self = {link->ifindex, link->ifindex, link->name, link->name};
	const struct nv_renamings list = {&self, 1};
	NV_AUTO(nv_things) struct nv_things found = {};
	NV_AUTO(nv_things) struct nv_things fdb = {};
	int r = nv_kernel_things(kernel, NV_THING_PORT, 0, &found);

	if (r == 0)
		r = nv_kernel_things(kernel, NV_THING_FDB, link->ifindex, &fdb);
	nv_each_thing (thing, &found)
		if (r == 0 && nv_thing_refers(thing, &list))
			r = nv_things_add(ports, thing);
	nv_each_thing (thing, &fdb)
		if (r == 0 && nv_thing_refers(thing, &list) &&
			!nv_fdb_is_of_itself(thing, link->mac))
			r = nv_things_add(ports, thing);
	return r;
}

static int take_ports(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_renamings *tree, struct nv_things *ports)
{
	int r = 0;

	for (size_t i = 0; i < tree->count && r == 0; i++) {
		const struct nv_link *link = nv_links_by_index(links, tree->renaming[i].from);

		if (bridge_of(links, link))
			r = take_port(kernel, link, ports);
	}
	return r;
}

int nv_snapshot_take(struct nv_kernel *kernel, int hn, struct nv_snapshot *ret_snapshot)
{
	__attribute__((cleanup(nv_snapshot_auto))) struct nv_snapshot snapshot = {};
	struct nv_renamings tree = {};
	int r = nv_kernel_links(kernel, &snapshot.links);

	if (r == 0)
		r = nv_kernel_addrs(kernel, 0, &snapshot.addrs);
	if (r == 0)
		r = find_tree(&snapshot.links, hn, &tree);
	if (r == 0)
		r = take_things(kernel, &tree, &snapshot.things);
	if (r == 0)
		r = take_ports(kernel, &snapshot.links, &tree, &snapshot.ports);
	free((void *)tree.renaming);
	if (r < 0)
		return r;
	*ret_snapshot = snapshot;
	snapshot = (struct nv_snapshot){};
	return 0;
}
