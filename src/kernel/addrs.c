/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses in rtnetlink messages: RTM_NEWADDR, RTM_DELADDR. */
#include "kernel/attrs.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* The flags that can be set; the others report a state. */
#define SETTABLE_FLAGS                                                               \
	(IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | \
		IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

/*
 * Some programs set the longest finite lifetime where they mean an infinite one, and the kernel
 * counts it down. So more than half of it is read as infinite.
 */
static uint32_t addr_lifetime(uint32_t seconds)
{
	return seconds > NV_LFT_LONGEST / 2 ? NV_LFT_FOREVER : seconds;
}

static void addr_decode_lifetimes(const struct nv_attrs *attrs, struct nv_addr *addr)
{
	const struct nlattr *attr = attrs->by_type[IFA_CACHEINFO];
	struct ifa_cacheinfo lifetimes;

	addr->valid_lft = NV_LFT_FOREVER;
	addr->preferred_lft = NV_LFT_FOREVER;
	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(lifetimes))
		return;
	memcpy(&lifetimes, mnl_attr_get_payload(attr), sizeof(lifetimes));
	addr->valid_lft = addr_lifetime(lifetimes.ifa_valid);
	/* In its last second the kernel says 0, which means nothing where one is made. */
	if (!addr->valid_lft)
		addr->valid_lft = 1;
	addr->preferred_lft = addr_lifetime(lifetimes.ifa_prefered);
}

int nv_addr_decode(const struct nlmsghdr *message, struct nv_addr *ret_addr)
{
	NV_ATTRS(attrs, IFA_PROTO);
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct nv_addr addr = {};
	bool has_address;
	int r = nv_attrs_read(message, sizeof(*info), &attrs);

	if (r < 0)
		return r;
	if (!nv_ip_size(info->ifa_family))
		return -ENOMSG;
	if (info->ifa_prefixlen > 8 * nv_ip_size(info->ifa_family))
		return -EBADMSG;
	addr.ifindex = (int)info->ifa_index;
	addr.prefix_len = info->ifa_prefixlen;
	addr.scope = info->ifa_scope;
	addr.flags = info->ifa_flags;
	nv_attr_u32(&attrs, IFA_FLAGS, &addr.flags);
	nv_attr_u32(&attrs, IFA_RT_PRIORITY, &addr.metric);
	nv_attr_u8(&attrs, IFA_PROTO, &addr.protocol);
	nv_attr_string(&attrs, IFA_LABEL, addr.label, sizeof(addr.label));
	addr_decode_lifetimes(&attrs, &addr);
	/* A permanent IPv4 address is told with infinite lifetimes, also one that is deprecated. */
	if (addr.flags & IFA_F_DEPRECATED)
		addr.preferred_lft = 0;
	addr.has_broadcast = nv_attr_ip(&attrs, IFA_BROADCAST, info->ifa_family, &addr.broadcast);

	/*
	 * IFA_ADDRESS is the peer's address if there is a peer; otherwise it is the address itself,
	 * and IFA_LOCAL may be missing (IPv6).
	 */
	has_address = nv_attr_ip(&attrs, IFA_ADDRESS, info->ifa_family, &addr.peer);
	if (!nv_attr_ip(&attrs, IFA_LOCAL, info->ifa_family, &addr.local)) {
		if (!has_address)
			return -EBADMSG;
		addr.local = addr.peer;
	}
	addr.has_peer = has_address && !nv_ip_equal(&addr.local, &addr.peer);
	if (!addr.has_peer)
		addr.peer = (struct nv_ip){};
	*ret_addr = addr;
	return 0;
}

int nv_addr_encode(
	struct nv_request *request, uint16_t type, uint16_t flags, const struct nv_addr *addr)
{
	struct nlmsghdr *header = &request->header;
	uint8_t family = addr->local.family;
	struct ifaddrmsg *info;

	if (!nv_ip_size(family) || (addr->has_peer && addr->peer.family != family) ||
		(addr->has_broadcast && addr->broadcast.family != family))
		return -EAFNOSUPPORT;
	info = nv_request_start(request, type, NLM_F_ACK | flags, sizeof(*info));
	info->ifa_family = family;
	info->ifa_prefixlen = addr->prefix_len;
	info->ifa_scope = addr->scope;
	info->ifa_flags = (uint8_t)(addr->flags & SETTABLE_FLAGS);
	info->ifa_index = (uint32_t)addr->ifindex;
	nv_request_ip(request, IFA_LOCAL, &addr->local);
	nv_request_ip(request, IFA_ADDRESS, addr->has_peer ? &addr->peer : &addr->local);
	if (type == RTM_DELADDR)
		return 0;
	mnl_attr_put_u32(header, IFA_FLAGS, addr->flags & SETTABLE_FLAGS);
	if (addr->has_broadcast)
		nv_request_ip(request, IFA_BROADCAST, &addr->broadcast);
	if (addr->label[0] && family == AF_INET)
		mnl_attr_put_strz(header, IFA_LABEL, addr->label);
	if (addr->metric)
		mnl_attr_put_u32(header, IFA_RT_PRIORITY, addr->metric);
	if (addr->protocol)
		mnl_attr_put_u8(header, IFA_PROTO, addr->protocol);
	if (addr->valid_lft) {
		struct ifa_cacheinfo lifetimes = {
			.ifa_prefered = addr->preferred_lft,
			.ifa_valid = addr->valid_lft,
		};

		mnl_attr_put(header, IFA_CACHEINFO, sizeof(lifetimes), &lifetimes);
	}
	return 0;
}
