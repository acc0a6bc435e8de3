/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "kernel/attrs.h"
#include "move/steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define HN  2
#define ETH 3

/* A snapshot that a test fills, the plan that it asks for. */
struct bench {
	struct nv_snapshot now;
	struct nv_routes live; /* become things of the snapshot */
	struct nv_routes carried; /* and come out of the plan again */
	struct nv_interface wanted;
	struct nv_plan plan;
	struct nv_str why;
};

static void bench_auto(struct bench *bench)
{
	nv_snapshot_auto(&bench->now);
	nv_routes_auto(&bench->live);
	nv_routes_auto(&bench->carried);
	nv_addrs_auto(&bench->wanted.addrs);
	nv_routes_auto(&bench->wanted.routes);
	nv_plan_auto(&bench->plan);
	nv_str_auto(&bench->why);
}

#define BENCH(name) __attribute__((cleanup(bench_auto))) struct bench name = {}

static struct nv_ip ip(const char *text)
{
	struct nv_ip value = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(value.family, text, &value.v4), 1);
	return value;
}

static struct nv_link *add_link(struct bench *bench, int ifindex, const char *name)
{
	struct nv_link link = {.ifindex = ifindex, .flags = IFF_UP, .mtu = 1500};

	nv_strcopy(link.name, sizeof(link.name), name);
	assert_int_equal(nv_links_put(&bench->now.links, &link), 0);
	return &bench->now.links.link[bench->now.links.count - 1];
}

static void add_vlan(struct bench *bench, int ifindex, const char *name, int lower, uint16_t id)
{
	struct nv_link *link = add_link(bench, ifindex, name);

	nv_strcopy(link->kind, sizeof(link->kind), "vlan");
	link->lower = lower;
	link->vlan_id = id;
}

static struct nv_addr *add_addr(struct nv_addrs *addrs, int ifindex, const char *text)
{
	struct nv_addr addr = {
		.ifindex = ifindex,
		.local = ip(text),
		.prefix_len = 24,
		.valid_lft = UINT32_MAX,
		.preferred_lft = UINT32_MAX,
	};

	assert_int_equal(nv_addrs_add(addrs, &addr), 0);
	return &addrs->addr[addrs->count - 1];
}

static struct nv_route *add_route(
	struct nv_routes *routes, int oif, const char *to, uint8_t length, const char *gateway)
{
	struct nv_route route = {
		.family = strchr(to, ':') ? AF_INET6 : AF_INET,
		.destination = ip(to),
		.destination_len = length,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_STATIC,
		.oif = oif,
	};

	if (gateway) {
		route.has_gateway = true;
		route.gateway = ip(gateway);
	}
	assert_int_equal(nv_routes_add(routes, &route), 0);
	return &routes->route[routes->count - 1];
}

static void take_live(struct bench *bench)
{
	nv_rtobjs_auto(&bench->now.objs);
	for (size_t i = 0; i < bench->live.count; i++) {
		struct nv_request request;

		assert_int_equal(
			nv_route_encode(&request, RTM_NEWROUTE, 0, &bench->live.route[i]), 0);
		assert_int_equal(nv_rtobjs_take(&bench->now.objs, &request.header), 0);
	}
}

static void make_from(struct bench *bench, const struct nv_interface *wanted)
{
	const struct nv_rtobjs *objs = &bench->plan.objs;

	take_live(bench);
	assert_int_equal(
		nv_plan_make(&bench->now, HN, "lagg0", wanted, &bench->plan, &bench->why), 0);
	nv_routes_auto(&bench->carried);
	nv_each_rtobj (obj, objs)
		assert_int_equal(nv_rtobj_route(obj, &bench->carried), 0);
}

static void assert_addr(const struct nv_move *move, size_t index, const char *text)
{
	struct nv_ip expected = ip(text);

	assert_true(index < move->addrs.count);
	assert_true(nv_ip_equal(&move->addrs.addr[index].local, &expected));
	assert_int_equal(move->addrs.addr[index].ifindex, 0);
}

