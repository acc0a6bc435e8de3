/* SPDX-License-Identifier: BSD-2-Clause */
/* Netlink messages, uevents and sysfs as values. */
#include "cm.h"

#include "base/str.h"
#include "fake_kernel.h"
#include "kernel/attrs.h"
#include "kernel/diff.h"
#include "kernel/netlink_ops.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <linux/if_vlan.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A link's whole word as the kernel would say it: attributes of every kind that is read. */
static void build_link(struct nv_request *request)
{
	static const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 0, 1};
	static const uint8_t permanent[NV_MAC_LEN] = {2, 0, 0, 0, 0, 2};
	struct nlmsghdr *header = &request->header;
	struct ifinfomsg *info = nv_request_start(request, RTM_NEWLINK, 0, sizeof(*info));
	struct nlattr *outer, *inner;

	info->ifi_type = ARPHRD_ETHER;
	info->ifi_index = 7;
	info->ifi_flags = IFF_UP | IFF_RUNNING;
	mnl_attr_put_strz(header, IFLA_IFNAME, "eth0.5");
	mnl_attr_put_u32(header, IFLA_MTU, 9000);
	mnl_attr_put_u32(header, IFLA_TXQLEN, 500);
	mnl_attr_put_u32(header, IFLA_PROMISCUITY, 2);
	mnl_attr_put_u32(header, IFLA_MASTER, 3);
	mnl_attr_put_u32(header, IFLA_LINK, 4);
	mnl_attr_put_u8(header, IFLA_OPERSTATE, IF_OPER_DORMANT);
	mnl_attr_put_u8(header, IFLA_LINKMODE, IF_LINK_MODE_DORMANT);
	mnl_attr_put_u8(header, IFLA_CARRIER, 1);
	mnl_attr_put(header, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put(header, IFLA_PERM_ADDRESS, sizeof(permanent), permanent);
	mnl_attr_put_strz(header, IFLA_IFALIAS, "uplink");
	mnl_attr_put_strz(header, IFLA_PARENT_DEV_NAME, "0000:00:03.0");
	mnl_attr_put_strz(header, IFLA_PARENT_DEV_BUS_NAME, "pci");
	outer = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "vlan");
	inner = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u16(header, IFLA_VLAN_ID, 5);
	mnl_attr_nest_end(header, inner);
	mnl_attr_nest_end(header, outer);
	outer = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	inner = mnl_attr_nest_start(header, AF_INET6);
	mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(header, inner);
	mnl_attr_nest_end(header, outer);
}

/* The link that a VXLAN is stacked on; @group: attribute and address, if it has one. */
static int lower_of_vxlan(uint16_t group, const char *address, bool elsewhere)
{
	struct nv_request request;
	struct ifinfomsg *info = nv_request_start(&request, RTM_NEWLINK, 0, sizeof(*info));
	struct nlmsghdr *header = &request.header;
	struct nv_link link;
	struct nlattr *outer;
	struct nlattr *inner;
	struct in6_addr ip;

	info->ifi_index = 7;
	mnl_attr_put_strz(header, IFLA_IFNAME, "vx0");
	mnl_attr_put_u32(header, IFLA_MTU, 1450);
	if (elsewhere)
		mnl_attr_put_u32(header, IFLA_LINK_NETNSID, 1);
	outer = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "vxlan");
	inner = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u32(header, IFLA_VXLAN_LINK, 4);
	if (group == IFLA_VXLAN_GROUP && inet_pton(AF_INET, address, &ip) == 1)
		mnl_attr_put(header, group, sizeof(struct in_addr), &ip);
	if (group == IFLA_VXLAN_GROUP6 && inet_pton(AF_INET6, address, &ip) == 1)
		mnl_attr_put(header, group, sizeof(ip), &ip);
	mnl_attr_nest_end(header, inner);
	mnl_attr_nest_end(header, outer);
	assert_int_equal(nv_link_decode(header, &link), 0);
	assert_int_equal(link.lower_elsewhere, elsewhere);
	return link.lower;
}

static void a_vxlan_is_stacked_on_the_link_by_which_it_sends(void **state)
{
	(void)state;
	assert_int_equal(lower_of_vxlan(IFLA_VXLAN_GROUP, "192.0.2.1", false), 4);
	assert_int_equal(lower_of_vxlan(IFLA_VXLAN_GROUP6, "2001:db8::1", false), 4);
	assert_int_equal(lower_of_vxlan(IFLA_VXLAN_GROUP, "192.0.2.1", true), 0);
	/* Its forwarding database has the remotes; or it sends to a group. */
	assert_int_equal(lower_of_vxlan(0, "", false), 0);
	assert_int_equal(lower_of_vxlan(IFLA_VXLAN_GROUP, "239.1.1.1", false), 0);
	assert_int_equal(lower_of_vxlan(IFLA_VXLAN_GROUP6, "ff0e::1", false), 0);
}

