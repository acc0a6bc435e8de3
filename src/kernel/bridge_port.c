/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/bridge_port.h"

#include "kernel/attrs.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define SIZE_MAX_PORT 65000 /* bytes of a message; 4,094 VLANs take 32 KiB */

/*
 * The attributes of a port that can be set. The kernel's message has more, and one that cannot be
 * set (such as IFLA_BRPORT_MCAST_N_GROUPS) would fail the request. The bridge itself decides on the
 * state.
 */
static const uint16_t settable[] = {
	IFLA_BRPORT_PRIORITY,
	IFLA_BRPORT_COST,
	IFLA_BRPORT_MODE,
	IFLA_BRPORT_GUARD,
	IFLA_BRPORT_PROTECT,
	IFLA_BRPORT_FAST_LEAVE,
	IFLA_BRPORT_LEARNING,
	IFLA_BRPORT_UNICAST_FLOOD,
	IFLA_BRPORT_PROXYARP,
	IFLA_BRPORT_PROXYARP_WIFI,
	IFLA_BRPORT_MULTICAST_ROUTER,
	IFLA_BRPORT_MCAST_FLOOD,
	IFLA_BRPORT_MCAST_TO_UCAST,
	IFLA_BRPORT_VLAN_TUNNEL,
	IFLA_BRPORT_BCAST_FLOOD,
	IFLA_BRPORT_GROUP_FWD_MASK,
	IFLA_BRPORT_NEIGH_SUPPRESS,
	IFLA_BRPORT_ISOLATED,
	IFLA_BRPORT_BACKUP_PORT,
	IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT,
	IFLA_BRPORT_LOCKED,
};

static const uint16_t floods[] = {
	IFLA_BRPORT_UNICAST_FLOOD, IFLA_BRPORT_MCAST_FLOOD, IFLA_BRPORT_BCAST_FLOOD};

static bool brport_is_among(uint16_t type, const uint16_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == type)
			return true;
	return false;
}

/* An attribute of a port's message; NULL: it is absent. */
static const struct nlattr *brport_find(const struct nv_rtobj *port, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nv_rtobj_message(port), sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static const struct nlattr *brport_find_setting(const struct nv_rtobj *port, uint16_t type)
{
	const struct nlattr *settings = brport_find(port, IFLA_PROTINFO);
	const struct nlattr *attr;

	if (settings)
		mnl_attr_for_each_nested (attr, settings)
			if (mnl_attr_get_type(attr) == type)
				return attr;
	return NULL;
}

/* Begins a message about a link in @bytes, which has room for the largest attribute. */
static struct nlmsghdr *brport_begin(uint16_t type, int family, int ifindex, char **ret_bytes)
{
	char *bytes = calloc(1, MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg) + UINT16_MAX + 256);
	struct ifinfomsg *info;
	struct nlmsghdr *message;

	if (!bytes)
		return NULL;
	message = mnl_nlmsg_put_header(bytes);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = (unsigned char)family;
	info->ifi_index = ifindex;
	*ret_bytes = bytes;
	return message;
}

static int brport_end(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	return nv_rtobjs_add(objs, (const void *)message);
}

static void brport_put_nested(struct nlmsghdr *message, const void *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, (const struct nlattr *)nest)
		nv_attr_put_copy(message, attr);
}

static void brport_put_settings(struct nlmsghdr *message, const void *settings)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, (const struct nlattr *)settings)
		if (brport_is_among(mnl_attr_get_type(attr), settable, NV_ARRAY_SIZE(settable)))
			nv_attr_put_copy(message, attr);
}

/* Isolated and without flooding, whatever the port has. */
static void brport_put_guarded(struct nlmsghdr *message, const void *settings)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, (const struct nlattr *)settings) {
		uint16_t type = mnl_attr_get_type(attr);

		if (brport_is_among(type, floods, NV_ARRAY_SIZE(floods)))
			mnl_attr_put_u8(message, type, 0);
		else if (type == IFLA_BRPORT_ISOLATED)
			mnl_attr_put_u8(message, type, 1);
		else if (brport_is_among(type, settable, NV_ARRAY_SIZE(settable)))
			nv_attr_put_copy(message, attr);
	}
}

static void brport_put_isolated(struct nlmsghdr *message, const void *on)
{
	mnl_attr_put_u8(message, IFLA_BRPORT_ISOLATED, *(const bool *)on);
}

static void brport_put_floods(struct nlmsghdr *message, const void *port)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(floods); i++) {
		const struct nlattr *attr = port ? brport_find_setting(port, floods[i]) : NULL;
		bool on = attr && mnl_attr_get_payload_len(attr) >= 1 && mnl_attr_get_u8(attr);

		if (attr || !port)
			mnl_attr_put_u8(message, floods[i], on);
	}
}

static void brport_put_every_vlan(struct nlmsghdr *message, const void *nothing)
{
	static const struct bridge_vlan_info range[] = {
		{.flags = BRIDGE_VLAN_INFO_RANGE_BEGIN, .vid = 1},
		{.flags = BRIDGE_VLAN_INFO_RANGE_END, .vid = 4094},
	};

	(void)nothing;
	for (size_t i = 0; i < NV_ARRAY_SIZE(range); i++)
		mnl_attr_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof(range[i]), &range[i]);
}

