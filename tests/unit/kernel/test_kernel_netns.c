/* SPDX-License-Identifier: BSD-2-Clause */
/* The room kernel against the kernel itself, in a network namespace that this process makes. */
#include "cm.h"

#include "base/str.h"
#include "kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static struct nv_kernel *kernel;

#define CHECK(call) assert_int_equal(call, 0)

static int enter(void **state)
{
	(void)state;
	return nv_kernel_open(&kernel);
}

static int leave(void **state)
{
	(void)state;
	kernel = nv_kernel_free(kernel);
	return 0;
}

static struct nv_ip ip(const char *text)
{
	struct nv_ip value = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(value.family, text, &value.v6), 1);
	return value;
}

/* A pair of veth, both up; gives the first one's ifindex. */
static int make_veth(const char *name, const char *peer)
{
	struct nv_link link = {.kind = "veth"};
	NV_AUTO(nv_links) struct nv_links links = {};
	int ifindex = 0;

	nv_strcopy(link.name, sizeof(link.name), name);
	CHECK(nv_kernel_link_add(kernel, &link, peer, &ifindex));
	CHECK(nv_kernel_link_up(kernel, ifindex, true));
	CHECK(nv_kernel_links(kernel, &links));
	assert_non_null(nv_links_by_name(&links, peer));
	CHECK(nv_kernel_link_up(kernel, nv_links_by_name(&links, peer)->ifindex, true));
	return ifindex;
}

static void links_are_made_changed_and_deleted(void **state)
{
	struct nv_link want = {.kind = "veth",
		.name = "hn0",
		.mtu = 1400,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, 1}};
	struct nv_link_change change = {
		.what = NV_LINK_MTU | NV_LINK_NAME | NV_LINK_ALIAS | NV_LINK_TX_QUEUE_LEN |
			NV_LINK_ADDR_GEN_MODE | NV_LINK_FLAGS,
		.flags_mask = IFF_UP | IFF_ALLMULTI,
		.to = {.name = "hn7",
			.mtu = 9000,
			.alias = "the first",
			.tx_queue_len = 77,
			.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE,
			.flags = IFF_ALLMULTI},
	};
	struct nv_link link;
	int ifindex = 0;

	(void)state;
	CHECK(nv_kernel_link_add(kernel, &want, "host0", &ifindex));
	CHECK(nv_kernel_link(kernel, ifindex, &link));
	assert_string_equal(link.name, "hn0");
	assert_string_equal(link.kind, "veth");
	assert_string_equal(link.driver, "veth");
	assert_string_equal(link.parent_bus, "");
	assert_int_equal(link.mtu, 1400);
	assert_memory_equal(link.mac, want.mac, NV_MAC_LEN);
	assert_true(link.has_mac);
	assert_false(link.has_permanent_mac);
	assert_false(link.flags & IFF_UP);
	assert_true(link.lower > 0);
	assert_false(link.lower_elsewhere);

	CHECK(nv_kernel_link_set(kernel, ifindex, &change));
	CHECK(nv_kernel_link(kernel, ifindex, &link));
	assert_string_equal(link.name, "hn7");
	assert_string_equal(link.alias, "the first");
	assert_int_equal(link.mtu, 9000);
	assert_int_equal(link.tx_queue_len, 77);
	assert_int_equal(link.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	assert_int_equal(link.flags & (IFF_UP | IFF_ALLMULTI), IFF_ALLMULTI);

	change = (struct nv_link_change){
		.what = NV_LINK_ALIAS | NV_LINK_MAC, .to = {.mac = {2, 0, 0, 0, 0, 9}}};
	CHECK(nv_kernel_link_set(kernel, ifindex, &change));
	CHECK(nv_kernel_link(kernel, ifindex, &link));
	assert_string_equal(link.alias, "");
	assert_int_equal(link.mac[5], 9);

	CHECK(nv_kernel_link_del(kernel, ifindex));
	assert_int_equal(nv_kernel_link(kernel, ifindex, &link), -ENODEV);
	assert_int_equal(nv_kernel_link_del(kernel, ifindex), -ENODEV);
	assert_int_equal(nv_kernel_link_up(kernel, 0, true), -ENODEV);
}

