/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "kernel/attrs.h"
#include "kernel/bridge_port.h"
#include "kernel/rtobject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <string.h>

#define HN    3
#define LAGG  9
#define OTHER 4

#define UNHEARD_OF 200 /* an attribute that no kernel has yet */

static const struct nv_link_map hn_to_lagg = {HN, LAGG, "hn0", "lagg0"};
static const struct nv_link_maps maps = {&hn_to_lagg, 1};

/* What a dump told, and what is asked for in return. */
struct bench {
	struct nv_request told;
	struct nv_rtobjs objs;
	struct nv_rtobjs requests;
};

static void bench_auto(struct bench *bench)
{
	nv_rtobjs_auto(&bench->objs);
	nv_rtobjs_auto(&bench->requests);
}

#define BENCH(name) __attribute__((cleanup(bench_auto))) struct bench name = {}

static const struct nv_rtobj *take(struct bench *bench)
{
	assert_int_equal(nv_rtobjs_take(&bench->objs, &bench->told.header), 0);
	return nv_rtobjs_next(&bench->objs, NULL);
}

static const struct nlmsghdr *ask(struct bench *bench, enum nv_rtobj_verb verb)
{
	const struct nv_rtobj *obj = nv_rtobjs_next(&bench->objs, NULL);

	nv_rtobjs_auto(&bench->requests);
	assert_int_equal(nv_rtobjs_request(&bench->requests, obj, verb, &maps), 0);
	assert_int_equal(bench->requests.count, 1);
	return (const void *)nv_rtobjs_next(&bench->requests, NULL);
}

static const struct nlattr *find(const struct nlmsghdr *message, size_t header, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, message, header)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static uint32_t number(const struct nlmsghdr *message, size_t header, uint16_t type)
{
	const struct nlattr *attr = find(message, header, type);

	assert_non_null(attr);
	return mnl_attr_get_u32(attr);
}

static struct rtmsg *tell_route(struct bench *bench)
{
	struct rtmsg *info =
		nv_request_start(&bench->told, RTM_NEWROUTE, NLM_F_MULTI, sizeof(*info));
	struct in_addr to = {.s_addr = htonl(0xc6336400)};

	info->rtm_family = AF_INET;
	info->rtm_dst_len = 24;
	info->rtm_type = RTN_UNICAST;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_flags = RTNH_F_ONLINK | RTNH_F_LINKDOWN | RTNH_F_DEAD;
	mnl_attr_put(&bench->told.header, RTA_DST, sizeof(to), &to);
	return info;
}

static void a_route_keeps_all_that_was_said_of_it(void **state)
{
	BENCH(bench);
	const struct nlmsghdr *asked;
	const struct rtmsg *info;

	(void)state;
	tell_route(&bench);
	mnl_attr_put_u32(&bench.told.header, RTA_OIF, HN);
	mnl_attr_put(&bench.told.header, UNHEARD_OF, 7, "unknown");
	assert_true(nv_rtobj_refers(take(&bench), &maps));
	asked = ask(&bench, NV_RTOBJ_ADD);
	info = mnl_nlmsg_get_payload(asked);
	assert_int_equal(asked->nlmsg_type, RTM_NEWROUTE);
	assert_int_equal(asked->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND);
	assert_int_equal(info->rtm_flags, RTNH_F_ONLINK);
	assert_int_equal(info->rtm_dst_len, 24);
	assert_int_equal(number(asked, sizeof(*info), RTA_OIF), LAGG);
	assert_memory_equal(
		mnl_attr_get_payload(find(asked, sizeof(*info), UNHEARD_OF)), "unknown", 7);
	assert_int_equal(mnl_attr_get_payload_len(find(asked, sizeof(*info), UNHEARD_OF)), 7);
	assert_int_equal(ask(&bench, NV_RTOBJ_DELETE)->nlmsg_type, RTM_DELROUTE);
}

