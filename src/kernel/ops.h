/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The implementation behind a struct nv_kernel: the real kernel, or a fake in a test. Only this
 * directory and fakes use this file; everybody else uses kernel.h.
 */
#pragma once

#include "kernel/rtobject.h"
#include "kernel/types.h"
#include "kernel/uevent.h"

struct nv_kernel;

/* What can be subscribed to, each with a descriptor of its own. */
enum nv_subscription {
	NV_SUBSCRIBE_RTNL, /* links and addresses */
	NV_SUBSCRIBE_UEVENT, /* devices */
};

/* Where received messages go. Only the callbacks with something to report are called. */
struct nv_subscribe_sink {
	/* @link has what the message says; driver and parent may be missing (see link_driver). */
	void (*link)(const struct nv_link *link, bool gone, void *data);
	void (*addr)(const struct nv_addr *addr, bool gone, void *data);
	void (*uevent)(const struct nv_uevent *uevent, void *data);
	/* Called after link(): the message was about NETDEV_NOTIFY_PEERS. */
	void (*notify_peers)(int ifindex, void *data);
	void *data;
};

/*
 * One row for each operation of kernel.h, with the same meaning. kernel.c checks arguments and
 * repeats interrupted dumps, so a row need not do this. A fake may omit rows; they fail with
 * -EOPNOTSUPP.
 */
struct nv_kernel_ops {
	void (*free)(void *self);
	const char *(*last_error)(void *self);

	/* Dumps. -EINTR: interrupted (NLM_F_DUMP_INTR); @ret is untouched then. */
	int (*links)(void *self, struct nv_links *ret_links);
	int (*addrs)(void *self, int ifindex, struct nv_addrs *ret_addrs);
	int (*routes)(void *self, int oif, struct nv_routes *ret_routes);
	int (*neighs)(void *self, int ifindex, struct nv_neighs *ret_neighs);

	int (*link)(void *self, int ifindex, struct nv_link *ret_link);
	int (*link_set)(void *self, int ifindex, const struct nv_link_change *change);
	int (*link_move)(void *self, int ifindex, int netns_fd);
	int (*link_add)(
		void *self, const struct nv_link *link, const char *peer_name, int *ret_ifindex);
	int (*link_del)(void *self, int ifindex);
	int (*clsact)(void *self, int ifindex, struct nv_clsact *ret_clsact);
	int (*addr_add)(void *self, const struct nv_addr *addr, bool replace);
	int (*addr_del)(void *self, const struct nv_addr *addr);
	int (*route_add)(void *self, const struct nv_route *route, enum nv_route_how how);
	int (*route_del)(void *self, const struct nv_route *route);
	int (*nexthop_add)(void *self, uint32_t id, const struct nv_route *route);
	int (*nexthop_del)(void *self, uint32_t id);
	int (*neigh_add)(void *self, const struct nv_neigh *neigh);
	int (*objs)(void *self, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs);
	int (*batch)(void *self, struct nv_rtobjs *requests, int *ret_errors);
	int (*mcasts)(void *self, const int *ifindex, size_t count, struct nv_mcasts *ret_mcasts);
	int (*groups)(void *self, struct nv_groups *ret_groups);
	int (*group_set)(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);
	int (*unicasts)(void *self, int ifindex, struct nv_groups *ret_addresses);
	int (*bridged)(void *self, int port, struct nv_groups *ret_addresses);
	int (*unicast_set)(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);
	int (*ipv6_forwarding)(void *self, int ifindex, bool *ret_forwarding);
	int (*send)(void *self, int ifindex, const void *frame, size_t length);
	int (*send_direct)(void *self, int ifindex, const void *frame, size_t length);
	int (*sysctl_read)(void *self, const char *path, char *ret_value, size_t size);
	int (*sysctl_write)(void *self, const char *path, const char *value);
	int (*sysctl_list)(void *self, const char *path, struct nv_words *ret_names);

	/* Sets driver and parent of a link from a subscription, as far as they are known. */
	void (*link_driver)(void *self, struct nv_link *link);

	/*
	 * Reports all PCI and VMBus devices and all nodes of the "misc" class, sorted by devpath.
	 */
	int (*devices)(void *self, const struct nv_subscribe_sink *sink);

	/* The caller polls the descriptor, passes it to receive(), and closes it. */
	int (*subscribe)(void *self, enum nv_subscription subscription, int *ret_fd);

	/*
	 * Reads one datagram. -EAGAIN: there is none; -ENOBUFS: some were lost. Malformed messages
	 * are dropped.
	 */
	int (*receive)(void *self, enum nv_subscription subscription, int fd,
		const struct nv_subscribe_sink *sink);
};

/* ops->free frees @self. Returns 0 or -ENOMEM (then @self still belongs to the caller). */
int nv_kernel_new(const struct nv_kernel_ops *ops, void *self, struct nv_kernel **ret_kernel);

/* The @ops of nv_kernel_new(). */
const struct nv_kernel_ops *nv_kernel_ops(const struct nv_kernel *kernel);
void *nv_kernel_self(const struct nv_kernel *kernel);