static void a_link_can_pretend_to_be_down(void **state)
{
	struct nv_link_change dormant = {.what = NV_LINK_MODE | NV_LINK_OPERSTATE,
		.to = {.link_mode = IF_LINK_MODE_DORMANT, .operstate = IF_OPER_DORMANT}};
	struct nv_link_change restored = {.what = NV_LINK_MODE | NV_LINK_OPERSTATE,
		.to = {.link_mode = IF_LINK_MODE_DEFAULT, .operstate = IF_OPER_UP}};
	struct nv_link link;
	int hn;

	(void)state;
	hn = make_veth("hn0", "host0");
	CHECK(nv_kernel_link_set(kernel, hn, &dormant));
	CHECK(nv_kernel_link(kernel, hn, &link));
	assert_int_equal(link.link_mode, IF_LINK_MODE_DORMANT);
	assert_int_equal(link.operstate, IF_OPER_DORMANT);
	assert_true(link.carrier);
	assert_true(nv_link_usable(&link));
	assert_false(link.flags & IFF_RUNNING);
	CHECK(nv_kernel_link_set(kernel, hn, &restored));
	CHECK(nv_kernel_link(kernel, hn, &link));
	assert_int_equal(link.operstate, IF_OPER_UP);
	CHECK(nv_kernel_link_del(kernel, hn));
}

static void a_name_is_taken_once(void **state)
{
	struct nv_link want = {.kind = "bridge", .name = "x0"};
	int ifindex = -7;
	int other = -7;

	(void)state;
	CHECK(nv_kernel_link_add(kernel, &want, NULL, &ifindex));
	assert_int_equal(nv_kernel_link_add(kernel, &want, NULL, &other), -EEXIST);
	assert_int_equal(other, -7);
	CHECK(nv_kernel_link_del(kernel, ifindex));
}

static void an_unknown_kind_is_refused_with_the_kernels_words(void **state)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	struct nv_link nonsense = {.kind = "nonsense", .name = "x0"};
	struct nv_link nameless = {.kind = "ifb"};
	int ifindex = -7;

	(void)state;
	assert_int_equal(nv_kernel_link_add(kernel, &nonsense, NULL, &ifindex), -EOPNOTSUPP);
	assert_string_equal(nv_kernel_last_error(kernel), "Unknown device type");
	assert_int_equal(nv_kernel_link_add(kernel, &nameless, NULL, &ifindex), -EINVAL);
	assert_int_equal(ifindex, -7);
	CHECK(nv_kernel_links(kernel, &links));
	assert_int_equal(links.count, 1);
	assert_string_equal(links.link[0].name, "lo");
	assert_string_equal(nv_kernel_last_error(kernel), "");
}

static const struct nv_addr *find_addr(const struct nv_addrs *addrs, const char *text)
{
	char have[NV_IP_TEXT];

	for (size_t i = 0; i < addrs->count; i++) {
		if (strcmp(nv_ip_text(&addrs->addr[i].local, have), text) == 0)
			return &addrs->addr[i];
	}
	return NULL;
}

static const struct nv_addr plain_addr = {
	.prefix_len = 24,
	.has_broadcast = true,
	.label = "hn0:one",
	.metric = 42,
	.valid_lft = UINT32_MAX,
	.preferred_lft = UINT32_MAX,
};

