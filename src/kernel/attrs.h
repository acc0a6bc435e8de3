/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Converts rtnetlink messages to plain values and back (rtnetlink(7)). There is no system call in
 * this file, so that the two directions can be tested against each other.
 *
 * Decoders return 0; -ENOMSG: a valid message that does not describe the whole object (another
 * family, a partial notification); -EBADMSG: a malformed message.
 */
#pragma once

#include "kernel/types.h"

#include <libmnl/libmnl.h>

/* Bytes of one request. Every string in a request has a limit, so that a request always fits. */
#define NV_REQUEST_MAX 2048

struct nv_request {
	union {
		struct nlmsghdr header;
		char bytes[NV_REQUEST_MAX];
	};
};

/* Starts a request of @type with a family header of @size zero bytes. Returns the header. */
void *nv_request_start(struct nv_request *request, uint16_t type, uint16_t flags, size_t size);

/* The attributes of a message, by type; those above @max are omitted. */
struct nv_attrs {
	const struct nlattr **by_type;
	unsigned int max;
};

#define NV_ATTRS(name, last)                                  \
	const struct nlattr *name##_by_type[(last) + 1] = {}; \
	struct nv_attrs name = {name##_by_type, last}

/* All return 0 or -EBADMSG. */
int nv_attrs_read(const struct nlmsghdr *message, size_t header_size, struct nv_attrs *attrs);
int nv_attrs_nested(const struct nlattr *nest, struct nv_attrs *attrs);
int nv_attrs_payload(const void *payload, size_t size, struct nv_attrs *attrs);

/* These return false and leave @ret unchanged if the attribute is missing or too short. */
bool nv_attr_u8(const struct nv_attrs *attrs, unsigned int type, uint8_t *ret);
bool nv_attr_u16(const struct nv_attrs *attrs, unsigned int type, uint16_t *ret);
bool nv_attr_u32(const struct nv_attrs *attrs, unsigned int type, uint32_t *ret);
bool nv_attr_ip(const struct nv_attrs *attrs, unsigned int type, uint8_t family, struct nv_ip *ret);
bool nv_attr_string(const struct nv_attrs *attrs, unsigned int type, char *ret, size_t size);

/* Appends a copy of @attr to @message, which has room for it. */
void nv_attr_put_copy(struct nlmsghdr *message, const struct nlattr *attr);

/* Adds the address without its family. */
void nv_request_ip(struct nv_request *request, uint16_t type, const struct nv_ip *ip);

/*
 * RTM_NEWLINK, RTM_DELLINK. Driver and parent device, which come from sysfs or ethtool, are not
 * set.
 */
int nv_link_decode(const struct nlmsghdr *message, struct nv_link *ret_link);
void nv_link_encode_get(struct nv_request *request, int ifindex);
void nv_link_encode_set(
	struct nv_request *request, int ifindex, const struct nv_link_change *change);
/* Moves a link to another network namespace; @name: its new name, NULL: the same. */
void nv_link_encode_move(struct nv_request *request, int ifindex, int netns_fd, const char *name);
int nv_link_encode_add(
	struct nv_request *request, const struct nv_link *link, const char *peer_name);
void nv_link_encode_del(struct nv_request *request, int ifindex);

/* RTM_NEWADDR, RTM_DELADDR. */
int nv_addr_decode(const struct nlmsghdr *message, struct nv_addr *ret_addr);
int nv_addr_encode(
	struct nv_request *request, uint16_t type, uint16_t flags, const struct nv_addr *addr);

/* RTM_NEWNEIGH. Returns -ENOMSG if the link-layer address is not known. */
int nv_neigh_decode(const struct nlmsghdr *message, struct nv_neigh *ret_neigh);
int nv_neigh_encode(struct nv_request *request, const struct nv_neigh *neigh);

/*
 * RTM_NEWROUTE, RTM_DELROUTE. Appends one route for each next hop. After -ENOMEM or -E2BIG some may
 * have been appended.
 */
int nv_route_decode(const struct nlmsghdr *message, struct nv_routes *routes);
int nv_route_encode(
	struct nv_request *request, uint16_t type, uint16_t flags, const struct nv_route *route);

/* RTM_NEWNEXTHOP: with the route's protocol. RTM_DELNEXTHOP. */
int nv_nexthop_encode(struct nv_request *request, uint32_t id, const struct nv_route *route);
void nv_nexthop_encode_del(struct nv_request *request, uint32_t id);

/* Converts rta_expires, which is above 0, to whole seconds, rounded up. */
uint32_t nv_route_seconds(int32_t ticks);
