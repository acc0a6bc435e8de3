/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/rtobject.h"

#include "kernel/attrs.h"
#include "kernel/rtmessage.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define GROWTH 128 /* bytes by which a message may grow here: two names and a lifetime */

struct nv_rtobj {
	struct nlmsghdr header;
};

const struct nlmsghdr *nv_rtobj_message(const struct nv_rtobj *obj)
{
	return &obj->header;
}

enum nv_rtobj_kind nv_rtobj_kind(const struct nv_rtobj *obj)
{
	switch (nv_rtmessage_family(obj->header.nlmsg_type)) {
	case RTM_NEWADDR:
		return NV_RTOBJ_ADDR;
	case RTM_NEWNEXTHOP:
		return NV_RTOBJ_NEXTHOP;
	case RTM_NEWNEIGH:
		return nv_rtmessage_is_fdb(&obj->header) ? NV_RTOBJ_FDB : NV_RTOBJ_NEIGH;
	case RTM_NEWLINK:
		return NV_RTOBJ_BRPORT;
	case RTM_NEWRULE:
		return NV_RTOBJ_RULE;
	default:
		return NV_RTOBJ_ROUTE;
	}
}

const struct nv_rtobj *nv_rtobjs_next(const struct nv_rtobjs *objs, const struct nv_rtobj *after)
{
	size_t at = 0;

	if (after)
		at = (size_t)((const char *)after - objs->bytes) +
		     MNL_ALIGN(after->header.nlmsg_len);
	/* Each message begins aligned, as netlink requires. */
	return at < objs->length ? (const void *)(objs->bytes + at) : NULL;
}

void nv_rtobjs_auto(struct nv_rtobjs *objs)
{
	free(objs->bytes);
	*objs = (struct nv_rtobjs){};
}

static int rtobj_reserve(struct nv_rtobjs *objs, size_t more)
{
	size_t wanted = objs->length + more;
	size_t size = objs->size ? objs->size : 4096;
	char *bytes;

	if (objs->count >= NV_RTOBJS_MAX)
		return -E2BIG;
	while (size < wanted)
		size *= 2;
	if (size == objs->size)
		return 0;
	bytes = realloc(objs->bytes, size);
	if (!bytes)
		return -ENOMEM;
	objs->bytes = bytes;
	objs->size = size;
	return 0;
}

int nv_rtobjs_add(struct nv_rtobjs *objs, const struct nv_rtobj *obj)
{
	size_t length = MNL_ALIGN(obj->header.nlmsg_len);
	int r = rtobj_reserve(objs, length);

	if (r < 0)
		return r;
	memcpy(objs->bytes + objs->length, obj, obj->header.nlmsg_len);
	objs->length += length;
	objs->count++;
	return 0;
}

int nv_rtobjs_begin(struct nv_rtobjs *objs, const struct nlmsghdr *message, void *ret_header,
	struct nlmsghdr **ret_copy)
{
	size_t size = nv_rtmessage_header_size(message->nlmsg_type);
	struct nlmsghdr *copy;
	void *header;
	size_t room = MNL_ALIGN(message->nlmsg_len) + GROWTH;
	int r = rtobj_reserve(objs, room);

	if (r < 0)
		return r;
	/* Attributes leave padding between them that is not written. */
	memset(objs->bytes + objs->length, 0, room);
	copy = mnl_nlmsg_put_header(objs->bytes + objs->length);
	copy->nlmsg_type = message->nlmsg_type;
	header = mnl_nlmsg_put_extra_header(copy, size);
	memcpy(header, mnl_nlmsg_get_payload(message), size);
	*(void **)ret_header = header;
	*ret_copy = copy;
	return 0;
}

void nv_rtobjs_commit(struct nv_rtobjs *objs, const struct nlmsghdr *copy)
{
	objs->length += MNL_ALIGN(copy->nlmsg_len);
	objs->count++;
}

/* Replaces an old ifindex by the new one. Returns whether it was an old one. */
static bool rtobj_map_index(const struct nv_link_maps *maps, int *ifindex)
{
	for (size_t i = 0; maps && i < maps->count; i++) {
		if (maps->map[i].from != *ifindex)
			continue;
		*ifindex = maps->map[i].to;
		return true;
	}
	return false;
}

static const struct nv_link_map *rtobj_find_name(
	const struct nv_link_maps *maps, const struct nlattr *attr)
{
	const char *name = mnl_attr_get_payload(attr);
	size_t length = mnl_attr_get_payload_len(attr);

	for (size_t i = 0; maps && i < maps->count; i++) {
		const struct nv_link_map *map = &maps->map[i];

		if (strnlen(name, length) == strlen(map->from_name) &&
			strncmp(name, map->from_name, length) == 0)
			return map;
	}
	return NULL;
}

struct count {
	const struct nv_link_maps *maps;
	bool *refers;
};

