/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/apply.h"

#include "base/log.h"
#include "move/addresses.h"
#include "move/bridge.h"
#include "move/replay.h"
#include "move/resolved.h"
#include "move/sysctls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct nv_link_change bare = {
	.what = NV_LINK_ADDR_GEN_MODE,
	.to.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE,
};

static bool apply_has_link_local6(const struct nv_move *move)
{
	for (size_t i = 0; i < move->addrs.count; i++)
		if (move->addrs.addr[i].local.family == AF_INET6 &&
			nv_ip_is_link_local(&move->addrs.addr[i].local))
			return true;
	return false;
}

static int apply_make_vlan(
	struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	const struct nv_move *lower = &plan->move[move->lower];
	struct nv_link link = {.kind = "vlan", .lower = lower->to, .vlan_id = move->vlan_id};
	NV_AUTO(nv_links) struct nv_links links = {};
	const struct nv_link *there;
	int r;

	nv_strcopy(link.name, sizeof(link.name), move->to_name);
	memcpy(link.vlan, move->vlan, move->vlan_length);
	link.vlan_length = move->vlan_length;
	link.has_mac = move->has_mac;
	memcpy(link.mac, move->mac, NV_MAC_LEN);
	r = nv_kernel_link_add(kernel, &link, NULL, &move->to);
	/* The old one's link-local address is added; the kernel shall not make it before. */
	if (r == 0 && apply_has_link_local6(move))
		nv_kernel_link_set(kernel, move->to, &bare);
	if (r != -EEXIST)
		return r;
	r = nv_kernel_links(kernel, &links);
	if (r < 0)
		return r;
	there = nv_links_by_name(&links, move->to_name);
	if (!there || there->lower != lower->to || there->vlan_id != move->vlan_id)
		return -EEXIST;
	move->to = there->ifindex;
	/* At a further move it was in use; else a run was killed that had not finished it. */
	move->keeps = plan->move[0].keeps;
	return 0;
}

static void apply_set_link(struct nv_kernel *kernel, const struct nv_move *move)
{
	struct nv_link_change change = {.what = NV_LINK_MTU, .to = {.mtu = move->mtu}};
	int r = move->mtu ? nv_kernel_link_set(kernel, move->to, &change) : 0;

	if (r < 0)
		nv_warn("cannot set the MTU of %s to %u: %s", move->to_name, move->mtu,
			nv_strerror(r));
	change = (struct nv_link_change){.what = NV_LINK_ALIAS,
		.to = {.tx_queue_len = move->tx_queue_len, .group = move->group}};
	nv_strcopy(change.to.alias, sizeof(change.to.alias), move->description);
	if (move->was)
		change.what |= NV_LINK_TX_QUEUE_LEN | NV_LINK_GROUP;
	r = move->was || move->description[0] ? nv_kernel_link_set(kernel, move->to, &change) : 0;
	if (r < 0)
		nv_warn("cannot set the description, group and queue length of %s: %s",
			move->to_name, nv_strerror(r));
}

/* The kernel accepts a token only on an interface that accepts router advertisements. */
static void apply_set_token(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_link_change change = {.what = NV_LINK_TOKEN, .to.token = move->token};
	int r = IN6_IS_ADDR_UNSPECIFIED(&move->token)
			? 0
			: nv_kernel_link_set(kernel, move->to, &change);

	if (r < 0)
		nv_warn("cannot set the IPv6 token of %s: %s", move->to_name, nv_strerror(r));
}

static bool apply_make_link(
	struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	int r = move->to ? 0 : apply_make_vlan(kernel, plan, move);

	if (r < 0)
		nv_err("cannot make VLAN %u as %s on %s: %s", move->vlan_id, move->to_name,
			plan->move[move->lower].to_name,
			r == -EOPNOTSUPP ? "this kernel has no VLANs" : nv_strerror(r));
	return r == 0;
}

static bool apply_copy_settings(struct nv_kernel *kernel, struct nv_move *move)
{
	int r;

	if (!move->keeps)
		apply_set_link(kernel, move);
	if (move->from)
		nv_sysctls_loosen(kernel, move);
	if ((move->from || move->sysctls.count) && !move->keeps)
		nv_sysctls_copy(kernel, move);
	if (move->accept_rtadv)
		nv_sysctls_accept_rtadv(kernel, move->to_name);
	r = move->up || !move->keeps ? nv_kernel_link_up(kernel, move->to, move->up) : 0;
	if (r < 0) {
		nv_err("cannot set %s up: %s", move->to_name, nv_strerror(r));
		return false;
	}
	if (move->keeps)
		return true;
	apply_set_token(kernel, move);
	nv_sysctls_copy_mtu(kernel, move);
	return true;
}