typedef void (*put_fn)(struct nlmsghdr *message, const void *what);

static void brport_put_nest(struct nlmsghdr *message, uint16_t type, put_fn put, const void *what)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	put(message, what);
	mnl_attr_nest_end(message, nest);
}

int nv_brport_take(struct nv_rtobjs *objs, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nv_rtobj *told = (const void *)message;
	const struct nlattr *bridge = brport_find(told, IFLA_MASTER);
	const struct nlattr *settings = brport_find(told, IFLA_PROTINFO);
	const struct nlattr *vlans = brport_find(told, IFLA_AF_SPEC);
	NV_AUTO(nv_free) char *bytes = NULL;
	struct nlmsghdr *copy;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if (info->ifi_family != AF_BRIDGE || !bridge || !settings ||
		mnl_attr_get_payload_len(bridge) != sizeof(uint32_t))
		return -ENOMSG;
	if (message->nlmsg_len > SIZE_MAX_PORT)
		return -E2BIG;
	copy = brport_begin(RTM_NEWLINK, AF_BRIDGE, info->ifi_index, &bytes);
	if (!copy)
		return -ENOMEM;
	copy->nlmsg_flags = 0;
	nv_attr_put_copy(copy, bridge);
	brport_put_nest(copy, IFLA_PROTINFO, brport_put_settings, settings);
	if (vlans)
		nv_attr_put_copy(copy, vlans);
	return brport_end(objs, copy);
}

int nv_brport_link(const struct nv_rtobj *port)
{
	return ((const struct ifinfomsg *)mnl_nlmsg_get_payload(nv_rtobj_message(port)))->ifi_index;
}

int nv_brport_bridge(const struct nv_rtobj *port)
{
	return (int)mnl_attr_get_u32(brport_find(port, IFLA_MASTER));
}

bool nv_brport_is_isolated(const struct nv_rtobj *port)
{
	const struct nlattr *attr = brport_find_setting(port, IFLA_BRPORT_ISOLATED);

	return attr && mnl_attr_get_payload_len(attr) >= 1 && mnl_attr_get_u8(attr);
}

static int brport_request_master(struct nv_rtobjs *requests, int ifindex, int master)
{
	NV_AUTO(nv_free) char *bytes = NULL;
	struct nlmsghdr *message = brport_begin(RTM_NEWLINK, AF_UNSPEC, ifindex, &bytes);

	if (!message)
		return -ENOMEM;
	mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t)master);
	return brport_end(requests, message);
}

/* Appends a request about a port: one nested attribute, filled by @put. */
static int brport_request(struct nv_rtobjs *requests, uint16_t type, int ifindex, uint16_t nest,
	put_fn put, const void *what)
{
	NV_AUTO(nv_free) char *bytes = NULL;
	struct nlmsghdr *message = brport_begin(type, AF_BRIDGE, ifindex, &bytes);

	if (!message)
		return -ENOMEM;
	brport_put_nest(message, nest, put, what);
	return brport_end(requests, message);
}

int nv_brport_enter(struct nv_rtobjs *requests, const struct nv_rtobj *port, int ifindex)
{
	const struct nlattr *settings = brport_find(port, IFLA_PROTINFO);
	const struct nlattr *vlans = brport_find(port, IFLA_AF_SPEC);
	int r = brport_request_master(requests, ifindex, nv_brport_bridge(port));

	if (r == 0)
		r = brport_request(requests, RTM_SETLINK, ifindex, IFLA_PROTINFO,
			brport_put_guarded, settings);
	if (r == 0) /* the bridge gives each new port its default VLAN */
		r = brport_request(
			requests, RTM_DELLINK, ifindex, IFLA_AF_SPEC, brport_put_every_vlan, NULL);
	if (r == 0 && vlans)
		r = brport_request(
			requests, RTM_SETLINK, ifindex, IFLA_AF_SPEC, brport_put_nested, vlans);
	return r;
}

int nv_brport_isolate(struct nv_rtobjs *requests, int ifindex, bool on)
{
	return brport_request(
		requests, RTM_SETLINK, ifindex, IFLA_PROTINFO, brport_put_isolated, &on);
}

int nv_brport_flood(struct nv_rtobjs *requests, const struct nv_rtobj *port, int ifindex)
{
	return brport_request(
		requests, RTM_SETLINK, ifindex, IFLA_PROTINFO, brport_put_floods, port);
}

int nv_brport_leave(struct nv_rtobjs *requests, int ifindex)
{
	return brport_request_master(requests, ifindex, 0);
}

bool nv_fdb_is_of_itself(const struct nv_rtobj *fdb, const uint8_t mac[NV_MAC_LEN])
{
	const struct nlmsghdr *message = nv_rtobj_message(fdb);
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	mnl_attr_for_each (attr, message, sizeof(*info))
		if (mnl_attr_get_type(attr) == NDA_LLADDR)
			return (info->ndm_state & NUD_PERMANENT) &&
			       mnl_attr_get_payload_len(attr) == NV_MAC_LEN &&
			       memcmp(mnl_attr_get_payload(attr), mac, NV_MAC_LEN) == 0;
	return false;
}
