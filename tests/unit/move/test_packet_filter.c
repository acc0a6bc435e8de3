/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "move/packet_filter.h"

#include <string.h>

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	NV_AUTO(nv_str) struct nv_str json = {};
	json_t *value;

	for (; *text; text++)
		nv_str_printf(&json, "%c", *text == '\'' ? '"' : *text);
	value = json_loads(nv_str_text(&json), 0, NULL);
	assert_non_null(value);
	return value;
}

static void nft_rules_sets_and_chains_that_name_it_are_counted(void **state)
{
	json_t *ruleset = parse(
		"{'nftables': [{'metainfo': {'version': '1'}},"
		" {'table': {'family': 'inet', 'name': 'hn0', 'handle': 1}},"
		" {'chain': {'family': 'inet', 'table': 'filter', 'name': 'hn0'}},"
		" {'chain': {'family': 'netdev', 'table': 't', 'name': 'in', 'dev': 'hn0'}},"
		" {'rule': {'family': 'inet', 'table': 'filter', 'chain': 'hn0', 'expr': ["
		"   {'match': {'left': {'meta': {'key': 'iifname'}}, 'right': 'hn0'}}]}},"
		" {'rule': {'family': 'inet', 'table': 'filter', 'chain': 'c', 'expr': ["
		"   {'match': {'right': {'set': ['lo', 'hn*']}}}]}},"
		" {'rule': {'family': 'inet', 'table': 'filter', 'chain': 'c', 'comment': 'hn0',"
		"   'expr': [{'match': {'right': 'hn00'}}]}},"
		" {'set': {'family': 'inet', 'table': 'f', 'name': 's', 'elem': ['hn0']}}]}");
	char where[64] = "";

	(void)state;
	assert_int_equal(nv_packet_filter_count_nft(ruleset, "hn0", where, sizeof(where)), 4);
	assert_string_equal(where, "chain of netdev t");
	assert_int_equal(nv_packet_filter_count_nft(ruleset, "eth0", where, sizeof(where)), 0);
	assert_int_equal(nv_packet_filter_count_nft(NULL, "hn0", where, sizeof(where)), 0);
	json_decref(ruleset);
}

static void iptables_rules_that_name_it_are_counted(void **state)
{
	static const char saved[] = "*filter\n:INPUT ACCEPT [0:0]\n"
				    "-A INPUT -i hn00 -j DROP\n"
				    "-A INPUT -s 192.0.2.1/32 -i hn0 -j DROP\n"
				    "-A INPUT ! -i hn+ -j DROP\nCOMMIT\n"
				    "*nat\n-A POSTROUTING -o hn0 -j MASQUERADE";
	char where[64] = "";

	(void)state;
	assert_int_equal(nv_packet_filter_count_iptables(saved, "hn0", where, sizeof(where)), 3);
	assert_string_equal(where, "chain INPUT of table filter");
	assert_int_equal(nv_packet_filter_count_iptables(saved, "eth0", where, sizeof(where)), 0);
	assert_int_equal(nv_packet_filter_count_iptables("", "hn0", where, sizeof(where)), 0);
}

static void who_names_the_lagg_too_holds_nothing(void **state)
{
	struct nv_packet_filters filters = {};
	char text[160] = "";

	(void)state;
	assert_false(nv_packet_filters_hold(&filters, "hn0", "lagg0", text, sizeof(text)));
	nv_str_add(&filters.text[2], "*filter\n-A INPUT -i hn0 -j DROP\n");
	assert_true(nv_packet_filters_hold(&filters, "hn0", "lagg0", text, sizeof(text)));
	assert_string_equal(text, "ip6tables, 1 rule, the first in chain INPUT of table filter");
	nv_str_add(&filters.text[2], "-A INPUT -i lagg0 -j DROP\n");
	assert_false(nv_packet_filters_hold(&filters, "hn0", "lagg0", text, sizeof(text)));
	nv_packet_filters_auto(&filters);
}

/* A VLAN that is deleted, and made anew with its name. */
static void what_knows_it_by_its_index_ends_with_it(void **state)
{
	static const char *const by_index[] = {
		"{'chain': {'family': 'netdev', 'table': 't', 'name': 'in', 'dev': 'vlan5'}}",
		"{'flowtable': {'family': 'inet', 'table': 't', 'name': 'f', 'dev': ['vlan5']}}",
		"{'set': {'family': 'inet', 'name': 's', 'type': 'iface_index',"
		"  'elem': ['vlan5']}}",
		"{'rule': {'family': 'inet', 'table': 't', 'chain': 'c', 'expr': ["
		"  {'match': {'left': {'meta': {'key': 'iif'}}, 'right': 'vlan5'}}]}}",
		"{'rule': {'family': 'inet', 'table': 't', 'chain': 'c', 'expr': ["
		"  {'vmap': {'key': {'meta': {'key': 'oif'}},"
		"    'data': {'set': [['vlan5', {'drop': null}]]}}}]}}",
	};
	char text[160] = "";

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(by_index); i++) {
		NV_AUTO(nv_str) struct nv_str json = {};
		struct nv_packet_filters filters = {};

		nv_str_printf(&json,
			"{'nftables': [%s, {'rule': {'family': 'inet', 'table': 't', 'expr': ["
			"  {'match': {'left': {'meta': {'key': 'iifname'}},"
			"    'right': 'vlan5'}}]}}]}",
			by_index[i]);
		filters.nft = parse(nv_str_text(&json));
		assert_true(nv_packet_filters_hold(&filters, "vlan5", "vlan5", text, sizeof(text)));
		if (!strstr(text, "nftables, by its index, 1 place, "))
			fail_msg("%s: %s", by_index[i], text);
		assert_false(nv_packet_filters_hold(&filters, "eth0", "eth0", text, sizeof(text)));
		nv_packet_filters_auto(&filters);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nft_rules_sets_and_chains_that_name_it_are_counted),
		cmocka_unit_test(iptables_rules_that_name_it_are_counted),
		cmocka_unit_test(who_names_the_lagg_too_holds_nothing),
		cmocka_unit_test(what_knows_it_by_its_index_ends_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