static void put_hop(struct nlmsghdr *message, int ifindex)
{
	struct rtnexthop hop = {
		.rtnh_len = sizeof(hop),
		.rtnh_hops = 4,
		.rtnh_flags = RTNH_F_LINKDOWN,
		.rtnh_ifindex = ifindex,
	};

	memcpy(mnl_nlmsg_get_payload_tail(message), &hop, sizeof(hop));
	message->nlmsg_len += sizeof(hop);
}

static void a_route_with_several_next_hops_names_the_new_link(void **state)
{
	BENCH(bench);
	struct nlmsghdr *told = &bench.told.header;
	const struct nlmsghdr *asked;
	const struct rtnexthop *hop;
	struct nlattr *nest;

	(void)state;
	tell_route(&bench);
	nest = mnl_attr_nest_start(told, RTA_MULTIPATH);
	put_hop(told, OTHER);
	put_hop(told, HN);
	mnl_attr_nest_end(told, nest);
	assert_true(nv_rtobj_is_shared(take(&bench)));
	assert_true(nv_rtobj_refers(nv_rtobjs_next(&bench.objs, NULL), &maps));
	asked = ask(&bench, NV_RTOBJ_REPLACE);
	assert_true(asked->nlmsg_flags & NLM_F_REPLACE);
	hop = mnl_attr_get_payload(find(asked, sizeof(struct rtmsg), RTA_MULTIPATH));
	assert_int_equal(hop[0].rtnh_ifindex, OTHER);
	assert_int_equal(hop[1].rtnh_ifindex, LAGG);
	assert_int_equal(hop[1].rtnh_hops, 4);
	assert_int_equal(hop[1].rtnh_flags, 0);
}

static void what_cannot_be_made_again_is_passed_over(void **state)
{
	BENCH(bench);
	struct nlmsghdr *told = &bench.told.header;

	(void)state;
	tell_route(&bench)->rtm_flags = RTM_F_CLONED;
	assert_int_equal(nv_rtobjs_take(&bench.objs, told), -ENOMSG);
	tell_route(&bench);
	mnl_attr_put_u32(told, RTA_NH_ID, 7);
	assert_int_equal(nv_rtobjs_take(&bench.objs, told), -ENOMSG);
	nv_request_start(&bench.told, RTM_NEWRULE, 0, sizeof(struct fib_rule_hdr));
	assert_int_equal(nv_rtobjs_take(&bench.objs, told), -ENOMSG);
	nv_request_start(&bench.told, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	assert_int_equal(nv_rtobjs_take(&bench.objs, told), -ENOMSG);
	assert_int_equal(bench.objs.count, 0);
	assert_null(nv_rtobjs_next(&bench.objs, NULL));
}

static void an_advertised_route_becomes_a_stopgap(void **state)
{
	BENCH(bench);
	struct rta_cacheinfo cache = {.rta_expires = 150};
	const struct nlmsghdr *asked;

	(void)state;
	tell_route(&bench)->rtm_protocol = RTPROT_RA;
	mnl_attr_put_u32(&bench.told.header, RTA_PRIORITY, 1024);
	mnl_attr_put(&bench.told.header, RTA_CACHEINFO, sizeof(cache), &cache);
	take(&bench);
	asked = ask(&bench, NV_RTOBJ_ADD);
	assert_int_equal(number(asked, sizeof(struct rtmsg), RTA_PRIORITY), 1025);
	assert_int_equal(number(asked, sizeof(struct rtmsg), RTA_EXPIRES), 2);
	assert_null(find(asked, sizeof(struct rtmsg), RTA_CACHEINFO));
	asked = ask(&bench, NV_RTOBJ_DELETE);
	assert_int_equal(number(asked, sizeof(struct rtmsg), RTA_PRIORITY), 1024);
}

static void a_rule_names_the_new_link(void **state)
{
	BENCH(bench);
	struct nlmsghdr *told = &bench.told.header;
	struct fib_rule_hdr *info = nv_request_start(&bench.told, RTM_NEWRULE, 0, sizeof(*info));
	const struct nlmsghdr *asked;

	(void)state;
	info->flags = FIB_RULE_INVERT | FIB_RULE_IIF_DETACHED;
	mnl_attr_put_strz(told, FRA_IIFNAME, "hn0");
	mnl_attr_put_strz(told, FRA_OIFNAME, "hn01");
	mnl_attr_put_u32(told, FRA_PRIORITY, 100);
	take(&bench);
	asked = ask(&bench, NV_RTOBJ_ADD);
	assert_string_equal(mnl_attr_get_str(find(asked, sizeof(*info), FRA_IIFNAME)), "lagg0");
	assert_string_equal(mnl_attr_get_str(find(asked, sizeof(*info), FRA_OIFNAME)), "hn01");
	assert_int_equal(number(asked, sizeof(*info), FRA_PRIORITY), 100);
	info = mnl_nlmsg_get_payload(asked);
	assert_int_equal(info->flags, FIB_RULE_INVERT);
}

static struct ndmsg *tell_neigh(struct bench *bench, uint16_t state)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 1};
	struct ndmsg *info = nv_request_start(&bench->told, RTM_NEWNEIGH, 0, sizeof(*info));
	struct in_addr address = {.s_addr = htonl(0xc0000201)};

	info->ndm_family = AF_INET;
	info->ndm_ifindex = HN;
	info->ndm_state = state;
	mnl_attr_put(&bench->told.header, NDA_DST, sizeof(address), &address);
	mnl_attr_put(&bench->told.header, NDA_LLADDR, sizeof(mac), mac);
	mnl_attr_put_u32(&bench->told.header, NDA_PROBES, 3);
	return info;
}

