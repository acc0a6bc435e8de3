/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "netvfd/daemon.h"

#include <sched.h>

static struct nv_daemon daemon_;

static int set_up(void **state)
{
	(void)state;
	daemon_ = (struct nv_daemon){};
	return nv_loop_new(NV_LOOP_VIRTUAL, &daemon_.loop);
}

static int tear_down(void **state)
{
	(void)state;
	nv_priority_stop(&daemon_);
	nv_loop_free(daemon_.loop);
	return 0;
}

static const int real_time = SCHED_RR | SCHED_RESET_ON_FORK;

static void start(void)
{
	assert_int_equal(nv_priority_start(&daemon_), 0);
	if (sched_getscheduler(0) != real_time)
		skip(); /* not allowed here */
}

static void it_is_given_up_for_a_while_and_taken_again(void **state)
{
	(void)state;
	start();
	nv_priority_yield(&daemon_);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	nv_loop_advance(daemon_.loop, NV_PRIORITY_YIELD - 1);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	/* A second arrival begins the time anew. */
	nv_priority_yield(&daemon_);
	nv_loop_advance(daemon_.loop, NV_PRIORITY_YIELD - 1);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	nv_loop_advance(daemon_.loop, 1);
	assert_int_equal(sched_getscheduler(0), real_time);
}

static void it_is_had_while_there_is_a_vf(void **state)
{
	(void)state;
	start();
	nv_priority_need(&daemon_, false);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	/* An arrival without a VF does not bring it back later. */
	nv_priority_yield(&daemon_);
	nv_loop_advance(daemon_.loop, NV_PRIORITY_YIELD);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	nv_priority_need(&daemon_, true);
	assert_int_equal(sched_getscheduler(0), real_time);
	/* A VF that comes soon after an arrival does not cut the time short. */
	nv_priority_need(&daemon_, false);
	nv_priority_yield(&daemon_);
	nv_priority_need(&daemon_, true);
	nv_loop_advance(daemon_.loop, NV_PRIORITY_YIELD - 1);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	nv_loop_advance(daemon_.loop, 1);
	assert_int_equal(sched_getscheduler(0), real_time);
	/* The VF goes while it is given up. */
	nv_priority_yield(&daemon_);
	nv_priority_need(&daemon_, false);
	nv_loop_advance(daemon_.loop, NV_PRIORITY_YIELD);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_is_given_up_for_a_while_and_taken_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_had_while_there_is_a_vf, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