static void ipv4_addresses_come_back_as_they_were_given(void **state)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	NV_AUTO(nv_addrs) struct nv_addrs none = {};
	struct nv_addr plain = plain_addr;
	struct nv_addr peer = {.local = ip("198.51.100.1"), .prefix_len = 32};
	const struct nv_addr *found;

	(void)state;
	plain.ifindex = peer.ifindex = make_veth("hn0", "host0");
	plain.local = ip("192.0.2.1");
	plain.broadcast = ip("192.0.2.255");
	peer.has_peer = true;
	peer.peer = ip("198.51.100.2");
	CHECK(nv_kernel_addr_add(kernel, &plain, false));
	CHECK(nv_kernel_addr_add(kernel, &peer, false));
	assert_int_equal(nv_kernel_addr_add(kernel, &plain, false), -EEXIST);
	CHECK(nv_kernel_addr_add(kernel, &plain, true));

	CHECK(nv_kernel_addrs(kernel, plain.ifindex, &addrs));
	found = find_addr(&addrs, "192.0.2.1");
	assert_non_null(found);
	assert_true(found->has_broadcast);
	assert_int_equal(found->broadcast.v4.s_addr, plain.broadcast.v4.s_addr);
	assert_false(found->has_peer);
	assert_int_equal(found->prefix_len, 24);
	assert_string_equal(found->label, "hn0:one");
	assert_int_equal(found->metric, 42);
	assert_int_equal(found->valid_lft, UINT32_MAX);
	CHECK(nv_kernel_addr_del(kernel, found));
	found = find_addr(&addrs, "198.51.100.1");
	assert_non_null(found);
	assert_true(found->has_peer);
	assert_int_equal(found->peer.v4.s_addr, peer.peer.v4.s_addr);
	CHECK(nv_kernel_addr_del(kernel, found));

	assert_int_equal(nv_kernel_addr_del(kernel, &plain), -EADDRNOTAVAIL);
	CHECK(nv_kernel_addrs(kernel, 0, &none));
	assert_null(find_addr(&none, "192.0.2.1"));
	assert_null(find_addr(&none, "198.51.100.1"));
	CHECK(nv_kernel_link_del(kernel, plain.ifindex));
	assert_int_equal(nv_kernel_addr_add(kernel, &plain, false), -ENODEV);
	assert_int_equal(nv_kernel_addrs(kernel, plain.ifindex, &none), -ENODEV);
}

static void ipv6_addresses_come_back_as_they_were_given(void **state)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	struct nv_addr six = {.local = ip("2001:db8::1"),
		.prefix_len = 64,
		.flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE,
		.valid_lft = 1000,
		.preferred_lft = 500};
	const struct nv_addr *found;

	(void)state;
	six.ifindex = make_veth("hn0", "host0");
	CHECK(nv_kernel_addr_add(kernel, &six, false));
	assert_int_equal(nv_kernel_addr_add(kernel, &six, false), -EEXIST);
	CHECK(nv_kernel_addrs(kernel, six.ifindex, &addrs));
	found = find_addr(&addrs, "2001:db8::1");
	assert_non_null(found);
	assert_true(found->flags & IFA_F_NODAD);
	assert_true(found->flags & IFA_F_NOPREFIXROUTE);
	assert_uint_in_range(found->valid_lft, 900, 1000);
	assert_uint_in_range(found->preferred_lft, 400, 500);
	CHECK(nv_kernel_addr_del(kernel, &six));
	assert_int_equal(nv_kernel_addr_del(kernel, &six), -EADDRNOTAVAIL);
	CHECK(nv_kernel_link_del(kernel, six.ifindex));
}

static bool same_route(const struct nv_route *a, const struct nv_route *b)
{
	char text_a[3][NV_IP_TEXT];
	char text_b[3][NV_IP_TEXT];

	return a->family == b->family && a->destination_len == b->destination_len &&
	       a->tos == b->tos && a->protocol == b->protocol && a->type == b->type &&
	       a->flags == b->flags && a->table == b->table && a->oif == b->oif &&
	       a->mtu == b->mtu && a->has_gateway == b->has_gateway &&
	       a->has_source == b->has_source && a->priority == b->priority &&
	       nv_streq(nv_ip_text(&a->destination, text_a[0]),
		       nv_ip_text(&b->destination, text_b[0])) &&
	       nv_streq(nv_ip_text(&a->gateway, text_a[1]), nv_ip_text(&b->gateway, text_b[1])) &&
	       nv_streq(nv_ip_text(&a->source, text_a[2]), nv_ip_text(&b->source, text_b[2]));
}

