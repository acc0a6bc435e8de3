/* SPDX-License-Identifier: BSD-2-Clause */
/* Links in rtnetlink messages: RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK. */
#include "kernel/attrs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bonding.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if_arp.h>
#include <string.h>

static bool link_get_mac(const struct nv_attrs *attrs, unsigned int type, uint8_t mac[NV_MAC_LEN])
{
	const struct nlattr *attr = attrs->by_type[type];

	if (!attr || mnl_attr_get_payload_len(attr) != NV_MAC_LEN)
		return false;
	memcpy(mac, mnl_attr_get_payload(attr), NV_MAC_LEN);
	return true;
}

static int link_decode_bridge(const struct nlattr *nest, struct nv_link *link)
{
	NV_ATTRS(bridge, IFLA_BR_STP_STATE);
	uint32_t stp = 0;
	int r = nv_attrs_nested(nest, &bridge);

	if (r == 0)
		nv_attr_u32(&bridge, IFLA_BR_STP_STATE, &stp);
	link->stp = stp;
	return r;
}

static int link_decode_port(const struct nv_attrs *info, struct nv_link *link)
{
	NV_ATTRS(port, IFLA_BRPORT_ISOLATED);
	uint8_t isolated = 0;
	char kind[NV_KIND_LEN] = "";
	int r;

	nv_attr_string(info, IFLA_INFO_SLAVE_KIND, kind, sizeof(kind));
	if (strcmp(kind, "bridge") != 0 || !info->by_type[IFLA_INFO_SLAVE_DATA])
		return 0;
	r = nv_attrs_nested(info->by_type[IFLA_INFO_SLAVE_DATA], &port);
	if (r == 0)
		nv_attr_u8(&port, IFLA_BRPORT_ISOLATED, &isolated);
	link->isolated = isolated;
	return r;
}

/*
 * The kernel reports flags only if one is set, although a new VLAN would have one set. And it
 * reports a mask of all bits, but accepts only the bits that it knows.
 */
static void link_keep_vlan(const struct nlattr *data, struct nv_link *link)
{
	struct {
		struct nlattr header;
		struct ifla_vlan_flags value;
	} flags = {
		.header = {sizeof(flags), IFLA_VLAN_FLAGS},
		.value.mask = VLAN_FLAG_REORDER_HDR | VLAN_FLAG_GVRP | VLAN_FLAG_LOOSE_BINDING |
			      VLAN_FLAG_MVRP | VLAN_FLAG_BRIDGE_BINDING,
	};
	uint16_t told = mnl_attr_get_payload_len(data);
	const struct nlattr *attr;
	size_t length = 0;

	/* The last attribute may be without its padding. */
	if ((size_t)MNL_ALIGN(told) > sizeof(link->vlan) - sizeof(flags)) {
		link->vlan_length = UINT16_MAX;
		return;
	}
	mnl_attr_for_each_nested (attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_VLAN_FLAGS &&
			mnl_attr_get_payload_len(attr) == sizeof(flags.value)) {
			memcpy(&flags.value.flags, mnl_attr_get_payload(attr),
				sizeof(flags.value.flags));
			continue;
		}
		memcpy(link->vlan + length, attr, attr->nla_len);
		length += MNL_ALIGN(attr->nla_len);
	}
	memcpy(link->vlan + length, &flags, sizeof(flags));
	link->vlan_length = (uint16_t)(length + sizeof(flags));
}

/*
 * A VXLAN with one remote address sends by the link that it names (vxlan_xmit_one(),
 * drivers/net/vxlan), and reports that link here only. Frames to other remotes, of its forwarding
 * database, are routed.
 */
static int link_decode_vxlan(const struct nlattr *nest, struct nv_link *link)
{
	NV_ATTRS(vxlan, IFLA_VXLAN_GROUP6);
	struct nv_ip remote;
	uint32_t lower = 0;
	bool sends;
	int r = nv_attrs_nested(nest, &vxlan);

	if (r < 0 || link->lower_elsewhere)
		return r;
	sends = (nv_attr_ip(&vxlan, IFLA_VXLAN_GROUP, AF_INET, &remote) &&
			!IN_MULTICAST(ntohl(remote.v4.s_addr))) ||
		(nv_attr_ip(&vxlan, IFLA_VXLAN_GROUP6, AF_INET6, &remote) &&
			!IN6_IS_ADDR_MULTICAST(&remote.v6));
	if (sends && !link->lower && nv_attr_u32(&vxlan, IFLA_VXLAN_LINK, &lower))
		link->lower = (int)lower;
	return 0;
}

