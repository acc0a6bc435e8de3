/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/journal.h"

#include "base/log.h"
#include "kernel/bridge_port.h"
#include "move/addresses.h"
#include "move/dhcp_clients.h"
#include "move/sysctls.h"

#include <errno.h>
#include <string.h>
#include <time.h>

void nv_journal_auto(struct nv_journal *journal)
{
	nv_rtobjs_auto(&journal->addrs);
	nv_rtobjs_auto(&journal->displaced);
	nv_rtobjs_auto(&journal->ports);
	nv_rtobjs_auto(&journal->configured);
	*journal = (struct nv_journal){};
}

static uint64_t journal_now_since_boot(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

static void journal_read_sysctl(struct nv_kernel *kernel, const char *family, const char *ifname,
	const char *name, char ret_value[16])
{
	char path[NV_SYSCTL_PATH_MAX];

	snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, ifname, name);
	if (nv_kernel_sysctl_read(kernel, path, ret_value, 16) < 0)
		ret_value[0] = '\0';
}

static struct nv_journal_settings journal_read_settings(
	struct nv_kernel *kernel, const struct nv_link *hn)
{
	struct nv_journal_settings settings = {
		.mtu = hn->mtu,
		.up = hn->flags & IFF_UP,
		.all_multicast = hn->flags & IFF_ALLMULTI,
		.promiscuous = hn->flags & IFF_PROMISC,
		.addr_gen_mode = hn->addr_gen_mode,
	};

	journal_read_sysctl(kernel, "ipv6", hn->name, "accept_ra", settings.accept_ra);
	journal_read_sysctl(kernel, "ipv4", hn->name, "rp_filter", settings.rp_filter);
	return settings;
}

/*
 * hn's own settings. Where hn still has a port's value, the journal has hn's own; otherwise
 * somebody has set it since, and the current value is hn's own.
 */
static struct nv_journal_settings journal_find_own(
	const struct nv_journal *journal, const struct nv_journal_settings *live)
{
	struct nv_journal_settings own = *live;
	const struct nv_journal_settings *then = &journal->settings;

	if (!journal->hn)
		return own;
	own.up &= then->up;
	own.all_multicast &= then->all_multicast;
	own.promiscuous &= then->promiscuous;
	if (live->mtu == journal->lagg_mtu)
		own.mtu = then->mtu;
	if (live->addr_gen_mode == IN6_ADDR_GEN_MODE_NONE)
		own.addr_gen_mode = then->addr_gen_mode;
	if (nv_streq(live->accept_ra, "0"))
		nv_strcopy(own.accept_ra, sizeof(own.accept_ra), then->accept_ra);
	if (nv_streq(live->rp_filter, "2"))
		nv_strcopy(own.rp_filter, sizeof(own.rp_filter), then->rp_filter);
	return own;
}

static bool journal_is_several(const struct nv_rtobj *obj)
{
	return nv_rtobj_kind(obj) == NV_RTOBJ_ROUTE && nv_rtobj_is_shared(obj);
}

/* Of what does not move, keeps what belongs to hn and not to a VLAN. */
static int journal_take_displaced(const struct nv_plan *plan, struct nv_journal *journal)
{
	const struct nv_move *move = &plan->move[0];
	const struct nv_link_map hn = {move->from, move->from, move->from_name, move->from_name};
	const struct nv_link_maps list = {&hn, 1};
	int r = 0;

	nv_each_rtobj (obj, &plan->dropped) {
		struct nv_addr addr;
		bool ours = nv_rtobj_refers(obj, &list) ||
			    (nv_rtobj_addr(obj, &addr) == 0 && addr.ifindex == move->from);

		if (ours && r == 0)
			r = nv_rtobjs_add(&journal->displaced, obj);
	}
	/*
	 * Whether one of several next hops can be reached from the lagg is known only when it is
	 * tried.
	 */
	nv_each_rtobj (obj, &plan->objs)
		if (r == 0 && plan->is_configured && journal_is_several(obj) &&
			nv_rtobj_refers(obj, &list))
			r = nv_rtobjs_add(&journal->displaced, obj);
	return r;
}

