/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/notify.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#define SEC 1000000ULL

static struct nv_notify notify;
static struct nv_links links;
static struct nv_addrs addrs;
static struct nv_mcasts mcasts;
static struct nv_str told;

static int set_up(void **state)
{
	(void)state;
	notify = (struct nv_notify){};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nv_links_auto(&links);
	nv_addrs_auto(&addrs);
	nv_mcasts_auto(&mcasts);
	nv_str_auto(&told);
	told = (struct nv_str){};
	return 0;
}

static void nobody_is_told_while_nothing_changes(void **state)
{
	(void)state;
	nv_notify_note(&notify, NV_PORT_HN, true, 3, SEC);
	assert_int_equal(nv_notify_wait(&notify, SEC), UINT64_MAX);
	assert_false(nv_notify_due(&notify, SEC, SEC));
}

static void each_switch_is_told_at_once_and_again(void **state)
{
	(void)state;
	nv_notify_note(&notify, NV_PORT_VF, true, 3, 5 * SEC);
	assert_int_equal(nv_notify_wait(&notify, 5 * SEC), 0);
	assert_true(nv_notify_due(&notify, 5 * SEC, SEC));
	assert_false(nv_notify_due(&notify, 5 * SEC, SEC));
	assert_int_equal(nv_notify_wait(&notify, 5 * SEC), SEC);
	nv_notify_note(&notify, NV_PORT_VF, true, 3, 5 * SEC + 1);
	assert_int_equal(nv_notify_wait(&notify, 6 * SEC - 1), 1);
	assert_false(nv_notify_due(&notify, 6 * SEC - 1, SEC));
	assert_true(nv_notify_due(&notify, 6 * SEC, SEC));
	assert_true(nv_notify_due(&notify, 9 * SEC, SEC));
	assert_false(nv_notify_due(&notify, 20 * SEC, SEC));
	assert_int_equal(nv_notify_wait(&notify, 20 * SEC), UINT64_MAX);
}

static void the_way_back_drops_what_was_still_to_be_told(void **state)
{
	(void)state;
	nv_notify_note(&notify, NV_PORT_VF, true, 2, SEC);
	assert_true(nv_notify_due(&notify, SEC, SEC));
	nv_notify_note(&notify, NV_PORT_HN, true, 2, SEC + 1);
	assert_true(nv_notify_due(&notify, SEC + 1, SEC));
	assert_false(nv_notify_due(&notify, 2 * SEC, SEC)); /* the VF's second */
	assert_true(nv_notify_due(&notify, 2 * SEC + 1, SEC));
	assert_int_equal(nv_notify_wait(&notify, 9 * SEC), UINT64_MAX);
}

static void a_path_that_is_there_again_is_told(void **state)
{
	(void)state;
	nv_notify_note(&notify, NV_PORT_HN, false, 2, SEC);
	assert_int_equal(nv_notify_wait(&notify, SEC), UINT64_MAX);
	nv_notify_note(&notify, NV_PORT_HN, true, 2, 2 * SEC);
	assert_true(nv_notify_due(&notify, 2 * SEC, SEC));
	nv_notify_note(&notify, NV_PORT_HN, false, 2, 2 * SEC + 1);
	assert_false(nv_notify_due(&notify, 9 * SEC, SEC));
}

static void a_count_of_nothing_tells_nobody(void **state)
{
	(void)state;
	nv_notify_note(&notify, NV_PORT_VF, true, 0, SEC);
	assert_false(nv_notify_due(&notify, SEC, SEC));
	assert_int_equal(nv_notify_wait(&notify, SEC), UINT64_MAX);
}

static struct nv_link *put_link(int ifindex)
{
	struct nv_link link = {
		.ifindex = ifindex,
		.type = ARPHRD_ETHER,
		.flags = IFF_UP,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, (uint8_t)ifindex},
	};

	snprintf(link.name, sizeof(link.name), "l%d", ifindex);
	assert_int_equal(nv_links_put(&links, &link), 0);
	for (size_t i = 0;; i++)
		if (links.link[i].ifindex == ifindex)
			return &links.link[i];
}