static int link_decode_info(const struct nlattr *nest, struct nv_link *link)
{
	NV_ATTRS(info, IFLA_INFO_SLAVE_DATA);
	int r = nv_attrs_nested(nest, &info);

	if (r == 0)
		r = link_decode_port(&info, link);
	if (r < 0)
		return r;
	nv_attr_string(&info, IFLA_INFO_KIND, link->kind, sizeof(link->kind));
	if (!info.by_type[IFLA_INFO_DATA])
		return 0;
	if (strcmp(link->kind, "vlan") == 0) {
		NV_ATTRS(vlan, IFLA_VLAN_PROTOCOL);
		uint16_t protocol = htons(ETH_P_8021Q);

		r = nv_attrs_nested(info.by_type[IFLA_INFO_DATA], &vlan);
		if (r < 0)
			return r;
		nv_attr_u16(&vlan, IFLA_VLAN_ID, &link->vlan_id);
		nv_attr_u16(&vlan, IFLA_VLAN_PROTOCOL, &protocol);
		link->vlan_is_8021ad = protocol == htons(ETH_P_8021AD);
		link_keep_vlan(info.by_type[IFLA_INFO_DATA], link);
	} else if (strcmp(link->kind, "bond") == 0) {
		NV_ATTRS(bond, IFLA_BOND_PRIMARY);
		uint32_t primary = 0;

		r = nv_attrs_nested(info.by_type[IFLA_INFO_DATA], &bond);
		if (r == 0)
			nv_attr_u32(&bond, IFLA_BOND_PRIMARY, &primary);
		link->primary = (int)primary;
	} else if (strcmp(link->kind, "bridge") == 0) {
		r = link_decode_bridge(info.by_type[IFLA_INFO_DATA], link);
	} else if (strcmp(link->kind, "vxlan") == 0) {
		r = link_decode_vxlan(info.by_type[IFLA_INFO_DATA], link);
	}
	return r;
}

static int link_decode_families(const struct nlattr *nest, struct nv_link *link)
{
	NV_ATTRS(families, AF_INET6);
	NV_ATTRS(inet6, IFLA_INET6_ADDR_GEN_MODE);
	struct nv_ip token;
	int r = nv_attrs_nested(nest, &families);

	if (r < 0 || !families.by_type[AF_INET6])
		return r;
	r = nv_attrs_nested(families.by_type[AF_INET6], &inet6);
	if (r < 0)
		return r;
	nv_attr_u8(&inet6, IFLA_INET6_ADDR_GEN_MODE, &link->addr_gen_mode);
	if (nv_attr_ip(&inet6, IFLA_INET6_TOKEN, AF_INET6, &token))
		link->token = token.v6;
	return 0;
}

static int link_decode_xdp(const struct nlattr *nest, struct nv_link *link)
{
	NV_ATTRS(xdp, IFLA_XDP_ATTACHED);
	uint8_t attached = XDP_ATTACHED_NONE;
	int r = nv_attrs_nested(nest, &xdp);

	if (r < 0)
		return r;
	nv_attr_u8(&xdp, IFLA_XDP_ATTACHED, &attached);
	link->has_xdp = attached != XDP_ATTACHED_NONE;
	link->has_generic_xdp = attached == XDP_ATTACHED_SKB;
	return 0;
}

static int link_decode_nests(const struct nv_attrs *attrs, struct nv_link *link)
{
	int r = 0;

	if (attrs->by_type[IFLA_LINKINFO])
		r = link_decode_info(attrs->by_type[IFLA_LINKINFO], link);
	if (r == 0 && attrs->by_type[IFLA_AF_SPEC])
		r = link_decode_families(attrs->by_type[IFLA_AF_SPEC], link);
	if (r == 0 && attrs->by_type[IFLA_XDP])
		r = link_decode_xdp(attrs->by_type[IFLA_XDP], link);
	return r;
}

static void link_decode_lower(const struct nv_attrs *attrs, struct nv_link *link)
{
	uint32_t lower = 0;

	link->lower_elsewhere = attrs->by_type[IFLA_LINK_NETNSID];
	if (!link->lower_elsewhere && nv_attr_u32(attrs, IFLA_LINK, &lower))
		link->lower = (int)lower == link->ifindex ? 0 : (int)lower;
}

