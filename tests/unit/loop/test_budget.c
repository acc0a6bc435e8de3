/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "loop/budget.h"

#define USER  12345
#define OTHER 12346

static struct {
	struct nv_loop *loop;
	struct nv_budget *budget;
} t;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &t.loop), 0);
	return nv_budget_new(t.loop, &t.budget);
}

static int teardown(void **state)
{
	(void)state;
	t.budget = nv_budget_free(t.budget);
	t.loop = nv_loop_free(t.loop);
	return 0;
}

static void without_one_nobody_waits(void **state)
{
	(void)state;
	nv_budget_charge(NULL, USER, NV_USEC_PER_SEC);
	assert_int_equal(nv_budget_wait(NULL, USER), 0);
	assert_int_equal(nv_budget_wait_any(NULL), 0);
}

static void uid_waits_for_what_it_owes_and_no_other(void **state)
{
	(void)state;
	nv_budget_charge(t.budget, USER, NV_BUDGET_UID_BURST - 1);
	assert_int_equal(nv_budget_wait(t.budget, USER), 0);
	nv_budget_charge(t.budget, USER, 1 + 2 * NV_USEC_PER_MSEC);
	assert_uint_in_range(nv_budget_wait(t.budget, USER), 100 * NV_USEC_PER_MSEC,
		100 * NV_USEC_PER_MSEC + 100);
	assert_int_equal(nv_budget_wait(t.budget, OTHER), 0);
	assert_int_equal(nv_budget_wait_any(t.budget), 0);
	nv_loop_advance(t.loop, 99 * NV_USEC_PER_MSEC);
	assert_uint_in_range(nv_budget_wait(t.budget, USER), 1, NV_USEC_PER_MSEC + 100);
	nv_loop_advance(t.loop, nv_budget_wait(t.budget, USER));
	assert_int_equal(nv_budget_wait(t.budget, USER), 0);
}

/* However it asks: what it gets of a minute is its share of it, and the burst. */
static void uid_gets_its_share_of_any_time(void **state)
{
	const uint64_t end = nv_loop_now(t.loop) + 60 * NV_USEC_PER_SEC;
	uint64_t got = 0;

	(void)state;
	while (nv_loop_now(t.loop) < end) {
		nv_loop_advance(t.loop, 7);
		if (nv_budget_wait(t.budget, USER))
			continue;
		nv_budget_charge(t.budget, USER, 33);
		got += 33;
	}
	assert_uint_in_range(got, 60 * NV_BUDGET_UID_SHARE * NV_USEC_PER_MSEC,
		60 * NV_BUDGET_UID_SHARE * NV_USEC_PER_MSEC + NV_BUDGET_UID_BURST + 33);
}

static void many_uids_get_the_share_of_all(void **state)
{
	const uint64_t end = nv_loop_now(t.loop) + 10 * NV_USEC_PER_SEC;
	uint64_t got = 0;

	(void)state;
	for (uid_t uid = USER; nv_loop_now(t.loop) < end; uid++) {
		nv_loop_advance(t.loop, 50);
		if (nv_budget_wait(t.budget, uid))
			continue;
		nv_budget_charge(t.budget, uid, 100);
		got += 100;
	}
	assert_uint_in_range(got, 10 * NV_BUDGET_ALL_SHARE * NV_USEC_PER_MSEC,
		10 * NV_BUDGET_ALL_SHARE * NV_USEC_PER_MSEC + NV_BUDGET_ALL_BURST + 100);
}

/* More of them than are told apart: the rest share one share, and it is one. */
static void uids_beyond_the_table_share_one_share(void **state)
{
	(void)state;
	for (uid_t i = 0; i < NV_BUDGET_UIDS; i++)
		nv_budget_charge(t.budget, USER + i, 1);
	nv_budget_charge(t.budget, USER + 1000, NV_BUDGET_UID_BURST);
	assert_int_not_equal(nv_budget_wait(t.budget, USER + 1001), 0);
	assert_int_equal(nv_budget_wait(t.budget, USER), 0);
	nv_loop_advance(t.loop, NV_USEC_PER_SEC);
	assert_int_equal(nv_budget_wait(t.budget, USER + 1001), 0);
}

static void debt_ends(void **state)
{
	(void)state;
	nv_budget_charge(t.budget, USER, 3600 * NV_USEC_PER_SEC);
	assert_uint_in_range(nv_budget_wait(t.budget, OTHER), NV_USEC_PER_SEC, UINT64_MAX);
	assert_uint_in_range(
		nv_budget_wait_any(t.budget), NV_USEC_PER_SEC, 2 * NV_USEC_PER_SEC + 50);
	nv_budget_free(t.budget);
	assert_int_equal(nv_budget_new(t.loop, &t.budget), 0);
	for (int i = 0; i < 100; i++) {
		nv_budget_charge(t.budget, USER, 40 * NV_USEC_PER_MSEC);
		nv_loop_advance(t.loop, NV_USEC_PER_SEC);
	}
	assert_int_equal(nv_budget_wait(t.budget, OTHER), 0);
	assert_uint_in_range(nv_budget_wait(t.budget, USER), NV_USEC_PER_SEC, 10 * NV_USEC_PER_SEC);
}

static void root_and_the_daemons_own_uid_never_wait(void **state)
{
	const uid_t uids[] = {0, geteuid()};

	(void)state;
	nv_budget_charge(t.budget, USER, NV_USEC_PER_SEC);
	for (size_t i = 0; i < NV_ARRAY_SIZE(uids); i++) {
		nv_budget_charge(t.budget, uids[i], NV_USEC_PER_SEC);
		assert_int_equal(nv_budget_wait(t.budget, uids[i]), 0);
	}
}

static void work_is_paid_by_processor_time(void **state)
{
	(void)state;
	while (!nv_budget_wait(t.budget, USER)) {
		nv_budget_begin(t.budget);
		nv_budget_end(t.budget, USER);
	}
	assert_int_equal(nv_budget_wait(t.budget, OTHER), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_one_nobody_waits),
		TEST(uid_waits_for_what_it_owes_and_no_other),
		TEST(uid_gets_its_share_of_any_time),
		TEST(many_uids_get_the_share_of_all),
		TEST(uids_beyond_the_table_share_one_share),
		TEST(debt_ends),
		TEST(root_and_the_daemons_own_uid_never_wait),
		TEST(work_is_paid_by_processor_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
