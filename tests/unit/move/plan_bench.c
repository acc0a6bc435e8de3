/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan_bench.h"

#include "kernel/attrs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

void bench_auto(struct bench *bench)
{
	nv_snapshot_auto(&bench->now);
	nv_routes_auto(&bench->live);
	nv_routes_auto(&bench->carried);
	nv_addrs_auto(&bench->wanted.addrs);
	nv_routes_auto(&bench->wanted.routes);
	nv_plan_auto(&bench->plan);
	nv_str_auto(&bench->why);
}

struct nv_ip ip(const char *text)
{
	struct nv_ip value = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(value.family, text, &value.v4), 1);
	return value;
}

struct nv_link *add_link(struct bench *bench, int ifindex, const char *name)
{
	struct nv_link link = {.ifindex = ifindex, .flags = IFF_UP, .mtu = 1500};

	nv_strcopy(link.name, sizeof(link.name), name);
	assert_int_equal(nv_links_put(&bench->now.links, &link), 0);
	return &bench->now.links.link[bench->now.links.count - 1];
}

void add_vlan(struct bench *bench, int ifindex, const char *name, int lower, uint16_t id)
{
	struct nv_link link = *add_link(bench, ifindex, name);

	nv_strcopy(link.kind, sizeof(link.kind), "vlan");
	link.lower = lower;
	link.vlan_id = id;
	assert_int_equal(nv_links_put(&bench->now.links, &link), 0);
}

struct nv_addr *add_addr(struct nv_addrs *addrs, int ifindex, const char *text)
{
	struct nv_addr addr = {
		.ifindex = ifindex,
		.local = ip(text),
		.prefix_len = 24,
		.valid_lft = UINT32_MAX,
		.preferred_lft = UINT32_MAX,
	};

	assert_int_equal(nv_addrs_add(addrs, &addr), 0);
	return &addrs->addr[addrs->count - 1];
}

struct nv_route *add_route(
	struct nv_routes *routes, int oif, const char *to, uint8_t length, const char *gateway)
{
	struct nv_route route = {
		.family = strchr(to, ':') ? AF_INET6 : AF_INET,
		.destination = ip(to),
		.destination_len = length,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_STATIC,
		.oif = oif,
	};

	if (gateway) {
		route.has_gateway = true;
		route.gateway = ip(gateway);
	}
	assert_int_equal(nv_routes_add(routes, &route), 0);
	return &routes->route[routes->count - 1];
}

static void take_live(struct bench *bench)
{
	nv_rtobjs_auto(&bench->now.objs);
	for (size_t i = 0; i < bench->live.count; i++) {
		struct nv_request request;

		assert_int_equal(
			nv_route_encode(&request, RTM_NEWROUTE, 0, &bench->live.route[i]), 0);
		assert_int_equal(nv_rtobjs_take(&bench->now.objs, &request.header), 0);
	}
}

void make_from(struct bench *bench, const struct nv_interface *wanted)
{
	const struct nv_rtobjs *objs = &bench->plan.objs;

	take_live(bench);
	assert_int_equal(
		nv_plan_make(&bench->now, HN, "lagg0", wanted, &bench->plan, &bench->why), 0);
	nv_routes_auto(&bench->carried);
	nv_each_rtobj (obj, objs)
		assert_int_equal(nv_rtobj_route(obj, &bench->carried), 0);
}

struct nv_link *link_of(struct bench *bench, int ifindex)
{
	return (struct nv_link *)nv_links_by_index(&bench->now.links, ifindex);
}

void tell_bridge(struct bench *bench)
{
	struct nv_request request;
	struct nlmsghdr *header = &request.header;
	struct ifinfomsg *info = nv_request_start(&request, RTM_NEWLINK, 0, sizeof(*info));
	struct nlattr *settings;

	add_link(bench, HN, "hn0")->master = 9;
	nv_strcopy(add_link(bench, 9, "br0")->kind, NV_KIND_LEN, "bridge");
	add_link(bench, 10, "tap0")->master = 9;
	info->ifi_family = AF_BRIDGE;
	info->ifi_index = HN;
	mnl_attr_put_u32(header, IFLA_MASTER, 9);
	settings = mnl_attr_nest_start(header, IFLA_PROTINFO);
	mnl_attr_put_u32(header, IFLA_BRPORT_COST, 77);
	mnl_attr_nest_end(header, settings);
	assert_int_equal(nv_rtobjs_take(&bench->now.ports, header), 0);
}
