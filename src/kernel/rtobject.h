/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that belong to a link, kept as the rtnetlink messages that the kernel sent: routes,
 * rules, neighbours, next hops. Only the interface indexes in a message are read and written here.
 * Everything else in it, including attributes that this program does not know, stays unchanged.
 * There is no system call in this file.
 */
#pragma once

#include "kernel/types.h"

#include "base/str.h"

/* In the order in which they can be made: a route may need a next hop, and a rule its routes. */
enum nv_rtobj_kind {
	NV_RTOBJ_ADDR, /* only as made by nv_rtobjs_add_addr(): dumps give addresses as values */
	/* IPv4 and IPv6, with an id (Linux 5.3); a route that uses one has no next hop itself */
	NV_RTOBJ_NEXTHOP,
	NV_RTOBJ_NEIGH, /* IPv4 and IPv6, including proxy entries */
	NV_RTOBJ_ROUTE, /* IPv4 and IPv6, all tables */
	NV_RTOBJ_RULE, /* those that name a link */
	/* Not like the kinds above, and not replayed with them: see bridge_port.h. */
	NV_RTOBJ_BRPORT, /* a bridge port, without what the bridge has learnt on it */
	NV_RTOBJ_FDB, /* a static entry of a bridge's forwarding database */
};

#define NV_RTOBJ_KINDS (NV_RTOBJ_RULE + 1)

/* The message that would make the object, as a request without flags. */
struct nv_rtobj;

/* Objects, one after the other in memory. */
struct nv_rtobjs {
	char *bytes;
	size_t length;
	size_t size;
	size_t count;
};

#define NV_RTOBJS_MAX 1000000

/* The object after @after, or the first one for NULL; NULL at the end. Owned by @objs. */
const struct nv_rtobj *nv_rtobjs_next(const struct nv_rtobjs *objs, const struct nv_rtobj *after);

#define nv_each_rtobj(obj, objs)                                           \
	for (const struct nv_rtobj *obj = nv_rtobjs_next(objs, NULL); obj; \
		(obj) = nv_rtobjs_next(objs, obj))

enum nv_rtobj_kind nv_rtobj_kind(const struct nv_rtobj *obj);

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_rtobjs_add(struct nv_rtobjs *objs, const struct nv_rtobj *obj);

struct nlmsghdr;

/*
 * Appends the object of a dump's message, without what only reports a state (counters, ages, dead
 * next hops). A route's expiry time becomes a lifetime; a learnt neighbour becomes NUD_STALE.
 * Returns 0; -ENOMSG: it cannot be made again (an exception, a route with a next hop's id, an
 * unresolved neighbour, a rule that names no link), or it is one of move/backup_routes.h; -EBADMSG,
 * -ENOMEM, -E2BIG.
 */
int nv_rtobjs_take(struct nv_rtobjs *objs, const struct nlmsghdr *message);

/* Which link is replaced by which. */
struct nv_link_map {
	int from, to;
	const char *from_name, *to_name;
};

struct nv_link_maps {
	const struct nv_link_map *map;
	size_t count;
};

/* Appends an object made from a value. Returns 0, -ENOMEM, -E2BIG, -EAFNOSUPPORT. */
int nv_rtobjs_add_addr(struct nv_rtobjs *objs, const struct nv_addr *addr);
int nv_rtobjs_add_route(struct nv_rtobjs *objs, const struct nv_route *route);

/*
 * An object as hexadecimal text for a file, and back. nv_rtobjs_add_hex() returns as
 * nv_rtobjs_take().
 */
void nv_rtobj_hex(const struct nv_rtobj *obj, struct nv_str *text);
int nv_rtobjs_add_hex(struct nv_rtobjs *objs, const char *text);

/* Whether the object names one of the links that are to be replaced. */
bool nv_rtobj_refers(const struct nv_rtobj *obj, const struct nv_link_maps *maps);

enum nv_rtobj_verb {
	/*
	 * a route is added beside one with the same destination (NV_ROUTE_BESIDE); a neighbour that
	 * was not learnt takes the place of what is there; other objects: -EEXIST
	 */
	NV_RTOBJ_ADD,
	NV_RTOBJ_REPLACE,
	NV_RTOBJ_DELETE,
};

/*
 * Appends the request for @verb, with the interface indexes replaced. Of a route with several next
 * hops, only those that use the named links are deleted (for IPv4 the kernel deletes all or none).
 * @maps NULL: nothing is replaced. Returns 0, -ENOMEM, -E2BIG.
 */
int nv_rtobjs_request(struct nv_rtobjs *requests, const struct nv_rtobj *obj,
	enum nv_rtobj_verb verb, const struct nv_link_maps *maps);

/*
 * Whether the object is replaced in one request when it moves, instead of being added beside the
 * old one: a next hop, and an IPv6 route with several. For IPv4 the kernel would replace the first
 * route to the same destination, whichever that is.
 */
bool nv_rtobj_is_replaced(const struct nv_rtobj *obj);

/* Whether the object may belong to other links too: a next hop, and a route with several. */
bool nv_rtobj_is_shared(const struct nv_rtobj *obj);

/* Whether it is a learnt neighbour, which need not be kept. */
bool nv_rtobj_is_learnt(const struct nv_rtobj *obj);

/*
 * Appends the route, one for each next hop, as nv_kernel_routes() does. -ENOMSG: it is not a route.
 */
int nv_rtobj_route(const struct nv_rtobj *obj, struct nv_routes *routes);

/* Converts the object to a value. -ENOMSG: it is not an address. */
int nv_rtobj_addr(const struct nv_rtobj *obj, struct nv_addr *ret_addr);

/*
 * Appends a description without the link, for an object or a request: "route to 192.0.2.0/24 via
 * 198.51.100.1".
 */
void nv_rtobj_text(const struct nv_rtobj *obj, struct nv_str *text);

void nv_rtobjs_auto(struct nv_rtobjs *objs);

/* The message that it is, with the bytes behind its header. */
const struct nlmsghdr *nv_rtobj_message(const struct nv_rtobj *obj);

/*
 * Begins a copy of the header of @message behind the last object, with room for its attributes and
 * a little more. The copy counts after nv_rtobjs_commit(). @ret_header: the family's header in the
 * copy. Returns 0, -ENOMEM, -E2BIG.
 */
int nv_rtobjs_begin(struct nv_rtobjs *objs, const struct nlmsghdr *message, void *ret_header,
	struct nlmsghdr **ret_copy);
void nv_rtobjs_commit(struct nv_rtobjs *objs, const struct nlmsghdr *copy); /* see above */
