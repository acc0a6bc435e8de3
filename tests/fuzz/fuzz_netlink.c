/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any message of rtnetlink, as a dump or a notification has it: two bytes of its type, then what
 * follows its header. What is taken from it makes sound requests only, and the same ones again
 * after it was a file's text.
 */
#include "require.h"

#include "kernel/attrs.h"
#include "kernel/bridge_port.h"
#include "kernel/rtobject.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define MESSAGE_MAX 16384

static const struct nv_link_map MAP[] = {{7, 9, "hn0", "lagg0"}, {2, 3, "hn0.5", "lagg0.5"}};
static const struct nv_link_maps MAPS = {MAP, 2};

static size_t family_size(uint16_t type)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_SETLINK:
		return sizeof(struct ifinfomsg);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return 8; /* struct nhmsg */
	default:
		return sizeof(struct rtmsg); /* as struct fib_rule_hdr and struct ndmsg */
	}
}

/* Every attribute lies inside, or the kernel would say EINVAL. */
static void are_sound(const struct nv_rtobjs *requests)
{
	nv_each_rtobj (obj, requests) {
		const struct nlmsghdr *request = (const void *)obj;
		size_t size = family_size(request->nlmsg_type);
		const struct nlattr *attr;
		const char *end = (const char *)request + sizeof(*request) + MNL_ALIGN(size);

		require(request->nlmsg_len >= sizeof(*request) + size);
		mnl_attr_for_each (attr, request, size)
			end = (const char *)attr + MNL_ALIGN(attr->nla_len);
		require(end <= (const char *)request + MNL_ALIGN(request->nlmsg_len));
	}
}

/* As text and back: what is not as the kernel would have it may change once. */
static void comes_back(const struct nv_rtobj *obj, int times)
{
	NV_AUTO(nv_str) struct nv_str hex = {};
	NV_AUTO(nv_str) struct nv_str again = {};
	__attribute__((cleanup(nv_rtobjs_auto))) struct nv_rtobjs objs = {};

	if (nv_rtobj_kind(obj) > NV_RTOBJ_RULE)
		return;
	nv_rtobj_hex(obj, &hex);
	require(nv_rtobjs_add_hex(&objs, nv_str_text(&hex)) == 0);
	require(objs.count == 1);
	nv_rtobj_hex(nv_rtobjs_next(&objs, NULL), &again);
	if (times > 1)
		comes_back(nv_rtobjs_next(&objs, NULL), times - 1);
	else
		require(nv_streq(nv_str_text(&hex), nv_str_text(&again)));
}

static void ask(const struct nv_rtobj *obj)
{
	__attribute__((cleanup(nv_rtobjs_auto))) struct nv_rtobjs requests = {};
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	NV_AUTO(nv_str) struct nv_str text = {};
	struct nv_addr addr;

	nv_rtobj_text(obj, &text);
	nv_rtobj_is_replaced(obj);
	nv_rtobj_is_shared(obj);
	nv_rtobj_is_learnt(obj);
	nv_rtobj_refers(obj, &MAPS);
	nv_rtobj_route(obj, &routes);
	nv_rtobj_addr(obj, &addr);
	for (int verb = NV_RTOBJ_ADD; verb <= NV_RTOBJ_DELETE; verb++) {
		nv_rtobjs_request(&requests, obj, verb, &MAPS);
		nv_rtobjs_request(&requests, obj, verb, NULL);
	}
	are_sound(&requests);
	comes_back(obj, 2);
}

static void ask_port(const struct nv_rtobj *port)
{
	__attribute__((cleanup(nv_rtobjs_auto))) struct nv_rtobjs requests = {};
	NV_AUTO(nv_str) struct nv_str text = {};

	nv_rtobj_text(port, &text);
	nv_brport_link(port);
	nv_brport_bridge(port);
	nv_brport_is_isolated(port);
	nv_brport_enter(&requests, port, 9);
	nv_brport_flood(&requests, port, 9);
	are_sound(&requests);
}

static void read_link(const struct nlmsghdr *message)
{
	struct nv_request request;
	struct nv_link link;

	if (nv_link_decode(message, &link) < 0)
		return;
	require(memchr(link.name, '\0', sizeof(link.name)) != NULL);
	require(memchr(link.kind, '\0', sizeof(link.kind)) != NULL);
	nv_link_encode_add(&request, &link, "peer0");
}

static void read_addr(const struct nlmsghdr *message)
{
	struct nv_request request;
	struct nv_addr addr;

	if (nv_addr_decode(message, &addr) < 0)
		return;
	require(addr.prefix_len <= 8 * nv_ip_size(addr.local.family));
	nv_addr_encode(&request, RTM_NEWADDR, NLM_F_REPLACE, &addr);
}

static void read_routes(const struct nlmsghdr *message)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_request request;

	nv_route_decode(message, &routes);
	for (size_t i = 0; i < routes.count; i++) {
		require(routes.route[i].destination_len <= 8 * nv_ip_size(routes.route[i].family));
		nv_route_encode(&request, RTM_NEWROUTE, NLM_F_CREATE, &routes.route[i]);
	}
}

static void read_value(const struct nlmsghdr *message)
{
	struct nv_request request;
	struct nv_neigh neigh;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return read_link(message);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return read_addr(message);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return read_routes(message);
	case RTM_NEWNEIGH:
		if (nv_neigh_decode(message, &neigh) == 0)
			nv_neigh_encode(&request, &neigh);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(nv_rtobjs_auto))) struct nv_rtobjs objs = {};
	__attribute__((cleanup(nv_rtobjs_auto))) struct nv_rtobjs ports = {};
	NV_AUTO(nv_free) struct nlmsghdr *message = NULL;
	uint16_t type;

	if (size < sizeof(type) || size > MESSAGE_MAX)
		return -1;
	memcpy(&type, data, sizeof(type));
	size -= sizeof(type);
	/* Not a byte longer, so that it is seen what reads on. */
	message = malloc(sizeof(*message) + size);
	require(message != NULL);
	*message = (struct nlmsghdr){.nlmsg_len = sizeof(*message) + size, .nlmsg_type = type};
	memcpy(message + 1, data + sizeof(type), size);
	read_value(message);
	nv_rtobjs_take(&objs, message);
	nv_each_rtobj (obj, &objs)
		ask(obj);
	nv_brport_take(&ports, message);
	nv_each_rtobj (port, &ports)
		ask_port(port);
	return 0;
}
