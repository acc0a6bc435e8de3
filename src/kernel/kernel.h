/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What netvf asks of the kernel, behind one table of operations, so that tests can stand a fake in
 * its place. This is the only room that talks netlink, uevent, sysfs, ethtool and AF_PACKET.
 *
 * Every function returns 0 or -errno, the kernel's own where the kernel refused; outputs are
 * untouched on failure. All act in the network namespace of the process at nv_kernel_open().
 */
#pragma once

#include "base/cleanup.h"
#include "kernel/rtobject.h"
#include "kernel/types.h"

struct nv_kernel;

/* Opens the real one. -EPERM and the like as socket(2). */
int nv_kernel_open(struct nv_kernel **ret_kernel);
struct nv_kernel *nv_kernel_free(struct nv_kernel *kernel);
NV_DEFINE_AUTO(nv_kernel, struct nv_kernel *, nv_kernel_free);

/*
 * What the kernel said of the last operation that it refused (netlink's extended acknowledgement),
 * for a message; "" when it said nothing. Owned by @kernel, valid until its next operation.
 */
const char *nv_kernel_last_error(struct nv_kernel *kernel);

/* Dumps; an interrupted dump (NLM_F_DUMP_INTR) is made again, -EAGAIN after ten times. */
int nv_kernel_links(struct nv_kernel *kernel, struct nv_links *ret_links);
int nv_kernel_link(struct nv_kernel *kernel, int ifindex, struct nv_link *ret_link); /* -ENODEV */

/* @ifindex 0: of all links; else -ENODEV when there is no such link. */
int nv_kernel_addrs(struct nv_kernel *kernel, int ifindex, struct nv_addrs *ret_addrs);

/*
 * Both families, all tables. @oif 0: all; else those with a next hop on it. A route with several
 * next hops is listed once for each (on @oif), with `multipath` set. -ENODEV: no such link.
 */
int nv_kernel_routes(struct nv_kernel *kernel, int oif, struct nv_routes *ret_routes);

/* Which of the fields of a link change; the others of `to` are not looked at. */
enum {
	NV_LINK_FLAGS = 1 << 0, /* those in flags_mask */
	NV_LINK_MTU = 1 << 1,
	NV_LINK_MAC = 1 << 2,
	NV_LINK_MASTER = 1 << 3, /* 0: leave the master */
	NV_LINK_MODE = 1 << 4,
	NV_LINK_OPERSTATE = 1 << 5,
	NV_LINK_CARRIER = 1 << 6,
	NV_LINK_ALIAS = 1 << 7,
	NV_LINK_NAME = 1 << 8,
	NV_LINK_TX_QUEUE_LEN = 1 << 9,
	NV_LINK_ADDR_GEN_MODE = 1 << 10,
	NV_LINK_PRIMARY = 1 << 11, /* of a bond */
	NV_LINK_GROUP = 1 << 12,
	NV_LINK_TOKEN = 1 << 13, /* -EINVAL while router advertisements are not listened to */
};

struct nv_link_change {
	unsigned int what;
	uint32_t flags_mask; /* IFF_* */
	struct nv_link to;
};

/* One request. Where the kernel refuses a part of it, what it did before that part stays. */
int nv_kernel_link_set(struct nv_kernel *kernel, int ifindex, const struct nv_link_change *change);

/* Convenience: sets or clears IFF_UP. */
int nv_kernel_link_up(struct nv_kernel *kernel, int ifindex, bool up);

/*
 * Moves a link to the network namespace of @netns_fd, where it is down, without addresses, and has
 * the same name; where that is taken, the first free one of ethN. -EINVAL: the kernel ties it to
 * its namespace. -EPERM: the caller is not root there.
 */
int nv_kernel_link_move(struct nv_kernel *kernel, int ifindex, int netns_fd);

/*
 * Makes a link of @link->kind with its name, MAC, MTU (0: the kernel's default); for "vlan" on
 * `lower` with `vlan_id`, or with all that `vlan` says; for "veth" @peer_name names the other end
 * (else NULL). A "bond" is one of active-backup that receives on all of its ports, looks at their
 * carriers every 100 ms, and never writes the MAC of a port but takes that of the active one
 * (drivers/net/bonding, Linux 6.1).
 * -EEXIST: the name is taken. -EOPNOTSUPP: this kernel has no such kind.
 */
int nv_kernel_link_add(struct nv_kernel *kernel, const struct nv_link *link, const char *peer_name,
	int *ret_ifindex);