static bool has_route(int oif, const struct nv_route *want)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};

	CHECK(nv_kernel_routes(kernel, oif, &routes));
	for (size_t i = 0; i < routes.count; i++) {
		if (oif)
			assert_int_equal(routes.route[i].oif, oif);
		if (same_route(&routes.route[i], want))
			return true;
	}
	return false;
}

static void add_addr(int ifindex, const char *text, uint8_t prefix_len)
{
	struct nv_addr addr = {.ifindex = ifindex,
		.local = ip(text),
		.prefix_len = prefix_len,
		.flags = IFA_F_NODAD};

	CHECK(nv_kernel_addr_add(kernel, &addr, false));
}

/* Addresses as text; the route has what is not text. */
static const struct {
	const char *destination, *gateway, *source;
	int on; /* 0: no link; 1: hn0; 2: vf0 */
	struct nv_route route;
} route_kinds[] = {
	{"0.0.0.0", "192.0.2.254", NULL, 1, {.mtu = 1400, .priority = 10, .table = RT_TABLE_MAIN}},
	{"198.51.100.0", NULL, "192.0.2.1", 1,
		{.destination_len = 24, .table = 1000, .scope = RT_SCOPE_LINK}},
	{"203.0.113.0", "198.51.100.9", NULL, 2,
		{.destination_len = 24, .flags = RTNH_F_ONLINK, .tos = 8, .table = RT_TABLE_MAIN}},
	{"203.0.113.7", "2001:db8::9", NULL, 1, {.destination_len = 32, .table = RT_TABLE_MAIN}},
	{"10.9.0.0", NULL, NULL, 0,
		{.destination_len = 16, .type = RTN_BLACKHOLE, .table = RT_TABLE_MAIN}},
	{"10.8.0.0", NULL, NULL, 0, {.destination_len = 16, .type = RTN_PROHIBIT, .table = 77}},
	{"::", "2001:db8::fe", NULL, 1, {.priority = 512, .mtu = 1400, .table = RT_TABLE_MAIN}},
	{"2001:db8:5::", NULL, "2001:db8::1", 2,
		{.destination_len = 48, .priority = 1024, .table = 1000}},
};

static struct nv_route make_route(size_t kind, const int on[3])
{
	struct nv_route route = route_kinds[kind].route;

	route.destination = ip(route_kinds[kind].destination);
	route.family = route.destination.family;
	route.oif = on[route_kinds[kind].on];
	route.protocol = RTPROT_STATIC;
	if (!route.type)
		route.type = RTN_UNICAST;
	route.has_gateway = route_kinds[kind].gateway;
	if (route.has_gateway)
		route.gateway = ip(route_kinds[kind].gateway);
	route.has_source = route_kinds[kind].source;
	if (route.has_source)
		route.source = ip(route_kinds[kind].source);
	return route;
}

static void routes_of_all_kinds_come_back_as_they_were_given(void **state)
{
	NV_AUTO(nv_routes) struct nv_routes none = {};
	int on[3] = {};

	(void)state;
	on[1] = make_veth("hn0", "host0");
	on[2] = make_veth("vf0", "host1");
	add_addr(on[1], "192.0.2.1", 24);
	add_addr(on[1], "2001:db8::1", 64);
	for (size_t i = 0; i < NV_ARRAY_SIZE(route_kinds); i++) {
		struct nv_route route = make_route(i, on);

		assert_false(has_route(0, &route));
		CHECK(nv_kernel_route_add(kernel, &route, NV_ROUTE_NEW));
		assert_true(has_route(0, &route));
		assert_true(has_route(route.oif, &route));
		if (route.oif)
			assert_false(has_route(route.oif == on[1] ? on[2] : on[1], &route));
		assert_int_equal(nv_kernel_route_add(kernel, &route, NV_ROUTE_NEW), -EEXIST);
		CHECK(nv_kernel_route_add(kernel, &route, NV_ROUTE_REPLACE));
	}
	for (size_t i = 0; i < NV_ARRAY_SIZE(route_kinds); i++) {
		struct nv_route route = make_route(i, on);

		CHECK(nv_kernel_route_del(kernel, &route));
		assert_false(has_route(0, &route));
		assert_int_equal(nv_kernel_route_del(kernel, &route), -ESRCH);
	}
	CHECK(nv_kernel_link_del(kernel, on[1]));
	CHECK(nv_kernel_link_del(kernel, on[2]));
	assert_int_equal(nv_kernel_routes(kernel, on[1], &none), -ENODEV);
}

