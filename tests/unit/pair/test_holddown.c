/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/holddown.h"

#define MS    1000ULL
#define SEC   (1000 * MS)
#define LIMIT (30 * SEC)

static struct nv_holddown hold;
static uint64_t now;

/* The VF is usable for a while, then is not. Traffic is on it when the hold-down lets it. */
static uint64_t flap(uint64_t usable)
{
	uint64_t left;

	nv_holddown_note(&hold, now, 1, 0);
	left = nv_holddown_left(&hold, now, LIMIT);
	if (left < usable) {
		now += left;
		nv_holddown_note(&hold, now, 1, 1);
		now += usable - left;
		nv_holddown_note(&hold, now, 1, 1);
	} else {
		now += usable;
	}
	nv_holddown_note(&hold, now, 0, 0);
	now += 3 * MS;
	return left;
}

static int setup(void **state)
{
	(void)state;
	hold = (struct nv_holddown){};
	now = SEC;
	return 0;
}

static void the_first_return_is_at_once(void **state)
{
	(void)state;
	assert_int_equal(flap(10 * SEC), 0);
	assert_int_equal(flap(10 * SEC), 0);
	assert_int_equal(hold.flaps, 0);
}

static void each_flap_doubles_the_wait_up_to_the_limit(void **state)
{
	uint64_t expected = NV_HOLDDOWN_FIRST;

	(void)state;
	assert_int_equal(flap(10 * MS), 0);
	for (int i = 0; i < 40; i++) {
		uint64_t wait = expected < LIMIT ? expected : LIMIT;

		assert_int_equal(flap(wait + 10 * MS), wait);
		expected *= 2;
		if (expected > 1000 * LIMIT)
			expected = 1000 * LIMIT;
	}
}

static void a_vf_that_does_not_last_the_wait_is_not_used(void **state)
{
	(void)state;
	flap(10 * MS);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(flap(3 * MS), NV_HOLDDOWN_FIRST);
	assert_int_equal(hold.flaps, 1);
	/* The wait is for usable time without a break. */
	nv_holddown_note(&hold, now, 1, 0);
	now += 99 * MS;
	assert_int_equal(nv_holddown_left(&hold, now, LIMIT), 1 * MS);
	now += 1 * MS;
	assert_int_equal(nv_holddown_left(&hold, now, LIMIT), 0);
}

static void a_vf_that_stays_is_trusted_again(void **state)
{
	(void)state;
	flap(10 * MS);
	flap(110 * MS);
	assert_int_equal(hold.flaps, 2);
	flap(200 * MS + NV_HOLDDOWN_SOON);
	assert_int_equal(hold.flaps, 0);
	assert_int_equal(flap(SEC), 0);
}

static void without_a_limit_there_is_no_hold(void **state)
{
	(void)state;
	flap(10 * MS);
	nv_holddown_note(&hold, now, 1, 0);
	assert_int_equal(nv_holddown_left(&hold, now, 0), 0);
}

static void a_switch_by_hand_is_no_flap(void **state)
{
	(void)state;
	nv_holddown_note(&hold, now, 1, 1);
	now += 5 * MS;
	nv_holddown_note(&hold, now, 1, 0);
	assert_int_equal(hold.flaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_return_is_at_once, setup),
		cmocka_unit_test_setup(each_flap_doubles_the_wait_up_to_the_limit, setup),
		cmocka_unit_test_setup(a_vf_that_does_not_last_the_wait_is_not_used, setup),
		cmocka_unit_test_setup(a_vf_that_stays_is_trusted_again, setup),
		cmocka_unit_test_setup(without_a_limit_there_is_no_hold, setup),
		cmocka_unit_test_setup(a_switch_by_hand_is_no_flap, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