int nv_kernel_link_del(struct nv_kernel *kernel, int ifindex);

/* What is in the place where a link's tc filters of ingress and egress are. */
struct nv_clsact {
	char kind[NV_KIND_LEN]; /* of the qdisc: "clsact", "ingress" (the older one); "": none */
	bool has_filters; /* of ingress or egress, anybody's */
};

/* -ENODEV: no such link. */
int nv_kernel_clsact(struct nv_kernel *kernel, int ifindex, struct nv_clsact *ret_clsact);

/* -EEXIST when there already (add), -EADDRNOTAVAIL when not (del). */
int nv_kernel_addr_add(struct nv_kernel *kernel, const struct nv_addr *addr, bool replace);
int nv_kernel_addr_del(struct nv_kernel *kernel, const struct nv_addr *addr);

/* What becomes of a route that has the same table, destination, TOS and priority. */
enum nv_route_how {
	NV_ROUTE_NEW, /* it stays, and this is -EEXIST */
	NV_ROUTE_REPLACE, /* the new one takes its place, at once */
	NV_ROUTE_BESIDE, /* IPv4: the new one goes in front of it; IPv6: it gets one more next hop.
			  * -EEXIST only for the very same route */
};

/* `multipath` of the route is not looked at. -ESRCH when there is none (del). */
int nv_kernel_route_add(
	struct nv_kernel *kernel, const struct nv_route *route, enum nv_route_how how);
int nv_kernel_route_del(struct nv_kernel *kernel, const struct nv_route *route);

/* Neighbours whose link address is known; @ifindex 0: of all links. */
int nv_kernel_neighs(struct nv_kernel *kernel, int ifindex, struct nv_neighs *ret_neighs);

/* -EEXIST when that address has an entry on that link. */
int nv_kernel_neigh_add(struct nv_kernel *kernel, const struct nv_neigh *neigh);

/*
 * All of a kind that nv_rtobjs_take() takes. @ifindex: routes and neighbours of that link only; 0:
 * of all. -EOPNOTSUPP or -EINVAL: this kernel does not know the kind.
 */
int nv_kernel_rtobjs(
	struct nv_kernel *kernel, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs);

/*
 * Carries out what nv_rtobjs_request() made, in that order, many at once: ret_errors[i] becomes 0
 * or the -errno of request i. Returns 0 or -errno when not all could be sent or answered.
 */
int nv_kernel_batch(struct nv_kernel *kernel, struct nv_rtobjs *requests, int *ret_errors);

/* Multicast groups that links have joined, of all links, both families. */
int nv_kernel_mcasts(struct nv_kernel *kernel, struct nv_mcasts *ret_mcasts);

/* Link-layer groups that links receive, of all links. */
int nv_kernel_groups(struct nv_kernel *kernel, struct nv_groups *ret_groups);

/*
 * Has a link receive a link-layer group, as `ip maddress add` does, or no more. It stays when this
 * process ends. -EEXIST when it was added so before (on), -ENOENT when not (off); -EINVAL: its
 * driver has no filters.
 */
int nv_kernel_group_set(
	struct nv_kernel *kernel, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);

/*
 * Sends an Ethernet frame as if it came from above the link: through its tc filters and queue. Does
 * not wait. -EAGAIN, -ENOBUFS: too much is on its way; -ENETDOWN: the link is down; -ENXIO: gone.
 */
int nv_kernel_send(struct nv_kernel *kernel, int ifindex, const void *frame, size_t length);

#define NV_SYSCTL_PATH_MAX 256 /* bytes, with the NUL */

/*
 * Reads or writes a file below /proc/sys, for example "net/ipv6/conf/lagg0/accept_dad" (a link's
 * name with a '.' or '/' is no trouble: this is a path, not a sysctl name). A read value ends
 * before its newline; the value written needs none.
 * -ENOENT when the kernel has none, -ENAMETOOLONG for a path or a value that is too long (the value
 * does not fit in @size), -EINVAL for a path that is not relative or has "." or ".." in it.
 */
int nv_kernel_sysctl_read(struct nv_kernel *kernel, const char *path, char *ret_value, size_t size);
int nv_kernel_sysctl_write(struct nv_kernel *kernel, const char *path, const char *value);

/* The names of the files in such a directory, sorted. @ret_names: for nv_words_auto(). */
int nv_kernel_sysctl_list(struct nv_kernel *kernel, const char *path, struct nv_words *ret_names);
