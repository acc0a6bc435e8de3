/* SPDX-License-Identifier: BSD-2-Clause */
/* Each frame is compared with the one that Linux 6.18 sent in the same case, as it was captured. */
#include "cm.h"

#include "pair/notify_frames.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 0, 0xaa};
static struct nv_frame frame;

static struct in_addr v4(const char *text)
{
	return (struct in_addr){inet_addr(text)};
}

static struct in6_addr v6(const char *text)
{
	struct in6_addr address;

	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

static void expect(const char *hex)
{
	char text[2 * NV_FRAME_MAX + 1];

	for (size_t i = 0; i < frame.length; i++)
		snprintf(text + 2 * i, 3, "%02x", frame.bytes[i]);
	assert_string_equal(text, hex);
}

static void arp_is_as_the_kernels(void **state)
{
	(void)state;
	nv_frame_arp(mac, v4("192.0.2.1"), &frame);
	expect("ffffffffffff0200000000aa0806"
	       "00010800060400010200000000aac0000201000000000000c0000201");
}

static void neighbour_advertisement_is_as_the_kernels(void **state)
{
	const struct in6_addr address = v6("2001:db8::1");

	(void)state;
	nv_frame_na(mac, &address, false, &frame);
	expect("3333000000010200000000aa86dd"
	       "6000000000203aff20010db8000000000000000000000001ff020000000000000000000000000001"
	       "8800f8812000000020010db800000000000000000000000102010200000000aa");
}

static void router_stays_one(void **state)
{
	const struct in6_addr address = v6("2001:db8::1");

	(void)state;
	nv_frame_na(mac, &address, true, &frame);
	assert_int_equal(frame.bytes[58], 0xa0);
	assert_int_equal(frame.bytes[56] << 8 | frame.bytes[57], 0x7881); /* 0x8000 less */
}

static void igmp_is_as_the_kernels(void **state)
{
	const struct in_addr groups[] = {v4("239.129.2.4"), v4("239.1.2.3")};
	const struct in_addr source = v4("192.0.2.1");

	(void)state;
	nv_frame_igmp(mac, source, 3, groups, 2, &frame);
	expect("01005e0000160200000000aa0800"
	       "46c0003000004000010241f0c0000201e000001694040000"
	       "2200f7720000000202000000ef81020402000000ef010203");
	nv_frame_igmp(mac, source, 2, groups, 2, &frame);
	expect("01005e0102040200000000aa0800"
	       "46c000200000400001023091c0000201ef81020494040000"
	       "1600f879ef810204");
	nv_frame_igmp(mac, source, 1, groups + 1, 1, &frame);
	expect("01005e0102030200000000aa0800"
	       "46c000200000400001023112c0000201ef01020394040000"
	       "1200fcfaef010203");
}

static void mld_is_as_the_kernels(void **state)
{
	const struct in6_addr groups[] = {
		v6("ff05::1234"), v6("ff02::1:ff00:aa"), v6("ff02::1:ff00:1")};
	const struct in6_addr source = v6("fe80::aa");

	(void)state;
	nv_frame_mld(mac, &source, 2, groups, 3, &frame);
	expect("3333000000160200000000aa86dd"
	       "60000000004c0001fe8000000000000000000000000000aa"
	       "ff0200000000000000000000000000163a00050200000100"
	       "8f005e4b0000000302000000ff050000000000000000000000001234"
	       "02000000ff0200000000000000000001ff0000aa"
	       "02000000ff0200000000000000000001ff000001");
	nv_frame_mld(mac, &source, 1, groups, 3, &frame);
	expect("3333000012340200000000aa86dd"
	       "6000000000200001fe8000000000000000000000000000aa"
	       "ff0500000000000000000000000012343a00050200000100"
	       "83005b0e00000000ff050000000000000000000000001234");
}

static void largest_report_fits(void **state)
{
	const struct in6_addr source = v6("fe80::aa");
	struct in6_addr groups6[NV_FRAME_GROUPS_MAX];
	struct in_addr groups[NV_FRAME_GROUPS_MAX];

	(void)state;
	for (size_t i = 0; i < NV_FRAME_GROUPS_MAX; i++) {
		groups[i] = v4("239.255.255.255");
		groups6[i] = v6("ff05:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	}
	nv_frame_igmp(mac, v4("0.0.0.0"), 3, groups, NV_FRAME_GROUPS_MAX, &frame);
	assert_int_equal(frame.length, 14 + 24 + 8 + 8 * NV_FRAME_GROUPS_MAX);
	nv_frame_mld(mac, &source, 2, groups6, NV_FRAME_GROUPS_MAX, &frame);
	assert_int_equal(frame.length, 14 + 40 + 8 + 8 + 20 * NV_FRAME_GROUPS_MAX);
	assert_true(frame.length <= sizeof(frame.bytes) && frame.length <= 14 + 1280);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_is_as_the_kernels),
		cmocka_unit_test(neighbour_advertisement_is_as_the_kernels),
		cmocka_unit_test(router_stays_one),
		cmocka_unit_test(igmp_is_as_the_kernels),
		cmocka_unit_test(mld_is_as_the_kernels),
		cmocka_unit_test(largest_report_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