static void a_link_is_read_whole(void **state)
{
	struct nv_request request;
	struct nv_link link;

	(void)state;
	build_link(&request);
	assert_int_equal(nv_link_decode(&request.header, &link), 0);
	assert_int_equal(link.ifindex, 7);
	assert_int_equal(link.type, ARPHRD_ETHER);
	assert_int_equal(link.flags, IFF_UP | IFF_RUNNING);
	assert_string_equal(link.name, "eth0.5");
	assert_int_equal(link.mtu, 9000);
	assert_int_equal(link.tx_queue_len, 500);
	assert_int_equal(link.promiscuity, 2);
	assert_int_equal(link.master, 3);
	assert_int_equal(link.lower, 4);
	assert_false(link.lower_elsewhere);
	assert_int_equal(link.operstate, IF_OPER_DORMANT);
	assert_int_equal(link.link_mode, IF_LINK_MODE_DORMANT);
	assert_true(link.carrier);
	assert_true(link.has_mac && link.mac[5] == 1);
	assert_true(link.has_permanent_mac && link.permanent_mac[5] == 2);
	assert_string_equal(link.alias, "uplink");
	assert_string_equal(link.parent_dev, "0000:00:03.0");
	assert_string_equal(link.parent_bus, "pci");
	assert_string_equal(link.kind, "vlan");
	assert_int_equal(link.vlan_id, 5);
	assert_false(link.vlan_is_8021ad);
	assert_int_equal(link.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	assert_string_equal(link.driver, "");
}

/* As the kernel tells of one, with a mapping of priorities; @spare: bytes of something else. */
static void build_vlan(struct nv_request *request, uint32_t set, uint16_t spare)
{
	const struct ifla_vlan_flags flags = {set, ~0u};
	const struct ifla_vlan_qos_mapping mapping = {3, 4};
	struct nlmsghdr *header = &request->header;
	struct ifinfomsg *info = nv_request_start(request, RTM_NEWLINK, 0, sizeof(*info));
	struct nlattr *outer, *inner, *list;
	static const char zeroes[NV_VLAN_MAX];

	info->ifi_index = 7;
	mnl_attr_put_strz(header, IFLA_IFNAME, "hn0.5");
	mnl_attr_put_u32(header, IFLA_MTU, 1500);
	outer = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "vlan");
	inner = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u16(header, IFLA_VLAN_PROTOCOL, htons(0x88a8));
	mnl_attr_put_u16(header, IFLA_VLAN_ID, 5);
	if (set)
		mnl_attr_put(header, IFLA_VLAN_FLAGS, sizeof(flags), &flags);
	list = mnl_attr_nest_start(header, IFLA_VLAN_EGRESS_QOS);
	mnl_attr_put(header, IFLA_VLAN_QOS_MAPPING, sizeof(mapping), &mapping);
	mnl_attr_nest_end(header, list);
	if (spare)
		mnl_attr_put(header, 200, spare, zeroes);
	mnl_attr_nest_end(header, inner);
	mnl_attr_nest_end(header, outer);
}

static void check_vlan(uint32_t set)
{
	NV_ATTRS(attrs, IFLA_LINKINFO);
	NV_ATTRS(info, IFLA_INFO_DATA);
	NV_ATTRS(vlan, IFLA_VLAN_PROTOCOL);
	const struct ifla_vlan_flags *flags;
	struct nv_request request;
	uint16_t number = 0;
	struct nv_link link;

	build_vlan(&request, set, 0);
	assert_int_equal(nv_link_decode(&request.header, &link), 0);
	assert_true(link.vlan_is_8021ad);
	assert_int_equal(nv_link_encode_add(&request, &link, NULL), 0);
	assert_int_equal(nv_attrs_read(&request.header, sizeof(struct ifinfomsg), &attrs), 0);
	assert_int_equal(nv_attrs_nested(attrs.by_type[IFLA_LINKINFO], &info), 0);
	assert_int_equal(nv_attrs_nested(info.by_type[IFLA_INFO_DATA], &vlan), 0);
	assert_true(nv_attr_u16(&vlan, IFLA_VLAN_PROTOCOL, &number));
	assert_int_equal(number, htons(0x88a8));
	assert_true(nv_attr_u16(&vlan, IFLA_VLAN_ID, &number));
	assert_int_equal(number, 5);
	flags = mnl_attr_get_payload(vlan.by_type[IFLA_VLAN_FLAGS]);
	assert_int_equal(flags->flags, set);
	assert_int_equal(flags->mask & ~0x1fu, 0);
	assert_true(flags->mask & VLAN_FLAG_REORDER_HDR);
	assert_non_null(vlan.by_type[IFLA_VLAN_EGRESS_QOS]);

	build_vlan(&request, set, NV_VLAN_MAX);
	assert_int_equal(nv_link_decode(&request.header, &link), 0);
	assert_true(link.vlan_length > NV_VLAN_MAX);
	assert_int_equal(link.vlan_id, 5);
}

