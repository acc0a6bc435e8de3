/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Things that hang on a link, carried as the kernel told of them: routes, rules, neighbours and
 * next hops. Only the places that name a link are read and written here; whatever else a message
 * says, also what this program has never heard of, goes along as it came. No system call in here.
 */
#pragma once

#include "kernel/types.h"

#include "base/str.h"

/* In the order in which they can be made: a route may need a next hop, and a rule its routes. */
enum nv_rtobj_kind {
	NV_RTOBJ_ADDR, /* only as nv_rtobjs_add_addr() makes it: dumps give addresses as values */
	NV_RTOBJ_NEXTHOP, /* of IPv4 and IPv6, by its id (Linux 5.3); a route by one has none
			      itself */
	NV_RTOBJ_NEIGH, /* of IPv4 and IPv6; what is answered for as a proxy too */
	NV_RTOBJ_ROUTE, /* of IPv4 and IPv6, all tables */
	NV_RTOBJ_RULE, /* those that name a link */
	/* Not of a route's kind, and not carried with those: see port.h. */
	NV_RTOBJ_BRPORT, /* of a bridge, without what it has learnt */
	NV_RTOBJ_FDB, /* a MAC that somebody has given to a bridge's port */
};

#define NV_RTOBJ_KINDS (NV_RTOBJ_RULE + 1)

/* A message that would make the thing, as a request without flags. */
struct nv_rtobj;

/* One after another in memory. */
struct nv_rtobjs {
	char *bytes;
	size_t length;
	size_t size;
	size_t count;
};

#define NV_RTOBJS_MAX 1000000

/* The one behind @after, or the first for NULL; NULL at the end. Owned by @things. */
const struct nv_rtobj *nv_rtobjs_next(const struct nv_rtobjs *objs, const struct nv_rtobj *after);

#define nv_each_rtobj(obj, objs)                                           \
	for (const struct nv_rtobj *obj = nv_rtobjs_next(objs, NULL); obj; \
		(obj) = nv_rtobjs_next(objs, obj))

enum nv_rtobj_kind nv_rtobj_kind(const struct nv_rtobj *obj);

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_rtobjs_add(struct nv_rtobjs *objs, const struct nv_rtobj *obj);

struct nlmsghdr;

/*
 * Appends what a dump's message tells of, without what only says what has become of the thing
 * (counters, ages, dead next hops). A route's expiry becomes a lifetime; a neighbour that was
 * learnt becomes NUD_STALE.
 * Returns 0, -ENOMSG: nothing that could be made again (an exception, a route by a next hop's id,
 * a neighbour that is not known, a rule that names no link); -EBADMSG, -ENOMEM, -E2BIG.
 */
int nv_rtobjs_take(struct nv_rtobjs *objs, const struct nlmsghdr *message);

/* Which link takes whose place. */
struct nv_link_map {
	int from, to;
	const char *from_name, *to_name;
};

struct nv_link_maps {
	const struct nv_link_map *renaming;
	size_t count;
};

/* The same for values. Returns 0, -ENOMEM, -E2BIG, -EAFNOSUPPORT. */
int nv_rtobjs_add_addr(struct nv_rtobjs *objs, const struct nv_addr *addr);
int nv_rtobjs_add_route(struct nv_rtobjs *objs, const struct nv_route *route);

/* As text for a file, and back. nv_rtobjs_add_hex(): as nv_rtobjs_take(). */
void nv_rtobj_hex(const struct nv_rtobj *obj, struct nv_str *text);
int nv_rtobjs_add_hex(struct nv_rtobjs *objs, const char *text);

/* Whether one of the links that are to be replaced is named in it. */
bool nv_rtobj_refers(const struct nv_rtobj *obj, const struct nv_link_maps *renamings);

enum nv_rtobj_verb {
	NV_RTOBJ_ADD, /* a route goes beside one of the same place (NV_ROUTE_BESIDE); others:
			  -EEXIST */
	NV_RTOBJ_REPLACE,
	NV_RTOBJ_DELETE,
};

/*
 * Appends the request that does this to the thing, with the links in their new places. Of a route
 * with several next hops only those by the links named are deleted (in IPv4 the kernel has all or
 * none). @renamings NULL: as it is. Returns 0, -ENOMEM, -E2BIG.
 */
int nv_rtobjs_request(struct nv_rtobjs *requests, const struct nv_rtobj *obj,
	enum nv_rtobj_verb verb, const struct nv_link_maps *renamings);

/*
 * Whether it stays one thing when it moves, and is replaced at once, instead of being made anew
 * beside the old one: a next hop, and a route of IPv6 with several. Of IPv4 the kernel would
 * replace the first route to the same place, whichever that is.
 */
bool nv_rtobj_is_replaced(const struct nv_rtobj *obj);

/* Whether it may belong to other links too: a next hop, and a route with several. */
bool nv_rtobj_is_shared(const struct nv_rtobj *obj);

/* A neighbour that was learnt: nothing is lost with it. */
bool nv_rtobj_is_learnt(const struct nv_rtobj *obj);

/* Appends the route (one for each next hop), as nv_kernel_routes() has it. -ENOMSG: is none. */
int nv_rtobj_route(const struct nv_rtobj *obj, struct nv_routes *routes);

/* Back to a value. -ENOMSG: is no address. */
int nv_rtobj_addr(const struct nv_rtobj *obj, struct nv_addr *ret_addr);

/* Of a request too: appends words for a person, without the link: "route to 192.0.2.0/24 via
 * 198.51.100.1". */
void nv_rtobj_text(const struct nv_rtobj *obj, struct nv_str *text);

void nv_rtobjs_auto(struct nv_rtobjs *objs);
