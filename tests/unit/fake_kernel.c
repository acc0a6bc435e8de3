/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "fake_kernel.h"

#include "kernel/attrs.h"
#include "kernel/diff.h"
#include "kernel/netlink_ops.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/eventfd.h>

/* One message on its way to a subscriber. */
struct fake_notice {
	struct fake_notice *next;
	enum { NOTICE_LINK, NOTICE_ADDR, NOTICE_UEVENT, NOTICE_PEERS } what;
	bool gone;
	struct nv_link link;
	struct nv_addr addr;
	char *uevent;
};

/* Counts the call; the error that the script has for it, or 0. */
static int call(struct fake_kernel *fake, enum fake_op op)
{
	fake->calls[op]++;
	for (size_t i = 0; i < fake->n_failures; i++) {
		if (fake->failure[i].op == op && fake->failure[i].call == fake->calls[op])
			return fake->failure[i].error;
	}
	return 0;
}

void fake_fail(struct fake_kernel *fake, enum fake_op op, unsigned int nth, int error)
{
	assert_true(fake->n_failures < FAKE_FAILURES_MAX);
	fake->failure[fake->n_failures].op = op;
	fake->failure[fake->n_failures].call = fake->calls[op] + nth;
	fake->failure[fake->n_failures].error = error;
	fake->n_failures++;
}

static void free_notices(struct fake_notice **list)
{
	while (*list) {
		struct fake_notice *notice = *list;

		*list = notice->next;
		free(notice->uevent);
		free(notice);
	}
}

static void wake(struct fake_kernel *fake, enum nv_subscription feed)
{
	if (fake->wake[feed] >= 0)
		assert_int_equal(eventfd_write(fake->wake[feed], 1), 0);
}

static void tell(
	struct fake_kernel *fake, enum nv_subscription feed, const struct fake_notice *notice)
{
	struct fake_notice **end = &fake->notices[feed];
	struct fake_notice *copy;

	if (fake->mute || fake->wake[feed] < 0)
		return;
	copy = malloc(sizeof(*copy));
	assert_non_null(copy);
	*copy = *notice;
	copy->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = copy;
	wake(fake, feed);
}

void fake_notify_peers(struct fake_kernel *fake, int ifindex)
{
	const struct fake_notice notice = {.what = NOTICE_PEERS, .link.ifindex = ifindex};

	tell(fake, NV_SUBSCRIBE_RTNL, &notice);
}

void fake_lose(struct fake_kernel *fake, enum nv_subscription feed)
{
	free_notices(&fake->notices[feed]);
	fake->lost[feed] = true;
	wake(fake, feed);
}

static void tell_link(struct fake_kernel *fake, const struct nv_link *link, bool gone)
{
	struct fake_notice notice = {.what = NOTICE_LINK, .gone = gone, .link = *link};

	/* As in the real messages, which say nothing of it. */
	notice.link.driver[0] = '\0';
	tell(fake, NV_SUBSCRIBE_RTNL, &notice);
}

static void tell_addr(struct fake_kernel *fake, const struct nv_addr *addr, bool gone)
{
	struct fake_notice notice = {.what = NOTICE_ADDR, .gone = gone, .addr = *addr};

	tell(fake, NV_SUBSCRIBE_RTNL, &notice);
}

void fake_uevent(struct fake_kernel *fake, const char *lines)
{
	struct fake_notice notice = {.what = NOTICE_UEVENT, .uevent = strdup(lines)};

	assert_non_null(notice.uevent);
	tell(fake, NV_SUBSCRIBE_UEVENT, &notice);
}

/* What the kernel makes of an administrator's and a driver's word. */
static void work_out_state(struct nv_link *link)
{
	bool on = (link->flags & IFF_UP) && link->carrier;

	link->operstate = IF_OPER_DOWN;
	link->flags &= ~(uint32_t)(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT);
	if (!on)
		return;
	link->flags |= IFF_LOWER_UP;
	if (link->link_mode == IF_LINK_MODE_DORMANT) {
		link->operstate = IF_OPER_DORMANT;
		link->flags |= IFF_DORMANT;
	} else {
		link->operstate = IF_OPER_UP;
		link->flags |= IFF_RUNNING;
	}
}