static void without_rcconf_everything_live_moves(void **state)
{
	BENCH(bench);
	const struct nv_move *move;
	struct nv_route *route;
	struct nv_addr *addr;

	(void)state;
	nv_strcopy(add_link(&bench, HN, "hn0")->alias, 256, "uplink");
	add_link(&bench, ETH, "eth1");
	addr = add_addr(&bench.now.addrs, HN, "192.0.2.5");
	addr->valid_lft = 600;
	addr->preferred_lft = 300;
	addr->flags = IFA_F_NOPREFIXROUTE | IFA_F_SECONDARY;
	nv_strcopy(addr->label, sizeof(addr->label), "hn0:1");
	add_addr(&bench.now.addrs, ETH, "198.51.100.5");
	addr = add_addr(&bench.now.addrs, HN, "fe80::1");
	addr->flags = IFA_F_PERMANENT;
	add_addr(&bench.now.addrs, HN, "2001:db8::5")->flags = IFA_F_DADFAILED;
	add_route(&bench.live, HN, "0.0.0.0", 0, "192.0.2.1");
	add_route(&bench.live, HN, "192.0.2.1", 32, NULL);
	add_route(&bench.live, HN, "192.0.2.0", 24, NULL)->protocol = RTPROT_KERNEL;
	route = add_route(&bench.live, HN, "192.0.2.5", 32, NULL);
	route->table = RT_TABLE_LOCAL;
	route->protocol = RTPROT_KERNEL;
	add_route(&bench.live, ETH, "203.0.113.0", 24, "198.51.100.1");
	make_from(&bench, NULL);

	assert_int_equal(bench.plan.count, 1);
	move = &bench.plan.move[0];
	assert_int_equal(move->from, HN);
	assert_string_equal(move->to_name, "lagg0");
	assert_string_equal(move->description, "uplink");
	assert_true(move->up);
	assert_int_equal(move->client, NV_CLIENT_MOVE);
	assert_int_equal(move->addrs.count, 2);
	assert_addr(move, 0, "192.0.2.5");
	assert_int_equal(move->addrs.addr[0].valid_lft, 600);
	assert_int_equal(move->addrs.addr[0].preferred_lft, 300);
	assert_int_equal(move->addrs.addr[0].flags, IFA_F_NOPREFIXROUTE);
	assert_string_equal(move->addrs.addr[0].label, "lagg0:1");
	assert_addr(move, 1, "fe80::1");
	assert_int_equal(move->addrs.addr[1].flags, 0);
	assert_int_equal(move->n_said_addrs, 0);
	/* What a gateway depends on comes before it. */
	assert_int_equal(move->routes.count, 0);
	assert_int_equal(bench.carried.count, 3);
	assert_int_equal(bench.carried.route[0].destination_len, 32);
	assert_int_equal(bench.carried.route[1].destination_len, 24);
	assert_int_equal(bench.carried.route[2].destination_len, 0);
	assert_int_equal(bench.carried.route[2].oif, HN);
	assert_false(bench.plan.is_said);
}