static int journal_take_config(
	const struct nv_snapshot *now, const struct nv_plan *plan, struct nv_journal *journal)
{
	const struct nv_move *move = &plan->move[0];
	int r = journal_take_displaced(plan, journal);

	for (size_t i = 0; i < now->addrs.count && r == 0; i++)
		if (now->addrs.addr[i].ifindex == move->from &&
			!(now->addrs.addr[i].flags & IFA_F_DADFAILED))
			r = nv_rtobjs_add_addr(&journal->addrs, &now->addrs.addr[i]);
	for (size_t i = 0; i < move->n_configured_addrs && r == 0; i++)
		r = nv_rtobjs_add_addr(&journal->configured, &move->addrs.addr[i]);
	for (size_t i = 0; i < move->routes.count && r == 0; i++)
		r = nv_rtobjs_add_route(&journal->configured, &move->routes.route[i]);
	return r;
}

/*
 * The bridge port that a link was, or that its counterpart was before a run in the other direction;
 * NULL: the journal has none.
 */
static const struct nv_rtobj *journal_find_port(
	const struct nv_journal *journal, const struct nv_rtobj *live)
{
	const struct nv_rtobj *found = NULL;

	nv_each_rtobj (port, &journal->ports)
		if (nv_brport_bridge(port) == nv_brport_bridge(live) &&
			(!found || nv_brport_link(port) == nv_brport_link(live)))
			found = port;
	return found;
}

/* Copies @live, but with @port as the first object. */
static int journal_replace_port(struct nv_rtobjs *live, const struct nv_rtobj *port)
{
	NV_AUTO(nv_rtobjs) struct nv_rtobjs objs = {};
	int r = nv_rtobjs_add(&objs, port);

	nv_each_rtobj (obj, live)
		if (r == 0 && nv_rtobj_kind(obj) != NV_RTOBJ_BRPORT)
			r = nv_rtobjs_add(&objs, obj);
	if (r < 0)
		return r;
	nv_rtobjs_auto(live);
	*live = TAKE_STRUCT(objs);
	return 0;
}

int nv_journal_ports(struct nv_journal *journal, struct nv_plan *plan)
{
	NV_AUTO(nv_rtobjs) struct nv_rtobjs ports = {};
	int r = 0;

	for (size_t i = 0; i < plan->count && r == 0; i++) {
		struct nv_move *move = &plan->move[i];
		const struct nv_rtobj *live = nv_rtobjs_next(&move->port, NULL);
		const struct nv_rtobj *then =
			live && move->both ? journal_find_port(journal, live) : NULL;

		if (then)
			r = journal_replace_port(&move->port, then);
		if (r == 0 && live)
			r = nv_rtobjs_add(&ports, nv_rtobjs_next(&move->port, NULL));
	}
	if (r < 0)
		return r;
	nv_rtobjs_auto(&journal->ports);
	journal->ports = TAKE_STRUCT(ports);
	return 0;
}

int nv_journal_take(struct nv_kernel *kernel, const struct nv_link *hn,
	const struct nv_snapshot *now, const struct nv_plan *plan, bool whole,
	struct nv_journal *journal)
{
	const struct nv_journal_settings live = journal_read_settings(kernel, hn);

	journal->settings = journal_find_own(journal, &live);
	journal->lagg_mtu = plan->move[0].mtu;
	if (journal->hn && !whole)
		return 0;
	nv_rtobjs_auto(&journal->addrs);
	nv_rtobjs_auto(&journal->displaced);
	nv_rtobjs_auto(&journal->configured);
	journal->hn = hn->ifindex;
	memcpy(journal->mac, hn->mac, NV_MAC_LEN);
	journal->taken = journal_now_since_boot();
	nv_dhcp_clients_ended(&plan->move[0], journal->client, sizeof(journal->client));
	return journal_take_config(now, plan, journal);
}

static bool journal_is_addr(const struct nv_addr *a, const struct nv_addr *b)
{
	return nv_ip_equal(&a->local, &b->local) && a->prefix_len == b->prefix_len &&
	       a->has_peer == b->has_peer && (!a->has_peer || nv_ip_equal(&a->peer, &b->peer));
}

