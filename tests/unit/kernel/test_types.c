/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/cleanup.h"
#include "kernel/diff.h"

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

/* What a walk over all links finds. */
static const struct nv_link *walk(const struct nv_links *links, int lower, int after, bool port)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];

		if (link->ifindex > after && lower &&
			(port ? link->master == lower
			      : link->lower == lower && !link->lower_elsewhere))
			return link;
	}
	return NULL;
}

static void what_is_above_a_link_is_found_without_a_walk(void **state)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	unsigned int random = 1;

	(void)state;
	for (int step = 0; step < 3000; step++) {
		struct nv_link link = {};

		random = random * 1103515245 + 12345;
		link.ifindex = 1 + (int)(random >> 8) % 20;
		link.lower = (int)(random >> 13) % 6;
		link.master = (int)(random >> 17) % 6;
		link.lower_elsewhere = (random >> 21) % 4 == 0;
		if ((random >> 23) % 3)
			assert_int_equal(nv_links_put(&links, &link), 0);
		else
			nv_links_remove(&links, link.ifindex);
		for (int lower = 0; lower < 6; lower++) {
			for (int after = 0; after < 22; after++) {
				assert_ptr_equal(nv_links_next_stacked(&links, lower, after),
					walk(&links, lower, after, false));
				assert_ptr_equal(nv_links_next_port(&links, lower, after),
					walk(&links, lower, after, true));
			}
		}
	}
}

static void the_addresses_of_one_link_stand_together(void **state)
{
	static const int ifindexes[] = {2, 2, 5, 7, 7, 7};
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	(void)state;
	assert_int_equal(nv_addrs_of(&addrs, 2).count, 0);
	for (unsigned int i = 0; i < NV_ARRAY_SIZE(ifindexes); i++) {
		const struct nv_addr addr = {.ifindex = ifindexes[i],
			.local = {.family = AF_INET, .v4.s_addr = htonl(i)}};

		assert_int_equal(nv_addrs_add(&addrs, &addr), 0);
	}
	assert_int_equal(nv_addrs_of(&addrs, 2).count, 2);
	assert_ptr_equal(nv_addrs_of(&addrs, 5).addr, &addrs.addr[2]);
	assert_int_equal(nv_addrs_of(&addrs, 5).count, 1);
	assert_int_equal(nv_addrs_of(&addrs, 7).count, 3);
	assert_int_equal(nv_addrs_of(&addrs, 1).count, 0);
	assert_int_equal(nv_addrs_of(&addrs, 6).count, 0);
	assert_int_equal(nv_addrs_of(&addrs, 8).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usable_is_up_with_carrier_and_queues),
		cmocka_unit_test(what_is_above_a_link_is_found_without_a_walk),
		cmocka_unit_test(the_addresses_of_one_link_stand_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