static void rcconf_wins_in_its_family_and_leaves_the_other(void **state)
{
	BENCH(bench);
	const struct nv_move *move;

	(void)state;
	add_link(&bench, HN, "hn0")->mtu = 9000;
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, HN, "2001:db8::5");
	add_addr(&bench.wanted.addrs, 0, "192.0.2.7");
	add_route(&bench.live, HN, "0.0.0.0", 0, "192.0.2.1");
	add_route(&bench.live, HN, "198.51.100.0", 24, "192.0.2.2");
	add_route(&bench.live, HN, "203.0.113.0", 24, "192.0.2.2")->has_source = true;
	bench.live.route[2].source = ip("192.0.2.5");
	add_route(&bench.wanted.routes, 0, "0.0.0.0", 0, "192.0.2.254")->table = 0;
	bench.wanted.configured = bench.wanted.up = true;
	make_from(&bench, &bench.wanted);

	move = &bench.plan.move[0];
	assert_int_equal(move->client, NV_CLIENT_STOP);
	assert_int_equal(move->mtu, 9000);
	assert_int_equal(move->addrs.count, 2);
	assert_addr(move, 0, "192.0.2.7");
	assert_int_equal(move->n_said_addrs, 1);
	assert_addr(move, 1, "2001:db8::5");
	/* Its default route, not the live one; not the one from an address that goes. */
	assert_true(bench.plan.is_said);
	assert_int_equal(move->routes.count, 1);
	assert_true(nv_ip_equal(&move->routes.route[0].gateway,
		&(struct nv_ip){.family = AF_INET, .v4.s_addr = htonl(0xc00002fe)}));
	assert_int_equal(bench.carried.count, 1);
	assert_int_equal(bench.carried.route[0].destination_len, 24);
}

static void with_dhcp_the_live_lease_comes_along(void **state)
{
	BENCH(bench);
	const struct nv_move *move;

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.50")->valid_lft = 100;
	add_addr(&bench.now.addrs, HN, "192.0.2.7");
	add_addr(&bench.wanted.addrs, 0, "192.0.2.7");
	bench.wanted.configured = bench.wanted.up = true;
	bench.wanted.dhcp = (struct nv_dhcp_wanted){
		.mode = NV_DHCP_SYNC, .program = "/sbin/dhclient", .flags = ""};
	make_from(&bench, &bench.wanted);

	move = &bench.plan.move[0];
	assert_int_equal(move->client, NV_CLIENT_START);
	assert_string_equal(move->dhcp.program, "/sbin/dhclient");
	assert_int_equal(move->addrs.count, 2);
	assert_addr(move, 0, "192.0.2.7");
	assert_addr(move, 1, "192.0.2.50");
	assert_int_equal(move->n_said_addrs, 1);
}

static void vlans_move_with_what_is_on_them(void **state)
{
	BENCH(bench);
	struct nv_interface five = {.configured = true, .up = true};
	struct nv_vlan_wanted vlan[] = {
		{.name = "lagg0.5", .id = 5, .config = &five},
		{.name = "lagg0.6", .id = 6, .config = &five},
	};
	const struct nv_plan *plan = &bench.plan;

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 4, "hn0.5", HN, 5);
	add_vlan(&bench, 5, "hn0.7", HN, 7);
	add_vlan(&bench, 6, "storage", HN, 8);
	add_vlan(&bench, 7, "hn0.7.1", 5, 1);
	add_addr(&bench.now.addrs, 4, "192.0.2.5");
	add_addr(&bench.now.addrs, 7, "192.0.2.71");
	bench.wanted.configured = true;
	bench.wanted.vlan = vlan;
	bench.wanted.n_vlans = 2;
	make_from(&bench, &bench.wanted);

	assert_int_equal(plan->count, 6);
	assert_string_equal(plan->move[1].to_name, "lagg0.5");
	assert_int_equal(plan->move[1].from, 4);
	assert_addr(&plan->move[1], 0, "192.0.2.5");
	assert_string_equal(plan->move[2].to_name, "lagg0.6");
	assert_int_equal(plan->move[2].from, 0);
	assert_string_equal(plan->move[3].to_name, "lagg0.7");
	assert_int_equal(plan->move[3].lower, 0);
	assert_string_equal(plan->move[4].to_name, "lagg0.7.1");
	assert_int_equal(plan->move[4].lower, 3);
	assert_addr(&plan->move[4], 0, "192.0.2.71");
	assert_string_equal(plan->move[5].to_name, "storage");
	assert_string_equal(plan->move[5].from_name, "storage");
}

