/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes in rtnetlink messages: RTM_NEWROUTE, RTM_DELROUTE. */
#include "kernel/attrs.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define CLOCK_HZ 100 /* USER_HZ, the unit of rta_expires */

static void route_decode_via(const struct nlattr *attr, struct nv_route *route)
{
	const struct rtvia *via;
	size_t size;

	if (mnl_attr_get_payload_len(attr) < sizeof(*via))
		return;
	via = mnl_attr_get_payload(attr);
	size = nv_ip_size((uint8_t)via->rtvia_family);
	if (!size || mnl_attr_get_payload_len(attr) < sizeof(*via) + size)
		return;
	route->has_gateway = true;
	route->gateway.family = (uint8_t)via->rtvia_family;
	memcpy(&route->gateway.v6, via->rtvia_addr, size);
}

static int route_decode_metrics(const struct nlattr *nest, struct nv_route *route)
{
	NV_ATTRS(metrics, RTAX_MTU);
	int r = nv_attrs_nested(nest, &metrics);

	if (r == 0)
		nv_attr_u32(&metrics, RTAX_MTU, &route->mtu);
	return r;
}

uint32_t nv_route_seconds(int32_t ticks)
{
	return ((uint32_t)ticks + CLOCK_HZ - 1) / CLOCK_HZ;
}

static void route_decode_expiry(const struct nlattr *attr, struct nv_route *route)
{
	struct rta_cacheinfo info;

	if (mnl_attr_get_payload_len(attr) < sizeof(info))
		return;
	memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
	if (info.rta_expires > 0)
		route->expires = nv_route_seconds(info.rta_expires);
}

static void route_decode_gateway(const struct nv_attrs *attrs, struct nv_route *route)
{
	route->has_gateway = nv_attr_ip(attrs, RTA_GATEWAY, route->family, &route->gateway);
	if (attrs->by_type[RTA_VIA])
		route_decode_via(attrs->by_type[RTA_VIA], route);
}

static int route_decode_attrs(const struct nv_attrs *attrs, struct nv_route *route)
{
	uint32_t oif = 0;

	nv_attr_u32(attrs, RTA_TABLE, &route->table);
	nv_attr_u32(attrs, RTA_PRIORITY, &route->priority);
	nv_attr_u32(attrs, RTA_OIF, &oif);
	route->oif = (int)oif;
	route_decode_gateway(attrs, route);
	nv_attr_ip(attrs, RTA_DST, route->family, &route->destination);
	route->has_source = nv_attr_ip(attrs, RTA_PREFSRC, route->family, &route->source);
	if (attrs->by_type[RTA_CACHEINFO] && route->family == AF_INET6)
		route_decode_expiry(attrs->by_type[RTA_CACHEINFO], route);
	return attrs->by_type[RTA_METRICS]
		       ? route_decode_metrics(attrs->by_type[RTA_METRICS], route)
		       : 0;
}

/* Decodes the next hops of one route: struct rtnexthop with attributes, one after the other. */
static int route_decode_hops(
	const struct nlattr *list, const struct nv_route *common, struct nv_routes *routes)
{
	const char *at = mnl_attr_get_payload(list);
	size_t left = mnl_attr_get_payload_len(list);
	int r = 0;

	while (left >= sizeof(struct rtnexthop) && r == 0) {
		const struct rtnexthop *hop = (const void *)at;
		size_t length = hop->rtnh_len;
		struct nv_route route = *common;
		NV_ATTRS(attrs, RTA_VIA);

		if (length < sizeof(*hop) || length > left)
			return -EBADMSG;
		r = nv_attrs_payload(at + sizeof(*hop), length - sizeof(*hop), &attrs);
		if (r < 0)
			return r;
		route_decode_gateway(&attrs, &route);
		route.oif = hop->rtnh_ifindex;
		route.flags = hop->rtnh_flags & RTNH_F_ONLINK;
		route.multipath = true;
		r = nv_routes_add(routes, &route);
		length = RTNH_ALIGN(length);
		left -= length < left ? length : left;
		at += length;
	}
	return r;
}

