/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/backup_routes.h"

#include "base/log.h"

#include <errno.h>

/* Of a next hop object. An interface has ids of its own, so that they are found again. */
static uint32_t backup_id(int ifindex, unsigned int index)
{
	return 1u << 31 | (uint32_t)ifindex << 8 | index;
}

static bool backup_is_wanted(const struct nv_route *route)
{
	return route->family == AF_INET && route->type == RTN_UNICAST &&
	       route->table == RT_TABLE_MAIN && !route->multipath;
}

static int backup_add_one(struct nv_kernel *kernel, uint32_t id, const struct nv_route *route)
{
	struct nv_route copy = *route;
	int r;

	copy.table = RT_TABLE_DEFAULT;
	copy.protocol = NV_RTPROT_BACKUP;
	r = nv_kernel_nexthop_add(kernel, id, &copy);
	if (r < 0)
		return r;
	copy.nexthop = id;
	r = nv_kernel_route_add(kernel, &copy, NV_ROUTE_NEW);
	return r == -EEXIST ? 0 : r; /* somebody has a route there */
}

void nv_backup_routes_add(struct nv_kernel *kernel, int ifindex)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	unsigned int count = 0;
	int r;

	nv_backup_routes_remove(kernel, ifindex);
	r = nv_kernel_routes(kernel, ifindex, &routes);
	for (size_t i = 0; i < routes.count && count < NV_BACKUP_ROUTES_MAX && r == 0; i++)
		if (backup_is_wanted(&routes.route[i]))
			r = backup_add_one(kernel, backup_id(ifindex, count++), &routes.route[i]);
	if (r < 0)
		nv_debug("cannot copy the routes of interface %d to the table default: %s", ifindex,
			nv_strerror(r));
}

void nv_backup_routes_remove(struct nv_kernel *kernel, int ifindex)
{
	for (unsigned int i = 0; i < NV_BACKUP_ROUTES_MAX; i++)
		if (nv_kernel_nexthop_del(kernel, backup_id(ifindex, i)) < 0)
			return;
}