/* A route that cannot be added does not end the move. @priority: of the log message. */
static void apply_fill_route(
	struct nv_kernel *kernel, const struct nv_move *move, size_t index, int priority)
{
	struct nv_route route = move->routes.route[index];
	char text[NV_IP_TEXT];
	int r;

	route.oif = move->to;
	r = nv_kernel_route_add(kernel, &route, NV_ROUTE_BESIDE);
	if (r < 0 && r != -EEXIST)
		nv_log(priority, "cannot add the route to %s/%u on %s: %s",
			nv_ip_text(&route.destination, text), route.destination_len, move->to_name,
			nv_strerror(r));
}

void nv_apply_undo(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	nv_replay_undo(kernel, plan);
	for (size_t i = 0; i < plan->count; i++) {
		nv_sysctls_undo(kernel, &plan->move[i]);
		nv_bridge_undo(kernel, &plan->move[i]);
		if (plan->move[i].keeps)
			nv_addresses_undo(kernel, &plan->move[i]);
	}
}

/* A link that is deleted before the new one is made is read for the last time. */
static void apply_close_link(struct nv_kernel *kernel, struct nv_move *move)
{
	if (!move->to)
		nv_sysctls_save(kernel, move);
	/* A VLAN is deleted; until then a run that repeats this one reads its settings. */
	if (!move->vlan_id)
		nv_kernel_link_set(kernel, move->from, &bare);
	nv_sysctls_set(kernel, "ipv6", move->from_name, "accept_ra", "0");
}

/* What was added since the plan was made follows. */
static void apply_strip_rest(
	struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	nv_addresses_follow(kernel, move);
	nv_replay_strip(kernel, plan, move);
}

static bool apply_remove_link(
	struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	int r;

	if (move->to)
		apply_strip_rest(kernel, plan, move);
	r = nv_kernel_link_del(kernel, move->from);
	if (r < 0 && r != -ENODEV) {
		nv_err("cannot delete the VLAN %s: %s", move->from_name, nv_strerror(r));
		return false;
	}
	move->from = 0;
	return true;
}

static void apply_complete(struct nv_kernel *kernel, const struct nv_move *move)
{
	const struct nv_link_change change = {
		.what = NV_LINK_ADDR_GEN_MODE, .to.addr_gen_mode = move->addr_gen_mode};

	if (move->vlan_id && move->was && !move->keeps)
		nv_kernel_link_set(kernel, move->to, &change);
	nv_addresses_complete(kernel, move->to, &move->addrs);
	if (move->from)
		nv_sysctls_complete(kernel, move);
}

/* Carries out a step that removes something from an old interface. */
static bool apply_take_off(struct nv_kernel *kernel, const struct nv_plan *plan,
	struct nv_move *move, const struct nv_step *step)
{
	switch (step->object) {
	case NV_STEP_LINK:
		return apply_remove_link(kernel, plan, move);
	case NV_STEP_SETTINGS:
		apply_close_link(kernel, move);
		return true;
	case NV_STEP_PORT:
		nv_bridge_leave(kernel, move);
		return true;
	case NV_STEP_REST:
		apply_strip_rest(kernel, plan, move);
		return true;
	case NV_STEP_ADDRS4:
		apply_strip_rest(kernel, plan, move);
		nv_addresses_strip(kernel, move, AF_INET);
		return true;
	case NV_STEP_ADDRS6:
		nv_addresses_strip(kernel, move, AF_INET6);
		return true;
	case NV_STEP_NAMES:
		nv_resolved_revert(move->from_name);
		return true;
	case NV_STEP_ADDR:
	case NV_STEP_ROUTE:
	case NV_STEP_RTOBJ:
	case NV_STEP_FRAMES:
	case NV_STEP_CLIENT:
		break;
	}
	return true;
}

/*
 * Carries out a step that adds something to a new interface. @priority: of the message about a
 * route of rc.conf that cannot be added.
 */
static bool apply_add(struct nv_kernel *kernel, const struct nv_move *move,
	const struct nv_step *step, int priority)
{
	switch (step->object) {
	case NV_STEP_ADDR:
		return nv_addresses_fill(kernel, move, &move->addrs.addr[step->index]);
	case NV_STEP_ROUTE:
		apply_fill_route(kernel, move, step->index, priority);
		return true;
	case NV_STEP_ADDRS6:
		nv_addresses_wait(kernel, move);
		return true;
	case NV_STEP_SETTINGS:
		apply_complete(kernel, move);
		return true;
	case NV_STEP_PORT:
		nv_bridge_leave(kernel, move);
		return true;
	case NV_STEP_LINK:
	case NV_STEP_RTOBJ:
	case NV_STEP_REST:
	case NV_STEP_ADDRS4:
	case NV_STEP_NAMES:
	case NV_STEP_FRAMES:
	case NV_STEP_CLIENT:
		break;
	}
	return true;
}

