/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/uppers.h"

#include "base/str.h"

#include <net/if_arp.h>
#include <stdio.h>

static struct nv_links links;

static int tear_down(void **state)
{
	(void)state;
	nv_links_auto(&links);
	return 0;
}

static struct nv_link *put_link(int ifindex, const char *kind, int lower)
{
	struct nv_link link = {
		.ifindex = ifindex,
		.type = ARPHRD_ETHER,
		.flags = IFF_UP,
		.lower = lower,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, (uint8_t)ifindex},
	};

	nv_strcopy(link.kind, sizeof(link.kind), kind);
	snprintf(link.name, sizeof(link.name), "l%d", ifindex);
	assert_int_equal(nv_links_put(&links, &link), 0);
	for (size_t i = 0;; i++)
		if (links.link[i].ifindex == ifindex)
			return &links.link[i];
}

static void expect_links(const char *expected)
{
	int ifindex[NV_UPPERS_MAX];
	size_t count = nv_uppers_find(&links, 10, ifindex);
	NV_AUTO(nv_str) struct nv_str text = {};

	for (size_t i = 0; i < count; i++)
		nv_str_printf(&text, "%d ", ifindex[i]);
	assert_string_equal(nv_str_text(&text), expected);
}

static void all_that_is_stacked_is_found(void **state)
{
	struct nv_link elsewhere;

	(void)state;
	expect_links("");
	put_link(10, "dummy", 0)->master = 4;
	put_link(4, "bridge", 0);
	put_link(5, "vlan", 4);
	put_link(6, "macvlan", 11);
	put_link(11, "vlan", 10);
	put_link(12, "ipvlan", 10);
	put_link(13, "veth", 10); /* its other end */
	put_link(14, "macvlan", 10)->flags = 0;
	put_link(15, "vlan", 14);
	elsewhere = *put_link(16, "macvlan", 0);
	elsewhere.lower = 10;
	elsewhere.lower_elsewhere = true;
	assert_int_equal(nv_links_put(&links, &elsewhere), 0);
	put_link(17, "vlan", 9);
	expect_links("10 4 11 12 5 6 ");
}

static void a_ring_of_links_ends(void **state)
{
	(void)state;
	put_link(10, "vlan", 11)->master = 12;
	put_link(11, "vlan", 10);
	put_link(12, "bridge", 11);
	expect_links("10 12 11 ");
}

static void no_more_links_than_fit(void **state)
{
	int ifindex[NV_UPPERS_MAX];

	(void)state;
	put_link(10, "dummy", 0);
	for (int i = 0; i < NV_UPPERS_MAX; i++)
		put_link(20 + i, "vlan", 10);
	assert_int_equal(nv_uppers_find(&links, 10, ifindex), NV_UPPERS_MAX);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_stacked_is_found),
		TEST(a_ring_of_links_ends),
		TEST(no_more_links_than_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