int fake_put_link(struct fake_kernel *fake, const struct nv_link *link)
{
	struct nv_link copy = *link;

	if (!copy.ifindex)
		copy.ifindex = fake->next_ifindex++;
	if (copy.ifindex >= fake->next_ifindex)
		fake->next_ifindex = copy.ifindex + 1;
	work_out_state(&copy);
	assert_int_equal(nv_links_put(&fake->links, &copy), 0);
	tell_link(fake, &copy, false);
	return copy.ifindex;
}

int fake_make_link(struct fake_kernel *fake, const char *name, const char *driver, uint8_t mac)
{
	struct nv_link link = {
		.type = ARPHRD_ETHER,
		.flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST,
		.mtu = 1500,
		.carrier = true,
		.has_mac = true,
		.has_permanent_mac = true,
		.mac = {2, 0, 0, 0, 0, mac},
		.permanent_mac = {2, 0, 0, 0, 0, mac},
	};

	assert_true(nv_strcopy(link.name, sizeof(link.name), name));
	assert_true(nv_strcopy(link.driver, sizeof(link.driver), driver));
	return fake_put_link(fake, &link);
}

struct nv_link fake_link(struct fake_kernel *fake, const char *name)
{
	const struct nv_link *link = nv_links_by_name(&fake->links, name);

	if (!link)
		fail_msg("there is no link %s", name);
	return *link;
}

void fake_put_addr(struct fake_kernel *fake, const struct nv_addr *addr)
{
	assert_int_equal(nv_addrs_put(&fake->addrs, addr), 0);
	tell_addr(fake, addr, false);
}

void fake_del_addr(struct fake_kernel *fake, const struct nv_addr *addr)
{
	struct nv_addr copy = *addr;

	nv_addrs_remove(&fake->addrs, &copy);
	tell_addr(fake, &copy, true);
}

void fake_del_link(struct fake_kernel *fake, int ifindex)
{
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	struct nv_link copy;
	size_t kept = 0;

	assert_non_null(link);
	copy = *link;
	for (size_t i = fake->addrs.count; i-- > 0;) {
		if (fake->addrs.addr[i].ifindex == ifindex)
			fake_del_addr(fake, &fake->addrs.addr[i]);
	}
	for (size_t i = 0; i < fake->routes.count; i++) {
		if (fake->routes.route[i].oif != ifindex)
			fake->routes.route[kept++] = fake->routes.route[i];
	}
	fake->routes.count = kept;
	nv_links_remove(&fake->links, ifindex);
	tell_link(fake, &copy, true);
}

struct nv_ip fake_ip(const char *text)
{
	struct nv_ip ip = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(ip.family, text, &ip.v6) != 1)
		fail_msg("%s is no address", text);
	return ip;
}

struct nv_addr fake_addr(int ifindex, const char *text)
{
	struct nv_addr addr = {
		.ifindex = ifindex, .valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX};
	NV_AUTO(nv_free) char *copy = strdup(text);
	char *slash;
	unsigned int length;

	assert_non_null(copy);
	slash = strchr(copy, '/');
	assert_non_null(slash);
	*slash = '\0';
	assert_int_equal(nv_parse_u32(slash + 1, 128, &length), 0);
	addr.local = fake_ip(copy);
	addr.prefix_len = (uint8_t)length;
	return addr;
}

