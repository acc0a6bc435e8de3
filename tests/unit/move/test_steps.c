/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of a plan, in their order. */
#include "plan_bench.h"

#include "move/steps.h"

#include <string.h>

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
		"wait lagg0 until IPv6 addresses can be used",
		"add lagg0 route to 198.51.100.0/24 via 192.0.2.1",
		"switch lagg0 frames arrive here from now on",
		"remove hn0 route to 198.51.100.0/24 via 192.0.2.1",
		"remove hn0 routes to its own networks, and what was added to it meanwhile",
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
		("remove storage the VLAN, so that its replacement can have the name: it receives "
		 "nothing until then"),
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
		"copy lagg0 the bridge port of br0, isolated and without flooding for now",
		"copy lagg0 the settings of hn0; MTU 1500",
		"switch lagg0 frames arrive here from now on",
		"remove hn0 its bridge port of br0",
		"close hn0 to router advertisements and to automatic IPv6 addresses",
	};
	BENCH(bench);

	(void)state;
	tell_bridge(&bench);
	make_from(&bench, NULL);
	in_this_order(&bench, wanted, NV_ARRAY_SIZE(wanted));
}

/* All steps of the plan are these. */
static void expect_steps(const struct bench *bench, const char *wanted)
{
	NV_AUTO(nv_steps) struct nv_steps steps = {};
	NV_AUTO(nv_str) struct nv_str text = {};
	NV_AUTO(nv_str) struct nv_str all = {};

	assert_int_equal(nv_steps_list(&bench->plan, &steps), 0);
	for (size_t i = 0; i < steps.count; i++) {
		text_of(bench, &steps.step[i], &text);
		nv_str_printf(&all, "%s\n", nv_str_text(&text));
	}
	assert_string_equal(nv_str_text(&all), wanted);
}

static void what_rcconf_says_is_shown_as_its_own_and_the_rest_leaves(void **state)
{
	struct nv_interface five = {.configured = true, .up = true};
	struct nv_vlan_wanted vlan = {.name = "lagg0.5", .id = 5, .config = &five};
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	nv_strcopy(bench.now.links.link[0].alias, 256, "the old one");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, HN, "2001:db8::5");
	add_route(&bench.live, HN, "203.0.113.0", 24, "192.0.2.9")->has_source = true;
	bench.live.route[0].source = ip("192.0.2.5");
	add_addr(&bench.wanted.addrs, 0, "192.0.2.7");
	add_route(&bench.wanted.routes, 0, "0.0.0.0", 0, "192.0.2.1");
	add_route(&bench.wanted.routes, 0, "198.51.100.0", 24, NULL);
	bench.wanted.configured = bench.wanted.up = true;
	bench.wanted.mtu = 9000;
	bench.wanted.description = (char *)"the way out";
	bench.wanted.vlan = &vlan;
	bench.wanted.n_vlans = 1;
	make_from(&bench, &bench.wanted);
	expect_steps(&bench,
		"make lagg0 the lagg of hn0\n"
		"copy lagg0 the settings of hn0; MTU 9000; the way out\n"
		"make lagg0.5 VLAN 5 on lagg0\n"
		"copy lagg0.5 MTU 0\n"
		"add lagg0 address 192.0.2.7/24 of rc.conf\n"
		"add lagg0 address 2001:db8::5/24\n"
		"add lagg0 route to 198.51.100.0/24 of rc.conf\n"
		"add lagg0 route to default via 192.0.2.1 of rc.conf\n"
		"wait lagg0 until IPv6 addresses can be used\n"
		"wait lagg0.5 until IPv6 addresses can be used\n"
		"copy lagg0 the settings of hn0 in systemd-resolved, if that runs\n"
		"switch lagg0 frames arrive here from now on\n"
		"close hn0 to router advertisements and to automatic IPv6 addresses\n"
		"leave hn0 route to 203.0.113.0/24 via 192.0.2.9\n"
		"remove hn0 routes to its own networks, and what was added to it meanwhile\n"
		"remove hn0 IPv6 addresses\n"
		"add lagg0.5 a DHCP client, if one runs now\n"
		"settle lagg0 reverse path filtering and duplicate address detection\n"
		"settle lagg0.5 reverse path filtering and duplicate address detection\n"
		"leave hn0 address 192.0.2.5/24\n"
		"remove hn0 the settings of hn0 in systemd-resolved, if that runs\n"
		"remove hn0 IPv4 addresses\n");
}

