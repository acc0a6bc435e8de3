/* SPDX-License-Identifier: BSD-2-Clause */
/* Describes an rtobject in words. */
#include "kernel/attrs.h"
#include "kernel/rtmessage.h"
#include "kernel/rtobject.h"

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <string.h>

static void text_route(const struct nv_rtobj *obj, struct nv_str *text)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	const struct nv_route *route;
	char ip[NV_IP_TEXT];

	if (nv_route_decode(nv_rtobj_message(obj), &routes) < 0 || !routes.count)
		return;
	route = &routes.route[0];
	nv_str_add(text, "route to ");
	if (route->destination_len)
		nv_str_printf(
			text, "%s/%u", nv_ip_text(&route->destination, ip), route->destination_len);
	else
		nv_str_add(text, route->family == AF_INET ? "default" : "default (IPv6)");
	if (routes.count > 1)
		nv_str_printf(text, " with %zu next hops", routes.count);
	else if (route->has_gateway)
		nv_str_printf(text, " via %s", nv_ip_text(&route->gateway, ip));
	if (route->priority)
		nv_str_printf(text, ", metric %u", route->priority);
	if (route->table != RT_TABLE_MAIN)
		nv_str_printf(text, ", table %u", route->table);
}

static void text_rule(const struct nv_rtobj *obj, struct nv_str *text)
{
	const struct nlattr *priority = nv_rtmessage_find(nv_rtobj_message(obj), FRA_PRIORITY);
	const struct nlattr *table = nv_rtmessage_find(nv_rtobj_message(obj), FRA_TABLE);

	nv_str_printf(text, "rule %u", priority ? mnl_attr_get_u32(priority) : 0);
	if (table)
		nv_str_printf(text, ", table %u", mnl_attr_get_u32(table));
}

static void text_neigh(const struct nv_rtobj *obj, struct nv_str *text)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(nv_rtobj_message(obj));
	const struct nlattr *attr = nv_rtmessage_find(nv_rtobj_message(obj), NDA_DST);
	struct nv_ip ip = {.family = info->ndm_family};
	char name[NV_IP_TEXT];

	if (attr && mnl_attr_get_payload_len(attr) == nv_ip_size(ip.family))
		memcpy(&ip.v6, mnl_attr_get_payload(attr), nv_ip_size(ip.family));
	nv_str_printf(text, "%s %s", (info->ndm_flags & NTF_PROXY) ? "proxy for" : "neighbour",
		nv_ip_text(&ip, name));
}

static void text_fdb(const struct nv_rtobj *obj, struct nv_str *text)
{
	const struct nlattr *attr = nv_rtmessage_find(nv_rtobj_message(obj), NDA_LLADDR);
	const uint8_t *mac = attr ? mnl_attr_get_payload(attr) : NULL;

	nv_str_add(text, "MAC ");
	for (uint16_t i = 0; mac && i < mnl_attr_get_payload_len(attr); i++)
		nv_str_printf(text, "%s%02x", i ? ":" : "", mac[i]);
	nv_str_add(text, " of the bridge's table");
}

static void text_addr(const struct nv_rtobj *obj, struct nv_str *text)
{
	struct nv_addr addr;
	char ip[NV_IP_TEXT];

	if (nv_rtobj_addr(obj, &addr) == 0)
		nv_str_printf(text, "address %s/%u", nv_ip_text(&addr.local, ip), addr.prefix_len);
}

void nv_rtobj_text(const struct nv_rtobj *obj, struct nv_str *text)
{
	const struct nlattr *id;

	switch (nv_rtobj_kind(obj)) {
	case NV_RTOBJ_ADDR:
		text_addr(obj, text);
		break;
	case NV_RTOBJ_ROUTE:
		text_route(obj, text);
		break;
	case NV_RTOBJ_RULE:
		text_rule(obj, text);
		break;
	case NV_RTOBJ_NEIGH:
		text_neigh(obj, text);
		break;
	case NV_RTOBJ_NEXTHOP:
		id = nv_rtmessage_find(nv_rtobj_message(obj), NHA_ID);
		nv_str_printf(text, "next hop %u", id ? mnl_attr_get_u32(id) : 0);
		break;
	case NV_RTOBJ_BRPORT:
		nv_str_add(text, "port of a bridge");
		break;
	case NV_RTOBJ_FDB:
		text_fdb(obj, text);
		break;
	}
}
