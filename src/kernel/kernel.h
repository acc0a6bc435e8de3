/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests that netvf makes to the kernel, behind a table of operations, so that tests can use
 * a fake. Only this directory uses netlink, uevents, sysfs, ethtool and AF_PACKET.
 *
 * Every function returns 0 or -errno, which is the kernel's own if the kernel refused. Outputs are
 * untouched on failure. All functions act in the network namespace that the process had at
 * nv_kernel_open().
 */
#pragma once

#include "base/cleanup.h"
#include "kernel/rtobject.h"
#include "kernel/types.h"

struct nv_kernel;

/* Opens the real kernel. Returns 0 or -errno of socket(2). */
int nv_kernel_open(struct nv_kernel **ret_kernel);
/*
 * Whether dumps may take long on a machine whose links change all the time, as when many containers
 * start. A kernel of nv_kernel_open() is patient at first.
 */
void nv_kernel_set_patient(struct nv_kernel *kernel, bool patient);
struct nv_kernel *nv_kernel_free(struct nv_kernel *kernel);
NV_DEFINE_AUTO(nv_kernel, struct nv_kernel *, nv_kernel_free);

/*
 * The kernel's text about the last operation that it refused (netlink's extended acknowledgement),
 * for a message; "" if there is none. Owned by @kernel, valid until its next operation.
 */
const char *nv_kernel_last_error(struct nv_kernel *kernel);

/*
 * The dumps. An interrupted dump (NLM_F_DUMP_INTR) is repeated at once; -EAGAIN after ten times,
 * or, with nv_kernel_set_patient(), ten seconds later.
 */
int nv_kernel_links(struct nv_kernel *kernel, struct nv_links *ret_links);
int nv_kernel_link(struct nv_kernel *kernel, int ifindex, struct nv_link *ret_link); /* -ENODEV */

/* @ifindex 0: of all links. -ENODEV: there is no such link. */
int nv_kernel_addrs(struct nv_kernel *kernel, int ifindex, struct nv_addrs *ret_addrs);

/*
 * Both families, all tables. @oif 0: all; else the routes with a next hop on this link. A route
 * with several next hops is listed once for each of them (on @oif), with `multipath` set. -ENODEV:
 * there is no such link.
 */
int nv_kernel_routes(struct nv_kernel *kernel, int oif, struct nv_routes *ret_routes);

/* Sends one request. If the kernel refuses a part of it, the parts before that remain changed. */
int nv_kernel_link_set(struct nv_kernel *kernel, int ifindex, const struct nv_link_change *change);

/* Sets or clears IFF_UP. */
int nv_kernel_link_up(struct nv_kernel *kernel, int ifindex, bool up);

/*
 * Moves a link to the network namespace of @netns_fd. There it is down, has no addresses, and keeps
 * its name; if the name exists there, it gets the first free name ethN. -EINVAL: the link cannot
 * leave its namespace. -EPERM: the caller is not root there.
 */
int nv_kernel_link_move(struct nv_kernel *kernel, int ifindex, int netns_fd);

/*
 * Makes a link of @link->kind with its name, MAC address and MTU (0: the kernel's default). "vlan":
 * on `lower` with `vlan_id`, or with everything in `vlan`. "veth": @peer_name is the other end's
 * name (else NULL). "bond": active-backup, receives on all its ports, checks their carriers every
 * 100 ms, and gives its MAC address to its ports (fail_over_mac none; newer kernels do not
 * ask a driver to set the address that a port has).
 * -EEXIST: the name exists. -EOPNOTSUPP: this kernel does not have this kind.
 */
int nv_kernel_link_add(struct nv_kernel *kernel, const struct nv_link *link, const char *peer_name,
	int *ret_ifindex);
int nv_kernel_link_del(struct nv_kernel *kernel, int ifindex);

/* -ENODEV: there is no such link. */
int nv_kernel_clsact(struct nv_kernel *kernel, int ifindex, struct nv_clsact *ret_clsact);

/* -EEXIST: the address is there already (add). -EADDRNOTAVAIL: it is not there (del). */
int nv_kernel_addr_add(struct nv_kernel *kernel, const struct nv_addr *addr, bool replace);
int nv_kernel_addr_del(struct nv_kernel *kernel, const struct nv_addr *addr);

/* Ignores `multipath` of the route. -ESRCH: there is no such route (del). */
int nv_kernel_route_add(
	struct nv_kernel *kernel, const struct nv_route *route, enum nv_route_how how);
int nv_kernel_route_del(struct nv_kernel *kernel, const struct nv_route *route);

/*
 * Makes a next hop object (Linux 5.3) with this id, that leads where @route does: by its link,
 * gateway and RTNH_F_ONLINK. When its link loses its last IPv4 address, the kernel deletes the
 * routes that name the link, and not those that name the object. -EEXIST: there is one with this
 * id. -EOPNOTSUPP: this kernel has no such objects.
 */
