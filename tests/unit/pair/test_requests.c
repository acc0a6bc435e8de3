/* SPDX-License-Identifier: BSD-2-Clause */
/* Which neighbours are asked, and by which bytes. */
#include "cm.h"

#include "links.h"
#include "pair/requests.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <string.h>

static const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 0, 0xaa};
static struct nv_links links;
static struct nv_addrs addrs;
static struct nv_neighs neighs;
static struct nv_groups behind; /* the upper, where a bridge is asked */
static struct nv_requests requests;

static int tear_down(void **state)
{
	(void)state;
	nv_links_auto(&links);
	nv_addrs_auto(&addrs);
	nv_neighs_auto(&neighs);
	nv_groups_auto(&behind);
	requests.count = 0;
	return 0;
}

static struct nv_ip ip(const char *text)
{
	struct nv_ip address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(address.family, text, &address.v6), 1);
	return address;
}

static void put_link(int ifindex, const char *kind, int lower, uint16_t vlan)
{
	struct nv_link link = ethernet(ifindex, "link", "", "", 0xaa);

	nv_strcopy(link.kind, sizeof(link.kind), kind);
	link.lower = lower;
	link.vlan_id = vlan;
	assert_int_equal(nv_links_put(&links, &link), 0);
}

static void put_addr(int ifindex, const char *text, uint8_t prefix_len, uint32_t flags)
{
	const struct nv_addr addr = {
		.ifindex = ifindex, .local = ip(text), .prefix_len = prefix_len, .flags = flags};

	assert_int_equal(nv_addrs_add(&addrs, &addr), 0);
}

static void put_neigh(int ifindex, const char *text, uint8_t last, uint16_t state)
{
	const struct nv_neigh neigh = {.ifindex = ifindex,
		.address = ip(text),
		.mac = {2, 0, 0, 0, 0, last},
		.state = state};

	assert_int_equal(nv_neighs_add(&neighs, &neigh), 0);
}

static void ask_by(int ifindex, const uint8_t port_mac[NV_MAC_LEN])
{
	const struct nv_requests_view view = {.links = &links,
		.addrs = &addrs,
		.neighs = &neighs,
		.link = nv_links_by_index(&links, ifindex),
		.behind = behind.count ? &behind : NULL,
		.upper = 10,
		.mac = mac,
		.port_mac = port_mac};

	nv_requests_add(&requests, &view);
}

static void ask(int ifindex)
{
	ask_by(ifindex, mac);
}

static void expect(size_t at, const char *hex)
{
	const struct nv_frame *frame = &requests.frame[at];
	char text[2 * NV_FRAME_MAX + 1];

	assert_true(at < requests.count);
	for (size_t i = 0; i < frame->length; i++)
		snprintf(text + 2 * i, 3, "%02x", frame->bytes[i]);
	assert_string_equal(text, hex);
}

static void arp_asks_one_neighbour(void **state)
{
	(void)state;
	put_link(10, "dummy", 0, 0);
	put_addr(10, "192.0.2.1", 24, 0);
	put_neigh(10, "192.0.2.9", 9, NUD_STALE);
	ask(10);
	assert_int_equal(requests.count, 1);
	expect(0, "0200000000090200000000aa0806"
		  "00010800060400010200000000aac0000201000000000000c0000209");
}

static void a_port_with_a_mac_of_its_own_asks_with_that(void **state)
{
	const uint8_t own[NV_MAC_LEN] = {2, 0, 0, 0, 0, 0xbb};

	(void)state;
	put_link(10, "dummy", 0, 0);
	put_addr(10, "192.0.2.1", 24, 0);
	put_neigh(10, "192.0.2.9", 9, NUD_STALE);
	ask_by(10, own);
	assert_int_equal(requests.count, 1);
	expect(0, "0200000000090200000000bb0806"
		  "00010800060400010200000000bbc0000201000000000000c0000209");
}

static void a_solicitation_asks_one_neighbour(void **state)
{
	(void)state;
	put_link(10, "dummy", 0, 0);
	put_addr(10, "fd00::1", 64, 0);
	put_neigh(10, "fd00::9", 9, NUD_REACHABLE);
	ask(10);
	assert_int_equal(requests.count, 1);
	expect(0, "0200000000090200000000aa86dd"
		  "6000000000203afffd000000000000000000000000000001fd000000000000000000000000000009"
		  "87007de400000000fd00000000000000000000000000000901010200000000aa");
}

