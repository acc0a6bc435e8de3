/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unicast link-layer addresses that a link receives besides its own. In rtnetlink they are entries
 * of the link itself (NTF_SELF) in the family of bridges: `bridge fdb add MAC dev LINK self`. Those
 * of its bridge have that as NDA_MASTER (fdb_fill_info(), net/bridge/br_fdb.c).
 */
#include "kernel/attrs.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct unicasts_dump {
	int ifindex;
	bool bridged;
	struct nv_groups addresses;
};

static int unicasts_each(const struct nlmsghdr *message, void *data)
{
	NV_ATTRS(attrs, NDA_MASTER);
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct unicasts_dump *dump = data;
	struct nv_group address = {.ifindex = dump->ifindex};
	const struct nlattr *mac;

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		nv_attrs_read(message, sizeof(*info), &attrs) < 0 ||
		info->ndm_ifindex != dump->ifindex ||
		!(dump->bridged ? (bool)attrs.by_type[NDA_MASTER] : info->ndm_flags & NTF_SELF))
		return 0;
	mac = attrs.by_type[NDA_LLADDR];
	if (!mac || mnl_attr_get_payload_len(mac) != NV_MAC_LEN)
		return 0;
	memcpy(address.mac, mnl_attr_get_payload(mac), NV_MAC_LEN);
	return address.mac[0] & 1 ? 0 : nv_groups_add(&dump->addresses, &address);
}

static int unicasts_dump(
	struct nv_rtnl *rtnl, int ifindex, bool bridged, struct nv_groups *ret_addresses)
{
	struct unicasts_dump dump = {.ifindex = ifindex, .bridged = bridged};
	struct nv_request request;
	struct ndmsg *info = nv_request_start(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*info));
	int r;

	info->ndm_family = AF_BRIDGE;
	mnl_attr_put_u32(&request.header, NDA_IFINDEX, (uint32_t)ifindex);
	r = nv_rtnl_request(rtnl, &request.header, unicasts_each, &dump);
	if (r < 0) {
		nv_groups_auto(&dump.addresses);
		return r;
	}
	*ret_addresses = dump.addresses;
	return 0;
}

int nv_unicasts_read(struct nv_rtnl *rtnl, int ifindex, struct nv_groups *ret_addresses)
{
	return unicasts_dump(rtnl, ifindex, false, ret_addresses);
}

int nv_unicasts_read_bridged(struct nv_rtnl *rtnl, int port, struct nv_groups *ret_addresses)
{
	return unicasts_dump(rtnl, port, true, ret_addresses);
}

int nv_unicast_change(struct nv_rtnl *rtnl, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct nv_request request;
	struct ndmsg *info = nv_request_start(&request, on ? RTM_NEWNEIGH : RTM_DELNEIGH,
		NLM_F_ACK | (on ? NLM_F_CREATE | NLM_F_EXCL : 0), sizeof(*info));

	info->ndm_family = AF_BRIDGE;
	info->ndm_ifindex = ifindex;
	info->ndm_flags = NTF_SELF;
	info->ndm_state = NUD_PERMANENT;
	mnl_attr_put(&request.header, NDA_LLADDR, NV_MAC_LEN, mac);
	return nv_rtnl_request(rtnl, &request.header, NULL, NULL);
}
