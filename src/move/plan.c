/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/plan.h"

#include "rcconf/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct planner {
	const struct nv_snapshot *snapshot;
	const char *lagg;
	struct nv_plan plan;
	struct nv_routes networks; /* those that the kernel has added with addresses */
	struct nv_str *why;
	bool exclusive; /* take from rc.conf only */
};

bool nv_plan_route_counts(const struct nv_route *route)
{
	return route->protocol != RTPROT_KERNEL && route->protocol != RTPROT_REDIRECT &&
	       route->protocol != NV_RTPROT_BACKUP;
}

static bool plan_is_link_local(const struct nv_addr *addr)
{
	return addr->local.family == AF_INET6 && nv_ip_is_link_local(&addr->local);
}

static bool plan_configures_family(const struct nv_interface *wanted, int family)
{
	for (size_t i = 0; wanted && i < wanted->addrs.count; i++)
		if (wanted->addrs.addr[i].local.family == family)
			return true;
	return false;
}

/* Whether rc.conf asks for a protocol that makes addresses of this family. */
static bool plan_is_dynamic(const struct nv_interface *wanted, int family)
{
	if (!wanted)
		return false;
	return family == AF_INET ? wanted->dhcp.mode != NV_DHCP_NO : wanted->accept_rtadv;
}

static bool plan_inherits_family(const struct nv_interface *wanted, int family)
{
	return plan_is_dynamic(wanted, family) ||
	       (!(wanted && wanted->exclusive) && !plan_configures_family(wanted, family));
}

static bool plan_inherits(const struct nv_interface *wanted, const struct nv_addr *addr)
{
	return !(addr->flags & IFA_F_DADFAILED) &&
	       (plan_is_link_local(addr) || plan_inherits_family(wanted, addr->local.family));
}

struct nv_addr nv_plan_addr_on(const struct nv_addr *addr, const char *from, const char *to)
{
	const uint32_t kept = IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR | IFA_F_HOMEADDRESS |
			      IFA_F_MCAUTOJOIN | IFA_F_NODAD;
	size_t length = strlen(from);
	struct nv_addr moved = *addr;

	moved.ifindex = 0;
	moved.flags &= kept;
	moved.label[0] = '\0';
	if (strncmp(addr->label, from, length) == 0 &&
		(addr->label[length] == ':' || !addr->label[length]))
		if (snprintf(moved.label, sizeof(moved.label), "%s%s", to, addr->label + length) >=
			(int)sizeof(moved.label))
			moved.label[0] = '\0';
	return moved;
}

static int plan_find_networks(struct planner *planner)
{
	const struct nv_rtobjs *live = &planner->snapshot->objs;
	int r = 0;

	nv_each_rtobj (obj, live) {
		NV_AUTO(nv_routes) struct nv_routes hops = {};

		if (r == 0)
			r = nv_rtobj_route(obj, &hops);
		if (r == 0 && hops.count && nv_route_is_network(&hops.route[0]))
			r = nv_routes_add(&planner->networks, &hops.route[0]);
		r = r == -ENOMSG ? 0 : r;
	}
	return r;
}

/* The same address on the new interface, where an earlier run has put it; NULL: there is none. */
static const struct nv_addr *plan_find_moved(
	const struct planner *planner, const struct nv_move *move, const struct nv_addr *addr)
{
	const struct nv_addrs *live = &planner->snapshot->addrs;
	const struct nv_link *to = nv_links_by_name(&planner->snapshot->links, move->to_name);

	for (size_t i = 0; to && to->ifindex != move->from && i < live->count; i++)
		if (live->addr[i].ifindex == to->ifindex &&
			nv_ip_equal(&live->addr[i].local, &addr->local))
			return &live->addr[i];
	return NULL;
}

/*
 * Whether an earlier run, which was killed, may have removed the routes to the old interface's
 * networks: it has closed that, or it is a VLAN whose replacement does not exist yet.
 */
static bool plan_was_stripped(const struct nv_move *move, const struct nv_link *from)
{
	return from->addr_gen_mode == IN6_ADDR_GEN_MODE_NONE ||
	       nv_streq(move->from_name, move->to_name);
}

/*
 * Whether the address has no route to its network although it is not flagged so: somebody has
 * removed that, or a router has said that the prefix is not on-link (RFC 4861, 4.6.2).
 */