static void a_route_by_a_next_hop_object_outlives_the_address(void **state)
{
	const uint32_t id = 0x80000001;
	struct nv_addr addr = {.local = ip("192.0.2.1"), .prefix_len = 24};
	struct nv_route route = {.family = AF_INET,
		.destination = ip("198.51.100.0"),
		.destination_len = 24,
		.table = RT_TABLE_DEFAULT,
		.type = RTN_UNICAST,
		.protocol = NV_RTPROT_BACKUP,
		.has_gateway = true,
		.gateway = ip("192.0.2.254")};

	(void)state;
	route.oif = addr.ifindex = make_veth("hn0", "host0");
	add_addr(route.oif, "192.0.2.1", 24);
	CHECK(nv_kernel_nexthop_add(kernel, id, &route));
	assert_int_equal(nv_kernel_nexthop_add(kernel, id, &route), -EEXIST);
	route.nexthop = id;
	CHECK(nv_kernel_route_add(kernel, &route, NV_ROUTE_NEW));
	CHECK(nv_kernel_addr_del(kernel, &addr));
	assert_true(has_route(route.oif, &route));
	CHECK(nv_kernel_nexthop_del(kernel, id));
	assert_false(has_route(route.oif, &route));
	assert_int_equal(nv_kernel_nexthop_del(kernel, id), -ENOENT);
	CHECK(nv_kernel_link_del(kernel, route.oif));
}

static void routes_go_beside_each_other(void **state)
{
	static const char *const nets[] = {"198.51.100.0", "2001:db8:5::"};
	int hn, vf;

	(void)state;
	hn = make_veth("hn0", "host0");
	vf = make_veth("vf0", "host1");
	for (size_t i = 0; i < NV_ARRAY_SIZE(nets); i++) {
		NV_AUTO(nv_routes) struct nv_routes routes = {};
		struct nv_route one = {.destination = ip(nets[i]),
			.table = 1000,
			.type = RTN_UNICAST,
			.protocol = RTPROT_STATIC,
			.has_gateway = true,
			.gateway = ip(i ? "fe80::1" : "192.0.2.254"),
			.flags = RTNH_F_ONLINK,
			.oif = hn};
		struct nv_route other;

		one.family = one.destination.family;
		one.destination_len = i ? 48 : 24;
		one.priority = i ? 1024 : 0;
		other = one;
		other.oif = vf;
		CHECK(nv_kernel_route_add(kernel, &one, NV_ROUTE_NEW));
		assert_int_equal(nv_kernel_route_add(kernel, &other, NV_ROUTE_NEW), -EEXIST);
		CHECK(nv_kernel_route_add(kernel, &other, NV_ROUTE_BESIDE));
		assert_int_equal(nv_kernel_route_add(kernel, &other, NV_ROUTE_BESIDE), -EEXIST);
		assert_true(has_route(hn, &one));
		assert_true(has_route(vf, &other));
		CHECK(nv_kernel_routes(kernel, vf, &routes));
		for (size_t j = 0; j < routes.count; j++) {
			if (routes.route[j].table == 1000)
				assert_int_equal(routes.route[j].multipath, i == 1);
		}
		CHECK(nv_kernel_route_del(kernel, &one));
		assert_false(has_route(hn, &one));
		assert_true(has_route(vf, &other));
		CHECK(nv_kernel_route_del(kernel, &other));
	}
	CHECK(nv_kernel_link_del(kernel, hn));
	CHECK(nv_kernel_link_del(kernel, vf));
}