static void a_neighbour_that_was_learnt_is_stale(void **state)
{
	BENCH(bench);
	const struct nlmsghdr *asked;
	const struct ndmsg *info;

	(void)state;
	tell_neigh(&bench, NUD_REACHABLE);
	assert_true(nv_rtobj_is_learnt(take(&bench)));
	asked = ask(&bench, NV_RTOBJ_ADD);
	info = mnl_nlmsg_get_payload(asked);
	assert_int_equal(info->ndm_ifindex, LAGG);
	assert_int_equal(info->ndm_state, NUD_STALE);
	assert_null(find(asked, sizeof(*info), NDA_PROBES));
	assert_non_null(find(asked, sizeof(*info), NDA_LLADDR));

	tell_neigh(&bench, NUD_FAILED);
	assert_int_equal(nv_rtobjs_take(&bench.objs, &bench.told.header), -ENOMSG);
	nv_rtobjs_auto(&bench.objs);
	tell_neigh(&bench, NUD_PERMANENT);
	assert_false(nv_rtobj_is_learnt(take(&bench)));
	nv_rtobjs_auto(&bench.objs);
	tell_neigh(&bench, 0)->ndm_flags = NTF_PROXY;
	take(&bench);
	info = mnl_nlmsg_get_payload(ask(&bench, NV_RTOBJ_ADD));
	assert_int_equal(info->ndm_flags, NTF_PROXY);
}

static struct nhmsg *tell_nexthop(struct bench *bench)
{
	struct nhmsg *info = nv_request_start(&bench->told, RTM_NEWNEXTHOP, 0, sizeof(*info));

	info->nh_family = AF_INET;
	info->nh_scope = RT_SCOPE_LINK;
	info->nh_flags = RTNH_F_LINKDOWN;
	mnl_attr_put_u32(&bench->told.header, NHA_ID, 7);
	mnl_attr_put_u32(&bench->told.header, NHA_OIF, HN);
	return info;
}

