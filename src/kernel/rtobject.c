/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/rtobject.h"

#include "kernel/attrs.h"
#include "kernel/bridge_port.h"

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

/* The NEW, DEL and GET types of a family follow each other, and NEW is a multiple of four. */
static uint16_t family_of(uint16_t type)
{
	return type & ~3u;
}

static size_t header_size(uint16_t type)
{
	switch (family_of(type)) {
	case RTM_NEWADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_NEWROUTE:
		return sizeof(struct rtmsg);
	case RTM_NEWRULE:
		return sizeof(struct fib_rule_hdr);
	case RTM_NEWNEIGH:
		return sizeof(struct ndmsg);
	case RTM_NEWNEXTHOP:
		return sizeof(struct nhmsg);
	case RTM_NEWLINK:
		return sizeof(struct ifinfomsg);
	default:
		return 0;
	}
}

static bool is_fdb(const struct nlmsghdr *message)
{
	return ((const struct ndmsg *)mnl_nlmsg_get_payload(message))->ndm_family == AF_BRIDGE;
}

enum nv_rtobj_kind nv_rtobj_kind(const struct nv_rtobj *obj)
{
	switch (family_of(obj->header.nlmsg_type)) {
	case RTM_NEWADDR:
		return NV_RTOBJ_ADDR;
	case RTM_NEWNEXTHOP:
		return NV_RTOBJ_NEXTHOP;
	case RTM_NEWNEIGH:
		return is_fdb(&obj->header) ? NV_RTOBJ_FDB : NV_RTOBJ_NEIGH;
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

/* Begins a copy of @message behind the last object. It counts after commit(). */
static int rtobj_begin(struct nv_rtobjs *objs, const struct nlmsghdr *message, void *ret_header,
	struct nlmsghdr **ret_copy)
{
	size_t size = header_size(message->nlmsg_type);
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

static void commit(struct nv_rtobjs *objs, const struct nlmsghdr *copy)
{
	objs->length += MNL_ALIGN(copy->nlmsg_len);
	objs->count++;
}

/* The attribute after @after, or the first one for NULL; NULL at the end. */
static const struct nlattr *next_attr(const struct nlmsghdr *message, const struct nlattr *after)
{
	const char *end = (const char *)message + message->nlmsg_len;
	const struct nlattr *attr = after ? mnl_attr_next(after) : NULL;

	if (!attr)
		attr = (const void *)((const char *)mnl_nlmsg_get_payload(message) +
				      MNL_ALIGN(header_size(message->nlmsg_type)));
	return mnl_attr_ok(attr, (int)(end - (const char *)attr)) ? attr : NULL;
}

#define each_attr(attr, message)                                         \
	for (const struct nlattr *attr = next_attr(message, NULL); attr; \
		(attr) = next_attr(message, attr))

static const struct nlattr *find_attr(const struct nlmsghdr *message, uint16_t type)
{
	each_attr (attr, message)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

/* Calls @edit for each next hop of a list. Returns false if the list is malformed. */
static bool each_hop(char *list, size_t left, void (*edit)(struct rtnexthop *hop, const void *data),
	const void *data)
{
	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop *hop = (void *)list;
		size_t length = hop->rtnh_len;

		if (length < sizeof(*hop) || length > left)
			return false;
		edit(hop, data);
		length = RTNH_ALIGN(length);
		left -= length < left ? length : left;
		list += length;
	}
	return true;
}

static void wash_hop(struct rtnexthop *hop, const void *data)
{
	(void)data;
	hop->rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
}

static int take_hops(struct nlmsghdr *copy, const struct nlattr *attr)
{
	char *list = mnl_nlmsg_get_payload_tail(copy);

	nv_attr_put_same(copy, attr);
	return each_hop(list + MNL_ATTR_HDRLEN, mnl_attr_get_payload_len(attr), wash_hop, NULL)
		       ? 0
		       : -EBADMSG;
}

static void rtobj_take_lifetime(struct nlmsghdr *copy, const struct nlattr *attr)
{
	struct rta_cacheinfo info;

	if (mnl_attr_get_payload_len(attr) < sizeof(info))
		return;
	memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
	if (info.rta_expires > 0)
		mnl_attr_put_u32(copy, RTA_EXPIRES, nv_route_seconds(info.rta_expires));
}

static int take_route(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct nlmsghdr *copy;
	struct rtmsg *info;
	int r = rtobj_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!nv_ip_size(info->rtm_family) || (info->rtm_flags & RTM_F_CLONED) ||
		find_attr(message, RTA_NH_ID))
		return -ENOMSG;
	info->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	each_attr (attr, message) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_MULTIPATH)
			r = take_hops(copy, attr);
		else if (type == RTA_CACHEINFO)
			rtobj_take_lifetime(copy, attr);
		else
			nv_attr_put_same(copy, attr);
		if (r < 0)
			return r;
	}
	commit(objs, copy);
	return 0;
}

