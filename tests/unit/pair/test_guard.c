/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/str.h"
#include "pair/guard.h"

#include <arpa/inet.h>

#define SECOND 1000000ULL
#define MINUTE (60 * SECOND)

static struct nv_ip ip(const char *text)
{
	struct nv_ip address = {.family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, text, &address.v4), 1);
	return address;
}

static void who_insists_is_not_fought(void **state)
{
	static const uint64_t waits[] = {
		SECOND, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, 60 * MINUTE, 60 * MINUTE};
	const struct nv_ip address = ip("192.0.2.1");
	struct nv_guard guard = {};
	uint64_t now = 5;

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(waits); i++) {
		assert_int_equal(nv_guard_left(&guard, 7, &address, now), 0);
		assert_int_equal(nv_guard_note(&guard, 7, &address, now, false), i > 0);
		assert_int_equal(nv_guard_left(&guard, 7, &address, now), waits[i]);
		now += waits[i];
	}
}

static void a_manager_is_not_fought_at_all(void **state)
{
	const struct nv_ip address = ip("192.0.2.1");
	struct nv_guard guard = {};

	(void)state;
	assert_false(nv_guard_note(&guard, 7, &address, 5, true));
	assert_int_equal(nv_guard_left(&guard, 7, &address, 5), 10 * MINUTE);
	assert_true(nv_guard_note(&guard, 7, &address, 5 + 10 * MINUTE, true));
	assert_int_equal(nv_guard_left(&guard, 7, &address, 5 + 10 * MINUTE), 20 * MINUTE);
}

static void after_a_rest_an_address_is_new(void **state)
{
	const struct nv_ip address = ip("192.0.2.1");
	struct nv_guard guard = {};

	(void)state;
	nv_guard_note(&guard, 7, &address, 5, false);
	assert_true(nv_guard_note(&guard, 7, &address, 5 + SECOND, false));
	assert_false(nv_guard_note(&guard, 7, &address, 6 + SECOND + 20 * MINUTE, false));
	assert_int_equal(nv_guard_left(&guard, 7, &address, 6 + SECOND + 20 * MINUTE), SECOND);
}

static void each_address_and_vf_has_its_own(void **state)
{
	const struct nv_ip one = ip("192.0.2.1");
	const struct nv_ip two = ip("192.0.2.2");
	struct nv_guard guard = {};

	(void)state;
	nv_guard_note(&guard, 7, &one, 5, false);
	assert_int_equal(nv_guard_left(&guard, 7, &two, 5), 0);
	assert_int_equal(nv_guard_left(&guard, 8, &one, 5), 0);
	assert_false(nv_guard_note(&guard, 8, &one, 5, false));
	assert_int_equal(nv_guard_left(&guard, 7, &one, 5), 0);
}

static void more_addresses_than_places_take_the_one_that_rests_least(void **state)
{
	struct nv_guard guard = {};
	struct nv_ip address = ip("192.0.2.0");

	(void)state;
	nv_guard_note(&guard, 7, &address, 5, false);
	nv_guard_note(&guard, 7, &address, 5 + SECOND, false);
	for (uint32_t i = 1; i <= NV_GUARD_MAX; i++) {
		address.v4.s_addr = htonl(0xc0000200 + i);
		nv_guard_note(&guard, 7, &address, 10 + i, false);
	}
	assert_int_equal(guard.count, NV_GUARD_MAX);
	address = ip("192.0.2.0");
	assert_true(nv_guard_left(&guard, 7, &address, 10) > 9 * MINUTE);
	address = ip("192.0.2.1");
	assert_int_equal(nv_guard_left(&guard, 7, &address, 11), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_insists_is_not_fought),
		cmocka_unit_test(a_manager_is_not_fought_at_all),
		cmocka_unit_test(after_a_rest_an_address_is_new),
		cmocka_unit_test(each_address_and_vf_has_its_own),
		cmocka_unit_test(more_addresses_than_places_take_the_one_that_rests_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