static void a_next_hop_of_a_copied_route_is_not_configuration(void **state)
{
	BENCH(bench);

	(void)state;
	tell_nexthop(&bench)->nh_protocol = NV_RTPROT_BACKUP;
	assert_int_equal(nv_rtobjs_take(&bench.objs, &bench.told.header), -ENOMSG);
}

static void a_next_hop_keeps_its_id(void **state)
{
	BENCH(bench);
	const struct nlmsghdr *asked;
	const struct nhmsg *info;

	(void)state;
	tell_nexthop(&bench);
	assert_true(nv_rtobj_is_replaced(take(&bench)));
	asked = ask(&bench, NV_RTOBJ_REPLACE);
	info = mnl_nlmsg_get_payload(asked);
	assert_int_equal(info->nh_scope, 0);
	assert_int_equal(info->nh_flags, 0);
	assert_int_equal(number(asked, sizeof(*info), NHA_ID), 7);
	assert_int_equal(number(asked, sizeof(*info), NHA_OIF), LAGG);
}

static void a_person_can_read_what_it_is(void **state)
{
	BENCH(bench);
	NV_AUTO(nv_str) struct nv_str text = {};

	(void)state;
	tell_route(&bench);
	take(&bench);
	nv_rtobj_text(nv_rtobjs_next(&bench.objs, NULL), &text);
	assert_string_equal(nv_str_text(&text), "route to 198.51.100.0/24");
	nv_str_clear(&text);
	nv_rtobj_text((const void *)ask(&bench, NV_RTOBJ_DELETE), &text);
	assert_string_equal(nv_str_text(&text), "route to 198.51.100.0/24");
	tell_neigh(&bench, NUD_PERMANENT);
	nv_rtobjs_auto(&bench.objs);
	nv_str_clear(&text);
	nv_rtobj_text(take(&bench), &text);
	assert_string_equal(nv_str_text(&text), "neighbour 192.0.2.1");
}

/* Cut off anywhere, in memory that ends there. */
static void a_message_that_is_cut_off_does_no_harm(void **state)
{
	BENCH(bench);
	struct nlmsghdr *told = &bench.told.header;
	struct nlattr *nest;

	(void)state;
	tell_route(&bench);
	nest = mnl_attr_nest_start(told, RTA_MULTIPATH);
	put_hop(told, HN);
	mnl_attr_nest_end(told, nest);
	for (uint32_t length = sizeof(*told); length <= told->nlmsg_len; length++) {
		struct nlmsghdr *cut = malloc(length);
		const struct nv_rtobj *obj;

		assert_non_null(cut);
		memcpy(cut, told, length);
		cut->nlmsg_len = length;
		nv_rtobjs_take(&bench.objs, cut);
		free(cut);
		obj = nv_rtobjs_next(&bench.objs, NULL);
		if (obj)
			ask(&bench, NV_RTOBJ_ADD);
		nv_rtobjs_auto(&bench.objs);
	}
}

/* What the kernel tells of hn as a port of bridge 9. */
static struct nlmsghdr *tell_port(struct bench *bench)
{
	const struct bridge_vlan_info vlan = {.flags = BRIDGE_VLAN_INFO_PVID, .vid = 7};
	struct nlmsghdr *header = &bench->told.header;
	struct ifinfomsg *info = nv_request_start(&bench->told, RTM_NEWLINK, 0, sizeof(*info));
	struct nlattr *nest;

	info->ifi_family = AF_BRIDGE;
	info->ifi_index = HN;
	mnl_attr_put_strz(header, IFLA_IFNAME, "hn0");
	mnl_attr_put_u32(header, IFLA_MASTER, 9);
	nest = mnl_attr_nest_start(header, IFLA_PROTINFO);
	mnl_attr_put_u8(header, IFLA_BRPORT_STATE, 3);
	mnl_attr_put_u32(header, IFLA_BRPORT_COST, 77);
	mnl_attr_put_u8(header, IFLA_BRPORT_UNICAST_FLOOD, 1);
	mnl_attr_put_u8(header, IFLA_BRPORT_ISOLATED, 0);
	mnl_attr_nest_end(header, nest);
	nest = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	mnl_attr_put(header, IFLA_BRIDGE_VLAN_INFO, sizeof(vlan), &vlan);
	mnl_attr_nest_end(header, nest);
	return header;
}