static struct nv_ip ip(const char *text)
{
	struct nv_ip value = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(value.family, text, &value.v6), 1);
	return value;
}

static struct nv_addr *put_addr(int ifindex, const char *text)
{
	struct nv_addr addr = {.ifindex = ifindex, .local = ip(text)};

	assert_int_equal(nv_addrs_add(&addrs, &addr), 0);
	return &addrs.addr[addrs.count - 1];
}

static void put_group(int ifindex, const char *text, uint8_t igmp)
{
	struct nv_mcast mcast = {.ifindex = ifindex, .group = ip(text), .igmp = igmp};

	assert_int_equal(nv_mcasts_add(&mcasts, &mcast), 0);
}

/* Reads a frame back, far enough to tell it from the others. */
static void note(const struct nv_link *link, const struct nv_frame *frame, void *data)
{
	const uint8_t *bytes = frame->bytes;
	char text[NV_IP_TEXT];

	(void)data;
	assert_memory_equal(bytes + 6, link->mac, NV_MAC_LEN);
	if (bytes[13] == 0x06)
		nv_str_printf(&told, "ARP %s\n", inet_ntop(AF_INET, bytes + 28, text, NV_IP_TEXT));
	else if (bytes[12] == 0x08)
		nv_str_printf(&told, "IGMP %02x of %s, %zu bytes\n", bytes[38],
			inet_ntop(AF_INET, bytes + 26, text, NV_IP_TEXT), frame->length - 38);
	else if (bytes[54] == 136)
		nv_str_printf(&told, "NA %s%s\n", inet_ntop(AF_INET6, bytes + 62, text, NV_IP_TEXT),
			bytes[58] & 0x80 ? " router" : "");
	else
		nv_str_printf(&told, "MLD %u of %s, %zu bytes\n", bytes[62],
			inet_ntop(AF_INET6, bytes + 22, text, NV_IP_TEXT), frame->length - 62);
}

static void expect_told(struct nv_notify_view *view, const char *expected)
{
	view->addrs = addrs;
	nv_str_clear(&told);
	nv_notify_addrs(view, AF_INET, note, NULL);
	nv_notify_addrs(view, AF_INET6, note, NULL);
	nv_notify_groups(view, note, NULL);
	assert_string_equal(nv_str_text(&told), expected);
}

static void addresses_and_groups_of_the_link_are_told(void **state)
{
	struct nv_notify_view view = {put_link(10), {}, true, &mcasts, 2};

	(void)state;
	put_addr(9, "198.51.100.1");
	put_addr(10, "192.0.2.1");
	put_addr(10, "192.0.2.2");
	put_addr(10, "127.0.0.2")->scope = RT_SCOPE_HOST;
	put_addr(10, "fe80::1");
	put_addr(10, "2001:db8::1");
	put_addr(10, "2001:db8::2")->flags = IFA_F_TENTATIVE;
	put_addr(10, "2001:db8::3")->flags = IFA_F_DADFAILED;
	put_group(10, "224.0.0.1", 3);
	put_group(10, "239.1.2.3", 3);
	put_group(9, "239.9.9.9", 3);
	put_group(10, "239.1.2.4", 3);
	put_group(10, "ff02::1", 0);
	put_group(10, "ff01::1", 0);
	put_group(10, "ff02::1:ff00:1", 0);
	put_group(10, "ff05::9", 0);
	expect_told(&view, "ARP 192.0.2.1\n"
			   "ARP 192.0.2.2\n"
			   "NA fe80::1 router\n"
			   "NA 2001:db8::1 router\n"
			   "IGMP 22 of 192.0.2.1, 24 bytes\n"
			   "MLD 143 of fe80::1, 48 bytes\n");
	view.router = false;
	view.mld = 1;
	for (size_t i = 0; i < mcasts.count; i++)
		mcasts.mcast[i].igmp = 2;
	expect_told(&view, "ARP 192.0.2.1\n"
			   "ARP 192.0.2.2\n"
			   "NA fe80::1\n"
			   "NA 2001:db8::1\n"
			   "IGMP 16 of 192.0.2.1, 8 bytes\n"
			   "IGMP 16 of 192.0.2.1, 8 bytes\n"
			   "MLD 131 of fe80::1, 24 bytes\n"
			   "MLD 131 of fe80::1, 24 bytes\n");
}

