/* SPDX-License-Identifier: BSD-2-Clause */
#include "ifconfig/apply.h"

#include "base/log.h"
#include "ifconfig/carry.h"
#include "ifconfig/tuning.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int make_vlan(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	const struct nv_move *lower = &plan->move[move->lower];
	struct nv_link link = {.kind = "vlan", .lower = lower->to, .vlan_id = move->vlan_id};
	NV_AUTO(nv_links) struct nv_links links = {};
	const struct nv_link *there;
	int r;

	nv_strcopy(link.name, sizeof(link.name), move->to_name);
	r = nv_kernel_link_add(kernel, &link, NULL, &move->to);
	if (r != -EEXIST)
		return r;
	r = nv_kernel_links(kernel, &links);
	if (r < 0)
		return r;
	there = nv_links_by_name(&links, move->to_name);
	if (!there || there->lower != lower->to || there->vlan_id != move->vlan_id)
		return -EEXIST;
	move->to = there->ifindex;
	return 0;
}

static void set_link(struct nv_kernel *kernel, const struct nv_move *move)
{
	struct nv_link_change change = {.what = NV_LINK_MTU, .to = {.mtu = move->mtu}};
	int r = move->mtu ? nv_kernel_link_set(kernel, move->to, &change) : 0;

	if (r < 0)
		nv_warn("cannot set the MTU of %s to %u: %s", move->to_name, move->mtu,
			nv_strerror(r));
	change = (struct nv_link_change){.what = NV_LINK_ALIAS,
		.to = {.tx_queue_len = move->tx_queue_len, .group = move->group}};
	nv_strcopy(change.to.alias, sizeof(change.to.alias), move->description);
	if (move->from)
		change.what |= NV_LINK_TX_QUEUE_LEN | NV_LINK_GROUP;
	r = move->from || move->description[0] ? nv_kernel_link_set(kernel, move->to, &change) : 0;
	if (r < 0)
		nv_warn("cannot set the description, group and queue length of %s: %s",
			move->to_name, nv_strerror(r));
}

/* The kernel takes it only from who listens to router advertisements. */
static void set_token(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_link_change change = {.what = NV_LINK_TOKEN, .to.token = move->token};
	int r = IN6_IS_ADDR_UNSPECIFIED(&move->token)
			? 0
			: nv_kernel_link_set(kernel, move->to, &change);

	if (r < 0)
		nv_warn("cannot set the IPv6 token of %s: %s", move->to_name, nv_strerror(r));
}

static bool prepare_one(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	int r = move->to ? 0 : make_vlan(kernel, plan, move);

	if (r < 0) {
		nv_err("cannot make VLAN %u as %s on %s: %s", move->vlan_id, move->to_name,
			plan->move[move->lower].to_name,
			r == -EOPNOTSUPP ? "this kernel has no VLANs" : nv_strerror(r));
		return false;
	}
	if (!move->keeps)
		set_link(kernel, move);
	if (move->from && !move->keeps)
		nv_tuning_carry(kernel, move);
	if (move->from)
		nv_tuning_loosen(kernel, move);
	if (move->accept_rtadv)
		nv_tuning_accept_rtadv(kernel, move->to_name);
	r = nv_kernel_link_up(kernel, move->to, move->up);
	if (r < 0) {
		nv_err("cannot set %s up: %s", move->to_name, nv_strerror(r));
		return false;
	}
	if (move->keeps)
		return true;
	set_token(kernel, move);
	if (move->from)
		nv_tuning_carry_mtu(kernel, move);
	return true;
}

bool nv_apply_prepare(struct nv_kernel *kernel, struct nv_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct nv_move *move = &plan->move[i];

		if (!plan->move[move->lower].to ||
			(move->vlan_id && nv_streq(move->from_name, move->to_name)))
			continue;
		if (!prepare_one(kernel, plan, move))
			return false;
	}
	return true;
}

static const struct nv_addr *find_addr(const struct nv_addrs *addrs, const struct nv_ip *ip)
{
	for (size_t i = 0; i < addrs->count; i++)
		if (nv_ip_equal(&addrs->addr[i].local, ip))
			return &addrs->addr[i];
	return NULL;
}

/* An address without the route to its network: somebody has flushed the routes after it came. */
static bool lost_its_network(const struct nv_addr *addr, const struct nv_routes *routes)
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

/* It is there already, of a run that was killed: so has to be the route to its network. */
static int mend_addr(struct nv_kernel *kernel, const struct nv_addr *addr)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	int r;

	if (addr->local.family == AF_INET6)
		return nv_kernel_addr_add(kernel, addr, true);
	r = nv_kernel_routes(kernel, addr->ifindex, &routes);
	if (r < 0 || !lost_its_network(addr, &routes))
		return r;
	nv_kernel_addr_del(kernel, addr);
	return nv_kernel_addr_add(kernel, addr, false);
}

static bool fill_addr(
	struct nv_kernel *kernel, const struct nv_move *move, const struct nv_addr *planned)
{
	struct nv_addr addr = *planned;
	char text[NV_IP_TEXT];
	int r;

