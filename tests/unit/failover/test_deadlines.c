/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "failover/deadlines.h"

static void the_soonest_is_next_and_is_taken_once(void **state)
{
	NV_AUTO(nv_deadlines) struct nv_deadlines deadlines = {};

	(void)state;
	assert_true(nv_deadlines_next(&deadlines) == NV_NEVER);
	assert_int_equal(nv_deadlines_take(&deadlines, NV_NEVER - 1), -1);
	assert_int_equal(nv_deadlines_reserve(&deadlines, 3), 0);
	nv_deadlines_set(&deadlines, 3, 300);
	nv_deadlines_set(&deadlines, 1, 100);
	nv_deadlines_set(&deadlines, 2, 200);
	nv_deadlines_set(&deadlines, 0, 400);
	assert_true(nv_deadlines_next(&deadlines) == 100);
	assert_int_equal(nv_deadlines_due(&deadlines, 99), 0);
	assert_int_equal(nv_deadlines_due(&deadlines, 200), 2);
	assert_int_equal(nv_deadlines_take(&deadlines, 99), -1);
	assert_int_equal(nv_deadlines_take(&deadlines, 100), 1);
	assert_int_equal(nv_deadlines_take(&deadlines, 100), -1);
	assert_true(nv_deadlines_next(&deadlines) == 200);
	nv_deadlines_add(&deadlines, 2, 250);
	assert_true(nv_deadlines_next(&deadlines) == 200);
	nv_deadlines_add(&deadlines, 3, 150);
	nv_deadlines_add(&deadlines, 1, NV_NEVER);
	assert_int_equal(deadlines.count, 3);
	assert_true(nv_deadlines_next(&deadlines) == 150);
	nv_deadlines_set(&deadlines, 3, NV_NEVER);
	nv_deadlines_set(&deadlines, 2, 500);
	assert_true(nv_deadlines_next(&deadlines) == 400);
	assert_int_equal(nv_deadlines_take(&deadlines, 400), 0);
	assert_int_equal(nv_deadlines_take(&deadlines, 500), 2);
	assert_true(nv_deadlines_next(&deadlines) == NV_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_soonest_is_next_and_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
