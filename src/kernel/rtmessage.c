/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/rtmessage.h"

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <stddef.h>

uint16_t nv_rtmessage_family(uint16_t type)
{
	return type & ~3u;
}

size_t nv_rtmessage_header_size(uint16_t type)
{
	switch (nv_rtmessage_family(type)) {
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

bool nv_rtmessage_is_fdb(const struct nlmsghdr *message)
{
	return ((const struct ndmsg *)mnl_nlmsg_get_payload(message))->ndm_family == AF_BRIDGE;
}

const struct nlattr *nv_rtmessage_next(const struct nlmsghdr *message, const struct nlattr *after)
{
	const char *at = after ? (const char *)after + MNL_ALIGN(after->nla_len)
			       : (const char *)mnl_nlmsg_get_payload(message) +
					 MNL_ALIGN(nv_rtmessage_header_size(message->nlmsg_type));
	ptrdiff_t left = (const char *)message + message->nlmsg_len - at;
	const struct nlattr *attr = (const void *)at;

	/* As mnl_attr_ok(), which would be a call for each attribute of ten thousand routes. */
	return left >= (ptrdiff_t)sizeof(*attr) && attr->nla_len >= sizeof(*attr) &&
			       attr->nla_len <= left
		       ? attr
		       : NULL;
}

const struct nlattr *nv_rtmessage_find(const struct nlmsghdr *message, uint16_t type)
{
	nv_each_attr (attr, message)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

bool nv_rtmessage_each_hop(char *list, size_t left,
	void (*edit)(struct rtnexthop *hop, const void *data), const void *data)
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