static void fake_free(void *self)
{
	struct fake_kernel *fake = self;

	nv_links_auto(&fake->links);
	nv_addrs_auto(&fake->addrs);
	nv_routes_auto(&fake->routes);
	nv_neighs_auto(&fake->neighs);
	nv_mcasts_auto(&fake->mcasts);
	nv_groups_auto(&fake->groups);
	nv_str_auto(&fake->log);
	free_notices(&fake->notices[NV_SUBSCRIBE_RTNL]);
	free_notices(&fake->notices[NV_SUBSCRIBE_UEVENT]);
	nv_fd_auto(&fake->wake[NV_SUBSCRIBE_RTNL]);
	nv_fd_auto(&fake->wake[NV_SUBSCRIBE_UEVENT]);
	free(fake);
}

static int op_links(void *self, struct nv_links *ret_links)
{
	NV_AUTO(nv_links) struct nv_links copy = {};
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_LINKS);

	for (size_t i = 0; i < fake->links.count; i++)
		assert_int_equal(nv_links_put(&copy, &fake->links.link[i]), 0);
	if (fake->during_dump)
		fake->during_dump(fake);
	if (r < 0)
		return r;
	*ret_links = copy;
	copy = (struct nv_links){};
	return 0;
}

static int op_addrs(void *self, int ifindex, struct nv_addrs *ret_addrs)
{
	struct fake_kernel *fake = self;
	struct nv_addrs copy = {};
	int r = call(fake, FAKE_ADDRS);

	if (r < 0)
		return r;
	if (ifindex && !nv_links_by_index(&fake->links, ifindex))
		return -ENODEV;
	for (size_t i = 0; i < fake->addrs.count; i++) {
		if (!ifindex || fake->addrs.addr[i].ifindex == ifindex)
			assert_int_equal(nv_addrs_add(&copy, &fake->addrs.addr[i]), 0);
	}
	*ret_addrs = copy;
	return 0;
}

static int op_routes(void *self, int oif, struct nv_routes *ret_routes)
{
	struct fake_kernel *fake = self;
	struct nv_routes copy = {};
	int r = call(fake, FAKE_ROUTES);

	if (r < 0)
		return r;
	if (oif && !nv_links_by_index(&fake->links, oif))
		return -ENODEV;
	for (size_t i = 0; i < fake->routes.count; i++) {
		if (!oif || fake->routes.route[i].oif == oif)
			assert_int_equal(nv_routes_add(&copy, &fake->routes.route[i]), 0);
	}
	*ret_routes = copy;
	return 0;
}

static int op_neighs(void *self, int ifindex, struct nv_neighs *ret_neighs)
{
	struct fake_kernel *fake = self;
	struct nv_neighs copy = {};
	int r = call(fake, FAKE_NEIGHS);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->neighs.count; i++) {
		if (!ifindex || fake->neighs.neigh[i].ifindex == ifindex)
			assert_int_equal(nv_neighs_add(&copy, &fake->neighs.neigh[i]), 0);
	}
	*ret_neighs = copy;
	return 0;
}

static int op_link(void *self, int ifindex, struct nv_link *ret_link)
{
	struct fake_kernel *fake = self;
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	int r = call(fake, FAKE_LINK);

	if (r < 0)
		return r;
	if (!link)
		return -ENODEV;
	*ret_link = *link;
	return 0;
}

static void apply(struct nv_link *link, const struct nv_link_change *change)
{
	const struct nv_link *to = &change->to;

	if (change->what & NV_LINK_FLAGS)
		link->flags =
			(link->flags & ~change->flags_mask) | (to->flags & change->flags_mask);
	if (change->what & NV_LINK_MTU)
		link->mtu = to->mtu;
	if (change->what & NV_LINK_MAC)
		memcpy(link->mac, to->mac, NV_MAC_LEN);
	if (change->what & NV_LINK_MASTER)
		link->master = to->master;
	if (change->what & NV_LINK_PRIMARY)
		link->primary = to->primary;
	if (change->what & NV_LINK_MODE)
		link->link_mode = to->link_mode;
	if (change->what & NV_LINK_CARRIER)
		link->carrier = to->carrier;
	if (change->what & NV_LINK_ALIAS)
		nv_strcopy(link->alias, sizeof(link->alias), to->alias);
	if (change->what & NV_LINK_NAME)
		nv_strcopy(link->name, sizeof(link->name), to->name);
	if (change->what & NV_LINK_TX_QUEUE_LEN)
		link->tx_queue_len = to->tx_queue_len;
	if (change->what & NV_LINK_GROUP)
		link->group = to->group;
	if (change->what & NV_LINK_TOKEN)
		link->token = to->token;
	if (change->what & NV_LINK_ADDR_GEN_MODE)
		link->addr_gen_mode = to->addr_gen_mode;
}

