/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/attach_delay.h"

#define SEC 1000000ULL

static void a_vf_is_left_alone_for_as_long_as_is_said(void **state)
{
	struct nv_attach_delay wait = {};

	(void)state;
	assert_int_equal(nv_attach_delay_left(&wait, 5, 100 * SEC, 2 * SEC), 2 * SEC);
	assert_int_equal(nv_attach_delay_left(&wait, 5, 101 * SEC, 2 * SEC), SEC);
	assert_int_equal(nv_attach_delay_left(&wait, 5, 102 * SEC - 1, 2 * SEC), 1);
	assert_int_equal(nv_attach_delay_left(&wait, 5, 102 * SEC, 2 * SEC), 0);
	assert_int_equal(nv_attach_delay_left(&wait, 5, 110 * SEC, 2 * SEC), 0);
	/* A new rc.conf counts from its coming, too. */
	assert_int_equal(nv_attach_delay_left(&wait, 5, 110 * SEC, 30 * SEC), 20 * SEC);
	assert_int_equal(nv_attach_delay_left(&wait, 5, 110 * SEC, 0), 0);
}

static void another_vf_waits_anew(void **state)
{
	struct nv_attach_delay wait = {};

	(void)state;
	assert_int_equal(nv_attach_delay_left(&wait, 5, 100 * SEC, 2 * SEC), 2 * SEC);
	assert_int_equal(nv_attach_delay_left(&wait, 6, 101 * SEC, 2 * SEC), 2 * SEC);
	assert_int_equal(nv_attach_delay_left(&wait, 0, 102 * SEC, 2 * SEC), 0);
	assert_int_equal(nv_attach_delay_left(&wait, 6, 110 * SEC, 2 * SEC), 2 * SEC);
}

static void a_vf_that_was_there_first_does_not_wait(void **state)
{
	struct nv_attach_delay wait = {};

	(void)state;
	nv_attach_delay_skip(&wait, 5);
	/* The clock's zero is the machine's start, which may have been a moment ago. */
	assert_int_equal(nv_attach_delay_left(&wait, 5, SEC, 30 * SEC), 0);
	assert_int_equal(nv_attach_delay_left(&wait, 5, 2 * SEC, 30 * SEC), 0);
	assert_int_equal(nv_attach_delay_left(&wait, 6, 2 * SEC, 30 * SEC), 30 * SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vf_is_left_alone_for_as_long_as_is_said),
		cmocka_unit_test(another_vf_waits_anew),
		cmocka_unit_test(a_vf_that_was_there_first_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