static int take_rule(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct fib_rule_hdr *info;
	struct nlmsghdr *copy;
	int r = rtobj_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!find_attr(message, FRA_IIFNAME) && !find_attr(message, FRA_OIFNAME))
		return -ENOMSG;
	info->flags &= FIB_RULE_INVERT;
	each_attr (attr, message)
		nv_attr_put_same(copy, attr);
	commit(objs, copy);
	return 0;
}

/* Whether the kernel itself makes such an entry, for groups and broadcast. */
static bool is_of_itself(const struct ndmsg *info, const struct nlmsghdr *message)
{
	static const uint8_t all[NV_MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct nlattr *mac = find_attr(message, NDA_LLADDR);
	const uint8_t *bytes = mac ? mnl_attr_get_payload(mac) : NULL;

	return (info->ndm_state & NUD_NOARP) && bytes &&
	       mnl_attr_get_payload_len(mac) == NV_MAC_LEN &&
	       ((bytes[0] & 1) || memcmp(bytes, all, sizeof(all)) == 0);
}

/* Takes an entry of a bridge's own table, not one of the MAC addresses that a device accepts. */
static int take_fdb(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct nlmsghdr *copy;
	struct ndmsg *info;
	int r = rtobj_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!(info->ndm_state & (NUD_PERMANENT | NUD_NOARP)) || !find_attr(message, NDA_LLADDR) ||
		!(find_attr(message, NDA_MASTER) || (info->ndm_flags & NTF_MASTER)))
		return -ENOMSG;
	info->ndm_flags &= NTF_STICKY | NTF_EXT_LEARNED;
	info->ndm_flags |= NTF_MASTER;
	each_attr (attr, message) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == NDA_LLADDR || type == NDA_VLAN || type == NDA_SRC_VNI)
			nv_attr_put_same(copy, attr);
	}
	commit(objs, copy);
	return 0;
}

static int take_neigh(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	const uint16_t known = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
	struct nlmsghdr *copy;
	struct ndmsg *info;
	int r = rtobj_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!nv_ip_size(info->ndm_family) || !find_attr(message, NDA_DST) ||
		is_of_itself(info, message))
		return -ENOMSG;
	info->ndm_flags &= NTF_PROXY | NTF_ROUTER | NTF_EXT_LEARNED;
	if (info->ndm_state & known)
		info->ndm_state = NUD_STALE;
	else if (!(info->ndm_flags & NTF_PROXY) && !(info->ndm_state & (NUD_PERMANENT | NUD_NOARP)))
		return -ENOMSG;
	each_attr (attr, message) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type != NDA_CACHEINFO && type != NDA_PROBES)
			nv_attr_put_same(copy, attr);
	}
	commit(objs, copy);
	return 0;
}

static int rtobj_take_addr(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct nv_addr addr;
	int r = nv_addr_decode(message, &addr);

	return r < 0 ? r : nv_rtobjs_add_addr(objs, &addr);
}