static void log_change(const struct fake_kernel *fake, struct nv_str *log, const char *verb,
	int ifindex, const char *what)
{
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);

	nv_str_printf(log, "%s %s%s%s\n", verb, link ? link->name : "-", *what ? " " : "", what);
}

/* As bonding does: it takes a port that is down, and opens it; it closes one that leaves. */
static int change_master(
	const struct fake_kernel *fake, const struct nv_link *link, struct nv_link *changed)
{
	const struct nv_link *master = nv_links_by_index(&fake->links, changed->master);

	if (changed->master == link->master)
		return 0;
	if (!changed->master) {
		changed->flags &= ~(uint32_t)IFF_UP;
		return 0;
	}
	if (!master || !nv_streq(master->kind, "bond"))
		return -EOPNOTSUPP;
	if (link->flags & IFF_UP)
		return -EPERM;
	changed->flags |= IFF_UP;
	changed->mtu = master->mtu;
	return 0;
}

static int op_link_set(void *self, int ifindex, const struct nv_link_change *change)
{
	struct fake_kernel *fake = self;
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	const struct nv_link *namesake = nv_links_by_name(&fake->links, change->to.name);
	int r = call(fake, FAKE_LINK_SET);
	struct nv_link changed;

	if (r < 0)
		return r;
	if (!link)
		return -ENODEV;
	if ((change->what & NV_LINK_NAME) && namesake && namesake != link)
		return -EEXIST;
	changed = *link;
	apply(&changed, change);
	r = change_master(fake, link, &changed);
	if (r < 0)
		return r;
	log_change(fake, &fake->log, "link_set", ifindex, "");
	fake_put_link(fake, &changed);
	return 0;
}

static int op_link_add(
	void *self, const struct nv_link *link, const char *peer_name, int *ret_ifindex)
{
	struct fake_kernel *fake = self;
	struct nv_link copy = *link;
	struct nv_link peer = *link;
	int r = call(fake, FAKE_LINK_ADD);

	if (r < 0)
		return r;
	if (nv_links_by_name(&fake->links, link->name) ||
		(peer_name && nv_links_by_name(&fake->links, peer_name)))
		return -EEXIST;
	copy.type = ARPHRD_ETHER;
	copy.mtu = link->mtu ? link->mtu : 1500;
	nv_strcopy(copy.driver, sizeof(copy.driver), copy.kind);
	copy.ifindex = fake->next_ifindex++;
	if (peer_name) {
		copy.lower = fake->next_ifindex;
		peer = copy;
		peer.ifindex = 0;
		peer.lower = copy.ifindex;
		nv_strcopy(peer.name, sizeof(peer.name), peer_name);
		fake_put_link(fake, &peer);
	}
	*ret_ifindex = fake_put_link(fake, &copy);
	log_change(fake, &fake->log, "link_add", *ret_ifindex, copy.kind);
	return 0;
}

static int op_link_del(void *self, int ifindex)
{
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_LINK_DEL);

	if (r < 0)
		return r;
	if (!nv_links_by_index(&fake->links, ifindex))
		return -ENODEV;
	log_change(fake, &fake->log, "link_del", ifindex, "");
	fake_del_link(fake, ifindex);
	return 0;
}