/* IPv6 adds neighbours of its own, for the groups that it speaks to. */
static const struct nv_neigh *find_neigh(
	const struct nv_neighs *neighs, const struct nv_ip *address)
{
	for (size_t i = 0; i < neighs->count; i++) {
		if (nv_ip_equal(&neighs->neigh[i].address, address))
			return &neighs->neigh[i];
	}
	return NULL;
}

static void neighbours_come_back_as_they_were_given(void **state)
{
	int hn = make_veth("hn0", "host0");
	int other = make_veth("eth0", "host1");
	struct nv_neigh wants[] = {
		{hn, ip("192.0.2.1"), {2, 0, 0, 0, 0, 1}, NUD_STALE, false},
		{hn, ip("fe80::1"), {2, 0, 0, 0, 0, 2}, NUD_PERMANENT, true},
	};
	struct nv_neigh elsewhere = {hn, ip("192.0.2.9"), {}, NUD_PERMANENT, false};
	NV_AUTO(nv_neighs) struct nv_neighs neighs = {};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(wants); i++) {
		CHECK(nv_kernel_neigh_add(kernel, &wants[i]));
		assert_int_equal(nv_kernel_neigh_add(kernel, &wants[i]), -EEXIST);
	}
	elsewhere.ifindex = other;
	CHECK(nv_kernel_neigh_add(kernel, &elsewhere));
	CHECK(nv_kernel_neighs(kernel, hn, &neighs));
	assert_null(find_neigh(&neighs, &elsewhere.address));
	for (size_t i = 0; i < NV_ARRAY_SIZE(wants); i++) {
		const struct nv_neigh *neigh = find_neigh(&neighs, &wants[i].address);

		assert_non_null(neigh);
		assert_int_equal(neigh->ifindex, hn);
		assert_memory_equal(neigh->mac, wants[i].mac, NV_MAC_LEN);
		assert_int_equal(neigh->state, wants[i].state);
		assert_int_equal(neigh->router, wants[i].router);
	}
	CHECK(nv_kernel_link_del(kernel, hn));
	CHECK(nv_kernel_link_del(kernel, other));
}

static void a_route_that_expires_says_when(void **state)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_route route = {.family = AF_INET6,
		.destination = ip("2001:db8:7::"),
		.destination_len = 48,
		.protocol = RTPROT_RA,
		.expires = 300};
	bool found = false;
	int hn;

	(void)state;
	hn = make_veth("hn0", "host0");
	route.oif = hn;
	CHECK(nv_kernel_route_add(kernel, &route, NV_ROUTE_NEW));
	CHECK(nv_kernel_routes(kernel, hn, &routes));
	for (size_t i = 0; i < routes.count; i++) {
		if (routes.route[i].destination_len != 48)
			continue;
		found = true;
		assert_uint_in_range(routes.route[i].expires, 290, 300);
		assert_int_equal(routes.route[i].type, RTN_UNICAST);
		assert_int_equal(routes.route[i].table, RT_TABLE_MAIN);
	}
	assert_true(found);
	CHECK(nv_kernel_link_del(kernel, hn));
}

static void many_links_and_routes_are_dumped_whole(void **state)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_route route = {.family = AF_INET,
		.type = RTN_BLACKHOLE,
		.protocol = RTPROT_STATIC,
		.table = 99,
		.destination = ip("10.0.0.0"),
		.destination_len = 32};
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		struct nv_link link = {.kind = "veth"};
		char peer[IFNAMSIZ];
		int ifindex;

		snprintf(link.name, sizeof(link.name), "many%d", i);
		snprintf(peer, sizeof(peer), "peer%d", i);
		CHECK(nv_kernel_link_add(kernel, &link, peer, &ifindex));
	}
	CHECK(nv_kernel_links(kernel, &links));
	assert_int_equal(links.count, 129);
	for (size_t i = 1; i < links.count; i++) {
		assert_true(links.link[i - 1].ifindex < links.link[i].ifindex);
		assert_ptr_equal(nv_links_by_index(&links, links.link[i].ifindex), &links.link[i]);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		route.destination.v4.s_addr = htonl(0x0a000000 + i);
		CHECK(nv_kernel_route_add(kernel, &route, NV_ROUTE_NEW));
	}
	CHECK(nv_kernel_routes(kernel, 0, &routes));
	for (size_t i = 0; i < routes.count; i++)
		count += routes.route[i].table == 99;
	assert_int_equal(count, 5000);
	for (size_t i = 0; i < links.count; i++) {
		if (strncmp(links.link[i].name, "many", 4) == 0)
			CHECK(nv_kernel_link_del(kernel, links.link[i].ifindex));
	}
}