static void rtobj_count_hop(struct rtnexthop *hop, const void *data)
{
	const struct count *count = data;
	int ifindex = hop->rtnh_ifindex;

	*count->refers |= rtobj_map_index(count->maps, &ifindex);
}

/* What an attribute says of links. */
enum link_attr {
	LINK_ATTR_NONE,
	LINK_ATTR_INDEX,
	LINK_ATTR_NAME,
	LINK_ATTR_HOPS, /* a list of struct rtnexthop */
};

static enum link_attr rtobj_link_attr(uint16_t message_type, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr);
	uint16_t index = 0;

	switch (message_type) {
	case RTM_NEWROUTE:
		if (type == RTA_MULTIPATH)
			return LINK_ATTR_HOPS;
		index = RTA_OIF;
		break;
	case RTM_NEWNEXTHOP:
		index = NHA_OIF;
		break;
	case RTM_NEWNEIGH:
		index = NDA_IFINDEX;
		break;
	case RTM_NEWRULE:
		return type == FRA_IIFNAME || type == FRA_OIFNAME ? LINK_ATTR_NAME : LINK_ATTR_NONE;
	}
	return type == index && index && mnl_attr_get_payload_len(attr) == sizeof(uint32_t)
		       ? LINK_ATTR_INDEX
		       : LINK_ATTR_NONE;
}

bool nv_rtobj_refers(const struct nv_rtobj *obj, const struct nv_link_maps *maps)
{
	const struct nlmsghdr *message = &obj->header;
	bool refers = false;
	int ifindex;

	if (message->nlmsg_type == RTM_NEWLINK) {
		ifindex = ((const struct ifinfomsg *)mnl_nlmsg_get_payload(message))->ifi_index;
		return rtobj_map_index(maps, &ifindex);
	}
	if (message->nlmsg_type == RTM_NEWNEIGH) {
		ifindex = ((const struct ndmsg *)mnl_nlmsg_get_payload(message))->ndm_ifindex;
		refers = rtobj_map_index(maps, &ifindex);
	}
	nv_each_attr (attr, message) {
		const struct count count = {maps, &refers};

		switch (rtobj_link_attr(message->nlmsg_type, attr)) {
		case LINK_ATTR_NONE:
			break;
		case LINK_ATTR_INDEX:
			ifindex = (int)mnl_attr_get_u32(attr);
			refers |= rtobj_map_index(maps, &ifindex);
			break;
		case LINK_ATTR_NAME:
			refers |= rtobj_find_name(maps, attr) != NULL;
			break;
		case LINK_ATTR_HOPS:
			nv_rtmessage_each_hop(mnl_attr_get_payload(attr),
				mnl_attr_get_payload_len(attr), rtobj_count_hop, &count);
			break;
		}
	}
	return refers;
}

static void rtobj_map_hop(struct rtnexthop *hop, const void *data)
{
	rtobj_map_index(data, &hop->rtnh_ifindex);
}

static void rtobj_put_mapped(
	struct nlmsghdr *copy, const struct nlattr *attr, const struct nv_link_maps *maps)
{
	char *at = (char *)mnl_nlmsg_get_payload_tail(copy) + MNL_ATTR_HDRLEN;
	enum link_attr what = rtobj_link_attr(copy->nlmsg_type, attr);
	const struct nv_link_map *found =
		what == LINK_ATTR_NAME ? rtobj_find_name(maps, attr) : NULL;

	if (what == LINK_ATTR_INDEX) {
		int ifindex = (int)mnl_attr_get_u32(attr);

		rtobj_map_index(maps, &ifindex);
		mnl_attr_put_u32(copy, attr->nla_type, (uint32_t)ifindex);
	} else if (found) {
		mnl_attr_put_strz(copy, attr->nla_type, found->to_name);
	} else {
		nv_attr_put_copy(copy, attr);
	}
	if (what == LINK_ATTR_HOPS)
		nv_rtmessage_each_hop(at, mnl_attr_get_payload_len(attr), rtobj_map_hop, maps);
}

/*
 * A route from a router advertisement gets the next priority, and lasts until it expires. At the
 * priority of the kernel's own route it would make the kernel (6.18, ndisc.c) ignore the rest of an
 * advertisement, and the addresses' lifetimes would not be renewed.
 */
static void rtobj_step_back(struct nlmsghdr *copy)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(copy);
	const struct nlattr *attr = nv_rtmessage_find(copy, RTA_PRIORITY);
	uint32_t priority;

	if (info->rtm_protocol != RTPROT_RA || !attr ||
		mnl_attr_get_payload_len(attr) != sizeof(priority))
		return;
	priority = mnl_attr_get_u32(attr) + 1;
	memcpy(mnl_attr_get_payload(attr), &priority, sizeof(priority));
}