static bool plan_lacks_network(const struct planner *planner, const struct nv_move *move,
	const struct nv_link *from, const struct nv_addr *addr)
{
	bool is_ipv4 = addr->local.family == AF_INET;
	const struct nv_addr *there = plan_find_moved(planner, move, addr);

	if (there)
		return there->flags & IFA_F_NOPREFIXROUTE;
	if (plan_was_stripped(move, from))
		return false;
	if (!(from->flags & IFF_UP) || addr->prefix_len == (is_ipv4 ? 32 : 128) ||
		(addr->flags & IFA_F_NOPREFIXROUTE) || plan_is_link_local(addr))
		return false;
	for (size_t i = 0; i < planner->networks.count; i++) {
		const struct nv_route *route = &planner->networks.route[i];

		if (route->oif == from->ifindex && route->destination_len == addr->prefix_len &&
			nv_ip_within(addr->has_peer ? &addr->peer : &addr->local,
				&route->destination, route->destination_len))
			return false;
	}
	return true;
}

/* Whether rc.conf has this local address, with whatever network. */
static bool plan_has_configured(const struct nv_move *move, const struct nv_addr *addr)
{
	for (size_t i = 0; i < move->n_configured_addrs; i++)
		if (nv_ip_equal(&move->addrs.addr[i].local, &addr->local))
			return true;
	return false;
}

