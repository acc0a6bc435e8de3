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
enum nv_thing_kind {
	NV_THING_ADDR, /* only as nv_things_add_addr() makes it: dumps give addresses as values */
	NV_THING_NEXTHOP, /* of IPv4 and IPv6, by its id (Linux 5.3); a route by one has none
			      itself */
	NV_THING_NEIGH, /* of IPv4 and IPv6; what is answered for as a proxy too */
	NV_THING_ROUTE, /* of IPv4 and IPv6, all tables */
	NV_THING_RULE, /* those that name a link */
	/* Not of a route's kind, and not carried with those: see port.h. */
	NV_THING_PORT, /* of a bridge, without what it has learnt */
	NV_THING_FDB, /* a MAC that somebody has given to a bridge's port */
};

#define NV_THING_KINDS (NV_THING_RULE + 1)

/* A message that would make the thing, as a request without flags. */
struct nv_thing;

/* One after another in memory. */
struct nv_things {
	char *bytes;
	size_t length;
	size_t size;
	size_t count;
};

#define NV_THINGS_MAX 1000000

/* The one behind @after, or the first for NULL; NULL at the end. Owned by @things. */
const struct nv_thing *nv_things_next(const struct nv_things *things, const struct nv_thing *after);

#define nv_each_thing(thing, things)                                             \
	for (const struct nv_thing *thing = nv_things_next(things, NULL); thing; \
		(thing) = nv_things_next(things, thing))

enum nv_thing_kind nv_thing_kind(const struct nv_thing *thing);

/* Appends a copy. Returns 0, -ENOMEM, -E2BIG. */
int nv_things_add(struct nv_things *things, const struct nv_thing *thing);

struct nlmsghdr;

/*
 * Appends what a dump's message tells of, without what only says what has become of the thing
 * (counters, ages, dead next hops). A route's expiry becomes a lifetime; a neighbour that was
 * learnt becomes NUD_STALE.
 * Returns 0, -ENOMSG: nothing that could be made again (an exception, a route by a next hop's id,
 * a neighbour that is not known, a rule that names no link); -EBADMSG, -ENOMEM, -E2BIG.
 */
int nv_things_take(struct nv_things *things, const struct nlmsghdr *message);

/* Which link takes whose place. */
struct nv_renaming {
	int from, to;
	const char *from_name, *to_name;
};

struct nv_renamings {
	const struct nv_renaming *renaming;
	size_t count;
};

/* The same for values. Returns 0, -ENOMEM, -E2BIG, -EAFNOSUPPORT. */
int nv_things_add_addr(struct nv_things *things, const struct nv_addr *addr);
int nv_things_add_route(struct nv_things *things, const struct nv_route *route);

/* As text for a file, and back. nv_things_add_hex(): as nv_things_take(). */
void nv_thing_hex(const struct nv_thing *thing, struct nv_str *text);
int nv_things_add_hex(struct nv_things *things, const char *text);

/* Whether one of the links that are to be replaced is named in it. */
bool nv_thing_refers(const struct nv_thing *thing, const struct nv_renamings *renamings);

enum nv_thing_verb {
	NV_THING_ADD, /* a route goes beside one of the same place (NV_ROUTE_BESIDE); others:
			  -EEXIST */
	NV_THING_REPLACE,
	NV_THING_DELETE,
};

/*
 * Appends the request that does this to the thing, with the links in their new places. Of a route
 * with several next hops only those by the links named are deleted (in IPv4 the kernel has all or
 * none). @renamings NULL: as it is. Returns 0, -ENOMEM, -E2BIG.
 */
int nv_things_request(struct nv_things *requests, const struct nv_thing *thing,
	enum nv_thing_verb verb, const struct nv_renamings *renamings);

/*
 * Whether it stays one thing when it moves, and is replaced at once, instead of being made anew
 * beside the old one: a next hop, and a route of IPv6 with several. Of IPv4 the kernel would
 * replace the first route to the same place, whichever that is.
 */
bool nv_thing_is_replaced(const struct nv_thing *thing);

/* Whether it may belong to other links too: a next hop, and a route with several. */
bool nv_thing_is_shared(const struct nv_thing *thing);

/* A neighbour that was learnt: nothing is lost with it. */
bool nv_thing_is_learnt(const struct nv_thing *thing);

/* Appends the route (one for each next hop), as nv_kernel_routes() has it. -ENOMSG: is none. */
int nv_thing_route(const struct nv_thing *thing, struct nv_routes *routes);

/* Back to a value. -ENOMSG: is no address. */
int nv_thing_addr(const struct nv_thing *thing, struct nv_addr *ret_addr);

/* Of a request too: appends words for a person, without the link: "route to 192.0.2.0/24 via
 * 198.51.100.1". */
void nv_thing_text(const struct nv_thing *thing, struct nv_str *text);

void nv_things_auto(struct nv_things *things);