static void sysctls_are_read_and_written(void **state)
{
	char value[32] = "untouched";
	char tiny[2] = "x";
	char path[NV_SYSCTL_PATH_MAX + 1];
	int hn;

	(void)state;
	hn = make_veth("hn0.5", "host0");
	CHECK(nv_kernel_sysctl_write(kernel, "net/ipv6/conf/hn0.5/accept_dad", "0"));
	CHECK(nv_kernel_sysctl_read(
		kernel, "net/ipv6/conf/hn0.5/accept_dad", value, sizeof(value)));
	assert_string_equal(value, "0");
	assert_int_equal(
		nv_kernel_sysctl_read(kernel, "net/nothing", value, sizeof(value)), -ENOENT);
	assert_int_equal(nv_kernel_sysctl_read(kernel, "net/../kernel/ostype", value, 32), -EINVAL);
	assert_int_equal(nv_kernel_sysctl_read(kernel, "/etc/hostname", value, 32), -EINVAL);
	assert_int_equal(nv_kernel_sysctl_read(kernel, "net//core", value, 32), -EINVAL);
	assert_int_equal(nv_kernel_sysctl_read(kernel, "net/.", value, 32), -EINVAL);
	assert_int_equal(nv_kernel_sysctl_read(kernel, "..", value, 32), -EINVAL);
	assert_int_equal(nv_kernel_sysctl_write(kernel, "", "1"), -EINVAL);
	assert_int_equal(
		nv_kernel_sysctl_read(kernel, "kernel/ostype", tiny, sizeof(tiny)), -ENAMETOOLONG);
	assert_string_equal(tiny, "x");
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(nv_kernel_sysctl_read(kernel, path, value, 32), -ENAMETOOLONG);
	assert_string_equal(value, "0");
	CHECK(nv_kernel_link_del(kernel, hn));
}

static void ipv6_forwarding_is_read(void **state)
{
	int hn = make_veth("hn0.5", "host0");
	bool forwarding = true;

	(void)state;
	CHECK(nv_kernel_ipv6_forwarding(kernel, hn, &forwarding));
	assert_false(forwarding);
	CHECK(nv_kernel_sysctl_write(kernel, "net/ipv6/conf/hn0.5/forwarding", "1"));
	CHECK(nv_kernel_ipv6_forwarding(kernel, hn, &forwarding));
	assert_true(forwarding);
	CHECK(nv_kernel_link_del(kernel, hn));
	assert_int_equal(nv_kernel_ipv6_forwarding(kernel, hn, &forwarding), -EINVAL);
	assert_false(forwarding);
}

static bool is_among(const struct nv_mcasts *mcasts, const char *text, int ifindex, unsigned igmp)
{
	struct nv_ip group = ip(text);

	for (size_t i = 0; i < mcasts->count; i++) {
		const struct nv_mcast *mcast = &mcasts->mcast[i];

		if (mcast->ifindex == ifindex && nv_ip_equal(&mcast->group, &group) &&
			mcast->igmp == igmp)
			return true;
	}
	return false;
}

/* The same is read of all links and of one. */
static bool has_group(const char *text, int ifindex, unsigned int igmp)
{
	NV_AUTO(nv_mcasts) struct nv_mcasts all = {};
	NV_AUTO(nv_mcasts) struct nv_mcasts one = {};
	bool found;

	CHECK(nv_kernel_mcasts(kernel, NULL, 0, &all));
	CHECK(nv_kernel_mcasts(kernel, &ifindex, 1, &one));
	found = is_among(&all, text, ifindex, igmp);
	assert_int_equal(is_among(&one, text, ifindex, igmp), found);
	return found;
}

