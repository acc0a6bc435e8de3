/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

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
	assert_int_equal(move->n_configured_addrs, 0);
	/* What a gateway depends on comes before it. */
	assert_int_equal(move->routes.count, 0);
	assert_int_equal(bench.carried.count, 3);
	assert_int_equal(bench.carried.route[0].destination_len, 32);
	assert_int_equal(bench.carried.route[1].destination_len, 24);
	assert_int_equal(bench.carried.route[2].destination_len, 0);
	assert_int_equal(bench.carried.route[2].oif, HN);
	assert_false(bench.plan.is_configured);
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
	assert_int_equal(move->n_configured_addrs, 1);
	assert_addr(move, 1, "2001:db8::5");
	/* Its default route, not the live one; not the one from an address that goes. */
	assert_true(bench.plan.is_configured);
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
	assert_int_equal(move->n_configured_addrs, 1);
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
	refused(&bench, "the VLAN hn0.5 has more priority mappings");
}

static void a_vlan_keeps_a_mac_address_of_its_own(void **state)
{
	static const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 5, 5};
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0")->has_mac = true;
	add_vlan(&bench, 4, "hn0.5", HN, 5);
	add_vlan(&bench, 5, "hn0.6", HN, 6);
	link_of(&bench, 4)->has_mac = link_of(&bench, 5)->has_mac = true;
	memcpy(link_of(&bench, 4)->mac, mac, sizeof(mac));
	link_of(&bench, 4)->addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	make_from(&bench, NULL);
	assert_true(bench.plan.move[1].has_mac);
	assert_memory_equal(bench.plan.move[1].mac, mac, sizeof(mac));
	assert_int_equal(bench.plan.move[1].addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	assert_false(bench.plan.move[2].has_mac);
}

static void a_vlan_that_the_lagg_has_by_another_name_is_refused(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 4, "vlan5", HN, 5);
	add_link(&bench, 9, "lagg0");
	add_vlan(&bench, 10, "lagg0.6", 9, 6);
	make_from(&bench, NULL);
	nv_plan_auto(&bench.plan);
	add_vlan(&bench, 11, "lagg0.5", 9, 5);
	refused(&bench, "vlan5 is its VLAN 5, and lagg0 has that VLAN already, as lagg0.5");
}

/* Somebody has removed the route, or a router has said that the prefix is not on-link. */
static void an_address_without_a_route_to_its_network_moves_without(void **state)
{
	BENCH(bench);
	const struct nv_addrs *addrs;

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, HN, "198.51.100.5");
	add_addr(&bench.now.addrs, HN, "203.0.113.5")->prefix_len = 32;
	add_addr(&bench.now.addrs, HN, "2001:db8:1::5")->prefix_len = 64;
	add_addr(&bench.now.addrs, HN, "2001:db8:2::5")->prefix_len = 64;
	add_route(&bench.live, HN, "192.0.2.0", 24, NULL)->protocol = RTPROT_KERNEL;
	add_route(&bench.live, ETH, "198.51.100.0", 24, NULL)->protocol = RTPROT_KERNEL;
	add_route(&bench.live, HN, "198.51.100.0", 25, NULL)->protocol = RTPROT_KERNEL;
	add_route(&bench.live, HN, "2001:db8:1::", 64, NULL)->protocol = RTPROT_KERNEL;
	make_from(&bench, NULL);
	addrs = &bench.plan.move[0].addrs;
	assert_int_equal(addrs->addr[0].flags, 0);
	assert_int_equal(addrs->addr[1].flags, IFA_F_NOPREFIXROUTE);
	assert_int_equal(addrs->addr[2].flags, 0);
	assert_int_equal(addrs->addr[3].flags, 0);
	assert_int_equal(addrs->addr[4].flags, IFA_F_NOPREFIXROUTE);
	nv_plan_auto(&bench.plan);
	/* A run that was killed has removed the routes, and given the lagg the addresses. */
	add_link(&bench, 9, "lagg0");
	add_addr(&bench.now.addrs, 9, "198.51.100.5");
	make_from(&bench, NULL);
	assert_int_equal(bench.plan.move[0].addrs.addr[1].flags, 0);
	assert_int_equal(bench.plan.move[0].addrs.addr[4].flags, IFA_F_NOPREFIXROUTE);
	nv_plan_auto(&bench.plan);
	link_of(&bench, HN)->addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	make_from(&bench, NULL);
	assert_int_equal(bench.plan.move[0].addrs.addr[4].flags, 0);
	nv_plan_auto(&bench.plan);
	link_of(&bench, HN)->addr_gen_mode = 0;
	link_of(&bench, HN)->flags = 0; /* then the kernel has none yet */
	make_from(&bench, NULL);
	assert_int_equal(bench.plan.move[0].addrs.addr[1].flags, 0);
}

