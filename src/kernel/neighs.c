/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbours in rtnetlink messages: RTM_NEWNEIGH. */
#include "kernel/attrs.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

int nv_neigh_decode(const struct nlmsghdr *message, struct nv_neigh *ret_neigh)
{
	NV_ATTRS(attrs, NDA_LLADDR);
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct nv_neigh neigh = {};
	const struct nlattr *mac;
	int r = nv_attrs_read(message, sizeof(*info), &attrs);

	if (r < 0)
		return r;
	/* The same message type is used for bridges' forwarding databases and for proxy entries. */
	if (!nv_ip_size(info->ndm_family) || (info->ndm_flags & NTF_PROXY))
		return -ENOMSG;
	if (!nv_attr_ip(&attrs, NDA_DST, info->ndm_family, &neigh.address))
		return -EBADMSG;
	mac = attrs.by_type[NDA_LLADDR];
	if (!mac || mnl_attr_get_payload_len(mac) != NV_MAC_LEN)
		return -ENOMSG;
	memcpy(neigh.mac, mnl_attr_get_payload(mac), NV_MAC_LEN);
	neigh.ifindex = info->ndm_ifindex;
	neigh.state = info->ndm_state;
	neigh.router = info->ndm_flags & NTF_ROUTER;
	*ret_neigh = neigh;
	return 0;
}

int nv_neigh_encode(struct nv_request *request, const struct nv_neigh *neigh)
{
	struct ndmsg *info;

	if (!nv_ip_size(neigh->address.family))
		return -EAFNOSUPPORT;
	info = nv_request_start(
		request, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));
	info->ndm_family = neigh->address.family;
	info->ndm_ifindex = neigh->ifindex;
	info->ndm_state = neigh->state;
	info->ndm_flags = neigh->router ? NTF_ROUTER : 0;
	nv_request_ip(request, NDA_DST, &neigh->address);
	mnl_attr_put(&request->header, NDA_LLADDR, NV_MAC_LEN, neigh->mac);
	return 0;
}