/* Copies a setting from the old interface to the new one. */
static bool apply_copy(struct nv_kernel *kernel, struct nv_move *move, const struct nv_step *step)
{
	if (step->object == NV_STEP_PORT)
		return nv_bridge_enter(kernel, move);
	if (step->object == NV_STEP_SETTINGS)
		return apply_copy_settings(kernel, move);
	nv_resolved_copy(move->from_name, move->to_name);
	return true;
}

static bool apply_carry_out(
	struct nv_kernel *kernel, struct nv_plan *plan, const struct nv_step *step)
{
	struct nv_move *move = &plan->move[step->move];

	switch (step->verb) {
	case NV_STEP_MAKE:
		move->late = step->stage != NV_STAGE_FILL;
		return !plan->move[move->lower].to || apply_make_link(kernel, plan, move);
	case NV_STEP_COPY:
		return !move->to || apply_copy(kernel, move, step);
	case NV_STEP_ADD:
	case NV_STEP_REPLACE:
	case NV_STEP_WAIT:
	case NV_STEP_SETTLE:
		return !move->to || apply_add(kernel, move, step, LOG_WARNING);
	case NV_STEP_CLOSE:
	case NV_STEP_REMOVE:
	case NV_STEP_LEAVE:
		return !move->from || apply_take_off(kernel, plan, move, step);
	case NV_STEP_SWITCH:
		break;
	}
	return true;
}

bool nv_apply(struct nv_kernel *kernel, struct nv_plan *plan, enum nv_step_stage stage)
{
	NV_AUTO(nv_steps) struct nv_steps steps = {};
	int r = nv_steps_list_stage(plan, stage, &steps);
	bool filling = stage == NV_STAGE_FILL;
	bool fine = true;

	if (r < 0) {
		nv_err("cannot list the steps of the move: %s", nv_strerror(r));
		return false;
	}
	for (size_t i = 0; i < steps.count && (fine || !filling); i++) {
		const struct nv_step *step = &steps.step[i];
		size_t count = nv_replay_run(&steps, i);

		if (!count) {
			fine &= apply_carry_out(kernel, plan, step);
			continue;
		}
		fine &= nv_replay(kernel, plan, step, count,
			filling && !plan->is_configured ? LOG_ERR : LOG_WARNING);
		i += count - 1;
	}
	return fine;
}

/* The number of routes that the kernel does not add with an address. */
static size_t apply_count_routes(const struct nv_routes *routes)
{
	size_t count = 0;

	for (size_t i = 0; i < routes->count; i++)
		count += nv_plan_route_counts(&routes->route[i]);
	return count;
}

/* Adds the addresses, routes and replayed objects of one new interface again. */
static void apply_put_again(
	struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move)
{
	enum nv_step_stage stage = move->late ? NV_STAGE_STRIP_PATHS : NV_STAGE_FILL;
	NV_AUTO(nv_steps) struct nv_steps steps = {};
	bool fine = nv_steps_list_stage(plan, stage, &steps) == 0;

	for (size_t i = 0; i < steps.count && fine; i++) {
		const struct nv_step *step = &steps.step[i];
		size_t count;

		if (step->verb != NV_STEP_ADD && step->verb != NV_STEP_REPLACE)
			continue;
		count = nv_replay_run(&steps, i);
		if (count)
			nv_replay(kernel, plan, step, count, LOG_DEBUG);
		else if (&plan->move[step->move] == move)
			fine = apply_add(kernel, move, step, LOG_DEBUG);
		i += count ? count - 1 : 0;
	}
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
		whole &= nv_addrs_by_ip(&addrs, &addr.local) != NULL;
		if (!nv_addresses_lacks_network(&addr, &routes))
			continue;
		nv_kernel_addr_del(kernel, &addr);
		whole = false;
	}
	whole &= apply_count_routes(&routes) >=
		 move->routes.count + nv_replay_count_routes(plan, move);
	if (!whole)
		apply_put_again(kernel, plan, move);
}