int nv_link_decode(const struct nlmsghdr *message, struct nv_link *ret_link)
{
	NV_ATTRS(attrs, IFLA_PARENT_DEV_BUS_NAME);
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct nv_link link = {};
	uint32_t master = 0;
	uint8_t carrier = 0;
	int r = nv_attrs_read(message, sizeof(*info), &attrs);

	if (r < 0)
		return r;
	/* Messages of a bridge port, of IPv6 or of wireless describe only a part of a link. */
	if (info->ifi_family != AF_UNSPEC || !attrs.by_type[IFLA_MTU])
		return -ENOMSG;
	link.ifindex = info->ifi_index;
	link.type = info->ifi_type;
	link.flags = info->ifi_flags;
	if (link.ifindex <= 0 || !nv_attr_string(&attrs, IFLA_IFNAME, link.name, sizeof(link.name)))
		return -EBADMSG;
	nv_attr_u32(&attrs, IFLA_MTU, &link.mtu);
	nv_attr_u32(&attrs, IFLA_TXQLEN, &link.tx_queue_len);
	nv_attr_u32(&attrs, IFLA_GROUP, &link.group);
	nv_attr_u32(&attrs, IFLA_PROMISCUITY, &link.promiscuity);
	nv_attr_u32(&attrs, IFLA_MASTER, &master);
	link.master = (int)master;
	nv_attr_u8(&attrs, IFLA_OPERSTATE, &link.operstate);
	nv_attr_u8(&attrs, IFLA_LINKMODE, &link.link_mode);
	nv_attr_u8(&attrs, IFLA_CARRIER, &carrier);
	link.carrier = carrier;
	link.has_mac = link_get_mac(&attrs, IFLA_ADDRESS, link.mac);
	link.has_permanent_mac = link_get_mac(&attrs, IFLA_PERM_ADDRESS, link.permanent_mac);
	link_decode_lower(&attrs, &link);
	nv_attr_string(&attrs, IFLA_QDISC, link.qdisc, sizeof(link.qdisc));
	nv_attr_string(&attrs, IFLA_IFALIAS, link.alias, sizeof(link.alias));
	nv_attr_string(&attrs, IFLA_PARENT_DEV_NAME, link.parent_dev, sizeof(link.parent_dev));
	nv_attr_string(&attrs, IFLA_PARENT_DEV_BUS_NAME, link.parent_bus, sizeof(link.parent_bus));
	r = link_decode_nests(&attrs, &link);
	if (r < 0)
		return r;
	*ret_link = link;
	return 0;
}

void nv_link_encode_get(struct nv_request *request, int ifindex)
{
	struct ifinfomsg *info = nv_request_start(request, RTM_GETLINK, 0, sizeof(*info));

	info->ifi_index = ifindex;
}

static void link_put_inet6(struct nlmsghdr *header, const struct nv_link_change *change)
{
	struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(header, AF_INET6);

	if (change->what & NV_LINK_ADDR_GEN_MODE)
		mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, change->to.addr_gen_mode);
	if (change->what & NV_LINK_TOKEN)
		mnl_attr_put(header, IFLA_INET6_TOKEN, sizeof(change->to.token), &change->to.token);
	mnl_attr_nest_end(header, inet6);
	mnl_attr_nest_end(header, families);
}

static void link_put_primary(struct nlmsghdr *header, int ifindex)
{
	struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	struct nlattr *data;

	mnl_attr_put_strz(header, IFLA_INFO_KIND, "bond");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u32(header, IFLA_BOND_PRIMARY, (uint32_t)ifindex);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
}

void nv_link_encode_set(
	struct nv_request *request, int ifindex, const struct nv_link_change *change)
{
	const struct nv_link *to = &change->to;
	struct nlmsghdr *header = &request->header;
	struct ifinfomsg *info = nv_request_start(request, RTM_NEWLINK, NLM_F_ACK, sizeof(*info));