static void refused(struct bench *bench, const char *with)
{
	int r = nv_plan_make(&bench->now, HN, "lagg0", NULL, &bench->plan, &bench->why);

	assert_int_equal(r, -EBUSY);
	assert_int_equal(bench->plan.count, 0);
	if (!strstr(nv_str_text(&bench->why), with))
		fail_msg("no %s in: %s", with, nv_str_text(&bench->why));
}

static struct nv_link *link_of(struct bench *bench, int ifindex)
{
	return (struct nv_link *)nv_links_by_index(&bench->now.links, ifindex);
}

static void a_vlan_keeps_what_the_kernel_says_of_it(void **state)
{
	BENCH(bench);
	struct nv_link *link;

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 4, "hn0.5", HN, 5);
	link = link_of(&bench, 4);
	memcpy(link->vlan, "whatever", 8);
	link->vlan_length = 8;
	make_from(&bench, NULL);
	assert_int_equal(bench.plan.move[1].vlan_length, 8);
	assert_memory_equal(bench.plan.move[1].vlan, "whatever", 8);
	nv_plan_auto(&bench.plan);
	link->vlan_length = NV_VLAN_MAX + 1;
	refused(&bench, "the VLAN hn0.5 has more mappings");
}

static void a_port_of_a_bond_is_refused(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0")->master = 9;
	add_link(&bench, 9, "bond0");
	refused(&bench, "hn0 is a port of bond0, which is no bridge; or let hn0 keep everything");
}

/* hn0 and tap0 are ports of br0. */
static void tell_bridge(struct bench *bench)
{
	struct nv_request request;
	struct nlmsghdr *header = &request.header;
	struct ifinfomsg *info = nv_request_start(&request, RTM_NEWLINK, 0, sizeof(*info));
	struct nlattr *settings;

	add_link(bench, HN, "hn0")->master = 9;
	nv_strcopy(add_link(bench, 9, "br0")->kind, NV_KIND_LEN, "bridge");
	add_link(bench, 10, "tap0")->master = 9;
	info->ifi_family = AF_BRIDGE;
	info->ifi_index = HN;
	mnl_attr_put_u32(header, IFLA_MASTER, 9);
	settings = mnl_attr_nest_start(header, IFLA_PROTINFO);
	mnl_attr_put_u32(header, IFLA_BRPORT_COST, 77);
	mnl_attr_nest_end(header, settings);
	assert_int_equal(nv_rtobjs_take(&bench->now.ports, header), 0);
}

static void a_place_in_a_bridge_goes_along(void **state)
{
	BENCH(bench);

	(void)state;
	tell_bridge(&bench);
	make_from(&bench, NULL);
	assert_string_equal(bench.plan.move[0].bridge, "br0");
	assert_int_equal(bench.plan.move[0].port.count, 1);
	assert_false(bench.plan.move[0].both);
	nv_plan_auto(&bench.plan);
	add_link(&bench, 11, "lagg0")->master = 9;
	make_from(&bench, NULL);
	assert_true(bench.plan.move[0].both);
}

static void a_bridge_that_cannot_have_both_is_refused(void **state)
{
	BENCH(bench);

	(void)state;
	tell_bridge(&bench);
	link_of(&bench, 9)->stp = true;
	refused(&bench, "hn0 is a port of br0, whose spanning tree would keep lagg0 silent");
	nv_str_auto(&bench.why);
	link_of(&bench, 9)->stp = false;
	link_of(&bench, 10)->isolated = true;
	refused(&bench, "hn0 is a port of br0 and tap0 an isolated one");
	/* It does not reach hn0 now either. */
	link_of(&bench, HN)->isolated = true;
	make_from(&bench, NULL);
	nv_rtobjs_auto(&bench.now.ports);
	nv_plan_auto(&bench.plan);
	nv_str_auto(&bench.why);
	refused(&bench, "the kernel does not tell");
}