/* The kernel tells of no flags where none is set. */
static void a_vlan_is_made_as_another_is(void **state)
{
	(void)state;
	check_vlan(VLAN_FLAG_GVRP);
	check_vlan(0);
}

static void what_a_bond_prefers_is_written_as_it_is_read(void **state)
{
	struct nv_link_change change = {
		.what = NV_LINK_NAME | NV_LINK_MTU | NV_LINK_PRIMARY,
		.to = {.name = "lagg0", .mtu = 1500, .primary = 4},
	};
	struct nv_request request;
	struct nv_link link;

	(void)state;
	nv_link_encode_set(&request, 7, &change);
	assert_int_equal(nv_link_decode(&request.header, &link), 0);
	assert_string_equal(link.kind, "bond");
	assert_int_equal(link.primary, 4);
	assert_int_equal(link.vlan_id, 0);
}

static void a_part_of_a_link_is_passed_over(void **state)
{
	struct nv_link link = {.ifindex = -7};
	struct nv_request request;
	struct ifinfomsg *info;

	(void)state;
	build_link(&request);
	info = mnl_nlmsg_get_payload(&request.header);
	info->ifi_family = AF_BRIDGE;
	assert_int_equal(nv_link_decode(&request.header, &link), -ENOMSG);

	info = nv_request_start(&request, RTM_NEWLINK, 0, sizeof(*info));
	info->ifi_index = 7;
	mnl_attr_put_strz(&request.header, IFLA_IFNAME, "wlan0");
	mnl_attr_put_strz(&request.header, IFLA_WIRELESS, "an event");
	assert_int_equal(nv_link_decode(&request.header, &link), -ENOMSG);
	assert_int_equal(link.ifindex, -7);
}

static void a_peer_elsewhere_is_no_lower(void **state)
{
	struct nv_request request;
	struct nv_link link;

	(void)state;
	build_link(&request);
	mnl_attr_put_u32(&request.header, IFLA_LINK_NETNSID, 0);
	assert_int_equal(nv_link_decode(&request.header, &link), 0);
	assert_int_equal(link.lower, 0);
	assert_true(link.lower_elsewhere);
}

static void names_that_are_too_long_are_cut(void **state)
{
	char name[300];
	struct nv_request request;
	struct nv_link link;

	(void)state;
	memset(name, 'x', sizeof(name));
	build_link(&request);
	mnl_attr_put(&request.header, IFLA_IFNAME, sizeof(name), name);
	mnl_attr_put(&request.header, IFLA_IFALIAS, sizeof(name), name);
	assert_int_equal(nv_link_decode(&request.header, &link), 0);
	assert_int_equal(strlen(link.name), IFNAMSIZ - 1);
	assert_int_equal(strlen(link.alias), sizeof(link.alias) - 1);
}

/* Every prefix and many a spoilt byte of a message: refused or read, but never beyond its end. */
static void spoil(const struct nlmsghdr *message, void (*decode)(const struct nlmsghdr *))
{
	for (uint32_t length = sizeof(*message); length <= message->nlmsg_len; length++) {
		NV_AUTO(nv_free) struct nlmsghdr *copy = malloc(length);

		assert_non_null(copy);
		memcpy(copy, message, length);
		copy->nlmsg_len = length;
		decode(copy);
	}
	for (uint32_t at = sizeof(*message); at < message->nlmsg_len; at++) {
		for (int value = 0; value < 256; value += 5) {
			NV_AUTO(nv_free) struct nlmsghdr *copy = malloc(message->nlmsg_len);

			assert_non_null(copy);
			memcpy(copy, message, message->nlmsg_len);
			((unsigned char *)copy)[at] = (unsigned char)value;
			decode(copy);
		}
	}
}