static bool journal_has_addr(const struct nv_rtobjs *objs, const struct nv_addr *wanted)
{
	nv_each_rtobj (obj, objs) {
		struct nv_addr addr;

		if (nv_rtobj_addr(obj, &addr) == 0 && journal_is_addr(&addr, wanted))
			return true;
	}
	return false;
}

static const struct nv_addr *journal_find(
	const struct nv_addrs *addrs, const struct nv_addr *wanted)
{
	for (size_t i = 0; i < addrs->count; i++)
		if (journal_is_addr(&addrs->addr[i], wanted))
			return &addrs->addr[i];
	return NULL;
}

static uint32_t journal_lifetime_left(uint32_t lifetime, uint64_t elapsed)
{
	if (lifetime == UINT32_MAX)
		return lifetime;
	return elapsed < lifetime ? lifetime - (uint32_t)elapsed : 0;
}

/* Whether an object that hn had is to be restored, and in which form. */
static bool journal_comes_back(const struct nv_journal *journal, const struct nv_addrs *on_lagg,
	uint64_t elapsed, struct nv_addr *addr)
{
	const struct nv_addr *live = journal_find(on_lagg, addr);
	bool displaced = journal_has_addr(&journal->displaced, addr) ||
			 journal_has_addr(&journal->configured, addr);

	addr->ifindex = 0;
	if (live && !journal_has_addr(&journal->configured, addr)) {
		addr->flags |= live->flags & IFA_F_NOPREFIXROUTE;
		addr->valid_lft = live->valid_lft;
		addr->preferred_lft = live->preferred_lft;
		return true;
	}
	addr->valid_lft = journal_lifetime_left(addr->valid_lft, elapsed);
	addr->preferred_lft = journal_lifetime_left(addr->preferred_lft, elapsed);
	return displaced && addr->valid_lft;
}

static int journal_amend_addrs(const struct nv_journal *journal, struct nv_move *move)
{
	uint64_t now = journal_now_since_boot();
	uint64_t elapsed = now > journal->taken ? now - journal->taken : 0;
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	int r = 0;

	nv_each_rtobj (obj, &journal->addrs) {
		struct nv_addr addr;

		if (r == 0 && nv_rtobj_addr(obj, &addr) == 0 &&
			journal_comes_back(journal, &move->addrs, elapsed, &addr))
			r = nv_addrs_add(&addrs, &addr);
	}
	for (size_t i = 0; i < move->addrs.count && r == 0; i++) {
		const struct nv_addr *addr = &move->addrs.addr[i];

		if (!journal_has_addr(&journal->addrs, addr) &&
			!journal_has_addr(&journal->configured, addr))
			r = nv_addrs_add(&addrs, addr);
	}
	if (r < 0)
		return r;
	nv_addrs_auto(&move->addrs);
	move->addrs = TAKE_STRUCT(addrs);
	return 0;
}

static bool journal_same_route(const struct nv_route *a, const struct nv_route *b)
{
	uint32_t none = a->family == AF_INET6 ? 1024 : 0; /* IP6_RT_PRIO_USER */

	return nv_route_same_destination(a, b) &&
	       (a->priority ? a->priority : none) == (b->priority ? b->priority : none) &&
	       a->has_gateway == b->has_gateway &&
	       (!a->has_gateway || nv_ip_equal(&a->gateway, &b->gateway));
}

/* Whether the lagg has a route to the same destination as this one with several next hops. */
static bool journal_has_place(const struct nv_rtobjs *objs, const struct nv_rtobj *several)
{
	NV_AUTO(nv_routes) struct nv_routes wanted = {};

	if (nv_rtobj_route(several, &wanted) < 0 || !wanted.count)
		return false;
	wanted.route[0].has_gateway = false;
	nv_each_rtobj (obj, objs) {
		NV_AUTO(nv_routes) struct nv_routes hops = {};

		if (nv_rtobj_route(obj, &hops) < 0 || !hops.count)
			continue;
		hops.route[0].has_gateway = false;
		if (journal_same_route(&hops.route[0], &wanted.route[0]))
			return true;
	}
	return false;
}

