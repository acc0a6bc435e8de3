/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/hn_guard.c in the whole room. */
#include "room.h"

#include "failover/hn_guard.h"

#include <string.h>
#include <sys/eventfd.h>

static void give_address(const char *text)
{
	struct nv_addr addr = fake_addr(hn(), text);

	fake_put_addr(fake, &addr);
	hear();
}

/* As hyperv_vfup does it. */
static void take_address(const char *text)
{
	struct nv_addr addr = fake_addr(hn(), text);

	fake_del_addr(fake, &addr);
	hear();
}

/* As the programs in the kernel do it when hn has sent a frame. */
static void report(unsigned int bits)
{
	path.reported = bits;
	eventfd_write(path.reports_fd, 1);
	hear();
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	hear();
}

static void give_route(uint8_t protocol)
{
	const struct nv_route route = {.family = AF_INET,
		.protocol = protocol,
		.priority = protocol,
		.oif = hn(),
		.has_gateway = true,
		.gateway = fake_ip("192.0.2.254")};

	assert_int_equal(nv_kernel_route_add(fake->kernel, &route, NV_ROUTE_NEW), 0);
}

static void what_somebody_gives_hn_is_to_be_moved(void **state)
{
	(void)state;
	make_all();
	give_address("192.0.2.1/24");
	expect("VF_UP hn0\n");
	assert_int_equal(said("hn0: somebody gave it the address 192.0.2.1/24, but "), 1);
	take_address("192.0.2.1/24");
	nv_loop_advance(loop, 700 * NV_USEC_PER_SEC);
	expect("");
	give_address("192.0.2.2/24");
	expect("VF_UP hn0\n");
	assert_int_equal(said("somebody gave it"), 1);
}

static void at_a_bounded_rate_and_then_it_is_left(void **state)
{
	static const unsigned int wait[] = {1, 2, 4, 8};

	(void)state;
	make_all();
	give_address("192.0.2.1/24");
	expect("VF_UP hn0\n");
	for (size_t i = 0; i < NV_ARRAY_SIZE(wait); i++) {
		assert_false(nv_hn_guard_has_given_up(failover, managed()));
		nv_loop_advance(loop, wait[i] * NV_USEC_PER_SEC - 1);
		expect("");
		nv_loop_advance(loop, 1);
		expect("VF_UP hn0\n");
	}
	assert_true(nv_hn_guard_has_given_up(failover, managed()));
	assert_int_equal(said("hn0: somebody gives it a configuration again and again"), 1);
	nv_loop_advance(loop, (16 + 600) * NV_USEC_PER_SEC - 1);
	expect("");
	nv_loop_advance(loop, 1);
	expect("VF_UP hn0\n");
	assert_false(nv_hn_guard_has_given_up(failover, managed()));
}

static void a_bridge_that_takes_hn_is_a_configuration_too(void **state)
{
	struct nv_link link;
	int bridge;

	(void)state;
	make_all();
	bridge = fake_make_link(fake, "br0", "bridge", 7);
	link = fake_link(fake, "hn0");
	link.master = bridge;
	fake_put_link(fake, &link);
	hear();
	expect("VF_UP hn0\n");
	assert_int_equal(said("hn0: somebody gave it to br0 as a port, but "), 1);
}

static void a_vlan_on_hn_is_a_configuration_too(void **state)
{
	struct nv_link vlan = {.name = "hn0.7", .kind = "vlan", .vlan_id = 7};

	(void)state;
	make_all();
	vlan.lower = hn();
	vlan.ifindex = fake_put_link(fake, &vlan);
	hear();
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	expect("");
	vlan.flags = IFF_UP;
	fake_put_link(fake, &vlan);
	hear();
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC - 1);
	expect(""); /* it gets its addresses for a moment still */
	nv_loop_advance(loop, 1);
	expect("VF_UP hn0\n");
	assert_int_equal(said("hn0: somebody gave it the VLAN hn0.7, but "), 1);
}