static void a_macvlan_on_hn_is_refused(void **state)
{
	BENCH(bench);
	struct nv_link *link;

	(void)state;
	add_link(&bench, HN, "hn0");
	link = add_link(&bench, 9, "mv0");
	link->lower = HN;
	nv_strcopy(link->kind, sizeof(link->kind), "macvlan");
	refused(&bench, "mv0 (macvlan) is stacked on hn0");
	/* A veth's other end is no stacked device, nor is one in another namespace. */
	nv_strcopy(link->kind, sizeof(link->kind), "veth");
	make_from(&bench, NULL);
}

static void a_network_made_by_hand_goes_along(void **state)
{
	BENCH(bench);
	struct nv_addr *addr;

	(void)state;
	add_link(&bench, HN, "hn0");
	addr = add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_route(&bench.live, HN, "192.0.2.0", 24, NULL)->protocol = RTPROT_KERNEL;
	make_from(&bench, NULL);
	assert_int_equal(bench.carried.count, 0);
	nv_plan_auto(&bench.plan);
	addr->flags = IFA_F_NOPREFIXROUTE;
	add_route(&bench.live, HN, "192.0.3.0", 24, NULL)->protocol = RTPROT_KERNEL;
	make_from(&bench, NULL);
	assert_int_equal(bench.carried.count, 1);
	assert_int_equal(bench.carried.route[0].protocol, RTPROT_KERNEL);
}

static void a_source_of_another_interface_stays_good(void **state)
{
	BENCH(bench);
	struct nv_route *route;

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, ETH, "203.0.113.9");
	route = add_route(&bench.live, HN, "198.51.100.0", 24, NULL);
	route->has_source = true;
	route->source = ip("203.0.113.9");
	make_from(&bench, NULL);
	assert_int_equal(bench.carried.count, 1);
}

static void a_long_vlan_name_is_refused(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 4, "hn0.4000.1.2.3", HN, 7);
	assert_int_equal(nv_plan_make(&bench.now, HN, "lagg0", NULL, &bench.plan, &bench.why),
		-ENAMETOOLONG);
	assert_int_equal(
		nv_plan_make(&bench.now, 77, "lagg0", NULL, &bench.plan, &bench.why), -ENODEV);
}

/* A step in one line: "add lagg0 address 192.0.2.5/24". */
static void text_of(const struct bench *bench, const struct nv_step *step, struct nv_str *text)
{
	nv_str_clear(text);
	nv_str_printf(
		text, "%s %s ", nv_step_verb_name(step->verb), nv_step_ifname(&bench->plan, step));
	nv_step_text(&bench->plan, step, text);
}

/* The place of the only step that reads so. */
static size_t find_step(const struct bench *bench, const struct nv_steps *steps, const char *wanted)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	size_t found = steps->count;

	for (size_t i = 0; i < steps->count; i++) {
		text_of(bench, &steps->step[i], &text);
		if (!nv_streq(nv_str_text(&text), wanted))
			continue;
		assert_int_equal(found, steps->count);
		found = i;
	}
	if (found == steps->count)
		fail_msg("no step \"%s\"", wanted);
	return found;
}

static void in_this_order(const struct bench *bench, const char *const *wanted, size_t count)
{
	NV_AUTO(nv_steps) struct nv_steps steps = {};
	size_t last = 0;

	assert_int_equal(nv_steps_list(&bench->plan, &steps), 0);
	for (size_t i = 0; i < count; i++) {
		size_t at = find_step(bench, &steps, wanted[i]);

		if (at < last)
			fail_msg("\"%s\" comes before \"%s\"", wanted[i], wanted[i - 1]);
		last = at;
	}
	for (size_t i = 1; i < steps.count; i++)
		assert_true(steps.step[i].stage >= steps.step[i - 1].stage);
}