static void decode_link(const struct nlmsghdr *message)
{
	struct nv_link link;
	int r = nv_link_decode(message, &link);

	assert_true(r == 0 || r == -EBADMSG || r == -ENOMSG);
	if (r == 0)
		assert_true(link.ifindex > 0 && memchr(link.name, 0, sizeof(link.name)));
}

static void decode_addr(const struct nlmsghdr *message)
{
	struct nv_addr addr;
	int r = nv_addr_decode(message, &addr);

	assert_true(r == 0 || r == -EBADMSG || r == -ENOMSG);
}

static void decode_route(const struct nlmsghdr *message)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	int r = nv_route_decode(message, &routes);

	assert_true(r == 0 || r == -EBADMSG || r == -ENOMSG);
}

/* A route with two next hops, as IPv6 shows those beside each other. */
static void build_multipath(struct nv_request *request)
{
	struct nlmsghdr *header = &request->header;
	struct nv_ip gateway = fake_ip("2001:db8::1");
	struct rtmsg *info = nv_request_start(request, RTM_NEWROUTE, 0, sizeof(*info));
	struct nlattr *list;

	info->rtm_family = AF_INET6;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_type = RTN_UNICAST;
	list = mnl_attr_nest_start(header, RTA_MULTIPATH);
	for (int i = 0; i < 2; i++) {
		struct rtnexthop *hop = mnl_nlmsg_put_extra_header(header, sizeof(*hop));

		hop->rtnh_ifindex = 5 + i;
		hop->rtnh_flags = i ? RTNH_F_ONLINK | RTNH_F_LINKDOWN : 0;
		nv_request_ip(request, RTA_GATEWAY, &gateway);
		hop->rtnh_len =
			(unsigned short)((char *)mnl_nlmsg_get_payload_tail(header) - (char *)hop);
	}
	mnl_attr_nest_end(header, list);
}

static void next_hops_are_routes_of_their_own(void **state)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_request request;

	(void)state;
	build_multipath(&request);
	assert_int_equal(nv_route_decode(&request.header, &routes), 0);
	assert_int_equal(routes.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(routes.route[i].multipath);
		assert_true(routes.route[i].has_gateway);
		assert_int_equal(routes.route[i].oif, 5 + i);
		assert_int_equal(routes.route[i].flags, i ? RTNH_F_ONLINK : 0);
	}
}

/* Made again as it is told, it must not become one that is for ever. */
static void an_address_in_its_last_second_is_not_for_ever(void **state)
{
	struct nv_addr addr = fake_addr(4, "192.0.2.1/24");
	struct ifa_cacheinfo lifetimes = {};
	struct nv_request request;
	struct nlattr *attr;

	(void)state;
	addr.valid_lft = 100;
	assert_int_equal(nv_addr_encode(&request, RTM_NEWADDR, 0, &addr), 0);
	mnl_attr_for_each (attr, &request.header, sizeof(struct ifaddrmsg))
		if (mnl_attr_get_type(attr) == IFA_CACHEINFO)
			memcpy(mnl_attr_get_payload(attr), &lifetimes, sizeof(lifetimes));
	assert_int_equal(nv_addr_decode(&request.header, &addr), 0);
	assert_int_equal(addr.valid_lft, 1);
	assert_int_equal(addr.preferred_lft, 0);
}

static void addresses_go_there_and_back(void **state)
{
	struct nv_addr want = fake_addr(4, "192.0.2.1/24");
	struct nv_request request;
	struct nv_addr have;

	(void)state;
	want.has_peer = want.has_broadcast = true;
	want.peer = fake_ip("192.0.2.9");
	want.broadcast = fake_ip("192.0.2.255");
	want.flags = IFA_F_NOPREFIXROUTE | IFA_F_PERMANENT | IFA_F_SECONDARY;
	want.valid_lft = 100;
	want.preferred_lft = 0;
	want.metric = 5;
	want.protocol = 3;
	want.scope = RT_SCOPE_LINK;
	nv_strcopy(want.label, sizeof(want.label), "hn0:1");
	assert_int_equal(nv_addr_encode(&request, RTM_NEWADDR, 0, &want), 0);
	assert_int_equal(nv_addr_decode(&request.header, &have), 0);
	/* The kernel says itself which are permanent and which are secondary. */
	want.flags = IFA_F_NOPREFIXROUTE;
	assert_true(nv_addr_equal(&have, &want));
	assert_int_equal(have.valid_lft, 100);
	assert_int_equal(have.preferred_lft, 0);
	spoil(&request.header, decode_addr);

	want.valid_lft = want.preferred_lft = NV_LFT_LONGEST;
	assert_int_equal(nv_addr_encode(&request, RTM_NEWADDR, 0, &want), 0);
	assert_int_equal(nv_addr_decode(&request.header, &have), 0);
	assert_int_equal(have.valid_lft, NV_LFT_FOREVER);
	assert_int_equal(have.preferred_lft, NV_LFT_FOREVER);

	want.peer = fake_ip("2001:db8::1");
	assert_int_equal(nv_addr_encode(&request, RTM_NEWADDR, 0, &want), -EAFNOSUPPORT);
	want.local.family = AF_UNIX;
	assert_int_equal(nv_addr_encode(&request, RTM_NEWADDR, 0, &want), -EAFNOSUPPORT);
}