/* Of IPv4, an interface may have one local address with several prefix lengths or peers. */
static int plan_addrs(struct planner *planner, struct nv_move *move, const struct nv_link *from,
	const struct nv_interface *wanted)
{
	const struct nv_addrs *live = &planner->snapshot->addrs;
	int r;

	move->inherits4 = plan_inherits_family(wanted, AF_INET);
	move->inherits6 = plan_inherits_family(wanted, AF_INET6);
	for (size_t i = 0; wanted && i < wanted->addrs.count; i++) {
		r = nv_addrs_add(&move->addrs, &wanted->addrs.addr[i]);
		if (r < 0)
			return r;
	}
	move->n_configured_addrs = move->addrs.count;
	for (size_t i = 0; move->from && i < live->count; i++) {
		const struct nv_addr *addr = &live->addr[i];
		struct nv_addr moved;

		if (addr->ifindex != move->from)
			continue;
		r = nv_addrs_add(&move->seen, addr);
		if (r < 0)
			return r;
		if (plan_has_configured(move, addr))
			continue;
		if (!plan_inherits(wanted, addr)) {
			r = nv_rtobjs_add_addr(&planner->plan.dropped, addr);
			if (r < 0)
				return r;
			continue;
		}
		moved = nv_plan_addr_on(addr, move->from_name, move->to_name);
		if (plan_lacks_network(planner, move, from, addr))
			moved.flags |= IFA_F_NOPREFIXROUTE;
		r = nv_addrs_add(&move->addrs, &moved);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool plan_is_configured(const struct nv_move *move, const struct nv_route *route)
{
	for (size_t i = 0; i < move->routes.count; i++)
		if (nv_route_same_destination(&move->routes.route[i], route))
			return true;
	return false;
}

/* Routes without a gateway first: a gateway must be reachable before a route can use it. */
static int plan_configured_routes(struct nv_move *move, const struct nv_interface *wanted)
{
	int r = 0;

	for (int gateway = 0; wanted && gateway <= 1; gateway++)
		for (size_t i = 0; i < wanted->routes.count && r == 0; i++)
			if (wanted->routes.route[i].has_gateway == gateway)
				r = nv_routes_add(&move->routes, &wanted->routes.route[i]);
	return r;
}

static void plan_link(
	struct nv_move *move, const struct nv_link *from, const struct nv_interface *wanted)
{
	move->up = wanted ? wanted->up : !from || (from->flags & IFF_UP);
	move->accept_rtadv = wanted && wanted->accept_rtadv;
	move->mtu = wanted ? wanted->mtu : 0;
	if (!move->mtu && from)
		move->mtu = from->mtu;
	if (from) {
		move->tx_queue_len = from->tx_queue_len;
		move->group = from->group;
		move->token = from->token;
	}
	if (wanted && wanted->description)
		nv_strcopy(move->description, sizeof(move->description), wanted->description);
	else if (from)
		nv_strcopy(move->description, sizeof(move->description), from->alias);
	if (wanted)
		move->dhcp = wanted->dhcp;
	if (plan_is_dynamic(wanted, AF_INET))
		move->client = NV_CLIENT_START;
	else if (plan_configures_family(wanted, AF_INET) || (wanted && wanted->exclusive))
		move->client = NV_CLIENT_STOP;
	else
		move->client = NV_CLIENT_MOVE;
}

static bool plan_is_stacked_on(const struct nv_link *link, int ifindex)
{
	return link->lower == ifindex && !link->lower_elsewhere && link->kind[0] &&
	       strcmp(link->kind, "veth") != 0;
}

static int plan_refuse(struct planner *planner, const struct nv_link *from)
{
	nv_str_printf(planner->why,
		"; or let %s keep everything, in transparent mode (netvf_vf_transparent)",
		from->name);
	return -EBUSY;
}

/*
 * For a moment two ports of a bridge lead to the same wire and must be isolated from each other.
 * With a spanning tree the second port would be blocked for its forward delay, half a minute.
 */
static int plan_check_bridge(struct planner *planner, const struct nv_link *from,
	const struct nv_link *bridge, const char *to_name)
{
	const struct nv_links *links = &planner->snapshot->links;
	const struct nv_link *to = nv_links_by_name(links, to_name);

	if (bridge->stp) {
		nv_str_printf(planner->why,
			"%s is a port of %s, whose spanning tree would block %s for its forward delay; switch it off (ip link set %s type bridge stp_state 0)",
			from->name, bridge->name, to_name, bridge->name);
		return plan_refuse(planner, from);
	}
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *other = &links->link[i];

		if (other->master != bridge->ifindex || !other->isolated || other == from ||
			other == to || from->isolated)
			continue;
		nv_str_printf(planner->why,
			"%s is a port of %s, and so is %s, which is isolated and could not reach it during the move; switch that off (bridge link set dev %s isolated off)",
			from->name, bridge->name, other->name, other->name);
		return plan_refuse(planner, from);
	}
	return 0;
}

static int plan_port(struct planner *planner, struct nv_move *move, const struct nv_link *from,
	const struct nv_link *bridge)
{
	const struct nv_link_map self = {from->ifindex, from->ifindex, from->name, from->name};
	const struct nv_link_maps list = {&self, 1};
	const struct nv_links *links = &planner->snapshot->links;
	const struct nv_link *to = nv_links_by_name(links, move->to_name);
	const struct nv_rtobjs *ports = &planner->snapshot->ports;
	int r = plan_check_bridge(planner, from, bridge, move->to_name);

	nv_each_rtobj (obj, ports)
		if (r == 0 && nv_rtobj_refers(obj, &list))
			r = nv_rtobjs_add(&move->port, obj);
	if (r == 0 && !move->port.count) {
		nv_str_printf(planner->why,
			"%s is a port of %s, and the kernel does not report its settings there",
			from->name, bridge->name);
		return plan_refuse(planner, from);
	}
	move->both = to && to != from && to->master == bridge->ifindex;
	nv_strcopy(move->bridge, sizeof(move->bridge), bridge->name);
	return r;
}

static int plan_master(struct planner *planner, struct nv_move *move, const struct nv_link *from)
{
	const struct nv_link *master = nv_links_by_index(&planner->snapshot->links, from->master);

	if (!from->master || (master && nv_streq(master->name, planner->lagg)))
		return 0;
	if (master && nv_streq(master->kind, "bridge"))
		return plan_port(planner, move, from, master);
	nv_str_printf(planner->why, "%s is a port of %s, which is not a bridge", from->name,
		master ? master->name : "another interface");
	return plan_refuse(planner, from);
}

static void plan_tell_stacked(
	struct planner *planner, const struct nv_link *link, const struct nv_link *from)
{
	if (nv_streq(link->kind, "vxlan"))
		nv_str_printf(planner->why,
			"%s (vxlan) sends by %s, because it was made with 'dev', and its remote would not be reached from there any more; make it without 'dev', or on %s",
			link->name, from->name, planner->lagg);
	else
		nv_str_printf(planner->why,
			"%s (%s) is stacked on %s, and the kernel cannot move it to another device: a new one would break what uses it; delete it and make it on %s",
			link->name, link->kind, from->name, planner->lagg);
}

/* The one place that says what stacked on hn can move: VLANs. pair/uppers.c lists what there is. */
static int plan_check_stacked(struct planner *planner, const struct nv_link *from)
{
	const struct nv_links *links = &planner->snapshot->links;

	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];

		if (plan_is_stacked_on(link, from->ifindex) && strcmp(link->kind, "vlan") != 0) {
			plan_tell_stacked(planner, link, from);
			return plan_refuse(planner, from);
		}
	}
	return 0;
}

