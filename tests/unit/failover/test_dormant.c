/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/dormant.c in the whole room. */
#include "room.h"

#include "failover/dormant.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static void an_hn_that_is_set_down_is_opened_underneath(void **state)
{
	(void)state;
	make_all();
	set_flags("hn0", IFF_UP, 0);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_true(managed()->warned.dormant);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void an_hn_that_cannot_be_dormant_is_told_of_once(void **state)
{
	(void)state;
	make_vf("nvt0", 1);
	hear();
	fake_fail(fake, FAKE_LINK_SET, 1, -EOPNOTSUPP);
	make_lagg();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_true(managed()->warned.dormant);
}

static void hn_shows_no_link_after_the_traffic_has_left_it(void **state)
{
	(void)state;
	make_vf("nvt0", 1);
	hear();
	make_lagg();
	set_carrier("nvt0", false);
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC); /* its programs stay where they are then */
	forget();
	set_carrier("nvt0", true);
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC);
	expect_log("path hn0 active=vf\nraise VF_UP hn0\nlink_set hn0 mode=dormant\n");
	set_carrier("nvt0", false);
	expect_log("path hn0 active=hn\nlink_set hn0 mode=default\nraise VF_DOWN hn0\n");
}

static void a_transparent_hn_shows_its_true_link(void **state)
{
	(void)state;
	go_transparent();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(fake_link(fake, "hn0").link_mode, IF_LINK_MODE_DEFAULT);
}

static void who_ends_it_does_not_end_it_for_long(void **state)
{
	struct nv_link link;

	(void)state;
	make_all();
	link = fake_link(fake, "hn0");
	link.link_mode = IF_LINK_MODE_DEFAULT;
	fake_put_link(fake, &link);
	hear();
	assert_int_equal(fake_link(fake, "hn0").link_mode, IF_LINK_MODE_DORMANT);
}

static void each_failure_is_told_once_and_a_link_that_has_gone_is_none(void **state)
{
	(void)state;
	make_all();
	fake_fail(fake, FAKE_LINK_SET, 1, -ENODEV);
	nv_dormant_set(failover, managed(), true);
	assert_int_equal(said("cannot make it show"), 0);
	for (int i = 0; i < 2; i++) {
		fake_fail(fake, FAKE_LINK_SET, 1, -EPERM);
		nv_dormant_set(failover, managed(), true);
	}
	assert_int_equal(said("hn0: cannot make it show that it has no link: "), 1);
	managed()->warned.dormant = false;
	fake_fail(fake, FAKE_LINK_SET, 1, -EPERM);
	nv_dormant_set(failover, managed(), false);
	assert_int_equal(said("hn0: cannot make it show its true link: "), 1);
}

static void opening_is_told_once_and_only_where_it_was_done(void **state)
{
	(void)state;
	make_all();
	fake_fail(fake, FAKE_LINK_SET, 1, -EPERM);
	assert_int_equal(nv_dormant_open(failover, managed()), -EPERM);
	assert_int_equal(said("netvfd sets it up again"), 0);
	assert_int_equal(nv_dormant_open(failover, managed()), 0);
	assert_int_equal(nv_dormant_open(failover, managed()), 0);
	assert_int_equal(said("netvfd sets it up again"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_hn_that_is_set_down_is_opened_underneath),
		TEST(an_hn_that_cannot_be_dormant_is_told_of_once),
		TEST(hn_shows_no_link_after_the_traffic_has_left_it),
		TEST(a_transparent_hn_shows_its_true_link),
		TEST(who_ends_it_does_not_end_it_for_long),
		TEST(each_failure_is_told_once_and_a_link_that_has_gone_is_none),
		TEST(opening_is_told_once_and_only_where_it_was_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
