/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/kernel.h"

#include "kernel/ops.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define DUMP_TRIES	   10 /* one after the other */
#define DUMP_PATIENT_TRIES 50 /* with a pause before each further one */
#define DUMP_PAUSE_MS	   250

struct nv_kernel {
	const struct nv_kernel_ops *ops;
	void *self;
	bool patient;
};

int nv_kernel_new(const struct nv_kernel_ops *ops, void *self, struct nv_kernel **ret_kernel)
{
	struct nv_kernel *kernel = malloc(sizeof(*kernel));

	if (!kernel)
		return -ENOMEM;
	*kernel = (struct nv_kernel){.ops = ops, .self = self};
	*ret_kernel = kernel;
	return 0;
}

struct nv_kernel *nv_kernel_free(struct nv_kernel *kernel)
{
	if (!kernel)
		return NULL;
	if (kernel->ops->free)
		kernel->ops->free(kernel->self);
	free(kernel);
	return NULL;
}

void nv_kernel_set_patient(struct nv_kernel *kernel, bool patient)
{
	kernel->patient = patient;
}

const struct nv_kernel_ops *nv_kernel_ops(const struct nv_kernel *kernel)
{
	return kernel->ops;
}

void *nv_kernel_self(const struct nv_kernel *kernel)
{
	return kernel->self;
}

/* Calls an operation of the table, if it is there. */
#define CALL(kernel, row, ...)                                                              \
	((kernel)->ops->row ? (kernel)->ops->row((kernel)->self __VA_OPT__(, ) __VA_ARGS__) \
			    : -EOPNOTSUPP)

