/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a link does with packets (RTM_GETNETCONF, Linux 3.8). /proc/sys says the same, but in a
 * virtual machine that has just arrived at another host its files take many times as long to open.
 */
#include "kernel/attrs.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/netconf.h>
#include <sys/socket.h>

static int netconf_take(const struct nlmsghdr *message, void *data)
{
	NV_ATTRS(attrs, NETCONFA_FORWARDING);
	uint32_t forwarding;
	int r = nv_attrs_read(message, sizeof(struct netconfmsg), &attrs);

	if (r < 0)
		return r;
	if (nv_attr_u32(&attrs, NETCONFA_FORWARDING, &forwarding))
		*(bool *)data = forwarding > 0;
	return 0;
}

int nv_netconf_ipv6_forwarding(struct nv_rtnl *rtnl, int ifindex, bool *ret_forwarding)
{
	struct nv_request request;
	struct netconfmsg *info =
		nv_request_start(&request, RTM_GETNETCONF, NLM_F_ACK, sizeof(*info));

	info->ncm_family = AF_INET6;
	mnl_attr_put_u32(&request.header, NETCONFA_IFINDEX, (uint32_t)ifindex);
	*ret_forwarding = false;
	return nv_rtnl_request(rtnl, &request.header, netconf_take, ret_forwarding);
}