/* Copies the next hops that use the links of @which. */
static void rtobj_put_hops_of(
	struct nlmsghdr *copy, const struct nlattr *attr, const struct nv_link_maps *which)
{
	struct nlattr *nest = mnl_attr_nest_start(copy, RTA_MULTIPATH);
	const char *list = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)list;
		int ifindex = hop->rtnh_ifindex;
		size_t length = RTNH_ALIGN(hop->rtnh_len);

		length = length < left ? length : left;
		if (rtobj_map_index(which, &ifindex)) {
			memcpy(mnl_nlmsg_get_payload_tail(copy), hop, length);
			copy->nlmsg_len += (uint32_t)length;
		}
		left -= length;
		list += length;
	}
	mnl_attr_nest_end(copy, nest);
}

static uint16_t rtobj_flags_of(const struct nv_rtobj *obj, enum nv_rtobj_verb verb)
{
	enum nv_rtobj_kind kind = nv_rtobj_kind(obj);
	bool is_set = kind == NV_RTOBJ_NEIGH && !nv_rtobj_is_learnt(obj);

	switch (verb) {
	case NV_RTOBJ_ADD:
		if (is_set)
			return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
		return NLM_F_REQUEST | NLM_F_CREATE |
		       (kind == NV_RTOBJ_ROUTE ? NLM_F_APPEND : NLM_F_EXCL);
	case NV_RTOBJ_REPLACE:
		return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
	case NV_RTOBJ_DELETE:
		return NLM_F_REQUEST;
	}
	return 0;
}

static bool rtobj_is_of_ipv4(const struct nv_rtobj *obj)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(&obj->header);

	return info->rtm_family == AF_INET;
}

int nv_rtobjs_request(struct nv_rtobjs *requests, const struct nv_rtobj *obj,
	enum nv_rtobj_verb verb, const struct nv_link_maps *maps)
{
	const struct nlmsghdr *message = &obj->header;
	struct nlmsghdr *copy;
	struct ndmsg *header;
	int r = nv_rtobjs_begin(requests, message, &header, &copy);

	if (r < 0)
		return r;
	if (message->nlmsg_type == RTM_NEWNEIGH)
		rtobj_map_index(maps, &header->ndm_ifindex);
	nv_each_attr (attr, message) {
		if (verb == NV_RTOBJ_DELETE && !rtobj_is_of_ipv4(obj) &&
			rtobj_link_attr(message->nlmsg_type, attr) == LINK_ATTR_HOPS)
			rtobj_put_hops_of(copy, attr, maps);
		else
			rtobj_put_mapped(copy, attr, maps);
	}
	if (message->nlmsg_type == RTM_NEWROUTE && verb == NV_RTOBJ_ADD && maps)
		rtobj_step_back(copy);
	copy->nlmsg_type += verb == NV_RTOBJ_DELETE;
	copy->nlmsg_flags = rtobj_flags_of(obj, verb);
	nv_rtobjs_commit(requests, copy);
	return 0;
}

int nv_rtobjs_add_addr(struct nv_rtobjs *objs, const struct nv_addr *addr)
{
	struct nv_request request;
	int r = nv_addr_encode(&request, RTM_NEWADDR, 0, addr);

	return r < 0 ? r : nv_rtobjs_add(objs, (const void *)&request.header);
}

int nv_rtobjs_add_route(struct nv_rtobjs *objs, const struct nv_route *route)
{
	struct nv_request request;
	int r = nv_route_encode(&request, RTM_NEWROUTE, 0, route);

	return r < 0 ? r : nv_rtobjs_add(objs, (const void *)&request.header);
}

void nv_rtobj_hex(const struct nv_rtobj *obj, struct nv_str *text)
{
	const uint8_t *bytes = (const void *)obj;

	for (uint32_t i = 0; i < obj->header.nlmsg_len; i++)
		nv_str_printf(text, "%02x", bytes[i]);
}

int nv_rtobj_addr(const struct nv_rtobj *obj, struct nv_addr *ret_addr)
{
	return obj->header.nlmsg_type == RTM_NEWADDR ? nv_addr_decode(&obj->header, ret_addr)
						     : -ENOMSG;
}

bool nv_rtobj_is_shared(const struct nv_rtobj *obj)
{
	return obj->header.nlmsg_type == RTM_NEWNEXTHOP ||
	       (obj->header.nlmsg_type == RTM_NEWROUTE &&
		       nv_rtmessage_find(&obj->header, RTA_MULTIPATH));
}

bool nv_rtobj_is_replaced(const struct nv_rtobj *obj)
{
	return obj->header.nlmsg_type == RTM_NEWNEXTHOP ||
	       (nv_rtobj_is_shared(obj) && !rtobj_is_of_ipv4(obj));
}

bool nv_rtobj_is_learnt(const struct nv_rtobj *obj)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(&obj->header);

	return obj->header.nlmsg_type == RTM_NEWNEIGH && info->ndm_state == NUD_STALE;
}

int nv_rtobj_route(const struct nv_rtobj *obj, struct nv_routes *routes)
{
	return obj->header.nlmsg_type == RTM_NEWROUTE ? nv_route_decode(&obj->header, routes)
						      : -ENOMSG;
}