int nv_kernel_nexthop_add(struct nv_kernel *kernel, uint32_t id, const struct nv_route *route);
/* Deletes it and the routes that name it. -ENOENT: there is none with this id. */
int nv_kernel_nexthop_del(struct nv_kernel *kernel, uint32_t id);

/* Neighbours whose link-layer address is known; @ifindex 0: of all links. */
int nv_kernel_neighs(struct nv_kernel *kernel, int ifindex, struct nv_neighs *ret_neighs);

/* -EEXIST: the link has an entry for that address. */
int nv_kernel_neigh_add(struct nv_kernel *kernel, const struct nv_neigh *neigh);

/*
 * All objects of a kind that nv_rtobjs_take() accepts. @ifindex: routes and neighbours of that link
 * only; 0: of all. -EOPNOTSUPP or -EINVAL: this kernel does not know the kind.
 */
int nv_kernel_rtobjs(
	struct nv_kernel *kernel, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs);

/*
 * Sends the requests of nv_rtobjs_request() in their order, many at once. ret_errors[i] is set to 0
 * or the -errno of request i. Returns 0, or -errno if not all could be sent or answered.
 */
int nv_kernel_batch(struct nv_kernel *kernel, struct nv_rtobjs *requests, int *ret_errors);

/*
 * The multicast groups that @count links have joined, both families; those of other links may be
 * among them. @count 0: of all links, which takes long where there are thousands. On Linux 6.15
 * and later so do single links only if they have joined groups of IPv4 besides 224.0.0.1; before,
 * always.
 */
int nv_kernel_mcasts(
	struct nv_kernel *kernel, const int *ifindex, size_t count, struct nv_mcasts *ret_mcasts);

/* The link-layer multicast addresses that all links receive. */
int nv_kernel_groups(struct nv_kernel *kernel, struct nv_groups *ret_groups);

/*
 * Makes a link receive a link-layer multicast address, as `ip maddress add` does, or ends that. The
 * address remains when this process ends. -EEXIST: it was added before (on). -ENOENT: it was not
 * (off). -EINVAL: the driver has no filters.
 */
int nv_kernel_group_set(
	struct nv_kernel *kernel, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);

/*
 * The unicast link-layer addresses that a link receives besides its own: those of macvlans on it,
 * on VLANs of it too and in other network namespaces, and those that somebody has added.
 */
int nv_kernel_unicasts(struct nv_kernel *kernel, int ifindex, struct nv_groups *ret_addresses);

/* The unicast link-layer addresses that a bridge knows behind this port of it. */
int nv_kernel_bridged(struct nv_kernel *kernel, int port, struct nv_groups *ret_addresses);

/*
 * Makes a link receive a unicast link-layer address, as `bridge fdb add MAC dev LINK self` does, or
 * ends that. The address remains when this process ends. -EEXIST: it receives it already (on).
 * -ENOENT: it did not (off).
 */
int nv_kernel_unicast_set(
	struct nv_kernel *kernel, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);

/*
 * Whether a link forwards IPv6, that is, advertises itself as a router (RFC 4861, 4.4). On failure
 * *@ret_forwarding is false. -EINVAL: the link has no IPv6 or is gone.
 */
int nv_kernel_ipv6_forwarding(struct nv_kernel *kernel, int ifindex, bool *ret_forwarding);

/*
 * Sends an Ethernet frame as a protocol above the link would: through its tc filters and its queue.
 * Does not block. -EAGAIN, -ENOBUFS: too many frames are queued; -ENETDOWN: the link is down;
 * -ENXIO: it is gone.
 */
int nv_kernel_send(struct nv_kernel *kernel, int ifindex, const void *frame, size_t length);

/*
 * The same past the link's tc filters and queue: the frame leaves by this link and no other
 * (PACKET_QDISC_BYPASS, packet(7)). -ENOBUFS also if the link has no carrier.
 */
int nv_kernel_send_direct(struct nv_kernel *kernel, int ifindex, const void *frame, size_t length);

#define NV_SYSCTL_PATH_MAX 256 /* bytes, with the NUL */

/*
 * Reads or writes a file below /proc/sys, for example "net/ipv6/conf/lagg0/accept_dad". A '.' in a
 * link's name is no problem, because this is a path and not a sysctl name. The value read ends
 * before the newline; the value to write needs none.
 * -ENOENT: the kernel has no such file. -ENAMETOOLONG: the path or the value is too long (the value
 * does not fit in @size). -EINVAL: the path is not relative, or has "." or ".." in it.
 */
int nv_kernel_sysctl_read(struct nv_kernel *kernel, const char *path, char *ret_value, size_t size);
int nv_kernel_sysctl_write(struct nv_kernel *kernel, const char *path, const char *value);

/* The names of the files in such a directory, sorted. Free @ret_names with nv_words_auto(). */
int nv_kernel_sysctl_list(struct nv_kernel *kernel, const char *path, struct nv_words *ret_names);