/* `ip route show | while read r; do ip route add table 100 $r; done` */
static void a_network_that_was_copied_to_another_table_goes_along(void **state)
{
	BENCH(bench);
	struct nv_route *route;

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_route(&bench.live, HN, "192.0.2.0", 24, NULL)->protocol = RTPROT_KERNEL;
	route = add_route(&bench.live, HN, "192.0.2.0", 24, NULL);
	route->protocol = RTPROT_KERNEL;
	route->table = 100;
	make_from(&bench, NULL);
	assert_int_equal(bench.carried.count, 1);
	assert_int_equal(bench.carried.route[0].table, 100);
}

static void a_port_of_a_bond_is_refused(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0")->master = 9;
	add_link(&bench, 9, "bond0");
	refused(&bench,
		"hn0 is a port of bond0, which is not a bridge; or let hn0 keep everything");
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
	refused(&bench, "hn0 is a port of br0, whose spanning tree would block lagg0");
	nv_str_auto(&bench.why);
	link_of(&bench, 9)->stp = false;
	link_of(&bench, 10)->isolated = true;
	refused(&bench, "hn0 is a port of br0, and so is tap0, which is isolated");
	/* It does not reach hn0 now either. */
	link_of(&bench, HN)->isolated = true;
	make_from(&bench, NULL);
	nv_rtobjs_auto(&bench.now.ports);
	nv_plan_auto(&bench.plan);
	nv_str_auto(&bench.why);
	refused(&bench, "the kernel does not report");
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
	nv_str_auto(&bench.why);
	nv_strcopy(link->kind, sizeof(link->kind), "vxlan");
	refused(&bench, "mv0 (vxlan) sends by hn0, because it was made with 'dev'");
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

static void a_label_goes_along_if_it_fits(void **state)
{
	BENCH(bench);
	struct nv_addr *addr;

	(void)state;
	add_link(&bench, HN, "hn0");
	addr = add_addr(&bench.now.addrs, HN, "192.0.2.5");
	nv_strcopy(addr->label, sizeof(addr->label), "hn0:12345678901"); /* lagg0:… is too long */
	addr = add_addr(&bench.now.addrs, HN, "192.0.2.6");
	nv_strcopy(addr->label, sizeof(addr->label), "hn01"); /* is not hn0's own */
	addr = add_addr(&bench.now.addrs, HN, "192.0.2.7");
	nv_strcopy(addr->label, sizeof(addr->label), "hn0");
	make_from(&bench, NULL);
	assert_string_equal(bench.plan.move[0].addrs.addr[0].label, "");
	assert_string_equal(bench.plan.move[0].addrs.addr[1].label, "");
	assert_string_equal(bench.plan.move[0].addrs.addr[2].label, "lagg0");
}

static void what_rcconf_does_not_speak_of_is_as_it_was(void **state)
{
	BENCH(bench);
	struct nv_link *link;

	(void)state;
	link = add_link(&bench, HN, "hn0");
	link->mtu = 9000;
	link->tx_queue_len = 321;
	link->group = 7;
	nv_strcopy(link->alias, sizeof(link->alias), "uplink");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	bench.wanted.up = true; /* of somebody else's words */
	bench.wanted.mtu = 1400;
	add_addr(&bench.wanted.addrs, 0, "203.0.113.5");
	make_from(&bench, &bench.wanted);
	assert_false(bench.plan.is_configured);
	assert_int_equal(bench.plan.move[0].mtu, 9000);
	assert_int_equal(bench.plan.move[0].tx_queue_len, 321);
	assert_int_equal(bench.plan.move[0].group, 7);
	assert_string_equal(bench.plan.move[0].description, "uplink");
	assert_int_equal(bench.plan.move[0].client, NV_CLIENT_MOVE);
	assert_int_equal(bench.plan.move[0].addrs.count, 1);
	assert_addr(&bench.plan.move[0], 0, "192.0.2.5");
}

static void rcconf_alone_leaves_what_nobody_else_gives(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, HN, "fe80::1");
	add_addr(&bench.now.addrs, HN, "2001:db8::5");
	add_route(&bench.live, HN, "198.51.100.0", 24, "192.0.2.1");
	add_route(&bench.live, HN, "2001:db8:1::", 48, "fe80::2")->protocol = RTPROT_RA;
	bench.wanted.configured = bench.wanted.up = bench.wanted.exclusive = true;
	bench.wanted.accept_rtadv = true;
	make_from(&bench, &bench.wanted);
	assert_int_equal(bench.plan.move[0].client, NV_CLIENT_STOP);
	assert_true(bench.plan.move[0].accept_rtadv);
	/* What a router has given comes along. */
	assert_int_equal(bench.plan.move[0].addrs.count, 2);
	assert_addr(&bench.plan.move[0], 0, "fe80::1");
	assert_addr(&bench.plan.move[0], 1, "2001:db8::5");
	assert_int_equal(bench.carried.count, 1);
	assert_int_equal(bench.carried.route[0].protocol, RTPROT_RA);
	assert_int_equal(bench.plan.dropped.count, 2);
}

static void nothing_to_move_is_an_empty_plan(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "fe80::1");
	add_route(&bench.live, HN, "fe80::", 64, NULL)->protocol = RTPROT_KERNEL;
	make_from(&bench, NULL);
	assert_true(nv_plan_is_empty(&bench.plan));
	nv_plan_auto(&bench.plan);
	add_addr(&bench.now.addrs, HN, "2001:db8::5");
	make_from(&bench, NULL);
	assert_false(nv_plan_is_empty(&bench.plan));
}