static const struct nlattr *nested(const struct nlmsghdr *message, uint16_t nest, uint16_t type)
{
	const struct nlattr *outer = find(message, sizeof(struct ifinfomsg), nest);
	const struct nlattr *attr;

	assert_non_null(outer);
	mnl_attr_for_each_nested (attr, outer)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static const struct nlmsghdr *request(const struct bench *bench, size_t number)
{
	const struct nv_rtobj *obj = nv_rtobjs_next(&bench->requests, NULL);

	while (number--)
		obj = nv_rtobjs_next(&bench->requests, obj);
	return (const void *)obj;
}

static void a_port_enters_isolated_and_mute_with_its_vlans(void **state)
{
	BENCH(bench);
	const struct nv_rtobj *port;
	const struct nlmsghdr *asked;
	const struct bridge_vlan_info *vlan;

	(void)state;
	tell_port(&bench);
	port = take(&bench);
	assert_int_equal(nv_rtobj_kind(port), NV_RTOBJ_BRPORT);
	assert_true(nv_rtobj_refers(port, &maps));
	assert_int_equal(nv_brport_bridge(port), 9);
	assert_false(nv_brport_is_isolated(port));
	assert_int_equal(nv_brport_enter(&bench.requests, port, LAGG), 0);
	assert_int_equal(bench.requests.count, 4);

	asked = request(&bench, 0);
	assert_int_equal(number(asked, sizeof(struct ifinfomsg), IFLA_MASTER), 9);
	asked = request(&bench, 1);
	assert_int_equal(asked->nlmsg_type, RTM_SETLINK);
	assert_int_equal(((const struct ifinfomsg *)mnl_nlmsg_get_payload(asked))->ifi_index, LAGG);
	assert_int_equal(mnl_attr_get_u32(nested(asked, IFLA_PROTINFO, IFLA_BRPORT_COST)), 77);
	assert_int_equal(
		mnl_attr_get_u8(nested(asked, IFLA_PROTINFO, IFLA_BRPORT_UNICAST_FLOOD)), 0);
	assert_int_equal(mnl_attr_get_u8(nested(asked, IFLA_PROTINFO, IFLA_BRPORT_ISOLATED)), 1);
	assert_null(nested(asked, IFLA_PROTINFO, IFLA_BRPORT_STATE));
	assert_int_equal(request(&bench, 2)->nlmsg_type, RTM_DELLINK);
	asked = request(&bench, 3);
	vlan = mnl_attr_get_payload(nested(asked, IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO));
	assert_int_equal(vlan->vid, 7);
	assert_int_equal(vlan->flags, BRIDGE_VLAN_INFO_PVID);
}

static void a_port_floods_as_it_did_and_is_the_same_from_a_file(void **state)
{
	BENCH(bench);
	NV_AUTO(nv_rtobjs) struct nv_rtobjs again = {};
	NV_AUTO(nv_str) struct nv_str text = {};
	const struct nv_rtobj *port;

	(void)state;
	tell_port(&bench);
	port = take(&bench);
	nv_rtobj_hex(port, &text);
	assert_int_equal(nv_rtobjs_add_hex(&again, nv_str_text(&text)), 0);
	assert_int_equal(again.length, bench.objs.length);
	assert_memory_equal(again.bytes, bench.objs.bytes, again.length);
	assert_int_equal(nv_brport_flood(&bench.requests, port, LAGG), 0);
	assert_int_equal(mnl_attr_get_u8(nested(
				 request(&bench, 0), IFLA_PROTINFO, IFLA_BRPORT_UNICAST_FLOOD)),
		1);
	assert_null(nested(request(&bench, 0), IFLA_PROTINFO, IFLA_BRPORT_MCAST_FLOOD));
	assert_int_equal(nv_brport_flood(&bench.requests, NULL, HN), 0);
	assert_int_equal(
		mnl_attr_get_u8(nested(request(&bench, 1), IFLA_PROTINFO, IFLA_BRPORT_MCAST_FLOOD)),
		0);
}

static void what_is_no_port_of_a_bridge_is_passed_over(void **state)
{
	BENCH(bench);
	struct ifinfomsg *info;

	(void)state;
	info = mnl_nlmsg_get_payload(tell_port(&bench));
	info->ifi_family = AF_UNSPEC;
	assert_int_equal(nv_rtobjs_take(&bench.objs, &bench.told.header), -ENOMSG);
	info = nv_request_start(&bench.told, RTM_NEWLINK, 0, sizeof(*info));
	info->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(&bench.told.header, IFLA_MASTER, 9);
	assert_int_equal(nv_rtobjs_take(&bench.objs, &bench.told.header), -ENOMSG);
	assert_int_equal(bench.objs.count, 0);
}

static void a_mac_of_a_bridges_table_is_carried_if_it_was_set(void **state)
{
	static const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 0, 9};
	BENCH(bench);
	struct ndmsg *info = nv_request_start(&bench.told, RTM_NEWNEIGH, 0, sizeof(*info));
	const struct nlmsghdr *asked;

	(void)state;
	info->ndm_family = AF_BRIDGE;
	info->ndm_ifindex = HN;
	info->ndm_state = NUD_REACHABLE;
	mnl_attr_put(&bench.told.header, NDA_LLADDR, sizeof(mac), mac);
	assert_int_equal(nv_rtobjs_take(&bench.objs, &bench.told.header), -ENOMSG);
	info->ndm_state = NUD_PERMANENT;
	/* Of the device's own list. */
	assert_int_equal(nv_rtobjs_take(&bench.objs, &bench.told.header), -ENOMSG);
	mnl_attr_put_u32(&bench.told.header, NDA_MASTER, 9);
	assert_int_equal(nv_rtobj_kind(take(&bench)), NV_RTOBJ_FDB);
	assert_true(nv_fdb_is_of_itself(nv_rtobjs_next(&bench.objs, NULL), mac));
	asked = ask(&bench, NV_RTOBJ_REPLACE);
	info = mnl_nlmsg_get_payload(asked);
	assert_int_equal(info->ndm_ifindex, LAGG);
	assert_int_equal(info->ndm_flags, NTF_MASTER);
	assert_null(find(asked, sizeof(*info), NDA_MASTER));
	assert_true(asked->nlmsg_flags & NLM_F_REPLACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_keeps_all_that_was_said_of_it),
		cmocka_unit_test(a_route_with_several_next_hops_names_the_new_link),
		cmocka_unit_test(what_cannot_be_made_again_is_passed_over),
		cmocka_unit_test(an_advertised_route_becomes_a_stopgap),
		cmocka_unit_test(a_rule_names_the_new_link),
		cmocka_unit_test(a_neighbour_that_was_learnt_is_stale),
		cmocka_unit_test(a_next_hop_of_a_copied_route_is_not_configuration),
		cmocka_unit_test(a_next_hop_keeps_its_id),
		cmocka_unit_test(a_person_can_read_what_it_is),
		cmocka_unit_test(a_message_that_is_cut_off_does_no_harm),
		cmocka_unit_test(a_port_enters_isolated_and_mute_with_its_vlans),
		cmocka_unit_test(a_port_floods_as_it_did_and_is_the_same_from_a_file),
		cmocka_unit_test(what_is_no_port_of_a_bridge_is_passed_over),
		cmocka_unit_test(a_mac_of_a_bridges_table_is_carried_if_it_was_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
