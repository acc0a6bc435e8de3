/* SPDX-License-Identifier: BSD-2-Clause */
/* Dumps routes, rules, neighbours, next hops and bridge ports as rtobjects. */
#include "kernel/attrs.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

static int dump_take(const struct nlmsghdr *message, void *data)
{
	int r = nv_rtobjs_take(data, message);

	return r == -ENOMSG || r == -EBADMSG ? 0 : r;
}

static int dump_request(struct nv_rtnl *rtnl, struct nv_request *request, struct nv_rtobjs *objs)
{
	return nv_rtnl_request(rtnl, &request->header, dump_take, objs);
}

static int dump_routes(struct nv_rtnl *rtnl, int ifindex, struct nv_rtobjs *objs)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct nv_request request;
	int r = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(families) && r == 0; i++) {
		struct rtmsg *info =
			nv_request_start(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info));

		info->rtm_family = families[i];
		if (ifindex)
			mnl_attr_put_u32(&request.header, RTA_OIF, (uint32_t)ifindex);
		r = dump_request(rtnl, &request, objs);
	}
	return r;
}

/* Proxy entries are in a table of their own. */
static int dump_neighs(struct nv_rtnl *rtnl, int ifindex, struct nv_rtobjs *objs)
{
	static const uint8_t tables[] = {0, NTF_PROXY};
	struct nv_request request;
	int r = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(tables) && r == 0; i++) {
		struct ndmsg *info =
			nv_request_start(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*info));

		info->ndm_flags = tables[i];
		if (ifindex)
			mnl_attr_put_u32(&request.header, NDA_IFINDEX, (uint32_t)ifindex);
		r = dump_request(rtnl, &request, objs);
	}
	return r;
}

/* With VLANs, adjacent ones as a range. Of all ports, because the kernel has no filter for one. */
static int dump_ports(struct nv_rtnl *rtnl, struct nv_rtobjs *objs)
{
	struct nv_request request;
	struct ifinfomsg *info = nv_request_start(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(*info));

	info->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(&request.header, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	return dump_request(rtnl, &request, objs);
}

static int dump_fdb(struct nv_rtnl *rtnl, int ifindex, struct nv_rtobjs *objs)
{
	struct nv_request request;
	struct ndmsg *info = nv_request_start(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*info));

	info->ndm_family = AF_BRIDGE;
	if (ifindex)
		mnl_attr_put_u32(&request.header, NDA_IFINDEX, (uint32_t)ifindex);
	return dump_request(rtnl, &request, objs);
}

static int dump_all(struct nv_rtnl *rtnl, uint16_t type, size_t header_size, struct nv_rtobjs *objs)
{
	struct nv_request request;

	nv_request_start(&request, type, NLM_F_DUMP, header_size);
	return dump_request(rtnl, &request, objs);
}

int nv_rtobjs_dump(
	struct nv_rtnl *rtnl, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs)
{
	NV_AUTO(nv_rtobjs) struct nv_rtobjs objs = {};
	int r = 0;

	switch (kind) {
	case NV_RTOBJ_ADDR:
		return -EOPNOTSUPP;
	case NV_RTOBJ_ROUTE:
		r = dump_routes(rtnl, ifindex, &objs);
		break;
	case NV_RTOBJ_NEIGH:
		r = dump_neighs(rtnl, ifindex, &objs);
		break;
	case NV_RTOBJ_RULE:
		r = dump_all(rtnl, RTM_GETRULE, sizeof(struct fib_rule_hdr), &objs);
		break;
	case NV_RTOBJ_NEXTHOP:
		r = dump_all(rtnl, RTM_GETNEXTHOP, sizeof(struct nhmsg), &objs);
		break;
	case NV_RTOBJ_BRPORT:
		r = dump_ports(rtnl, &objs);
		break;
	case NV_RTOBJ_FDB:
		r = dump_fdb(rtnl, ifindex, &objs);
		break;
	}
	if (r < 0)
		return r;
	*ret_objs = TAKE_STRUCT(objs);
	return 0;
}