static void routes_go_there_and_back(void **state)
{
	NV_AUTO(nv_routes) struct nv_routes have = {};
	struct nv_request request = {};
	struct nv_request again = {};
	struct nv_route want = {
		.family = AF_INET,
		.destination_len = 24,
		.destination = fake_ip("198.51.100.0"),
		.type = RTN_UNICAST,
		.protocol = RTPROT_DHCP,
		.scope = RT_SCOPE_LINK,
		.table = 100000,
		.priority = 7,
		.tos = 4,
		.flags = RTNH_F_ONLINK,
		.has_gateway = true,
		.gateway = fake_ip("2001:db8::1"),
		.has_source = true,
		.source = fake_ip("192.0.2.1"),
		.oif = 6,
		.mtu = 1400,
	};

	(void)state;
	assert_int_equal(nv_route_encode(&request, RTM_NEWROUTE, 0, &want), 0);
	assert_int_equal(nv_route_decode(&request.header, &have), 0);
	assert_int_equal(have.count, 1);
	assert_int_equal(nv_route_encode(&again, RTM_NEWROUTE, 0, have.route), 0);
	assert_memory_equal(&again, &request, sizeof(request));
	assert_true(have.route->has_gateway && have.route->gateway.family == AF_INET6);
	assert_int_equal(have.route->table, 100000);
	spoil(&request.header, decode_route);
	want.source.family = AF_INET6;
	assert_int_equal(nv_route_encode(&request, RTM_NEWROUTE, 0, &want), -EAFNOSUPPORT);
}

static void an_exception_is_no_route(void **state)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_request request;
	struct rtmsg *info;

	(void)state;
	info = nv_request_start(&request, RTM_NEWROUTE, 0, sizeof(*info));
	info->rtm_family = AF_INET6;
	info->rtm_flags = RTM_F_CLONED;
	assert_int_equal(nv_route_decode(&request.header, &routes), -ENOMSG);
	assert_int_equal(routes.count, 0);
}

static void spoilt_messages_do_no_harm(void **state)
{
	struct nv_request request;

	(void)state;
	build_link(&request);
	spoil(&request.header, decode_link);
	build_multipath(&request);
	spoil(&request.header, decode_route);
}

static void the_largest_request_fits(void **state)
{
	struct nv_link_change change = {.what = ~0U};
	struct nv_request request;

	(void)state;
	memset(change.to.alias, 'a', sizeof(change.to.alias) - 1);
	memset(change.to.name, 'n', sizeof(change.to.name) - 1);
	nv_link_encode_set(&request, 1, &change);
	assert_true(request.header.nlmsg_len < NV_REQUEST_MAX);
}

#define KVP                                                                    \
	"add@/devices/virtual/misc/vmbus!hv_kvp\0ACTION=add\0"                 \
	"DEVPATH=/devices/virtual/misc/vmbus!hv_kvp\0SUBSYSTEM=misc\0MAJOR=10" \
	"\0DEVNAME=vmbus/hv_kvp\0SEQNUM=17"

static void a_uevent_is_read(void **state)
{
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	(void)state;
	assert_int_equal(nv_uevent_decode(KVP, sizeof(KVP), &text, &uevent), 0);
	assert_string_equal(uevent.action, "add");
	assert_string_equal(uevent.devpath, "/devices/virtual/misc/vmbus!hv_kvp");
	assert_string_equal(uevent.subsystem, "misc");
	assert_string_equal(uevent.devname, "vmbus/hv_kvp");
	assert_string_equal(uevent.driver, "");
	assert_false(uevent.is_block);
	assert_string_equal(nv_uevent_get(&uevent, "SEQNUM"), "17");
	assert_null(nv_uevent_get(&uevent, "SEQ"));
	for (size_t length = 0; length < sizeof(KVP); length++) {
		NV_AUTO(nv_free) char *copy = malloc(length + 1);

		assert_non_null(copy);
		memcpy(copy, KVP, length);
		nv_uevent_decode(copy, length, &text, &uevent);
	}
}

