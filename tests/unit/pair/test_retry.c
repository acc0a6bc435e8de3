/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "pair/retry.h"

static void each_try_waits_twice_as_long_up_to_the_most(void **state)
{
	static const uint64_t waits[] = {50000, 100000, 200000, 400000, 800000, 800000};
	struct nv_retry retry = {};
	uint64_t now = 1000;

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(waits); i++) {
		assert_int_equal(nv_retry_left(&retry, 7, now), 0);
		assert_int_equal(nv_retry_note(&retry, 7, now), i == 0);
		assert_int_equal(nv_retry_left(&retry, 7, now), waits[i]);
		now += waits[i];
	}
}

static void what_costs_much_is_tried_slowly_and_quickly_again_after_a_rest(void **state)
{
	static const uint64_t waits[] = {1, 2, 4, 8, 16, 32, 32};
	struct nv_retry retry = {};
	uint64_t now = 1000;

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(waits); i++) {
		assert_int_equal(nv_retry_note_slow(&retry, 7, now), i == 0);
		assert_int_equal(nv_retry_left(&retry, 7, now), waits[i] * 1000000);
		now += waits[i] * 1000000;
	}
	now += 32000001;
	assert_true(nv_retry_note_slow(&retry, 7, now));
	assert_int_equal(nv_retry_left(&retry, 7, now), 1000000);
}

static void another_vf_is_asked_at_once(void **state)
{
	struct nv_retry retry = {};

	(void)state;
	assert_true(nv_retry_note(&retry, 7, 1000));
	assert_false(nv_retry_note(&retry, 7, 1000));
	assert_int_equal(nv_retry_left(&retry, 8, 1000), 0);
	assert_true(nv_retry_note(&retry, 8, 1000));
	assert_int_equal(nv_retry_left(&retry, 8, 1000), 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_try_waits_twice_as_long_up_to_the_most),
		cmocka_unit_test(what_costs_much_is_tried_slowly_and_quickly_again_after_a_rest),
		cmocka_unit_test(another_vf_is_asked_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