	addr.ifindex = move->to;
	/* The same MAC on three interfaces would be a duplicate in the eyes of detection. */
	if (addr.local.family == AF_INET6)
		addr.flags |= IFA_F_NODAD;
	r = nv_kernel_addr_add(kernel, &addr, false);
	if (r == -EEXIST)
		r = mend_addr(kernel, &addr);
	if (r == 0)
		return true;
	nv_err("cannot give %s the address %s/%u: %s", move->to_name, nv_ip_text(&addr.local, text),
		addr.prefix_len, nv_strerror(r));
	return false;
}

/* Of IPv4 the kernel has the first in front, of IPv6 the last (ipv6_link_dev_addr()). */
static bool fill_addrs(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_addrs *addrs = &move->addrs;
	bool fine = true;

	for (size_t i = 0; i < addrs->count && fine; i++)
		if (addrs->addr[i].local.family == AF_INET)
			fine = fill_addr(kernel, move, &addrs->addr[i]);
	for (size_t i = addrs->count; i-- > 0 && fine;)
		if (addrs->addr[i].local.family == AF_INET6)
			fine = fill_addr(kernel, move, &addrs->addr[i]);
	return fine;
}

/* @priority: of the message for one that cannot be added. */
static void fill_routes(struct nv_kernel *kernel, const struct nv_move *move, int priority)
{
	for (size_t i = 0; i < move->routes.count && move->up; i++) {
		struct nv_route route = move->routes.route[i];
		char text[NV_IP_TEXT];
		int r;

		route.oif = move->to;
		r = nv_kernel_route_add(kernel, &route, NV_ROUTE_BESIDE);
		if (r == 0 || r == -EEXIST)
			continue;
		nv_log(priority, "cannot add the route to %s/%u on %s: %s",
			nv_ip_text(&route.destination, text), route.destination_len, move->to_name,
			nv_strerror(r));
	}
}

static bool fill_one(struct nv_kernel *kernel, const struct nv_move *move)
{
	if (!fill_addrs(kernel, move))
		return false;
	fill_routes(kernel, move, LOG_WARNING);
	return true;
}

/* Whether the kernel takes in what is sent to each of the IPv6 addresses on the new interface. */
static bool is_heard(struct nv_kernel *kernel, const struct nv_move *move)
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
			 find_addr(&move->addrs, &routes.route[i].destination);
	return found >= wanted;
}

/*
 * An IPv6 address without detection is in force when a kernel's worker has seen to it, a moment
 * later (addrconf_dad_work()); to take it off the old interface before would make it deaf.
 */
static void wait_until_heard(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	struct nv_link link;

	if (!move->up || nv_kernel_link(kernel, move->to, &link) < 0 || !nv_link_usable(&link))
		return;
	for (int tries = 0; tries < 1000 && !is_heard(kernel, move); tries++)
		nanosleep(&moment, NULL);
}

bool nv_apply_fill(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].to && !fill_one(kernel, &plan->move[i]))
			return false;
	/* Before it has many routes, which would all be looked at. */
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].to)
			wait_until_heard(kernel, &plan->move[i]);
	return nv_carry_fill(kernel, plan, false, plan->is_said ? LOG_WARNING : LOG_ERR);
}

static void take_addrs_back(struct nv_kernel *kernel, const struct nv_move *move)
{
	for (size_t i = move->addrs.count; i-- > 0;) {
		struct nv_addr addr = move->addrs.addr[i];

		addr.ifindex = move->to;
		nv_kernel_addr_del(kernel, &addr);
	}
}

void nv_apply_undo(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	nv_carry_undo(kernel, plan);
	for (size_t i = 0; i < plan->count; i++) {
		nv_tuning_undo(kernel, &plan->move[i]);
		if (plan->move[i].keeps)
			take_addrs_back(kernel, &plan->move[i]);
	}
}

bool nv_apply_late_vlans(struct nv_kernel *kernel, struct nv_plan *plan)
{
	bool fine = true;

	for (size_t i = 0; i < plan->count; i++) {
		struct nv_move *move = &plan->move[i];
		int r;

		if (move->to || !plan->move[move->lower].to)
			continue;
		r = move->from ? nv_kernel_link_del(kernel, move->from) : 0;
		if (r < 0 && r != -ENODEV) {
			nv_err("cannot delete the VLAN %s: %s", move->from_name, nv_strerror(r));
			fine = false;
			continue;
		}
		move->from = 0;
		move->late = true;
		fine &= prepare_one(kernel, plan, move) && fill_one(kernel, move);
	}
	return nv_carry_fill(kernel, plan, true, LOG_WARNING) && fine;
}

static bool is_fine(int r)
{
	return r == 0 || r == -ENODEV || r == -ESRCH || r == -ENOENT || r == -EADDRNOTAVAIL;
}

/* The last first: with a primary IPv4 address its secondaries would go. */
static void strip_addrs(struct nv_kernel *kernel, const struct nv_move *move, int family)
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
		if (!is_fine(r))
			nv_warn("cannot take the address %s/%u off %s: %s",
				nv_ip_text(&addr->local, text), addr->prefix_len, move->from_name,
				nv_strerror(r));
	}
}

