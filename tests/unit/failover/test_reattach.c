/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/reattach.c in the whole room. */
#include "room.h"

#include <errno.h>

static void strip(int ifindex)
{
	path.stripped[0] = ifindex;
}

static void programs_come_back_within_a_second(void **state)
{
	(void)state;
	make_all();
	strip(pair()->lagg);
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	assert_int_equal(path.stripped[0], 0);
	assert_int_equal(said("hn0: somebody removed netvf's programs from lagg0;"), 1);
	assert_int_equal(managed()->stripped.count, 1);
	strip(pair()->vf);
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	assert_int_equal(path.stripped[0], 0);
	assert_int_equal(managed()->stripped.count, 2);
}

static void also_those_of_a_pair_that_was_there_before(void **state)
{
	(void)state;
	go_transparent();
	close_failover();
	open_failover();
	hear();
	strip(hn());
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	assert_int_equal(path.stripped[0], 0);
}

static void an_hn_alone_needs_none(void **state)
{
	(void)state;
	hear();
	nv_loop_advance(loop, 3600 * NV_USEC_PER_SEC);
	assert_int_equal(path.looks, 0);
}

static void nobody_looks_when_the_vf_has_gone(void **state)
{
	int vf;

	(void)state;
	go_transparent();
	vf = pair()->vf;
	fake_del_link(fake, vf);
	hear();
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	path.looks = 0;
	nv_loop_advance(loop, 3600 * NV_USEC_PER_SEC);
	assert_int_equal(path.looks, 0);
	add_vf("nvt0");
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_true(path.looks > 0);
}

static void a_locked_data_path_is_tried_again_soon(void **state)
{
	(void)state;
	make_all();
	strip(pair()->lagg);
	path.locked = true;
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(path.stripped[0], pair()->lagg);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 100);
	assert_int_equal(path.stripped[0], 0);
}

static void who_removes_them_all_the_time_does_not_fill_the_log(void **state)
{
	(void)state;
	make_all();
	for (int i = 0; i < 1199; i++) {
		strip(pair()->lagg);
		nv_loop_advance(loop, NV_USEC_PER_SEC);
	}
	assert_int_equal(managed()->stripped.count, 1199);
	assert_int_equal(said("somebody removed netvf's programs"), 2);
}

static void what_stands_in_the_way_is_told(void **state)
{
	(void)state;
	make_all();
	strip(pair()->lagg);
	path.reattach_error = -EBUSY;
	nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(path.stripped[0], pair()->lagg);
	assert_int_equal(said("hn0: netvf's programs were removed from lagg0, and cannot"), 1);
	path.reattach_error = 0;
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(path.stripped[0], 0);
	assert_int_equal(said("hn0: somebody removed netvf's programs from lagg0;"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(programs_come_back_within_a_second),
		TEST(also_those_of_a_pair_that_was_there_before),
		TEST(an_hn_alone_needs_none),
		TEST(nobody_looks_when_the_vf_has_gone),
		TEST(a_locked_data_path_is_tried_again_soon),
		TEST(who_removes_them_all_the_time_does_not_fill_the_log),
		TEST(what_stands_in_the_way_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
