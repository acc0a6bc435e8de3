/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes rtobjects from a dump's messages: the request that would make the same object. */
#include "kernel/attrs.h"
#include "kernel/bridge_port.h"
#include "kernel/rtmessage.h"
#include "kernel/rtobject.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <string.h>

static void take_clean_hop(struct rtnexthop *hop, const void *data)
{
	(void)data;
	hop->rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
}

static int take_hops(struct nlmsghdr *copy, const struct nlattr *attr)
{
	char *list = mnl_nlmsg_get_payload_tail(copy);

	nv_attr_put_copy(copy, attr);
	return nv_rtmessage_each_hop(
		       list + MNL_ATTR_HDRLEN, mnl_attr_get_payload_len(attr), take_clean_hop, NULL)
		       ? 0
		       : -EBADMSG;
}

static void take_lifetime(struct nlmsghdr *copy, const struct nlattr *attr)
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
	int r = nv_rtobjs_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!nv_ip_size(info->rtm_family) || (info->rtm_flags & RTM_F_CLONED) ||
		nv_rtmessage_find(message, RTA_NH_ID))
		return -ENOMSG;
	info->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	nv_each_attr (attr, message) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_MULTIPATH)
			r = take_hops(copy, attr);
		else if (type == RTA_CACHEINFO)
			take_lifetime(copy, attr);
		else
			nv_attr_put_copy(copy, attr);
		if (r < 0)
			return r;
	}
	nv_rtobjs_commit(objs, copy);
	return 0;
}

static int take_rule(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct fib_rule_hdr *info;
	struct nlmsghdr *copy;
	int r = nv_rtobjs_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!nv_rtmessage_find(message, FRA_IIFNAME) && !nv_rtmessage_find(message, FRA_OIFNAME))
		return -ENOMSG;
	info->flags &= FIB_RULE_INVERT;
	nv_each_attr (attr, message)
		nv_attr_put_copy(copy, attr);
	nv_rtobjs_commit(objs, copy);
	return 0;
}

/* Whether the kernel itself makes such an entry, for groups and broadcast. */
static bool take_is_automatic(const struct ndmsg *info, const struct nlmsghdr *message)
{
	static const uint8_t all[NV_MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct nlattr *mac = nv_rtmessage_find(message, NDA_LLADDR);
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
	int r = nv_rtobjs_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!(info->ndm_state & (NUD_PERMANENT | NUD_NOARP)) ||
		!nv_rtmessage_find(message, NDA_LLADDR) ||
		!(nv_rtmessage_find(message, NDA_MASTER) || (info->ndm_flags & NTF_MASTER)))
		return -ENOMSG;
	info->ndm_flags &= NTF_STICKY | NTF_EXT_LEARNED;
	info->ndm_flags |= NTF_MASTER;
	nv_each_attr (attr, message) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == NDA_LLADDR || type == NDA_VLAN || type == NDA_SRC_VNI)
			nv_attr_put_copy(copy, attr);
	}
	nv_rtobjs_commit(objs, copy);
	return 0;
}

static int take_neigh(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	const uint16_t known = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
	struct nlmsghdr *copy;
	struct ndmsg *info;
	int r = nv_rtobjs_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!nv_ip_size(info->ndm_family) || !nv_rtmessage_find(message, NDA_DST) ||
		take_is_automatic(info, message))
		return -ENOMSG;
	info->ndm_flags &= NTF_PROXY | NTF_ROUTER | NTF_EXT_LEARNED;
	if (info->ndm_state & known)
		info->ndm_state = NUD_STALE;
	else if (!(info->ndm_flags & NTF_PROXY) && !(info->ndm_state & (NUD_PERMANENT | NUD_NOARP)))
		return -ENOMSG;
	nv_each_attr (attr, message) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type != NDA_CACHEINFO && type != NDA_PROBES)
			nv_attr_put_copy(copy, attr);
	}
	nv_rtobjs_commit(objs, copy);
	return 0;
}

static int take_addr(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct nv_addr addr;
	int r = nv_addr_decode(message, &addr);

	return r < 0 ? r : nv_rtobjs_add_addr(objs, &addr);
}

static int take_nexthop(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	struct nlmsghdr *copy;
	struct nhmsg *info;
	int r = nv_rtobjs_begin(objs, message, &info, &copy);

	if (r < 0)
		return r;
	if (!nv_rtmessage_find(message, NHA_OIF) || info->nh_protocol == NV_RTPROT_BACKUP)
		return -ENOMSG;
	info->nh_scope = 0;
	info->nh_flags &= RTNH_F_ONLINK;
	nv_each_attr (attr, message)
		nv_attr_put_copy(copy, attr);
	nv_rtobjs_commit(objs, copy);
	return 0;
}

int nv_rtobjs_take(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	size_t size = nv_rtmessage_header_size(message->nlmsg_type);

	if (!size || message->nlmsg_type != nv_rtmessage_family(message->nlmsg_type))
		return -ENOMSG;
	if (message->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(size))
		return -EBADMSG;
	switch (message->nlmsg_type) {
	case RTM_NEWADDR:
		return take_addr(objs, message);
	case RTM_NEWROUTE:
		return take_route(objs, message);
	case RTM_NEWRULE:
		return take_rule(objs, message);
	case RTM_NEWNEIGH:
		return nv_rtmessage_is_fdb(message) ? take_fdb(objs, message)
						    : take_neigh(objs, message);
	case RTM_NEWLINK:
		return nv_brport_take(objs, message);
	default:
		return take_nexthop(objs, message);
	}
}

static int take_hex_digit(char c)
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
		int high = take_hex_digit(text[2 * i]);
		int low = take_hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		bytes[i] = (uint8_t)(high * 16 + low);
	}
	if (length < sizeof(*message) || message->nlmsg_len != length)
		return -EBADMSG;
	return nv_rtobjs_take(objs, message);
}