/* Not there before the client was started, or for longer now. */
static bool apply_is_new(const struct nv_move *move, const struct nv_addr *addr)
{
	const struct nv_addr *had = nv_addrs_by_ip(&move->had, &addr->local);

	return !had || (addr->valid_lft > had->valid_lft && addr->valid_lft != NV_LFT_FOREVER);
}

/*
 * Whether there is an IPv4 address, link-local or not, that is new and did not move. What a client
 * takes that hears no server is link-local, and no lease.
 */
static bool apply_has_other(const struct nv_move *move, const struct nv_addrs *now, bool link_local)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct nv_addr *addr = &now->addr[i];

		if (addr->local.family == AF_INET &&
			nv_ip_is_link_local(&addr->local) == link_local &&
			!nv_addrs_by_ip(&move->addrs, &addr->local) && apply_is_new(move, addr))
			return true;
	}
	return false;
}

/* Whether the new client has renewed it: then it expires later than was planned. */
static bool apply_is_renewed(const struct nv_addrs *now, const struct nv_addr *addr)
{
	const struct nv_addr *there = nv_addrs_by_ip(now, &addr->local);

	return there && there->valid_lft > addr->valid_lft;
}

/* One of IPv4 that was there when the plan was made, and not what somebody added since. */
static bool apply_may_be_leased(const struct nv_move *move, const struct nv_addr *addr)
{
	return addr->local.family == AF_INET && nv_addrs_by_ip(&move->seen, &addr->local);
}

/*
 * The inherited address that was leased: the first that expires; if none does, the first of all,
 * for some clients give addresses no lifetime (udhcpc). The count: there is none.
 */
static size_t apply_find_lease(const struct nv_move *move)
{
	size_t found = move->addrs.count;

	for (size_t i = move->addrs.count; i-- > move->n_configured_addrs;) {
		const struct nv_addr *addr = &move->addrs.addr[i];

		if (!apply_may_be_leased(move, addr))
			continue;
		if (found == move->addrs.count || addr->valid_lft != NV_LFT_FOREVER ||
			move->addrs.addr[found].valid_lft == NV_LFT_FOREVER)
			found = i;
	}
	return found;
}

/* Removes an address from the plan, so that it is not added again. */
static void apply_forget_addr(struct nv_move *move, size_t index)
{
	struct nv_addrs *addrs = &move->addrs;

	addrs->count--;
	memmove(&addrs->addr[index], &addrs->addr[index + 1],
		(addrs->count - index) * sizeof(addrs->addr[0]));
}

/* In place of the old lease there is another address. */
static void apply_drop_old_lease(
	struct nv_kernel *kernel, struct nv_move *move, const struct nv_addrs *now)
{
	size_t index = apply_find_lease(move);
	struct nv_addr old;

	if (index == move->addrs.count || apply_is_renewed(now, &move->addrs.addr[index]))
		return;
	old = move->addrs.addr[index];
	old.ifindex = move->to;
	/*
	 * Otherwise the new address would be removed together with the old one, if it is a
	 * secondary of it.
	 */
	nv_sysctls_set(kernel, "ipv4", move->to_name, "promote_secondaries", "1");
	nv_kernel_addr_del(kernel, &old);
	apply_forget_addr(move, index);
}

/* The client has the same lease again, and gives its address no lifetime. */
static void apply_keep_lease(
	struct nv_kernel *kernel, struct nv_move *move, const struct nv_addrs *now)
{
	for (size_t i = move->n_configured_addrs; i < move->addrs.count; i++) {
		struct nv_addr *addr = &move->addrs.addr[i];
		struct nv_addr mine;

		if (!apply_may_be_leased(move, addr) || addr->valid_lft == NV_LFT_FOREVER ||
			apply_is_renewed(now, addr))
			continue;
		addr->valid_lft = addr->preferred_lft = NV_LFT_FOREVER;
		mine = *addr;
		mine.ifindex = move->to;
		nv_kernel_addr_add(kernel, &mine, true);
	}
}

void nv_apply_before_lease(struct nv_kernel *kernel, struct nv_move *move)
{
	nv_addrs_auto(&move->had);
	nv_kernel_addrs(kernel, move->to, &move->had);
}

bool nv_apply_leased(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	NV_AUTO(nv_addrs) struct nv_addrs now = {};
	bool leased = true;

	if (nv_kernel_addrs(kernel, move->to, &now) < 0)
		return true;
	if (apply_has_other(move, &now, false))
		apply_drop_old_lease(kernel, move, &now);
	else if (apply_has_other(move, &now, true))
		leased = false;
	else
		apply_keep_lease(kernel, move, &now);
	nv_apply_keep(kernel, plan, move);
	return leased;
}