static bool journal_is_configured(const struct nv_routes *said, const struct nv_rtobj *obj)
{
	NV_AUTO(nv_routes) struct nv_routes hops = {};

	if (nv_rtobj_route(obj, &hops) < 0 || hops.count != 1)
		return false;
	for (size_t i = 0; i < said->count; i++)
		if (journal_same_route(&said->route[i], &hops.route[0]))
			return true;
	return false;
}

static int journal_amend_objs(const struct nv_journal *journal,
	const struct nv_link_map *hn_to_lagg, struct nv_plan *plan)
{
	const struct nv_link_maps maps = {hn_to_lagg, 1};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs objs = {};
	NV_AUTO(nv_routes) struct nv_routes said = {};
	int r = 0;

	nv_each_rtobj (obj, &journal->configured)
		nv_rtobj_route(obj, &said);
	nv_each_rtobj (obj, &plan->objs)
		if (r == 0)
			r = nv_rtobjs_add(
				journal_is_configured(&said, obj) ? &plan->dropped : &objs, obj);
	/* The plan's objects name the old interface, which is the lagg now. */
	nv_each_rtobj (obj, &journal->displaced)
		if (r == 0 && nv_rtobj_kind(obj) != NV_RTOBJ_ADDR &&
			!(journal_is_several(obj) && journal_has_place(&plan->objs, obj)))
			r = nv_rtobjs_request(&objs, obj, NV_RTOBJ_REPLACE, &maps);
	if (r < 0)
		return r;
	nv_rtobjs_auto(&plan->objs);
	plan->objs = TAKE_STRUCT(objs);
	return 0;
}

int nv_journal_amend(const struct nv_journal *journal, const struct nv_link_map *hn_to_lagg,
	struct nv_plan *plan)
{
	int r = journal_amend_addrs(journal, &plan->move[0]);

	/* A route whose gateway rc.conf made reachable may have none any more. */
	plan->is_configured |= journal->configured.count > 0;
	return r < 0 ? r : journal_amend_objs(journal, hn_to_lagg, plan);
}

/* Includes the addresses that an earlier run has moved. */
static void journal_complete_addrs(
	struct nv_kernel *kernel, const struct nv_journal *journal, int ifindex)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	nv_each_rtobj (obj, &journal->addrs) {
		struct nv_addr addr;

		if (nv_rtobj_addr(obj, &addr) == 0)
			nv_addrs_add(&addrs, &addr);
	}
	nv_addresses_complete(kernel, ifindex, &addrs);
}

int nv_journal_restore(
	struct nv_kernel *kernel, const struct nv_journal *journal, const struct nv_link *hn)
{
	const struct nv_journal_settings live = journal_read_settings(kernel, hn);
	const struct nv_journal_settings own = journal_find_own(journal, &live);
	struct nv_link_change change = {
		.what = NV_LINK_FLAGS | NV_LINK_ADDR_GEN_MODE,
		.flags_mask = IFF_UP | IFF_ALLMULTI | IFF_PROMISC,
		.to = {.mtu = own.mtu, .addr_gen_mode = own.addr_gen_mode},
	};
	int r;

	if (own.mtu != live.mtu)
		change.what |= NV_LINK_MTU;
	change.to.flags = (own.up ? IFF_UP : 0u) | (own.all_multicast ? IFF_ALLMULTI : 0u) |
			  (own.promiscuous ? IFF_PROMISC : 0u);
	r = nv_kernel_link_set(kernel, hn->ifindex, &change);
	if (r < 0)
		nv_warn("cannot give %s its MTU and flags back: %s", hn->name, nv_strerror(r));
	journal_complete_addrs(kernel, journal, hn->ifindex);
	if (own.accept_ra[0])
		nv_sysctls_set(kernel, "ipv6", hn->name, "accept_ra", own.accept_ra);
	if (own.rp_filter[0])
		nv_sysctls_set(kernel, "ipv4", hn->name, "rp_filter", own.rp_filter);
	return r;
}

void nv_journal_complete(
	struct nv_kernel *kernel, const struct nv_journal *journal, const struct nv_move *move)
{
	const struct nv_journal_settings *own = &journal->settings;

	journal_complete_addrs(kernel, journal, move->to);
	if (own->rp_filter[0])
		nv_sysctls_set(kernel, "ipv4", move->from_name, "rp_filter", own->rp_filter);
}
