/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/vf_guard.c in the whole room. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static void give_address(int vf, const char *text)
{
	struct nv_addr addr = fake_addr(vf, text);

	fake_put_addr(fake, &addr);
	hear();
}

static void addresses_are_taken_off_a_vf(void **state)
{
	int vf = make_all();

	(void)state;
	assert_true(nv_failover_cares(failover, vf));
	assert_false(nv_failover_cares(failover, hn()));
	give_address(vf, "192.0.2.1/24");
	assert_int_equal(fake->addrs.count, 0);
	assert_int_equal(managed()->warned.guarded_vf, vf);
	fake_fail(fake, FAKE_ADDR_DEL, 1, -EPERM);
	give_address(vf, "192.0.2.2/24");
	nv_failover_look_again(failover);
	assert_int_equal(fake->addrs.count, 0);
}

static void an_address_that_comes_again_and_again_stays_for_longer_each_time(void **state)
{
	int vf = make_all();

	(void)state;
	give_address(vf, "192.0.2.1/24");
	assert_int_equal(fake->addrs.count, 0);
	give_address(vf, "192.0.2.1/24");
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	assert_int_equal(fake->addrs.count, 1);
	nv_loop_advance(loop, 1);
	assert_int_equal(fake->addrs.count, 0);
	give_address(vf, "192.0.2.1/24");
	nv_loop_advance(loop, 600 * NV_USEC_PER_SEC - 1);
	assert_int_equal(fake->addrs.count, 1);
	give_address(vf, "192.0.2.2/24");
	assert_int_equal(fake->addrs.count, 1); /* another one is not blamed */
	nv_loop_advance(loop, 1);
	assert_int_equal(fake->addrs.count, 0);
}

static void who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate(void **state)
{
	int vf = make_all();

	(void)state;
	nv_str_clear(&attached);
	give_address(vf, "192.0.2.1/24");
	expect_attached("nvt0 ");
	give_address(vf, "192.0.2.2/24");
	give_address(vf, "192.0.2.3/24");
	expect_attached("");
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	expect_attached("");
	nv_loop_advance(loop, 1);
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 100 * NV_USEC_PER_SEC);
	expect_attached("");
	give_address(vf, "192.0.2.4/24");
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	set_flags("nvt0", IFF_UP, 0);
	give_address(vf, "192.0.2.5/24");
	expect_attached(""); /* an administrator set it down */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_taken_off_a_vf),
		TEST(an_address_that_comes_again_and_again_stays_for_longer_each_time),
		TEST(who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
