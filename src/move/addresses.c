/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/addresses.h"

#include "base/log.h"

#include <errno.h>
#include <time.h>

bool nv_addresses_lacks_network(const struct nv_addr *addr, const struct nv_routes *routes)
{
	if (addr->local.family != AF_INET || addr->prefix_len == 32 ||
		(addr->flags & IFA_F_NOPREFIXROUTE))
		return false;
	for (size_t i = 0; i < routes->count; i++)
		if (routes->route[i].family == AF_INET &&
			routes->route[i].protocol == RTPROT_KERNEL &&
			routes->route[i].table != RT_TABLE_LOCAL)
			return false;
	return true;
}

/*
 * The address is there already, from a run that was killed. The route to its network must be there
 * too.
 */
static int addresses_restore_route4(struct nv_kernel *kernel, const struct nv_addr *addr)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	int r = nv_kernel_routes(kernel, addr->ifindex, &routes);

	if (r < 0 || !nv_addresses_lacks_network(addr, &routes))
		return r;
	nv_kernel_addr_del(kernel, addr);
	return nv_kernel_addr_add(kernel, addr, false);
}

/* As the kernel makes it with an IPv6 address (addrconf_prefix_route()). */
static struct nv_route addresses_network_of(const struct nv_addr *addr)
{
	struct nv_route route = {
		.family = AF_INET6,
		.destination_len = addr->prefix_len,
		.destination = addr->local,
		.protocol = RTPROT_KERNEL,
		.priority = addr->metric ? addr->metric : 256, /* IP6_RT_PRIO_ADDRCONF */
		.oif = addr->ifindex,
	};

	for (unsigned int bit = addr->prefix_len; bit < 128; bit++)
		route.destination.v6.s6_addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return route;
}

/*
 * If a previous run already made this address permanent, changing it makes the kernel delete the
 * first matching prefix route, possibly another interface's (modify_prefix_route()). Add the prefix
 * route again instead.
 */
static int addresses_restore_route6(struct nv_kernel *kernel, const struct nv_addr *addr)
{
	const struct nv_route network = addresses_network_of(addr);
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	int r;

	if (addr->flags & IFA_F_NOPREFIXROUTE)
		return 0;
	r = nv_kernel_routes(kernel, addr->ifindex, &routes);
	for (size_t i = 0; i < routes.count; i++) {
		const struct nv_route *route = &routes.route[i];

		if (route->table == RT_TABLE_MAIN && route->priority == network.priority &&
			route->destination_len == network.destination_len && !route->has_gateway &&
			nv_ip_equal(&route->destination, &network.destination))
			return 0;
	}
	return r < 0 ? r : nv_kernel_route_add(kernel, &network, NV_ROUTE_BESIDE);
}

/*
 * The address is there already. It gets its lifetimes again, unless a previous run made it
 * permanent.
 */
static int addresses_restore_addr6(struct nv_kernel *kernel, const struct nv_addr *addr)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	const struct nv_addr *there;
	int r = nv_kernel_addrs(kernel, addr->ifindex, &addrs);

	if (r < 0)
		return r;
	there = nv_addrs_by_ip(&addrs, &addr->local);
	if (addr->valid_lft == NV_LFT_LONGEST && there && there->flags & IFA_F_PERMANENT)
		return addresses_restore_route6(kernel, there);
	return nv_kernel_addr_add(kernel, addr, true);
}

static void addresses_make_changeable(struct nv_addr *addr)
{
	addr->flags |= IFA_F_NODAD;
	if (addr->valid_lft != NV_LFT_FOREVER)
		return;
	addr->valid_lft = NV_LFT_LONGEST;
	if (addr->preferred_lft == NV_LFT_FOREVER)
		addr->preferred_lft = NV_LFT_LONGEST;
}

bool nv_addresses_fill(
	struct nv_kernel *kernel, const struct nv_move *move, const struct nv_addr *planned)
{
	struct nv_addr addr = *planned;
	bool is_ipv6 = addr.local.family == AF_INET6;
	char text[NV_IP_TEXT];
	int r;

	addr.ifindex = move->to;
	if (is_ipv6)
		addresses_make_changeable(&addr);
	r = nv_kernel_addr_add(kernel, &addr, false);
	if (r == -EEXIST)
		r = is_ipv6 ? addresses_restore_addr6(kernel, &addr)
			    : addresses_restore_route4(kernel, &addr);
	if (r == 0)
		return true;
	nv_err("cannot give %s the address %s/%u: %s", move->to_name, nv_ip_text(&addr.local, text),
		addr.prefix_len, nv_strerror(r));
	return false;
}

