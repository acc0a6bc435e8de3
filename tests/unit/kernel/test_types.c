/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "kernel/types.h"

static void usable_is_up_with_carrier_and_queues(void **state)
{
	static const struct {
		uint32_t flags;
		bool carrier;
		uint8_t operstate;
		bool usable;
	} cases[] = {
		{IFF_UP, true, IF_OPER_UP, true},
		{IFF_UP, true, IF_OPER_UNKNOWN, true}, /* drivers that do not tell */
		{IFF_UP, true, IF_OPER_DORMANT, true}, /* hn while it pretends */
		{IFF_UP, true, IF_OPER_DOWN, false}, /* no queues yet */
		{IFF_UP, true, IF_OPER_LOWERLAYERDOWN, false},
		{IFF_UP, true, IF_OPER_NOTPRESENT, false},
		{IFF_UP, false, IF_OPER_UP, false},
		{0, true, IF_OPER_UP, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct nv_link link = {.flags = cases[i].flags,
			.carrier = cases[i].carrier,
			.operstate = cases[i].operstate};

		assert_int_equal(nv_link_usable(&link), cases[i].usable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usable_is_up_with_carrier_and_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