static void joined_groups_are_read(void **state)
{
	NV_AUTO(nv_fd) int v4 = socket(AF_INET, SOCK_DGRAM, 0);
	NV_AUTO(nv_fd) int v6 = socket(AF_INET6, SOCK_DGRAM, 0);
	int hn = make_veth("a-name-as-long", "host0");
	struct ip_mreqn join = {.imr_ifindex = hn};
	struct ipv6_mreq join6 = {.ipv6mr_interface = (unsigned int)hn};

	(void)state;
	join.imr_multiaddr = ip("239.1.2.3").v4;
	join6.ipv6mr_multiaddr = ip("ff05::1:2345").v6;
	assert_false(has_group("239.1.2.3", hn, 3));
	CHECK(setsockopt(v4, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)));
	CHECK(setsockopt(v6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &join6, sizeof(join6)));
	assert_true(has_group("239.1.2.3", hn, 3));
	assert_true(has_group("ff05::1:2345", hn, 0));
	assert_false(has_group("239.1.2.3", hn + 1, 3));
	assert_false(has_group("ff05::1:2345", hn + 100, 0)); /* there is no such link */
	CHECK(nv_kernel_sysctl_write(
		kernel, "net/ipv4/conf/a-name-as-long/force_igmp_version", "2"));
	assert_true(has_group("239.1.2.3", hn, 2));
	CHECK(nv_kernel_link_del(kernel, hn));
	assert_false(has_group("239.1.2.3", hn, 2));
}

static void frames_are_sent(void **state)
{
	static const uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, 'x'};
	NV_AUTO(nv_fd) int hears = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5)};
	struct pollfd poll_hears = {.fd = hears, .events = POLLIN};
	int hn = make_veth("hn0", "host0");
	uint8_t heard[100];

	(void)state;
	at.sll_ifindex = (int)if_nametoindex("host0");
	CHECK(bind(hears, (const struct sockaddr *)&at, sizeof(at)));
	/* A link that has just come up has no queue yet, and drops what it is given. */
	for (int tries = 0; tries < 1000 && poll(&poll_hears, 1, 10) == 0; tries++)
		CHECK(nv_kernel_send(kernel, hn, frame, sizeof(frame)));
	assert_int_equal(recv(hears, heard, sizeof(heard), 0), sizeof(frame));
	assert_memory_equal(heard, frame, sizeof(frame));
	CHECK(nv_kernel_link_up(kernel, hn, false));
	assert_int_equal(nv_kernel_send(kernel, hn, frame, sizeof(frame)), -ENETDOWN);
	CHECK(nv_kernel_link_del(kernel, hn));
	assert_int_equal(nv_kernel_send(kernel, hn, frame, sizeof(frame)), -ENXIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_made_changed_and_deleted),
		cmocka_unit_test(a_link_can_pretend_to_be_down),
		cmocka_unit_test(a_name_is_taken_once),
		cmocka_unit_test(an_unknown_kind_is_refused_with_the_kernels_words),
		cmocka_unit_test(ipv4_addresses_come_back_as_they_were_given),
		cmocka_unit_test(ipv6_addresses_come_back_as_they_were_given),
		cmocka_unit_test(routes_of_all_kinds_come_back_as_they_were_given),
		cmocka_unit_test(a_route_by_a_next_hop_object_outlives_the_address),
		cmocka_unit_test(routes_go_beside_each_other),
		cmocka_unit_test(neighbours_come_back_as_they_were_given),
		cmocka_unit_test(a_route_that_expires_says_when),
		cmocka_unit_test(many_links_and_routes_are_dumped_whole),
		cmocka_unit_test(sysctls_are_read_and_written),
		cmocka_unit_test(ipv6_forwarding_is_read),
		cmocka_unit_test(joined_groups_are_read),
		cmocka_unit_test(frames_are_sent),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP cannot make a network namespace: %s\n", strerror(errno));
		return 0;
	}
	return cmocka_run_group_tests_name("kernel in a network namespace", tests, enter, leave);
}