static void steps_make_before_they_break(void **state)
{
	static const char *const wanted[] = {
		"make lagg0 the lagg of hn0",
		"copy lagg0 the settings of hn0; MTU 1500",
		"make lagg0.5 VLAN 5 on lagg0",
		"add lagg0 address 192.0.2.5/24",
		"add lagg0 address 2001:db8::6/24", /* the kernel has the last in front */
		"add lagg0 address 2001:db8::5/24",
		"wait lagg0 until IPv6 addresses are in force",
		"add lagg0 route to 198.51.100.0/24 via 192.0.2.1",
		"switch lagg0 frames arrive here from now on",
		"remove hn0 route to 198.51.100.0/24 via 192.0.2.1",
		"remove hn0 routes to its own networks, and what has come to it meanwhile",
		"remove hn0 IPv6 addresses",
		"add lagg0 a DHCP client, if one runs now",
		"settle lagg0 reverse path filtering and duplicate address detection",
		"remove hn0.5 the VLAN",
		"remove hn0 IPv4 addresses",
	};
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 5, "hn0.5", HN, 5);
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, HN, "2001:db8::5");
	add_addr(&bench.now.addrs, HN, "2001:db8::6");
	add_route(&bench.live, HN, "198.51.100.0", 24, "192.0.2.1");
	make_from(&bench, NULL);
	in_this_order(&bench, wanted, NV_ARRAY_SIZE(wanted));
}

static void what_needs_the_old_ones_name_is_made_when_that_is_gone(void **state)
{
	static const char *const wanted[] = {
		"switch lagg0 frames arrive here from now on",
		"remove storage route to 198.51.100.0/24 via 203.0.113.1",
		"remove storage it, so that another can have its name: nothing is heard on it "
		"until "
		"that is there",
		"make storage VLAN 8 on lagg0",
		"add storage address 203.0.113.5/24",
		"add storage route to 198.51.100.0/24 via 203.0.113.1",
		"remove hn0 IPv4 addresses",
	};
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 5, "storage", HN, 8);
	add_addr(&bench.now.addrs, 5, "203.0.113.5");
	add_route(&bench.live, 5, "198.51.100.0", 24, "203.0.113.1");
	make_from(&bench, NULL);
	in_this_order(&bench, wanted, NV_ARRAY_SIZE(wanted));
}

static void a_port_is_one_before_it_is_up_and_leaves_first(void **state)
{
	static const char *const wanted[] = {
		"make lagg0 the lagg of hn0",
		"copy lagg0 the place in br0, isolated and mute for now",
		"copy lagg0 the settings of hn0; MTU 1500",
		"switch lagg0 frames arrive here from now on",
		"remove hn0 its place in br0",
		"close hn0 to router advertisements, and to addresses that it makes itself",
	};
	BENCH(bench);

	(void)state;
	tell_bridge(&bench);
	make_from(&bench, NULL);
	in_this_order(&bench, wanted, NV_ARRAY_SIZE(wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rcconf_everything_live_moves),
		cmocka_unit_test(rcconf_wins_in_its_family_and_leaves_the_other),
		cmocka_unit_test(with_dhcp_the_live_lease_comes_along),
		cmocka_unit_test(vlans_move_with_what_is_on_them),
		cmocka_unit_test(a_vlan_keeps_what_the_kernel_says_of_it),
		cmocka_unit_test(a_port_of_a_bond_is_refused),
		cmocka_unit_test(a_place_in_a_bridge_goes_along),
		cmocka_unit_test(a_port_is_one_before_it_is_up_and_leaves_first),
		cmocka_unit_test(a_bridge_that_cannot_have_both_is_refused),
		cmocka_unit_test(a_macvlan_on_hn_is_refused),
		cmocka_unit_test(a_network_made_by_hand_goes_along),
		cmocka_unit_test(a_source_of_another_interface_stays_good),
		cmocka_unit_test(a_long_vlan_name_is_refused),
		cmocka_unit_test(steps_make_before_they_break),
		cmocka_unit_test(what_needs_the_old_ones_name_is_made_when_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