static void log_addr(struct fake_kernel *fake, const char *verb, const struct nv_addr *addr)
{
	char ip[NV_IP_TEXT];
	char text[NV_IP_TEXT + 8];

	snprintf(text, sizeof(text), "%s/%u", nv_ip_text(&addr->local, ip), addr->prefix_len);
	log_change(fake, &fake->log, verb, addr->ifindex, text);
}

static int op_addr_add(void *self, const struct nv_addr *addr, bool replace)
{
	struct fake_kernel *fake = self;
	struct nv_addr made = *addr;
	int r = call(fake, FAKE_ADDR_ADD);

	if (r < 0)
		return r;
	if (!nv_links_by_index(&fake->links, addr->ifindex))
		return -ENODEV;
	if (!replace && nv_addrs_find(&fake->addrs, addr))
		return -EEXIST;
	log_addr(fake, "addr_add", addr);
	made.flags &= ~(uint32_t)IFA_F_PERMANENT;
	if (made.valid_lft == NV_LFT_FOREVER)
		made.flags |= IFA_F_PERMANENT;
	else if (made.valid_lft == NV_LFT_LONGEST)
		made.valid_lft = NV_LFT_FOREVER;
	fake_put_addr(fake, &made);
	return 0;
}

static int op_addr_del(void *self, const struct nv_addr *addr)
{
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_ADDR_DEL);

	if (r < 0)
		return r;
	if (!nv_addrs_find(&fake->addrs, addr))
		return -EADDRNOTAVAIL;
	log_addr(fake, "addr_del", addr);
	fake_del_addr(fake, addr);
	return 0;
}

static uint32_t table_of(const struct nv_route *route)
{
	return route->table ? route->table : RT_TABLE_MAIN;
}

/* What the kernel takes for the same route when one is added. */
static bool is_same_place(const struct nv_route *a, const struct nv_route *b)
{
	return a->family == b->family && table_of(a) == table_of(b) &&
	       a->destination_len == b->destination_len && a->tos == b->tos &&
	       a->priority == b->priority &&
	       (!a->destination_len || nv_ip_equal(&a->destination, &b->destination));
}

static bool is_same_route(const struct nv_route *a, const struct nv_route *b)
{
	return is_same_place(a, b) && a->oif == b->oif && a->has_gateway == b->has_gateway &&
	       (!a->has_gateway || nv_ip_equal(&a->gateway, &b->gateway));
}

static void log_route(struct fake_kernel *fake, const char *verb, const struct nv_route *route)
{
	char ip[NV_IP_TEXT];
	char text[NV_IP_TEXT + 8];

	snprintf(text, sizeof(text), "%s/%u",
		route->destination_len ? nv_ip_text(&route->destination, ip) : "default",
		route->destination_len);
	log_change(fake, &fake->log, verb, route->oif, text);
}

static int op_route_add(void *self, const struct nv_route *route, enum nv_route_how how)
{
	struct fake_kernel *fake = self;
	struct nv_route copy = *route;
	int r = call(fake, FAKE_ROUTE_ADD);

	if (r < 0)
		return r;
	if (route->oif && !nv_links_by_index(&fake->links, route->oif))
		return -ENODEV;
	copy.table = table_of(route);
	copy.type = route->type ? route->type : RTN_UNICAST;
	for (size_t i = 0; i < fake->routes.count; i++) {
		struct nv_route *there = &fake->routes.route[i];

		if ((how == NV_ROUTE_NEW && is_same_place(there, &copy)) ||
			(how == NV_ROUTE_BESIDE && is_same_route(there, &copy)))
			return -EEXIST;
		if (how == NV_ROUTE_REPLACE && is_same_place(there, &copy)) {
			log_route(fake, "route_replace", route);
			*there = copy;
			return 0;
		}
	}
	log_route(fake, "route_add", route);
	assert_int_equal(nv_routes_add(&fake->routes, &copy), 0);
	return 0;
}