static void a_uevent_that_is_none_is_refused(void **state)
{
	static char large[NV_UEVENT_TEXT_MAX + 1];
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	(void)state;
	assert_int_equal(nv_uevent_decode("", 0, &text, &uevent), -EBADMSG);
	assert_int_equal(nv_uevent_decode("ACTION=add", 10, &text, &uevent), -EBADMSG);
	assert_int_equal(nv_uevent_decode("ACTION=add\0DEVPATH=x", 20, &text, &uevent), -EBADMSG);
	assert_int_equal(nv_uevent_decode(large, sizeof(large), &text, &uevent), -EMSGSIZE);
	for (size_t i = 0; i + 4 < sizeof(large); i += 4)
		memcpy(large + i, "A=b", 4);
	assert_int_equal(nv_uevent_decode(large, sizeof(large) - 1, &text, &uevent), -E2BIG);
}

/* A stand-in for the kernel's end of a netlink socket; the other end is @ret_rtnl's. */
static int open_fake_socket(struct nv_rtnl *ret_rtnl)
{
	int size = 2 * NV_DATAGRAM_MAX;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	*ret_rtnl = (struct nv_rtnl){.fd = fds[0], .sequence = 5};
	return fds[1];
}

static void answer(
	int fd, uint32_t sequence, uint16_t type, uint16_t flags, const void *payload, size_t size)
{
	struct nv_request message = {};

	nv_request_start(&message, type, flags, 0);
	message.header.nlmsg_seq = sequence;
	memcpy(mnl_nlmsg_put_extra_header(&message.header, size), payload, size);
	assert_true(send(fd, &message, message.header.nlmsg_len, 0) > 0);
}

static int count_message(const struct nlmsghdr *message, void *data)
{
	(void)message;
	return ++*(int *)data > 2 ? -E2BIG : 0;
}

static void an_answer_is_read_to_its_end(void **state)
{
	static const int fine = 0, refused = -EPERM;
	struct nv_rtnl rtnl;
	bool whole = false;
	int count = 0;
	int fd = open_fake_socket(&rtnl);

	(void)state;
	answer(fd, 4, NLMSG_ERROR, 0, &refused, sizeof(refused));
	answer(fd, 5, RTM_NEWLINK, NLM_F_MULTI, &fine, sizeof(fine));
	answer(fd, 5, NLMSG_DONE, 0, &fine, sizeof(fine));
	assert_int_equal(nv_rtnl_read(&rtnl, count_message, &count, &whole), 0);
	assert_int_equal(count, 1);
	assert_true(whole);
	answer(fd, 5, RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, &fine, sizeof(fine));
	answer(fd, 5, NLMSG_DONE, 0, &fine, sizeof(fine));
	assert_int_equal(nv_rtnl_read(&rtnl, NULL, NULL, &whole), -EINTR);
	answer(fd, 5, NLMSG_DONE, 0, &refused, sizeof(refused));
	assert_int_equal(nv_rtnl_read(&rtnl, NULL, NULL, &whole), -EPERM);
	assert_true(whole);
	/* What is refused here ends nothing there. */
	for (int i = 0; i < 3; i++)
		answer(fd, 5, RTM_NEWLINK, NLM_F_MULTI, &fine, sizeof(fine));
	answer(fd, 5, NLMSG_DONE, 0, &fine, sizeof(fine));
	assert_int_equal(nv_rtnl_read(&rtnl, count_message, &count, &whole), -E2BIG);
	assert_true(whole);
	answer(fd, 5, NLMSG_ERROR, 0, "", 0);
	assert_int_equal(nv_rtnl_read(&rtnl, NULL, NULL, &whole), -EBADMSG);
	close(fd);
	nv_rtnl_close(&rtnl);
}