static void groups_without_an_address_are_told_too(void **state)
{
	struct nv_notify_view view = {put_link(10), {}, false, &mcasts, 2};

	(void)state;
	put_group(10, "239.1.2.3", 3);
	put_group(10, "ff05::9", 0);
	expect_told(&view, "IGMP 22 of 0.0.0.0, 16 bytes\nMLD 143 of ::, 28 bytes\n");
}

static void many_groups_take_several_frames(void **state)
{
	struct nv_notify_view view = {put_link(10), {}, false, &mcasts, 2};

	(void)state;
	for (int i = 0; i < NV_FRAME_GROUPS_MAX + 1; i++)
		put_group(10, "239.1.2.3", 3);
	expect_told(&view, "IGMP 22 of 0.0.0.0, 392 bytes\nIGMP 22 of 0.0.0.0, 16 bytes\n");
}

static void a_link_without_arp_has_no_peers_to_tell(void **state)
{
	struct nv_link *link = put_link(10);
	struct nv_notify_view view = {link, {}, false, &mcasts, 2};

	(void)state;
	put_addr(10, "192.0.2.1");
	link->flags |= IFF_NOARP;
	expect_told(&view, "");
	link->flags = IFF_UP;
	link->type = ARPHRD_PPP;
	expect_told(&view, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_machine_that_arrives_tells_at_once_and_later_times_are_jittered(void **state)
{
	(void)state;
	nv_notify_again(&notify, 3, 5 * SEC);
	nv_notify_spread(&notify, SEC / 5);
	assert_true(nv_notify_due(&notify, 5 * SEC, SEC));
	assert_int_equal(nv_notify_wait(&notify, 5 * SEC), SEC + SEC / 5);
	assert_true(nv_notify_due(&notify, 7 * SEC, SEC));
	assert_int_equal(nv_notify_wait(&notify, 7 * SEC), SEC + SEC / 5);
	/* A switch is told at its own times. */
	nv_notify_note(&notify, NV_PORT_VF, true, 2, 7 * SEC);
	assert_true(nv_notify_due(&notify, 7 * SEC, SEC));
	assert_int_equal(nv_notify_wait(&notify, 7 * SEC), SEC);
}

static void a_host_that_asks_again_and_again_is_heard_at_a_bounded_rate(void **state)
{
	(void)state;
	for (uint64_t now = 5 * SEC; now < 6 * SEC; now += 1000) {
		nv_notify_again(&notify, 1, now);
		if (nv_notify_due(&notify, now, SEC))
			nv_str_add(&told, ".");
	}
	assert_string_equal(nv_str_text(&told), "..........");
}

static void a_path_that_is_cut_tells_nothing(void **state)
{
	(void)state;
	nv_notify_note(&notify, NV_PORT_HN, false, 3, SEC);
	nv_notify_again(&notify, 3, SEC);
	assert_int_equal(nv_notify_wait(&notify, 2 * SEC), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_told_while_nothing_changes),
		TEST(each_switch_is_told_at_once_and_again),
		TEST(the_way_back_drops_what_was_still_to_be_told),
		TEST(a_path_that_is_there_again_is_told),
		TEST(a_count_of_nothing_tells_nobody),
		TEST(a_machine_that_arrives_tells_at_once_and_later_times_are_jittered),
		TEST(a_host_that_asks_again_and_again_is_heard_at_a_bounded_rate),
		TEST(a_path_that_is_cut_tells_nothing),
		TEST(addresses_and_groups_of_the_link_are_told),
		TEST(groups_without_an_address_are_told_too),
		TEST(many_groups_take_several_frames),
		TEST(a_link_without_arp_has_no_peers_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