	info->ifi_index = ifindex;
	/* With a mask of zero the kernel would take all flags if any of them were set. */
	if (change->what & NV_LINK_FLAGS) {
		info->ifi_change = change->flags_mask;
		info->ifi_flags = to->flags & change->flags_mask;
	}
	if (change->what & NV_LINK_MTU)
		mnl_attr_put_u32(header, IFLA_MTU, to->mtu);
	if (change->what & NV_LINK_MAC)
		mnl_attr_put(header, IFLA_ADDRESS, NV_MAC_LEN, to->mac);
	if (change->what & NV_LINK_MASTER)
		mnl_attr_put_u32(header, IFLA_MASTER, (uint32_t)to->master);
	if (change->what & NV_LINK_MODE)
		mnl_attr_put_u8(header, IFLA_LINKMODE, to->link_mode);
	if (change->what & NV_LINK_OPERSTATE)
		mnl_attr_put_u8(header, IFLA_OPERSTATE, to->operstate);
	if (change->what & NV_LINK_CARRIER)
		mnl_attr_put_u8(header, IFLA_CARRIER, to->carrier);
	if (change->what & NV_LINK_ALIAS)
		mnl_attr_put(header, IFLA_IFALIAS, strlen(to->alias), to->alias);
	if (change->what & NV_LINK_NAME)
		mnl_attr_put_strz(header, IFLA_IFNAME, to->name);
	if (change->what & NV_LINK_TX_QUEUE_LEN)
		mnl_attr_put_u32(header, IFLA_TXQLEN, to->tx_queue_len);
	if (change->what & NV_LINK_GROUP)
		mnl_attr_put_u32(header, IFLA_GROUP, to->group);
	if (change->what & (NV_LINK_ADDR_GEN_MODE | NV_LINK_TOKEN))
		link_put_inet6(header, change);
	if (change->what & NV_LINK_PRIMARY)
		link_put_primary(header, to->primary);
}

void nv_link_encode_move(struct nv_request *request, int ifindex, int netns_fd, const char *name)
{
	struct ifinfomsg *info = nv_request_start(request, RTM_NEWLINK, NLM_F_ACK, sizeof(*info));

	info->ifi_index = ifindex;
	mnl_attr_put_u32(&request->header, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	if (name)
		mnl_attr_put_strz(&request->header, IFLA_IFNAME, name);
}

static void link_put_peer(struct nlmsghdr *header, const char *name)
{
	struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(header, VETH_INFO_PEER);

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
	mnl_attr_nest_end(header, peer);
	mnl_attr_nest_end(header, data);
}

static void link_put_vlan(struct nlmsghdr *header, const struct nv_link *link)
{
	struct nlattr *data;

	if (link->vlan_length && link->vlan_length <= sizeof(link->vlan)) {
		mnl_attr_put(header, IFLA_INFO_DATA, link->vlan_length, link->vlan);
		return;
	}
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u16(header, IFLA_VLAN_ID, link->vlan_id);
	mnl_attr_nest_end(header, data);
}

/* linux/if_bonding.h and bond_options.h have no names for the values of the last two attributes. */
static void link_put_bond(struct nlmsghdr *header)
{
	struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);

	mnl_attr_put_u8(header, IFLA_BOND_MODE, BOND_MODE_ACTIVEBACKUP);
	mnl_attr_put_u32(header, IFLA_BOND_MIIMON, 100);
	/*
	 * none. With "active" the bond takes the MAC address of its new active port at each
	 * switch, even an equal one, and the kernel then removes all neighbours of the bond, also
	 * permanent ones (bond_set_dev_addr(), neigh_changeaddr()).
	 */
	mnl_attr_put_u8(header, IFLA_BOND_FAIL_OVER_MAC, 0);
	mnl_attr_put_u8(header, IFLA_BOND_ALL_SLAVES_ACTIVE, 1);
	mnl_attr_nest_end(header, data);
}

int nv_link_encode_add(
	struct nv_request *request, const struct nv_link *link, const char *peer_name)
{
	struct nlmsghdr *header = &request->header;
	struct nlattr *info;

	if (peer_name && strlen(peer_name) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	/* Echo (Linux 6.2): the message about the new link arrives before the acknowledgement. */
	nv_request_start(request, RTM_NEWLINK, NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL,
		sizeof(struct ifinfomsg));
	mnl_attr_put_strz(header, IFLA_IFNAME, link->name);
	if (link->has_mac)
		mnl_attr_put(header, IFLA_ADDRESS, NV_MAC_LEN, link->mac);
	if (link->mtu)
		mnl_attr_put_u32(header, IFLA_MTU, link->mtu);
	if (link->lower)
		mnl_attr_put_u32(header, IFLA_LINK, (uint32_t)link->lower);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, link->kind);
	if (peer_name && strcmp(link->kind, "veth") == 0)
		link_put_peer(header, peer_name);
	if (strcmp(link->kind, "vlan") == 0)
		link_put_vlan(header, link);
	if (strcmp(link->kind, "bond") == 0)
		link_put_bond(header);
	mnl_attr_nest_end(header, info);
	return 0;
}

void nv_link_encode_del(struct nv_request *request, int ifindex)
{
	struct ifinfomsg *info = nv_request_start(request, RTM_DELLINK, NLM_F_ACK, sizeof(*info));

	info->ifi_index = ifindex;
}