static int plan_vlan(struct planner *planner, struct nv_move *move, const struct nv_link *from)
{
	const struct nv_link *lower = nv_links_by_index(&planner->snapshot->links, from->lower);

	if (from->vlan_length > sizeof(move->vlan)) {
		nv_str_printf(planner->why,
			"the VLAN %s has more priority mappings than can be kept", from->name);
		return plan_refuse(planner, from);
	}
	memcpy(move->vlan, from->vlan, from->vlan_length);
	move->vlan_length = from->vlan_length;
	move->addr_gen_mode = from->addr_gen_mode;
	move->has_mac = lower && lower->has_mac && from->has_mac &&
			memcmp(lower->mac, from->mac, NV_MAC_LEN) != 0;
	memcpy(move->mac, from->mac, NV_MAC_LEN);
	return 0;
}

static int plan_one(struct planner *planner, const struct nv_link *from, const struct nv_move *like,
	const struct nv_interface *wanted, size_t *ret_index)
{
	struct nv_plan *plan = &planner->plan;
	struct nv_move *more;
	struct nv_move *move;
	int r;

	if (wanted && !wanted->configured)
		wanted = NULL;
	if (plan->count >= NV_MOVES_MAX)
		return -E2BIG;
	more = reallocarray(plan->move, plan->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	plan->move = more;
	*ret_index = plan->count;
	move = &plan->move[plan->count++];
	*move = *like;
	if (from) {
		move->from = move->was = from->ifindex;
		nv_strcopy(move->from_name, sizeof(move->from_name), from->name);
		r = plan_master(planner, move, from);
		if (r == 0)
			r = plan_check_stacked(planner, from);
		if (r == 0)
			r = plan_vlan(planner, move, from);
		if (r < 0)
			return r;
	}
	plan->is_configured |= wanted != NULL;
	plan_link(move, from, wanted);
	r = plan_addrs(planner, move, from, wanted);
	return r < 0 ? r : plan_configured_routes(move, wanted);
}

static const struct nv_link *plan_find_vlan(const struct nv_links *links, int lower, uint16_t id)
{
	const struct nv_link *link = nv_links_next_vlan(links, lower, 0);

	while (link && link->vlan_id != id)
		link = nv_links_next_vlan(links, lower, link->ifindex);
	return link;
}

static bool plan_wants_vlan(const struct nv_interface *wanted, uint16_t id)
{
	for (size_t i = 0; wanted && i < wanted->n_vlans; i++)
		if (wanted->vlan[i].id == id)
			return true;
	return false;
}

/* hn0.5 becomes lagg0.5; a VLAN with another name keeps it. */
static int plan_name_vlan(const struct nv_link *from, const struct nv_move *lower, char *ret_name)
{
	size_t length = strlen(lower->from_name);
	int n;

	if (strncmp(from->name, lower->from_name, length) != 0 || from->name[length] != '.')
		n = snprintf(ret_name, IFNAMSIZ, "%s", from->name);
	else
		n = snprintf(ret_name, IFNAMSIZ, "%s%s", lower->to_name, from->name + length);
	return n < IFNAMSIZ ? 0 : -ENAMETOOLONG;
}

/* The lagg may have that VLAN already, from a run before this one was made on hn. */
static int plan_check_vlan(
	struct planner *planner, const struct nv_link *from, const struct nv_move *vlan)
{
	const struct nv_links *links = &planner->snapshot->links;
	const struct nv_link *lagg = nv_links_by_name(links, planner->lagg);
	const struct nv_link *there =
		lagg && !vlan->lower ? plan_find_vlan(links, lagg->ifindex, vlan->vlan_id) : NULL;

	if (!there || nv_streq(there->name, vlan->to_name) ||
		there->vlan_is_8021ad != from->vlan_is_8021ad)
		return 0;
	nv_str_printf(planner->why,
		"%s is its VLAN %u, and %s has that VLAN already, as %s; delete %s, and configure %s",
		from->name, vlan->vlan_id, lagg->name, there->name, from->name, there->name);
	return -EBUSY;
}

bool nv_plan_is_late(const struct nv_plan *plan, const struct nv_move *move)
{
	for (; move->vlan_id; move = &plan->move[move->lower])
		if (nv_streq(move->from_name, move->to_name))
			return true;
	return false;
}

static int plan_tree(struct planner *planner, const struct nv_link *from,
	const struct nv_move *like, const struct nv_interface *wanted)
{
	const struct nv_links *links = &planner->snapshot->links;
	struct nv_move vlan = {};
	size_t index = 0;
	int r = plan_one(planner, from, like, wanted, &index);

	vlan.lower = index;
	for (size_t i = 0; r == 0 && wanted && i < wanted->n_vlans; i++) {
		const struct nv_vlan_wanted *said = &wanted->vlan[i];

		vlan.vlan_id = said->id;
		nv_strcopy(vlan.to_name, sizeof(vlan.to_name), said->name);
		r = plan_tree(planner, from ? plan_find_vlan(links, from->ifindex, said->id) : NULL,
			&vlan, said->config);
	}
	for (size_t i = 0; r == 0 && from && i < links->count; i++) {
		const struct nv_link *link = &links->link[i];

		if (!plan_is_stacked_on(link, from->ifindex) ||
			plan_wants_vlan(wanted, link->vlan_id))
			continue;
		vlan.vlan_id = link->vlan_id;
		r = plan_name_vlan(link, &planner->plan.move[index], vlan.to_name);
		if (r == 0)
			r = plan_check_vlan(planner, link, &vlan);
		if (r == 0)
			r = plan_tree(planner, link, &vlan, NULL);
	}
	return r;
}

static const struct nv_move *plan_find_move(const struct nv_plan *plan, int from)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].from == from)
			return &plan->move[i];
	return NULL;
}