static void a_datagram_of_any_size_is_taken_whole(void **state)
{
	static char bytes[NV_DATAGRAM_MAX + 1];
	NV_AUTO(nv_datagram) struct nv_datagram datagram = {};
	struct nv_rtnl rtnl;
	int fd = open_fake_socket(&rtnl);

	(void)state;
	for (size_t size = 1; size <= 200000; size *= 7) {
		memset(bytes, (int)size, size);
		assert_int_equal(send(fd, bytes, size, 0), size);
		assert_int_equal(
			nv_datagram_receive(rtnl.fd, MSG_PEEK | MSG_DONTWAIT, &datagram), 0);
		assert_int_equal(datagram.length, size);
		assert_memory_equal(datagram.bytes, bytes, size);
	}
	assert_int_equal(nv_datagram_receive(rtnl.fd, MSG_DONTWAIT, &datagram), -EAGAIN);
	if (send(fd, bytes, sizeof(bytes), 0) == sizeof(bytes)) {
		assert_int_equal(nv_datagram_receive(rtnl.fd, MSG_PEEK, &datagram), -EMSGSIZE);
		assert_int_equal(nv_datagram_receive(rtnl.fd, MSG_DONTWAIT, &datagram), -EAGAIN);
	}
	close(fd);
	nv_rtnl_close(&rtnl);
}

static void without_a_look_at_its_size_the_first_large_datagram_is_dropped(void **state)
{
	static const char bytes[100000] = {1};
	NV_AUTO(nv_datagram) struct nv_datagram datagram = {};
	struct nv_rtnl rtnl;
	int fd = open_fake_socket(&rtnl);

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(nv_datagram_receive(rtnl.fd, MSG_DONTWAIT, &datagram), -EMSGSIZE);
	assert_int_equal(nv_datagram_receive(rtnl.fd, MSG_DONTWAIT, &datagram), 0);
	assert_int_equal(datagram.length, sizeof(bytes));
	assert_memory_equal(datagram.bytes, bytes, sizeof(bytes));
	assert_int_equal(nv_datagram_receive(rtnl.fd, MSG_DONTWAIT, &datagram), -EAGAIN);
	close(fd);
	nv_rtnl_close(&rtnl);
}

static void put_file(const char *dir, const char *name, const char *text)
{
	NV_AUTO(nv_free) char *path = NULL;
	NV_AUTO(nv_file) FILE *file = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	if (!text)
		return;
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
}