void nv_apply_strip_paths(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	const struct nv_link_change bare = {
		.what = NV_LINK_ADDR_GEN_MODE,
		.to.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE,
	};

	for (size_t i = 0; i < plan->count; i++) {
		const struct nv_move *move = &plan->move[i];

		if (!move->from)
			continue;
		nv_kernel_link_set(kernel, move->from, &bare);
		nv_tuning_set(kernel, "ipv6", move->from_name, "accept_ra", "0");
	}
	nv_carry_strip(kernel, plan);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].from)
			strip_addrs(kernel, &plan->move[i], AF_INET6);
}

void nv_apply_settle_addrs(struct nv_kernel *kernel, int ifindex, const struct nv_addrs *planned)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	if (!ifindex || nv_kernel_addrs(kernel, ifindex, &addrs) < 0)
		return;
	for (size_t i = 0; i < addrs.count; i++) {
		struct nv_addr addr = addrs.addr[i];
		const struct nv_addr *wanted = find_addr(planned, &addr.local);

		if (addr.local.family != AF_INET6 || !(addr.flags & IFA_F_NODAD) || !wanted ||
			(wanted->flags & IFA_F_NODAD))
			continue;
		addr.flags &= ~(uint32_t)IFA_F_NODAD;
		nv_kernel_addr_add(kernel, &addr, true);
	}
}

void nv_apply_strip(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		nv_apply_settle_addrs(kernel, plan->move[i].to, &plan->move[i].addrs);
	for (size_t i = plan->count; i-- > 0;) {
		const struct nv_move *move = &plan->move[i];

		if (!move->from)
			continue;
		nv_tuning_settle(kernel, move);
		if (!move->vlan_id) {
			strip_addrs(kernel, move, AF_INET);
			continue;
		}
		if (!is_fine(nv_kernel_link_del(kernel, move->from)))
			nv_warn("cannot delete the VLAN %s", move->from_name);
	}
}

/* How many are there that do not come with an address. */
static size_t count_routes(const struct nv_routes *routes)
{
	size_t count = 0;

	for (size_t i = 0; i < routes->count; i++)
		count += nv_plan_route_counts(&routes->route[i]);
	return count;
}

void nv_apply_keep(struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	bool whole = true;

	if (!move->up || nv_kernel_addrs(kernel, move->to, &addrs) < 0 ||
		nv_kernel_routes(kernel, move->to, &routes) < 0)
		return;
	for (size_t i = 0; i < move->addrs.count; i++) {
		struct nv_addr addr = move->addrs.addr[i];

		addr.ifindex = move->to;
		whole &= find_addr(&addrs, &addr.local) != NULL;
		if (!lost_its_network(&addr, &routes))
			continue;
		nv_kernel_addr_del(kernel, &addr);
		whole = false;
	}
	whole &= count_routes(&routes) >= move->routes.count + nv_carry_count_routes(plan, move);
	if (whole || !fill_addrs(kernel, move))
		return;
	fill_routes(kernel, move, LOG_DEBUG);
	nv_carry_fill(kernel, plan, move->late, LOG_DEBUG);
}

static bool has_other(const struct nv_move *move, const struct nv_addrs *now)
{
	for (size_t i = 0; i < now->count; i++)
		if (now->addr[i].local.family == AF_INET &&
			!find_addr(&move->addrs, &now->addr[i].local))
			return true;
	return false;
}

/* So that it is not put in force again. */
static void forget_addr(struct nv_move *move, size_t index)
{
	struct nv_addrs *addrs = &move->addrs;

	addrs->count--;
	memmove(&addrs->addr[index], &addrs->addr[index + 1],
		(addrs->count - index) * sizeof(addrs->addr[0]));
}

void nv_apply_leased(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	NV_AUTO(nv_addrs) struct nv_addrs now = {};
	bool other;

	if (nv_kernel_addrs(kernel, move->to, &now) < 0)
		return;
	other = has_other(move, &now);
	/* Or the new address would go with the old one, whose secondary it may be. */
	if (other)
		nv_tuning_set(kernel, "ipv4", move->to_name, "promote_secondaries", "1");
	for (size_t i = move->addrs.count; i-- > move->n_said_addrs;) {
		struct nv_addr *addr = &move->addrs.addr[i];
		const struct nv_addr *there = find_addr(&now, &addr->local);
		struct nv_addr mine = *addr;

		if (addr->local.family != AF_INET)
			continue;
		mine.ifindex = move->to;
		if (other) {
			nv_kernel_addr_del(kernel, &mine);
			forget_addr(move, i);
		} else if (addr->valid_lft != UINT32_MAX &&
			   (!there || there->valid_lft <= addr->valid_lft)) {
			mine.valid_lft = addr->valid_lft = UINT32_MAX;
			mine.preferred_lft = addr->preferred_lft = UINT32_MAX;
			nv_kernel_addr_add(kernel, &mine, true);
		}
	}
	nv_apply_keep(kernel, plan, move);
}