static int take_nexthop(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct nlmsghdr *copy;
	struct nhmsg *info;
	int r = rtobj_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!find_attr(message, NHA_OIF))
		return -ENOMSG;
	info->nh_scope = 0;
	info->nh_flags &= RTNH_F_ONLINK;
	each_attr (attr, message)
		nv_attr_put_same(copy, attr);
	commit(objs, copy);
	return 0;
}

int nv_rtobjs_take(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	size_t size = header_size(message->nlmsg_type);

	if (!size || message->nlmsg_type != family_of(message->nlmsg_type))
		return -ENOMSG;
	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(size))
		return -EBADMSG;
	switch (message->nlmsg_type) {
	case RTM_NEWADDR:
		return rtobj_take_addr(objs, message);
	case RTM_NEWROUTE:
		return take_route(objs, message);
	case RTM_NEWRULE:
		return take_rule(objs, message);
	case RTM_NEWNEIGH:
		return is_fdb(message) ? take_fdb(objs, message) : take_neigh(objs, message);
	case RTM_NEWLINK:
		return nv_brport_take(objs, message);
	default:
		return take_nexthop(objs, message);
	}
}

/* Replaces an old ifindex by the new one. Returns whether it was an old one. */
static bool rename_index(const struct nv_link_maps *renamings, int *ifindex)
{
	for (size_t i = 0; renamings && i < renamings->count; i++) {
		if (renamings->renaming[i].from != *ifindex)
			continue;
		*ifindex = renamings->renaming[i].to;
		return true;
	}
	return false;
}

static const struct nv_link_map *rtobj_find_name(
	const struct nv_link_maps *renamings, const struct nlattr *attr)
{
	const char *name = mnl_attr_get_payload(attr);
	size_t length = mnl_attr_get_payload_len(attr);

	for (size_t i = 0; renamings && i < renamings->count; i++) {
		const struct nv_link_map *renaming = &renamings->renaming[i];

		if (strnlen(name, length) == strlen(renaming->from_name) &&
			strncmp(name, renaming->from_name, length) == 0)
			return renaming;
	}
	return NULL;
}

struct count {
	const struct nv_link_maps *renamings;
	bool *refers;
};

static void count_hop(struct rtnexthop *hop, const void *data)
{
	const struct count *count = data;
	int ifindex = hop->rtnh_ifindex;

	*count->refers |= rename_index(count->renamings, &ifindex);
}

static bool is_index(uint16_t message_type, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (mnl_attr_get_payload_len(attr) != sizeof(uint32_t))
		return false;
	return (message_type == RTM_NEWROUTE && type == RTA_OIF) ||
	       (message_type == RTM_NEWNEXTHOP && type == NHA_OIF) ||
	       (message_type == RTM_NEWNEIGH && type == NDA_IFINDEX);
}

static bool rtobj_is_name(uint16_t message_type, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr);

	return message_type == RTM_NEWRULE && (type == FRA_IIFNAME || type == FRA_OIFNAME);
}

static bool is_hops(uint16_t message_type, const struct nlattr *attr)
{
	return message_type == RTM_NEWROUTE && mnl_attr_get_type(attr) == RTA_MULTIPATH;
}

bool nv_rtobj_refers(const struct nv_rtobj *obj, const struct nv_link_maps *renamings)
{
	const struct nlmsghdr *message = &obj->header;
	bool refers = false;
	int ifindex;

	if (message->nlmsg_type == RTM_NEWLINK) {
		ifindex = nv_brport_link(obj);
		return rename_index(renamings, &ifindex);
	}
	if (message->nlmsg_type == RTM_NEWNEIGH) {
		ifindex = ((const struct ndmsg *)mnl_nlmsg_get_payload(message))->ndm_ifindex;
		refers = rename_index(renamings, &ifindex);
	}
	each_attr (attr, message) {
		if (is_index(message->nlmsg_type, attr)) {
			ifindex = (int)mnl_attr_get_u32(attr);
			refers |= rename_index(renamings, &ifindex);
		} else if (rtobj_is_name(message->nlmsg_type, attr)) {
			refers |= rtobj_find_name(renamings, attr) != NULL;
		} else if (is_hops(message->nlmsg_type, attr)) {
			const struct count count = {renamings, &refers};

			each_hop(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr),
				count_hop, &count);
		}
	}
	return refers;
}