static void those_confirmed_last_are_asked_first(void **state)
{
	(void)state;
	put_link(10, "dummy", 0, 0);
	put_addr(10, "192.0.2.1", 24, 0);
	put_neigh(10, "192.0.2.2", 2, NUD_PERMANENT);
	put_neigh(10, "192.0.2.3", 3, NUD_FAILED);
	put_neigh(10, "192.0.2.4", 4, NUD_NOARP);
	for (uint8_t i = 5; i < 9; i++)
		put_neigh(10, "192.0.2.5", i, NUD_STALE);
	put_neigh(10, "192.0.2.20", 20, NUD_REACHABLE);
	ask(10);
	assert_int_equal(requests.count, NV_REQUESTS_MAX);
	assert_int_equal(requests.frame[0].bytes[5], 20);
	for (uint8_t i = 1; i < NV_REQUESTS_MAX; i++)
		assert_int_equal(requests.frame[i].bytes[5], 4 + i);
}

static void only_an_address_that_it_has_asks(void **state)
{
	(void)state;
	put_link(10, "dummy", 0, 0);
	put_addr(11, "192.0.2.1", 24, 0);
	put_addr(10, "192.0.3.1", 24, 0);
	put_addr(10, "fd00::1", 64, IFA_F_TENTATIVE);
	put_addr(10, "192.0.2.129", 25, 0);
	put_neigh(10, "192.0.2.9", 9, NUD_REACHABLE);
	put_neigh(10, "fd00::9", 9, NUD_REACHABLE);
	ask(10);
	assert_int_equal(requests.count, 0);
}

static void a_vlan_has_its_tag_and_a_bridge_none(void **state)
{
	(void)state;
	put_link(10, "dummy", 0, 0);
	put_link(11, "vlan", 10, 5);
	put_link(12, "vlan", 11, 6); /* two tags */
	put_link(13, "bridge", 0, 0);
	links.link[0].master = 13;
	for (int i = 11; i < 14; i++) {
		put_addr(i, "192.0.2.1", 24, 0);
		put_neigh(i, "192.0.2.9", 9, NUD_REACHABLE);
		ask(i);
	}
	assert_int_equal(requests.count, 2);
	expect(0, "0200000000090200000000aa810000050806"
		  "00010800060400010200000000aac0000201000000000000c0000209");
	expect(1, "0200000000090200000000aa0806"
		  "00010800060400010200000000aac0000201000000000000c0000209");
}

/* Containers, which answer whatever becomes of the VF. */
static void neighbours_behind_other_ports_of_a_bridge_are_not_asked(void **state)
{
	const struct nv_group router = {.mac = {2, 0, 0, 0, 0, 9}};

	(void)state;
	put_link(10, "dummy", 0, 0);
	put_link(13, "bridge", 0, 0);
	links.link[0].master = 13;
	put_addr(13, "192.0.2.1", 24, 0);
	for (uint8_t i = 20; i < 26; i++)
		put_neigh(13, "192.0.2.20", i, NUD_REACHABLE);
	put_neigh(13, "192.0.2.9", 9, NUD_DELAY);
	assert_int_equal(nv_groups_add(&behind, &router), 0);
	ask(13);
	assert_int_equal(requests.count, 1);
	expect(0, "0200000000090200000000aa0806"
		  "00010800060400010200000000aac0000201000000000000c0000209");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(arp_asks_one_neighbour, tear_down),
		cmocka_unit_test_teardown(a_port_with_a_mac_of_its_own_asks_with_that, tear_down),
		cmocka_unit_test_teardown(a_solicitation_asks_one_neighbour, tear_down),
		cmocka_unit_test_teardown(those_confirmed_last_are_asked_first, tear_down),
		cmocka_unit_test_teardown(only_an_address_that_it_has_asks, tear_down),
		cmocka_unit_test_teardown(a_vlan_has_its_tag_and_a_bridge_none, tear_down),
		cmocka_unit_test_teardown(
			neighbours_behind_other_ports_of_a_bridge_are_not_asked, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