/* hyperv_vfup refuses it, and would do so again. */
static void a_vlan_that_the_lagg_has_by_another_name_stays(void **state)
{
	struct nv_link vlan = {.name = "vlan7", .kind = "vlan", .vlan_id = 7, .flags = IFF_UP};
	struct nv_link there = {.name = "lagg0.7", .kind = "vlan", .vlan_id = 7, .flags = IFF_UP};

	(void)state;
	make_all();
	there.lower = fake_link(fake, "lagg0").ifindex;
	fake_put_link(fake, &there);
	vlan.lower = hn();
	fake_put_link(fake, &vlan);
	hear();
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	expect("");
	nv_strcopy(vlan.name, sizeof(vlan.name), "hn0.7");
	fake_put_link(fake, &vlan);
	hear();
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC);
	expect("VF_UP hn0\n");
}

static void a_route_is_looked_for_when_hn_has_sent(void **state)
{
	(void)state;
	make_all();
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC); /* the VF's programs stay where they are then */
	give_route(RTPROT_KERNEL);
	give_route(NV_RTPROT_BACKUP);
	report(NV_DP_REPORT_BYPASS);
	expect("");
	give_route(RTPROT_BOOT);
	report(NV_DP_REPORT_GROUPS);
	expect("");
	report(NV_DP_REPORT_BYPASS);
	expect("VF_UP hn0\n");
	assert_int_equal(said("hn0: somebody gave it a route, but "), 1);
}

static void what_sends_and_is_nothing_known_is_looked_at_once(void **state)
{
	(void)state;
	make_all();
	report(NV_DP_REPORT_BYPASS);
	expect(""); /* it may have been sent before the configuration moved */
	report(NV_DP_REPORT_BYPASS);
	expect("VF_UP hn0\n");
	for (int i = 0; i < 10; i++)
		report(NV_DP_REPORT_BYPASS);
	expect("");
}

static void what_the_hn_of_another_pair_sends_is_nothing_to_it(void **state)
{
	(void)state;
	make_all();
	path.bypassed = hn() + 1000;
	for (int i = 0; i < 10; i++)
		report(NV_DP_REPORT_BYPASS);
	expect("");
	assert_int_equal(managed()->memory.bypass_reports, 0);
}

static void without_a_vf_or_a_lagg_it_is_left(void **state)
{
	int vf;

	(void)state;
	give_address("192.0.2.1/24");
	vf = make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
	nv_loop_advance(loop, 100 * NV_USEC_PER_SEC);
	expect("");
	take_address("192.0.2.1/24");
	make_lagg();
	fake_del_link(fake, vf);
	hear();
	nv_str_clear(&events);
	give_address("192.0.2.1/24");
	nv_loop_advance(loop, 100 * NV_USEC_PER_SEC);
	expect("");
}

static void what_the_kernel_has_no_more_is_nobodys_fault(void **state)
{
	struct nv_addr addr;

	(void)state;
	make_all();
	addr = fake_addr(hn(), "192.0.2.1/24");
	fake_put_addr(fake, &addr);
	fake->mute = true; /* the message that it is gone has not come yet */
	fake_del_addr(fake, &addr);
	fake->mute = false;
	hear();
	expect("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_somebody_gives_hn_is_to_be_moved),
		TEST(at_a_bounded_rate_and_then_it_is_left),
		TEST(a_bridge_that_takes_hn_is_a_configuration_too),
		TEST(a_vlan_on_hn_is_a_configuration_too),
		TEST(a_vlan_that_the_lagg_has_by_another_name_stays),
		TEST(a_route_is_looked_for_when_hn_has_sent),
		TEST(what_sends_and_is_nothing_known_is_looked_at_once),
		TEST(what_the_hn_of_another_pair_sends_is_nothing_to_it),
		TEST(without_a_vf_or_a_lagg_it_is_left),
		TEST(what_the_kernel_has_no_more_is_nobodys_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