static void each_thing_alone_makes_a_plan_that_is_not_empty(void **state)
{
	BENCH(route);
	BENCH(vlan);
	BENCH(said);
	BENCH(port);

	(void)state;
	add_link(&route, HN, "hn0");
	add_route(&route.live, HN, "0.0.0.0", 0, "192.0.2.1");
	make_from(&route, NULL);
	assert_false(nv_plan_is_empty(&route.plan));
	add_link(&vlan, HN, "hn0");
	add_vlan(&vlan, 4, "hn0.5", HN, 5);
	make_from(&vlan, NULL);
	assert_false(nv_plan_is_empty(&vlan.plan));
	add_link(&said, HN, "hn0");
	said.wanted.configured = true;
	make_from(&said, &said.wanted);
	assert_false(nv_plan_is_empty(&said.plan));
	tell_bridge(&port);
	make_from(&port, NULL);
	assert_false(nv_plan_is_empty(&port.plan));
}

static void a_plan_that_is_refused_leaves_the_one_before(void **state)
{
	BENCH(bench);
	NV_AUTO(nv_plan) struct nv_plan plan = {.count = 0, .is_configured = true};

	(void)state;
	add_link(&bench, HN, "hn0")->master = 9;
	add_link(&bench, 9, "team0");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	assert_int_equal(nv_plan_make(&bench.now, HN, "lagg0", NULL, &plan, &bench.why), -EBUSY);
	assert_true(plan.is_configured);
	assert_null(plan.move);
	assert_int_equal(
		nv_plan_make(&bench.now, HN, "a-name-that-is-too-long", NULL, &plan, &bench.why),
		-ENAMETOOLONG);
	assert_true(plan.is_configured);
	/* The port of its own lagg, as an earlier run has left it, is none of another's. */
	nv_strcopy(link_of(&bench, 9)->name, IFNAMSIZ, "lagg0");
	assert_int_equal(nv_plan_make(&bench.now, HN, "lagg0", NULL, &bench.plan, &bench.why), 0);
	assert_string_equal(bench.plan.move[0].bridge, "");
}

static void what_is_to_a_network_of_some_bits_is_told_by_them(void **state)
{
	BENCH(bench);
	struct nv_addr *addr;

	(void)state;
	add_link(&bench, HN, "hn0");
	addr = add_addr(&bench.now.addrs, HN, "192.0.2.77");
	addr->flags = IFA_F_NOPREFIXROUTE;
	add_route(&bench.live, HN, "192.0.2.64", 28, NULL)->protocol = RTPROT_KERNEL;
	add_route(&bench.live, HN, "192.0.2.80", 28, NULL)->protocol = RTPROT_KERNEL;
	add_route(&bench.live, HN, "192.0.2.77", 32, NULL)->protocol = RTPROT_KERNEL;
	add_route(&bench.live, HN, "0.0.0.0", 1, NULL)->protocol = RTPROT_KERNEL;
	make_from(&bench, NULL);
	assert_int_equal(bench.carried.count, 2);
	assert_int_equal(bench.carried.route[0].destination_len, 28);
	assert_int_equal(bench.carried.route[1].destination_len, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rcconf_everything_live_moves),
		cmocka_unit_test(rcconf_wins_in_its_family_and_leaves_the_other),
		cmocka_unit_test(with_dhcp_the_live_lease_comes_along),
		cmocka_unit_test(vlans_move_with_what_is_on_them),
		cmocka_unit_test(a_vlan_keeps_what_the_kernel_says_of_it),
		cmocka_unit_test(a_vlan_keeps_a_mac_address_of_its_own),
		cmocka_unit_test(a_vlan_that_the_lagg_has_by_another_name_is_refused),
		cmocka_unit_test(an_address_without_a_route_to_its_network_moves_without),
		cmocka_unit_test(a_network_that_was_copied_to_another_table_goes_along),
		cmocka_unit_test(a_port_of_a_bond_is_refused),
		cmocka_unit_test(a_place_in_a_bridge_goes_along),
		cmocka_unit_test(a_bridge_that_cannot_have_both_is_refused),
		cmocka_unit_test(a_macvlan_on_hn_is_refused),
		cmocka_unit_test(a_network_made_by_hand_goes_along),
		cmocka_unit_test(a_source_of_another_interface_stays_good),
		cmocka_unit_test(a_long_vlan_name_is_refused),
		cmocka_unit_test(a_label_goes_along_if_it_fits),
		cmocka_unit_test(what_rcconf_does_not_speak_of_is_as_it_was),
		cmocka_unit_test(rcconf_alone_leaves_what_nobody_else_gives),
		cmocka_unit_test(nothing_to_move_is_an_empty_plan),
		cmocka_unit_test(each_thing_alone_makes_a_plan_that_is_not_empty),
		cmocka_unit_test(a_plan_that_is_refused_leaves_the_one_before),
		cmocka_unit_test(what_is_to_a_network_of_some_bits_is_told_by_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