/* Whether the kernel accepts frames for each of the IPv6 addresses on the new interface. */
static bool addresses_is_heard(struct nv_kernel *kernel, const struct nv_move *move)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	size_t wanted = 0;
	size_t found = 0;

	for (size_t i = 0; i < move->addrs.count; i++)
		wanted += move->addrs.addr[i].local.family == AF_INET6;
	if (!wanted || nv_kernel_routes(kernel, move->to, &routes) < 0)
		return true;
	for (size_t i = 0; i < routes.count; i++)
		found += routes.route[i].type == RTN_LOCAL && routes.route[i].family == AF_INET6 &&
			 nv_addrs_by_ip(&move->addrs, &routes.route[i].destination);
	return found >= wanted;
}

void nv_addresses_wait(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	struct nv_link link;

	if (!move->up || nv_kernel_link(kernel, move->to, &link) < 0 || !nv_link_usable(&link))
		return;
	for (int tries = 0; tries < 1000 && !addresses_is_heard(kernel, move); tries++)
		nanosleep(&moment, NULL);
}

void nv_addresses_complete(struct nv_kernel *kernel, int ifindex, const struct nv_addrs *planned)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	if (!ifindex || nv_kernel_addrs(kernel, ifindex, &addrs) < 0)
		return;
	for (size_t i = 0; i < addrs.count; i++) {
		struct nv_addr addr = addrs.addr[i];
		const struct nv_addr *wanted = nv_addrs_by_ip(planned, &addr.local);
		bool longest = addr.valid_lft == NV_LFT_FOREVER && !(addr.flags & IFA_F_PERMANENT);
		bool detects = wanted && !(wanted->flags & IFA_F_NODAD);

		if (addr.local.family != AF_INET6 ||
			!(longest || (detects && addr.flags & IFA_F_NODAD)))
			continue;
		if (detects)
			addr.flags &= ~(uint32_t)IFA_F_NODAD;
		nv_kernel_addr_add(kernel, &addr, true);
	}
}

static bool addresses_is_new(const struct nv_move *move, const struct nv_addr *addr)
{
	bool inherits = addr->local.family == AF_INET ? move->inherits4 : move->inherits6;

	return inherits && (addr->flags & IFA_F_PERMANENT) && !(addr->flags & IFA_F_DADFAILED) &&
	       !nv_ip_is_link_local(&addr->local) && !nv_addrs_by_ip(&move->seen, &addr->local) &&
	       !nv_addrs_by_ip(&move->addrs, &addr->local);
}

void nv_addresses_follow(struct nv_kernel *kernel, struct nv_move *move)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	char text[NV_IP_TEXT];

	if (!move->to || !move->from || nv_kernel_addrs(kernel, move->from, &addrs) < 0)
		return;
	for (size_t i = 0; i < addrs.count; i++) {
		const struct nv_addr *addr = &addrs.addr[i];
		struct nv_addr moved;

		if (!addresses_is_new(move, addr))
			continue;
		moved = nv_plan_addr_on(addr, move->from_name, move->to_name);
		if (nv_addresses_fill(kernel, move, &moved))
			nv_notice("%s was given the address %s/%u meanwhile; that moves to %s too",
				move->from_name, nv_ip_text(&addr->local, text), addr->prefix_len,
				move->to_name);
		nv_addrs_add(&move->addrs, &moved);
	}
}

static bool addresses_is_gone(int r)
{
	return r == 0 || r == -ENODEV || r == -EADDRNOTAVAIL;
}

/* The last one first: removing a primary IPv4 address would remove its secondary addresses. */
void nv_addresses_strip(struct nv_kernel *kernel, const struct nv_move *move, int family)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	int r = nv_kernel_addrs(kernel, move->from, &addrs);

	if (r < 0)
		nv_warn("cannot list the addresses of %s: %s", move->from_name, nv_strerror(r));
	for (size_t i = addrs.count; i-- > 0;) {
		const struct nv_addr *addr = &addrs.addr[i];
		char text[NV_IP_TEXT];

		if (addr->local.family != family)
			continue;
		r = nv_kernel_addr_del(kernel, addr);
		if (!addresses_is_gone(r))
			nv_warn("cannot remove the address %s/%u from %s: %s",
				nv_ip_text(&addr->local, text), addr->prefix_len, move->from_name,
				nv_strerror(r));
	}
}

/*
 * Made permanent before, because the kernel removes the route to the network only with a permanent
 * address.
 */
void nv_addresses_undo(struct nv_kernel *kernel, const struct nv_move *move)
{
	nv_addresses_complete(kernel, move->to, &move->addrs);
	for (size_t i = move->addrs.count; i-- > 0;) {
		struct nv_addr addr = move->addrs.addr[i];

		addr.ifindex = move->to;
		nv_kernel_addr_del(kernel, &addr);
	}
}