static int op_route_del(void *self, const struct nv_route *route)
{
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_ROUTE_DEL);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->routes.count; i++) {
		if (!is_same_route(&fake->routes.route[i], route))
			continue;
		log_route(fake, "route_del", route);
		fake->routes.count--;
		memmove(&fake->routes.route[i], &fake->routes.route[i + 1],
			(fake->routes.count - i) * sizeof(*route));
		return 0;
	}
	return -ESRCH;
}

static int op_neigh_add(void *self, const struct nv_neigh *neigh)
{
	struct fake_kernel *fake = self;
	char text[NV_IP_TEXT];
	int r = call(fake, FAKE_NEIGH_ADD);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->neighs.count; i++) {
		if (fake->neighs.neigh[i].ifindex == neigh->ifindex &&
			nv_ip_equal(&fake->neighs.neigh[i].address, &neigh->address))
			return -EEXIST;
	}
	log_change(
		fake, &fake->log, "neigh_add", neigh->ifindex, nv_ip_text(&neigh->address, text));
	assert_int_equal(nv_neighs_add(&fake->neighs, neigh), 0);
	return 0;
}

static void take(struct nv_rtobjs *objs, const struct nv_request *request)
{
	int r = nv_rtobjs_take(objs, &request->header);

	assert_true(r == 0 || r == -ENOMSG);
}

/* There are no rules and no next hops by id here. */
static int op_objs(void *self, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs)
{
	struct fake_kernel *fake = self;
	struct nv_rtobjs objs = {};
	struct nv_request request;
	int r = call(fake, FAKE_THINGS);

	if (r < 0)
		return r;
	for (size_t i = 0; kind == NV_RTOBJ_ROUTE && i < fake->routes.count; i++) {
		const struct nv_route *route = &fake->routes.route[i];

		assert_int_equal(nv_route_encode(&request, RTM_NEWROUTE, 0, route), 0);
		if (!ifindex || route->oif == ifindex)
			take(&objs, &request);
	}
	for (size_t i = 0; kind == NV_RTOBJ_NEIGH && i < fake->neighs.count; i++) {
		const struct nv_neigh *neigh = &fake->neighs.neigh[i];

		assert_int_equal(nv_neigh_encode(&request, neigh), 0);
		if (!ifindex || neigh->ifindex == ifindex)
			take(&objs, &request);
	}
	*ret_objs = objs;
	return 0;
}

static int carry_out(struct fake_kernel *fake, const struct nlmsghdr *message)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_neigh neigh;

	if (message->nlmsg_type == RTM_NEWNEIGH) {
		assert_int_equal(nv_neigh_decode(message, &neigh), 0);
		return op_neigh_add(fake, &neigh);
	}
	assert_int_equal(nv_route_decode(message, &routes), 0);
	if (message->nlmsg_type == RTM_DELROUTE)
		return op_route_del(fake, &routes.route[0]);
	assert_int_equal(message->nlmsg_type, RTM_NEWROUTE);
	return op_route_add(fake, &routes.route[0],
		(message->nlmsg_flags & NLM_F_REPLACE) ? NV_ROUTE_REPLACE : NV_ROUTE_BESIDE);
}

static int op_batch(void *self, struct nv_rtobjs *requests, int *ret_errors)
{
	const struct nv_rtobj *request = NULL;

	for (size_t i = 0; i < requests->count; i++) {
		request = nv_rtobjs_next(requests, request);
		ret_errors[i] = carry_out(self, (const struct nlmsghdr *)request);
	}
	return 0;
}

static int op_mcasts(void *self, struct nv_mcasts *ret_mcasts)
{
	struct fake_kernel *fake = self;
	struct nv_mcasts copy = {};
	int r = call(fake, FAKE_MCASTS);

	if (r < 0)
		return r;
	fake->mcasts_read++;
	for (size_t i = 0; i < fake->mcasts.count; i++)
		assert_int_equal(nv_mcasts_add(&copy, &fake->mcasts.mcast[i]), 0);
	*ret_mcasts = copy;
	return 0;
}