static void put_link(const char *dir, const char *name, const char *target)
{
	NV_AUTO(nv_free) char *path = NULL;

	put_file(dir, name, NULL);
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	assert_int_equal(symlink(target, path), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static void note_device(const struct nv_uevent *uevent, void *data)
{
	nv_str_printf(data, "%s %s %s %s %s\n", uevent->action, uevent->subsystem, uevent->devpath,
		uevent->driver, uevent->devname);
}

static void sysfs_is_told_as_uevents(void **state)
{
	NV_AUTO(nv_str) struct nv_str found = {};
	const struct nv_subscribe_sink sink = {.uevent = note_device, .data = &found};
	char dir[] = "/tmp/netvf-test-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	put_file(
		dir, "devices/pci0000:00/0000:00:03.0/uevent", "DRIVER=e1000e\nPCI_ID=8086:10D3\n");
	put_file(dir, "devices/pci0000:00/0000:00:01.0/uevent", "PCI_ID=8086:1237\n");
	put_file(dir, "devices/virtual/misc/vmbus!hv_kvp/uevent",
		"MAJOR=10\nDEVNAME=vmbus/hv_kvp\n");
	put_file(dir, "devices/pci0000:00/0000:00:02.0/uevent", "");
	put_file(dir, "devices/virtual/cuse/lamp/uevent", "MAJOR=240\nDEVNAME=lamp\n");
	put_file(dir, "devices/usb1/uevent", "DEVNAME=bus/usb/001/001\nDRIVER=usb\n");
	put_file(dir, "devices/virtual/tty/torn/uevent", "DEVNAME=torn\n");
	put_link(dir, "devices/pci0000:00/0000:00:03.0/subsystem", "../../../bus/pci");
	put_link(dir, "devices/pci0000:00/0000:00:01.0/subsystem", "../../../bus/pci");
	put_link(dir, "devices/pci0000:00/0000:00:02.0/subsystem", "../../../bus/pci");
	put_link(dir, "devices/virtual/misc/vmbus!hv_kvp/subsystem", "../../../../class/misc");
	put_link(dir, "devices/virtual/cuse/lamp/subsystem", "../../../../class/cuse");
	put_link(dir, "devices/usb1/subsystem", "../../bus/usb");
	/* Neither this order nor its reverse is that of the names. */
	put_link(dir, "bus/pci/devices/0000:00:01.0", "../../../devices/pci0000:00/0000:00:01.0");
	put_link(dir, "bus/pci/devices/0000:00:03.0", "../../../devices/pci0000:00/0000:00:03.0");
	put_link(dir, "bus/pci/devices/0000:00:02.0", "../../../devices/pci0000:00/0000:00:02.0");
	put_link(dir, "bus/pci/devices/0000:00:09.0", "../../../devices/vanished");
	put_link(dir, "dev/char/10:60", "../../devices/virtual/misc/vmbus!hv_kvp");
	put_link(dir, "dev/char/240:0", "../../devices/virtual/cuse/lamp");
	put_link(dir, "dev/char/189:0", "../../devices/usb1");
	put_link(dir, "dev/char/4:1", "../../devices/virtual/tty/torn");
	assert_int_equal(nv_sysfs_devices(dir, &sink), 0);
	assert_string_equal(nv_str_text(&found),
		"add pci /devices/pci0000:00/0000:00:01.0  \n"
		"add pci /devices/pci0000:00/0000:00:02.0  \n"
		"bind pci /devices/pci0000:00/0000:00:03.0 e1000e \n"
		"add usb /devices/usb1 usb bus/usb/001/001\n"
		"add cuse /devices/virtual/cuse/lamp  lamp\n"
		"add misc /devices/virtual/misc/vmbus!hv_kvp  vmbus/hv_kvp\n");
	assert_int_equal(nv_sysfs_devices("/nowhere", &sink), -ENOENT);
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* What lies between attributes goes to the kernel, and into files. */
static void nothing_of_the_stack_is_in_a_request(void **state)
{
	struct nv_request request;

	(void)state;
	memset(&request, 0xff, sizeof(request));
	nv_request_start(&request, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_u8(&request.header, IFLA_CARRIER, 1);
	mnl_attr_put_strz(&request.header, IFLA_IFNAME, "hn0");
	for (uint32_t i = sizeof(struct nlmsghdr); i < request.header.nlmsg_len; i++)
		assert_int_not_equal((uint8_t)request.bytes[i], 0xff);
}

static void prefix_that_is_longer_than_an_address_is_refused(void **state)
{
	__attribute__((cleanup(nv_routes_auto))) struct nv_routes routes = {};
	struct nv_request request;
	struct ifaddrmsg *info = nv_request_start(&request, RTM_NEWADDR, 0, sizeof(*info));
	struct rtmsg *route;
	struct nv_addr addr;

	(void)state;
	info->ifa_family = AF_INET;
	info->ifa_prefixlen = 32;
	mnl_attr_put_u32(&request.header, IFA_LOCAL, htonl(0xc0000201));
	assert_int_equal(nv_addr_decode(&request.header, &addr), 0);
	info->ifa_prefixlen = 33;
	assert_int_equal(nv_addr_decode(&request.header, &addr), -EBADMSG);

	route = nv_request_start(&request, RTM_NEWROUTE, 0, sizeof(*route));
	route->rtm_family = AF_INET6;
	route->rtm_dst_len = 129;
	assert_int_equal(nv_route_decode(&request.header, &routes), -EBADMSG);
	route->rtm_dst_len = 0;
	assert_int_equal(nv_route_decode(&request.header, &routes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_the_stack_is_in_a_request),
		cmocka_unit_test(prefix_that_is_longer_than_an_address_is_refused),
		cmocka_unit_test(a_link_is_read_whole),
		cmocka_unit_test(a_vxlan_is_stacked_on_the_link_by_which_it_sends),
		cmocka_unit_test(a_vlan_is_made_as_another_is),
		cmocka_unit_test(what_a_bond_prefers_is_written_as_it_is_read),
		cmocka_unit_test(a_part_of_a_link_is_passed_over),
		cmocka_unit_test(a_peer_elsewhere_is_no_lower),
		cmocka_unit_test(names_that_are_too_long_are_cut),
		cmocka_unit_test(next_hops_are_routes_of_their_own),
		cmocka_unit_test(an_address_in_its_last_second_is_not_for_ever),
		cmocka_unit_test(addresses_go_there_and_back),
		cmocka_unit_test(routes_go_there_and_back),
		cmocka_unit_test(an_exception_is_no_route),
		cmocka_unit_test(spoilt_messages_do_no_harm),
		cmocka_unit_test(the_largest_request_fits),
		cmocka_unit_test(a_uevent_is_read),
		cmocka_unit_test(a_uevent_that_is_none_is_refused),
		cmocka_unit_test(an_answer_is_read_to_its_end),
		cmocka_unit_test(a_datagram_of_any_size_is_taken_whole),
		cmocka_unit_test(without_a_look_at_its_size_the_first_large_datagram_is_dropped),
		cmocka_unit_test(sysfs_is_told_as_uevents),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