int nv_route_decode(const struct nlmsghdr *message, struct nv_routes *routes)
{
	NV_ATTRS(attrs, RTA_EXPIRES);
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct nv_route route = {};
	int r = nv_attrs_read(message, sizeof(*info), &attrs);

	if (r < 0)
		return r;
	/* IPv6's dumps include exceptions (a learnt path MTU, a redirect), which are not routes. */
	if (!nv_ip_size(info->rtm_family) || (info->rtm_flags & RTM_F_CLONED))
		return -ENOMSG;
	if (info->rtm_dst_len > 8 * nv_ip_size(info->rtm_family))
		return -EBADMSG;
	route.family = info->rtm_family;
	route.destination_len = info->rtm_dst_len;
	route.destination.family = info->rtm_family;
	route.tos = info->rtm_tos;
	route.protocol = info->rtm_protocol;
	route.scope = info->rtm_scope;
	route.type = info->rtm_type;
	route.flags = info->rtm_flags & RTNH_F_ONLINK;
	route.table = info->rtm_table;
	r = route_decode_attrs(&attrs, &route);
	if (r < 0)
		return r;
	if (attrs.by_type[RTA_MULTIPATH])
		return route_decode_hops(attrs.by_type[RTA_MULTIPATH], &route, routes);
	return nv_routes_add(routes, &route);
}

static void route_put_via(struct nlmsghdr *header, const struct nv_ip *gateway)
{
	char bytes[sizeof(struct rtvia) + sizeof(struct in6_addr)] = {};
	size_t size = nv_ip_size(gateway->family);
	__kernel_sa_family_t family = gateway->family;

	memcpy(bytes, &family, sizeof(family));
	memcpy(bytes + sizeof(struct rtvia), &gateway->v6, size);
	mnl_attr_put(header, RTA_VIA, sizeof(struct rtvia) + size, bytes);
}

static bool route_families_fit(const struct nv_route *route)
{
	return nv_ip_size(route->family) &&
	       (!route->destination_len || route->destination.family == route->family) &&
	       (!route->has_source || route->source.family == route->family) &&
	       (!route->has_gateway || nv_ip_size(route->gateway.family));
}

static void route_put_hop(struct nv_request *request, const struct nv_route *route)
{
	struct nlmsghdr *header = &request->header;

	if (route->nexthop) {
		mnl_attr_put_u32(header, RTA_NH_ID, route->nexthop);
		return;
	}
	if (route->has_gateway && route->gateway.family == route->family)
		nv_request_ip(request, RTA_GATEWAY, &route->gateway);
	else if (route->has_gateway)
		route_put_via(header, &route->gateway);
	if (route->oif)
		mnl_attr_put_u32(header, RTA_OIF, (uint32_t)route->oif);
}

int nv_route_encode(
	struct nv_request *request, uint16_t type, uint16_t flags, const struct nv_route *route)
{
	struct nlmsghdr *header = &request->header;
	uint32_t table = route->table ? route->table : RT_TABLE_MAIN;
	struct rtmsg *info;

	if (!route_families_fit(route))
		return -EAFNOSUPPORT;
	info = nv_request_start(request, type, NLM_F_ACK | flags, sizeof(*info));
	info->rtm_family = route->family;
	info->rtm_dst_len = route->destination_len;
	info->rtm_tos = route->tos;
	info->rtm_protocol = route->protocol;
	info->rtm_scope = route->scope;
	info->rtm_type = route->type ? route->type : RTN_UNICAST;
	info->rtm_flags = route->nexthop ? 0 : route->flags;
	info->rtm_table = table <= UINT8_MAX ? (uint8_t)table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(header, RTA_TABLE, table);
	if (route->destination_len)
		nv_request_ip(request, RTA_DST, &route->destination);
	route_put_hop(request, route);
	if (route->has_source)
		nv_request_ip(request, RTA_PREFSRC, &route->source);
	if (route->priority)
		mnl_attr_put_u32(header, RTA_PRIORITY, route->priority);
	if (route->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(header, RTA_METRICS);

		mnl_attr_put_u32(header, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(header, metrics);
	}
	if (route->expires && type == RTM_NEWROUTE)
		mnl_attr_put_u32(header, RTA_EXPIRES, route->expires);
	return 0;
}