static void rename_hop(struct rtnexthop *hop, const void *data)
{
	rename_index(data, &hop->rtnh_ifindex);
}

static void put_renamed(
	struct nlmsghdr *copy, const struct nlattr *attr, const struct nv_link_maps *renamings)
{
	char *at = (char *)mnl_nlmsg_get_payload_tail(copy) + MNL_ATTR_HDRLEN;

	if (is_index(copy->nlmsg_type, attr)) {
		int ifindex = (int)mnl_attr_get_u32(attr);

		rename_index(renamings, &ifindex);
		mnl_attr_put_u32(copy, attr->nla_type, (uint32_t)ifindex);
	} else if (rtobj_is_name(copy->nlmsg_type, attr)) {
		const struct nv_link_map *found = rtobj_find_name(renamings, attr);

		if (found)
			mnl_attr_put_strz(copy, attr->nla_type, found->to_name);
		else
			nv_attr_put_same(copy, attr);
	} else {
		nv_attr_put_same(copy, attr);
		if (is_hops(copy->nlmsg_type, attr))
			each_hop(at, mnl_attr_get_payload_len(attr), rename_hop, renamings);
	}
}

/*
 * A route from a router advertisement gets the next priority, and lasts until it expires. At the
 * priority of the kernel's own route it would make the kernel (6.18, ndisc.c) ignore the rest of an
 * advertisement, and the addresses' lifetimes would not be renewed.
 */
static void step_back(struct nlmsghdr *copy)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(copy);
	const struct nlattr *attr = find_attr(copy, RTA_PRIORITY);
	uint32_t priority;

	if (info->rtm_protocol != RTPROT_RA || !attr ||
		mnl_attr_get_payload_len(attr) != sizeof(priority))
		return;
	priority = mnl_attr_get_u32(attr) + 1;
	memcpy(mnl_attr_get_payload(attr), &priority, sizeof(priority));
}

/* Copies the next hops that use the links of @which. */
static void put_hops_of(
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
		if (rename_index(which, &ifindex)) {
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
	bool beside = nv_rtobj_kind(obj) == NV_RTOBJ_ROUTE;

	switch (verb) {
	case NV_RTOBJ_ADD:
		return NLM_F_REQUEST | NLM_F_CREATE | (beside ? NLM_F_APPEND : NLM_F_EXCL);
	case NV_RTOBJ_REPLACE:
		return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
	case NV_RTOBJ_DELETE:
		return NLM_F_REQUEST;
	}
	return 0;
}

static bool is_of_ipv4(const struct nv_rtobj *obj)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(&obj->header);

	return info->rtm_family == AF_INET;
}

int nv_rtobjs_request(struct nv_rtobjs *requests, const struct nv_rtobj *obj,
	enum nv_rtobj_verb verb, const struct nv_link_maps *renamings)
{
	const struct nlmsghdr *message = &obj->header;
	struct nlmsghdr *copy;
	struct ndmsg *header;
	int r = rtobj_begin(requests, message, &header, &copy);