/* Waits, if that is wanted, before the next try of a dump. Returns whether there is one. */
static bool kernel_may_try(const struct nv_kernel *kernel, int tries)
{
	const struct timespec pause = {.tv_nsec = DUMP_PAUSE_MS * 1000000L};

	if (tries < DUMP_TRIES)
		return true;
	if (!kernel->patient || tries >= DUMP_PATIENT_TRIES)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

/* The same for a dump, which is repeated if it was interrupted. */
#define DUMP(kernel, row, ...)                                                           \
	({                                                                               \
		int _r = -EINTR;                                                         \
		for (int _try = 0; _r == -EINTR && kernel_may_try(kernel, _try); _try++) \
			_r = CALL(kernel, row, __VA_ARGS__);                             \
		_r == -EINTR ? -EAGAIN : _r;                                             \
	})

const char *nv_kernel_last_error(struct nv_kernel *kernel)
{
	return kernel->ops->last_error ? kernel->ops->last_error(kernel->self) : "";
}

int nv_kernel_links(struct nv_kernel *kernel, struct nv_links *ret_links)
{
	return DUMP(kernel, links, ret_links);
}

int nv_kernel_addrs(struct nv_kernel *kernel, int ifindex, struct nv_addrs *ret_addrs)
{
	return DUMP(kernel, addrs, ifindex, ret_addrs);
}

int nv_kernel_routes(struct nv_kernel *kernel, int oif, struct nv_routes *ret_routes)
{
	return DUMP(kernel, routes, oif, ret_routes);
}

int nv_kernel_neighs(struct nv_kernel *kernel, int ifindex, struct nv_neighs *ret_neighs)
{
	return DUMP(kernel, neighs, ifindex, ret_neighs);
}

int nv_kernel_link(struct nv_kernel *kernel, int ifindex, struct nv_link *ret_link)
{
	return ifindex > 0 ? CALL(kernel, link, ifindex, ret_link) : -ENODEV;
}

int nv_kernel_link_set(struct nv_kernel *kernel, int ifindex, const struct nv_link_change *change)
{
	return ifindex > 0 ? CALL(kernel, link_set, ifindex, change) : -ENODEV;
}

int nv_kernel_link_up(struct nv_kernel *kernel, int ifindex, bool up)
{
	struct nv_link_change change = {
		.what = NV_LINK_FLAGS,
		.flags_mask = IFF_UP,
		.to.flags = up ? IFF_UP : 0,
	};

	return nv_kernel_link_set(kernel, ifindex, &change);
}

int nv_kernel_link_move(struct nv_kernel *kernel, int ifindex, int netns_fd)
{
	return ifindex > 0 ? CALL(kernel, link_move, ifindex, netns_fd) : -ENODEV;
}

int nv_kernel_link_add(struct nv_kernel *kernel, const struct nv_link *link, const char *peer_name,
	int *ret_ifindex)
{
	if (!link->kind[0] || !link->name[0])
		return -EINVAL;
	return CALL(kernel, link_add, link, peer_name, ret_ifindex);
}

int nv_kernel_link_del(struct nv_kernel *kernel, int ifindex)
{
	return ifindex > 0 ? CALL(kernel, link_del, ifindex) : -ENODEV;
}

int nv_kernel_clsact(struct nv_kernel *kernel, int ifindex, struct nv_clsact *ret_clsact)
{
	return ifindex > 0 ? DUMP(kernel, clsact, ifindex, ret_clsact) : -ENODEV;
}

int nv_kernel_addr_add(struct nv_kernel *kernel, const struct nv_addr *addr, bool replace)
{
	return CALL(kernel, addr_add, addr, replace);
}

int nv_kernel_addr_del(struct nv_kernel *kernel, const struct nv_addr *addr)
{
	return CALL(kernel, addr_del, addr);
}

int nv_kernel_route_add(
	struct nv_kernel *kernel, const struct nv_route *route, enum nv_route_how how)
{
	return CALL(kernel, route_add, route, how);
}

int nv_kernel_route_del(struct nv_kernel *kernel, const struct nv_route *route)
{
	return CALL(kernel, route_del, route);
}

int nv_kernel_nexthop_add(struct nv_kernel *kernel, uint32_t id, const struct nv_route *route)
{
	return CALL(kernel, nexthop_add, id, route);
}

int nv_kernel_nexthop_del(struct nv_kernel *kernel, uint32_t id)
{
	return CALL(kernel, nexthop_del, id);
}

int nv_kernel_neigh_add(struct nv_kernel *kernel, const struct nv_neigh *neigh)
{
	return CALL(kernel, neigh_add, neigh);
}

int nv_kernel_rtobjs(
	struct nv_kernel *kernel, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs)
{
	return DUMP(kernel, objs, kind, ifindex, ret_objs);
}

int nv_kernel_batch(struct nv_kernel *kernel, struct nv_rtobjs *requests, int *ret_errors)
{
	return CALL(kernel, batch, requests, ret_errors);
}

int nv_kernel_mcasts(
	struct nv_kernel *kernel, const int *ifindex, size_t count, struct nv_mcasts *ret_mcasts)
{
	return CALL(kernel, mcasts, ifindex, count, ret_mcasts);
}

int nv_kernel_groups(struct nv_kernel *kernel, struct nv_groups *ret_groups)
{
	return CALL(kernel, groups, ret_groups);
}

int nv_kernel_group_set(
	struct nv_kernel *kernel, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	return CALL(kernel, group_set, ifindex, mac, on);
}

int nv_kernel_unicasts(struct nv_kernel *kernel, int ifindex, struct nv_groups *ret_addresses)
{
	return DUMP(kernel, unicasts, ifindex, ret_addresses);
}

int nv_kernel_bridged(struct nv_kernel *kernel, int port, struct nv_groups *ret_addresses)
{
	return DUMP(kernel, bridged, port, ret_addresses);
}

int nv_kernel_unicast_set(
	struct nv_kernel *kernel, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	return CALL(kernel, unicast_set, ifindex, mac, on);
}

int nv_kernel_ipv6_forwarding(struct nv_kernel *kernel, int ifindex, bool *ret_forwarding)
{
	return CALL(kernel, ipv6_forwarding, ifindex, ret_forwarding);
}

int nv_kernel_send(struct nv_kernel *kernel, int ifindex, const void *frame, size_t length)
{
	return CALL(kernel, send, ifindex, frame, length);
}

int nv_kernel_send_direct(struct nv_kernel *kernel, int ifindex, const void *frame, size_t length)
{
	return CALL(kernel, send_direct, ifindex, frame, length);
}

/* The path must stay below /proc/sys: relative, without "..", "." or empty parts. */
static int kernel_check_sysctl_path(const char *path)
{
	if (strlen(path) >= NV_SYSCTL_PATH_MAX)
		return -ENAMETOOLONG;
	for (const char *part = path;; part++) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length <= 2 && strncmp(part, "..", length) == 0))
			return -EINVAL;
		part += length;
		if (!*part)
			return 0;
	}
}

int nv_kernel_sysctl_read(struct nv_kernel *kernel, const char *path, char *ret_value, size_t size)
{
	int r = kernel_check_sysctl_path(path);

	if (r < 0)
		return r;
	return CALL(kernel, sysctl_read, path, ret_value, size);
}

int nv_kernel_sysctl_write(struct nv_kernel *kernel, const char *path, const char *value)
{
	int r = kernel_check_sysctl_path(path);

	if (r < 0)
		return r;
	return CALL(kernel, sysctl_write, path, value);
}

int nv_kernel_sysctl_list(struct nv_kernel *kernel, const char *path, struct nv_words *ret_names)
{
	int r = kernel_check_sysctl_path(path);

	if (r < 0)
		return r;
	return CALL(kernel, sysctl_list, path, ret_names);
}
