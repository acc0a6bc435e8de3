/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/vf_guard.c in the whole room. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static void addresses_are_taken_off_a_vf(void **state)
{
	int vf = make_all();
	struct nv_addr addr = fake_addr(vf, "192.0.2.1/24");

	(void)state;
	assert_true(nv_failover_cares(failover, vf));
	assert_false(nv_failover_cares(failover, hn()));
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(fake->addrs.count, 0);
	assert_int_equal(managed()->warned.guarded_vf, vf);
	fake_fail(fake, FAKE_ADDR_DEL, 1, -EPERM);
	fake_put_addr(fake, &addr);
	hear();
	nv_failover_look_again(failover);
	assert_int_equal(fake->addrs.count, 0);
}

static void give_address(int vf)
{
	struct nv_addr addr = fake_addr(vf, "192.0.2.1/24");

	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(fake->addrs.count, 0);
}

static void who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate(void **state)
{
	int vf = make_all();

	(void)state;
	nv_str_clear(&attached);
	give_address(vf);
	expect_attached("nvt0 ");
	give_address(vf);
	give_address(vf);
	expect_attached("");
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	expect_attached("");
	nv_loop_advance(loop, 1);
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 100 * NV_USEC_PER_SEC);
	expect_attached("");
	give_address(vf);
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	set_flags("nvt0", IFF_UP, 0);
	give_address(vf);
	expect_attached(""); /* an administrator set it down */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_taken_off_a_vf),
		TEST(who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