static int op_groups(void *self, struct nv_groups *ret_groups)
{
	struct fake_kernel *fake = self;
	struct nv_groups copy = {};
	int r = call(fake, FAKE_GROUPS);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->groups.count; i++)
		assert_int_equal(nv_groups_add(&copy, &fake->groups.group[i]), 0);
	*ret_groups = copy;
	return 0;
}

static bool is_group_by_hand(const struct nv_group *group, int ifindex, const uint8_t *mac)
{
	return group->by_hand && group->ifindex == ifindex && !memcmp(group->mac, mac, NV_MAC_LEN);
}

static int op_group_set(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct fake_kernel *fake = self;
	struct nv_group group = {.ifindex = ifindex, .by_hand = true};
	size_t kept = 0;
	int r = call(fake, FAKE_GROUP_SET);

	if (r < 0)
		return r;
	memcpy(group.mac, mac, NV_MAC_LEN);
	for (size_t i = 0; i < fake->groups.count; i++)
		if (!is_group_by_hand(&fake->groups.group[i], ifindex, mac))
			fake->groups.group[kept++] = fake->groups.group[i];
		else if (on)
			return -EEXIST;
	if (!on && kept == fake->groups.count)
		return -ENOENT;
	fake->groups.count = kept;
	return on ? nv_groups_add(&fake->groups, &group) : 0;
}

static int op_send(void *self, int ifindex, const void *frame, size_t length)
{
	struct fake_kernel *fake = self;
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	int r = call(fake, FAKE_SEND);

	if (r < 0)
		return r;
	if (!link)
		return -ENXIO;
	if (!(link->flags & IFF_UP))
		return -ENETDOWN;
	nv_str_printf(&fake->log, "send %s ", link->name);
	for (size_t i = 0; i < length; i++)
		nv_str_printf(&fake->log, "%02x", ((const uint8_t *)frame)[i]);
	nv_str_addc(&fake->log, '\n');
	return 0;
}

static int op_sysctl_read(void *self, const char *path, char *ret_value, size_t size)
{
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_SYSCTL_READ);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->n_sysctls; i++) {
		if (!nv_streq(fake->sysctl[i].path, path))
			continue;
		if (strlen(fake->sysctl[i].value) >= size)
			return -ENAMETOOLONG;
		nv_strcopy(ret_value, size, fake->sysctl[i].value);
		return 0;
	}
	return -ENOENT;
}

/* Any sysctl can be written; only one that was written can be read. */
static int op_sysctl_write(void *self, const char *path, const char *value)
{
	struct fake_kernel *fake = self;
	size_t at = 0;
	int r = call(fake, FAKE_SYSCTL_WRITE);

	if (r < 0)
		return r;
	while (at < fake->n_sysctls && !nv_streq(fake->sysctl[at].path, path))
		at++;
	assert_true(at < FAKE_SYSCTLS_MAX);
	if (at == fake->n_sysctls)
		fake->n_sysctls++;
	nv_strcopy(fake->sysctl[at].path, sizeof(fake->sysctl[at].path), path);
	nv_strcopy(fake->sysctl[at].value, sizeof(fake->sysctl[at].value), value);
	nv_str_printf(&fake->log, "sysctl %s=%s\n", path, value);
	return 0;
}

/* Names in a directory, which end the path; separated by blanks, in which no name has one. */
static int op_sysctl_list(void *self, const char *path, struct nv_words *ret_names)
{
	NV_AUTO(nv_str) struct nv_str names = {};
	struct fake_kernel *fake = self;
	size_t length = strlen(path);

	for (size_t i = 0; i < fake->n_sysctls; i++) {
		const char *there = fake->sysctl[i].path;

		if (strncmp(there, path, length) == 0 && there[length] == '/')
			nv_str_printf(&names, "%s ", there + length + 1);
	}
	return names.length ? nv_words_split(nv_str_text(&names), ret_names) : -ENOENT;
}