/*
 * Whether a network's route looks like the kernel's but was added by somebody (NetworkManager does
 * this).
 */
static bool plan_is_made_by_hand(const struct nv_move *move, const struct nv_route *route)
{
	for (size_t i = 0; i < move->addrs.count; i++)
		if ((move->addrs.addr[i].flags & IFA_F_NOPREFIXROUTE) &&
			nv_ip_within(&move->addrs.addr[i].local, &route->destination,
				route->destination_len))
			return route->type == RTN_UNICAST && route->table != RT_TABLE_LOCAL;
	return false;
}

bool nv_plan_is_copied_network(const struct nv_route *route)
{
	return nv_route_is_network(route) && route->table != RT_TABLE_MAIN;
}

/* Whether a route's source address was on the old interface and will not be on the new one. */
static bool plan_loses_source(
	const struct planner *planner, const struct nv_move *move, const struct nv_route *route)
{
	const struct nv_addrs *live = &planner->snapshot->addrs;

	for (size_t i = 0; route->has_source && i < live->count; i++)
		if (live->addr[i].ifindex == move->from &&
			nv_ip_equal(&live->addr[i].local, &route->source))
			return !nv_addrs_by_ip(&move->addrs, &route->source);
	return false;
}

/* What happens to an object. */
enum way {
	WAY_NONE, /* nothing: the kernel adds it */
	WAY_ALONG,
	WAY_DROPPED,
};

static enum way plan_way_of_route(const struct planner *planner, const struct nv_route *route)
{
	const struct nv_move *move = plan_find_move(&planner->plan, route->oif);

	if (!move || (!nv_plan_route_counts(route) && !nv_plan_is_copied_network(route) &&
			     !plan_is_made_by_hand(move, route)))
		return WAY_NONE;
	/* What a router advertised moves too: it expires if the router is silent. */
	if (planner->exclusive && route->protocol != RTPROT_RA)
		return WAY_DROPPED;
	return plan_is_configured(move, route) || plan_loses_source(planner, move, route)
		       ? WAY_DROPPED
		       : WAY_ALONG;
}

struct placement {
	enum nv_rtobj_kind kind;
	enum way way;
	bool has_gateway; /* the route or one of its next hops */
};

