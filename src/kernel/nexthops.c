/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hop objects in rtnetlink messages: RTM_NEWNEXTHOP, RTM_DELNEXTHOP. */
#include "kernel/attrs.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

int nv_nexthop_encode(struct nv_request *request, uint32_t id, const struct nv_route *route)
{
	struct nhmsg *info;

	if (!nv_ip_size(route->family) ||
		(route->has_gateway && !nv_ip_size(route->gateway.family)))
		return -EAFNOSUPPORT;
	info = nv_request_start(
		request, RTM_NEWNEXTHOP, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));
	info->nh_family = route->has_gateway ? route->gateway.family : route->family;
	info->nh_protocol = route->protocol;
	info->nh_flags = route->flags;
	mnl_attr_put_u32(&request->header, NHA_ID, id);
	mnl_attr_put_u32(&request->header, NHA_OIF, (uint32_t)route->oif);
	if (route->has_gateway)
		nv_request_ip(request, NHA_GATEWAY, &route->gateway);
	return 0;
}

void nv_nexthop_encode_del(struct nv_request *request, uint32_t id)
{
	nv_request_start(request, RTM_DELNEXTHOP, NLM_F_ACK, sizeof(struct nhmsg));
	mnl_attr_put_u32(&request->header, NHA_ID, id);
}