static void op_link_details(void *self, struct nv_link *link)
{
	struct fake_kernel *fake = self;
	const struct nv_link *known = nv_links_by_index(&fake->links, link->ifindex);

	if (known)
		nv_strcopy(link->driver, sizeof(link->driver), known->driver);
}

/* Hands lines over as the kernel's text, in which each ends with a NUL. */
static void hand_over(const char *lines, const struct nv_subscribe_sink *sink)
{
	NV_AUTO(nv_free) char *bytes = strdup(lines);
	size_t length = strlen(lines);
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			bytes[i] = '\0';
	}
	if (sink->uevent && nv_uevent_decode(bytes, length, &text, &uevent) == 0)
		sink->uevent(&uevent, sink->data);
}

static int op_devices(void *self, const struct nv_subscribe_sink *sink)
{
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_DEVICES);

	for (size_t i = 0; i < FAKE_DEVICES_MAX && r == 0; i++) {
		if (fake->device[i])
			hand_over(fake->device[i], sink);
	}
	return r;
}

static int op_subscribe(void *self, enum nv_subscription feed, int *ret_fd)
{
	struct fake_kernel *fake = self;
	int r = call(fake, FAKE_SUBSCRIBE);

	if (r < 0)
		return r;
	nv_fd_auto(&fake->wake[feed]);
	fake->wake[feed] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(fake->wake[feed] >= 0);
	*ret_fd = dup(fake->wake[feed]);
	assert_true(*ret_fd >= 0);
	return 0;
}

static int op_receive(
	void *self, enum nv_subscription feed, int fd, const struct nv_subscribe_sink *sink)
{
	struct fake_kernel *fake = self;
	struct fake_notice *notice = fake->notices[feed];
	eventfd_t count;

	if (fake->lost[feed]) {
		fake->lost[feed] = false;
		return -ENOBUFS;
	}
	if (!notice) {
		eventfd_read(fd, &count);
		return -EAGAIN;
	}
	fake->notices[feed] = notice->next;
	notice->next = NULL;
	if (notice->what == NOTICE_LINK && sink->link)
		sink->link(&notice->link, notice->gone, sink->data);
	else if (notice->what == NOTICE_ADDR && sink->addr)
		sink->addr(&notice->addr, notice->gone, sink->data);
	else if (notice->what == NOTICE_PEERS && sink->notify_peers)
		sink->notify_peers(notice->link.ifindex, sink->data);
	else if (notice->what == NOTICE_UEVENT)
		hand_over(notice->uevent, sink);
	free_notices(&notice);
	return 0;
}

static const struct nv_kernel_ops ops = {
	.free = fake_free,
	.links = op_links,
	.addrs = op_addrs,
	.routes = op_routes,
	.neighs = op_neighs,
	.link = op_link,
	.link_set = op_link_set,
	.link_add = op_link_add,
	.link_del = op_link_del,
	.addr_add = op_addr_add,
	.addr_del = op_addr_del,
	.route_add = op_route_add,
	.route_del = op_route_del,
	.neigh_add = op_neigh_add,
	.objs = op_objs,
	.batch = op_batch,
	.mcasts = op_mcasts,
	.groups = op_groups,
	.group_set = op_group_set,
	.send = op_send,
	.sysctl_read = op_sysctl_read,
	.sysctl_write = op_sysctl_write,
	.sysctl_list = op_sysctl_list,
	.link_driver = op_link_details,
	.devices = op_devices,
	.subscribe = op_subscribe,
	.receive = op_receive,
};

struct fake_kernel *fake_kernel_new(void)
{
	struct fake_kernel *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->next_ifindex = 1;
	fake->wake[NV_SUBSCRIBE_RTNL] = -1;
	fake->wake[NV_SUBSCRIBE_UEVENT] = -1;
	assert_int_equal(nv_kernel_new(&ops, fake, &fake->kernel), 0);
	return fake;
}