/* A route with several next hops moves if any of them does. */
static int plan_place(
	const struct planner *planner, const struct nv_rtobj *obj, struct placement *ret_place)
{
	NV_AUTO(nv_routes) struct nv_routes hops = {};
	struct placement place = {.kind = nv_rtobj_kind(obj)};
	int r = nv_rtobj_route(obj, &hops);

	if (r == -ENOMEM)
		return r;
	if (r == -ENOMSG)
		place.way =
			planner->exclusive && !nv_rtobj_is_learnt(obj) ? WAY_DROPPED : WAY_ALONG;
	for (size_t i = 0; i < hops.count; i++) {
		enum way hop = plan_way_of_route(planner, &hops.route[i]);

		if (place.way != WAY_ALONG && hop != WAY_NONE)
			place.way = hop;
		place.has_gateway |= hops.route[i].has_gateway;
	}
	/*
	 * An object that also names other interfaces, or is used by others, would be removed from
	 * these too.
	 */
	if (place.way == WAY_DROPPED && nv_rtobj_is_shared(obj))
		place.way = WAY_ALONG;
	*ret_place = place;
	return 0;
}

static int plan_obj(struct planner *planner, const struct nv_rtobj *obj, enum way way)
{
	switch (way) {
	case WAY_NONE:
		return 0;
	case WAY_ALONG:
		return nv_rtobjs_add(&planner->plan.objs, obj);
	case WAY_DROPPED:
		return nv_rtobjs_add(&planner->plan.dropped, obj);
	}
	return 0;
}

/* In the order of their kinds; of each, those without a gateway first. */
static int plan_objs(struct planner *planner)
{
	const struct nv_rtobjs *live = &planner->snapshot->objs;
	NV_AUTO(nv_free) struct placement *place = calloc(live->count + 1, sizeof(*place));
	int r = place ? 0 : -ENOMEM;
	size_t i = 0;

	nv_each_rtobj (obj, live)
		if (r == 0)
			r = plan_place(planner, obj, &place[i++]);
	for (unsigned int kind = 0; kind < NV_RTOBJ_KINDS; kind++)
		for (int gateway = 0; gateway <= 1; gateway++) {
			i = 0;
			nv_each_rtobj (obj, live) {
				const struct placement *its = &place[i++];

				if (r == 0 && its->kind == kind && its->has_gateway == gateway)
					r = plan_obj(planner, obj, its->way);
			}
		}
	return r;
}

int nv_plan_make(const struct nv_snapshot *snapshot, int hn, const char *lagg,
	const struct nv_interface *wanted, struct nv_plan *ret_plan, struct nv_str *ret_why)
{
	struct planner planner = {
		.snapshot = snapshot,
		.lagg = lagg,
		.why = ret_why,
		.exclusive = wanted && wanted->configured && wanted->exclusive,
	};
	const struct nv_link *from = nv_links_by_index(&snapshot->links, hn);
	struct nv_move first = {};
	int r;

	if (!from)
		return -ENODEV;
	if (!nv_strcopy(first.to_name, sizeof(first.to_name), lagg))
		return -ENAMETOOLONG;
	planner.plan.exclusive = planner.exclusive;
	r = plan_find_networks(&planner);
	if (r == 0)
		r = plan_tree(&planner, from, &first, wanted);
	if (r == 0)
		r = plan_objs(&planner);
	nv_routes_auto(&planner.networks);
	if (r < 0)
		nv_plan_auto(&planner.plan);
	else
		*ret_plan = planner.plan;
	return r;
}

bool nv_plan_is_empty(const struct nv_plan *plan)
{
	const struct nv_move *move = plan->move;

	for (size_t i = 0; i < move->addrs.count; i++)
		if (!plan_is_link_local(&move->addrs.addr[i]))
			return false;
	return plan->count == 1 && !plan->is_configured && !move->routes.count &&
	       !plan->objs.count && !move->bridge[0];
}

void nv_plan_auto(struct nv_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		nv_addrs_auto(&plan->move[i].addrs);
		nv_addrs_auto(&plan->move[i].seen);
		nv_addrs_auto(&plan->move[i].had);
		nv_routes_auto(&plan->move[i].routes);
		nv_rtobjs_auto(&plan->move[i].port);
		nv_words_auto(&plan->move[i].sysctls);
	}
	free(plan->move);
	nv_rtobjs_auto(&plan->objs);
	nv_rtobjs_auto(&plan->dropped);
	*plan = (struct nv_plan){};
}

void nv_snapshot_auto(struct nv_snapshot *snapshot)
{
	nv_links_auto(&snapshot->links);
	nv_addrs_auto(&snapshot->addrs);
	nv_rtobjs_auto(&snapshot->objs);
	nv_rtobjs_auto(&snapshot->ports);
}