/* A DHCP client may flush its interface: the old IPv4 address is there until it is done. */
static void a_client_starts_while_the_old_address_is_there(void **state)
{
	static const char *const wanted[] = {
		"switch lagg0 frames arrive here from now on",
		"remove hn0 IPv6 addresses",
		"add lagg0 a DHCP client, as rc.conf says",
		"remove hn0 IPv4 addresses",
	};
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.50")->valid_lft = 100;
	bench.wanted.configured = bench.wanted.up = true;
	bench.wanted.dhcp = (struct nv_dhcp_wanted){
		.mode = NV_DHCP_ASYNC, .program = "/sbin/dhclient", .flags = ""};
	make_from(&bench, &bench.wanted);
	in_this_order(&bench, wanted, NV_ARRAY_SIZE(wanted));
}

static void an_interface_that_is_down_is_not_waited_for_and_has_no_routes(void **state)
{
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0")->flags = 0;
	add_addr(&bench.wanted.addrs, 0, "192.0.2.7");
	add_route(&bench.wanted.routes, 0, "0.0.0.0", 0, "192.0.2.1");
	bench.wanted.configured = true;
	make_from(&bench, &bench.wanted);
	expect_steps(&bench,
		"make lagg0 the lagg of hn0\n"
		"copy lagg0 the settings of hn0; MTU 1500\n"
		"add lagg0 address 192.0.2.7/24 of rc.conf\n"
		"copy lagg0 the settings of hn0 in systemd-resolved, if that runs\n"
		"switch lagg0 frames arrive here from now on\n"
		"close hn0 to router advertisements and to automatic IPv6 addresses\n"
		"remove hn0 routes to its own networks, and what was added to it meanwhile\n"
		"remove hn0 IPv6 addresses\n"
		"settle lagg0 reverse path filtering and duplicate address detection\n"
		"remove hn0 the settings of hn0 in systemd-resolved, if that runs\n"
		"remove hn0 IPv4 addresses\n");
}

static void an_ipv6_address_leaves_with_the_paths_and_an_ipv4_one_at_the_end(void **state)
{
	static const char *const wanted[] = {
		"switch lagg0 frames arrive here from now on",
		"leave hn0 address 2001:db8::5/24",
		"remove hn0 IPv6 addresses",
		"settle lagg0 reverse path filtering and duplicate address detection",
		"leave hn0 address 192.0.2.5/24",
		"remove hn0 IPv4 addresses",
	};
	BENCH(bench);

	(void)state;
	add_link(&bench, HN, "hn0");
	add_addr(&bench.now.addrs, HN, "192.0.2.5");
	add_addr(&bench.now.addrs, HN, "2001:db8::5");
	bench.wanted.configured = bench.wanted.up = bench.wanted.exclusive = true;
	make_from(&bench, &bench.wanted);
	in_this_order(&bench, wanted, NV_ARRAY_SIZE(wanted));
}

static void many_steps_are_all_listed(void **state)
{
	NV_AUTO(nv_steps) struct nv_steps steps = {};
	BENCH(bench);
	size_t added = 0;
	char text[32];

	(void)state;
	add_link(&bench, HN, "hn0");
	for (int i = 1; i <= 200; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		add_addr(&bench.now.addrs, HN, text);
	}
	make_from(&bench, NULL);
	assert_int_equal(nv_steps_list(&bench.plan, &steps), 0);
	for (size_t i = 0; i < steps.count; i++)
		added += steps.step[i].verb == NV_STEP_ADD &&
			 steps.step[i].object == NV_STEP_ADDR && steps.step[i].index == added;
	assert_int_equal(added, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_make_before_they_break),
		cmocka_unit_test(what_needs_the_old_ones_name_is_made_when_that_is_gone),
		cmocka_unit_test(a_port_is_one_before_it_is_up_and_leaves_first),
		cmocka_unit_test(what_rcconf_says_is_shown_as_its_own_and_the_rest_leaves),
		cmocka_unit_test(a_client_starts_while_the_old_address_is_there),
		cmocka_unit_test(an_interface_that_is_down_is_not_waited_for_and_has_no_routes),
		cmocka_unit_test(an_ipv6_address_leaves_with_the_paths_and_an_ipv4_one_at_the_end),
		cmocka_unit_test(many_steps_are_all_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