	if (r < 0)
		return r;
	if (message->nlmsg_type == RTM_NEWNEIGH)
		rename_index(renamings, &header->ndm_ifindex);
	each_attr (attr, message) {
		if (verb == NV_RTOBJ_DELETE && is_hops(message->nlmsg_type, attr) &&
			!is_of_ipv4(obj))
			put_hops_of(copy, attr, renamings);
		else
			put_renamed(copy, attr, renamings);
	}
	if (message->nlmsg_type == RTM_NEWROUTE && verb == NV_RTOBJ_ADD && renamings)
		step_back(copy);
	copy->nlmsg_type += verb == NV_RTOBJ_DELETE;
	copy->nlmsg_flags = rtobj_flags_of(obj, verb);
	commit(requests, copy);
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

static int digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

int nv_rtobjs_add_hex(struct nv_rtobjs *objs, const char *text)
{
	size_t length = strlen(text) / 2;
	NV_AUTO(nv_free) uint8_t *bytes = malloc(length + sizeof(struct nlmsghdr));
	const struct nlmsghdr *message = (const void *)bytes;

	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		int high = digit(text[2 * i]);
		int low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		bytes[i] = (uint8_t)(high * 16 + low);
	}
	if (length < sizeof(*message) || message->nlmsg_len != length)
		return -EBADMSG;
	return nv_rtobjs_take(objs, message);
}

int nv_rtobj_addr(const struct nv_rtobj *obj, struct nv_addr *ret_addr)
{
	return obj->header.nlmsg_type == RTM_NEWADDR ? nv_addr_decode(&obj->header, ret_addr)
						     : -ENOMSG;
}

bool nv_rtobj_is_shared(const struct nv_rtobj *obj)
{
	return obj->header.nlmsg_type == RTM_NEWNEXTHOP ||
	       (obj->header.nlmsg_type == RTM_NEWROUTE && find_attr(&obj->header, RTA_MULTIPATH));
}

bool nv_rtobj_is_replaced(const struct nv_rtobj *obj)
{
	return obj->header.nlmsg_type == RTM_NEWNEXTHOP ||
	       (nv_rtobj_is_shared(obj) && !is_of_ipv4(obj));
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

static void rtobj_text_route(const struct nv_rtobj *obj, struct nv_str *text)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	const struct nv_route *route;
	char ip[NV_IP_TEXT];

	if (nv_route_decode(&obj->header, &routes) < 0 || !routes.count)
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
	const struct nlattr *priority = find_attr(&obj->header, FRA_PRIORITY);
	const struct nlattr *table = find_attr(&obj->header, FRA_TABLE);

	nv_str_printf(text, "rule %u", priority ? mnl_attr_get_u32(priority) : 0);
	if (table)
		nv_str_printf(text, ", table %u", mnl_attr_get_u32(table));
}

static void text_neigh(const struct nv_rtobj *obj, struct nv_str *text)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(&obj->header);
	const struct nlattr *attr = find_attr(&obj->header, NDA_DST);
	struct nv_ip ip = {.family = info->ndm_family};
	char name[NV_IP_TEXT];

	if (attr && mnl_attr_get_payload_len(attr) == nv_ip_size(ip.family))
		memcpy(&ip.v6, mnl_attr_get_payload(attr), nv_ip_size(ip.family));
	nv_str_printf(text, "%s %s", (info->ndm_flags & NTF_PROXY) ? "proxy for" : "neighbour",
		nv_ip_text(&ip, name));
}

static void text_fdb(const struct nv_rtobj *obj, struct nv_str *text)
{
	const struct nlattr *attr = find_attr(&obj->header, NDA_LLADDR);
	const uint8_t *mac = attr ? mnl_attr_get_payload(attr) : NULL;

	nv_str_add(text, "MAC ");
	for (uint16_t i = 0; mac && i < mnl_attr_get_payload_len(attr); i++)
		nv_str_printf(text, "%s%02x", i ? ":" : "", mac[i]);
	nv_str_add(text, " of the bridge's table");
}

static void rtobj_text_addr(const struct nv_rtobj *obj, struct nv_str *text)
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
		rtobj_text_addr(obj, text);
		break;
	case NV_RTOBJ_ROUTE:
		rtobj_text_route(obj, text);
		break;
	case NV_RTOBJ_RULE:
		text_rule(obj, text);
		break;
	case NV_RTOBJ_NEIGH:
		text_neigh(obj, text);
		break;
	case NV_RTOBJ_NEXTHOP:
		id = find_attr(&obj->header, NHA_ID);
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
