/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/attrs.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

static int each(const struct nlmsghdr *message, void *data)
{
	int r = nv_things_take(data, message);

	return r == -ENOMSG || r == -EBADMSG ? 0 : r;
}

static int dump(struct nv_rtnl *rtnl, struct nv_request *request, struct nv_things *things)
{
	return nv_rtnl_request(rtnl, &request->header, each, things);
}

static int dump_routes(struct nv_rtnl *rtnl, int ifindex, struct nv_things *things)
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
		r = dump(rtnl, &request, things);
	}
	return r;
}

/* What is answered for as a proxy is in a table of its own. */
static int dump_neighs(struct nv_rtnl *rtnl, int ifindex, struct nv_things *things)
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
		r = dump(rtnl, &request, things);
	}
	return r;
}

/* With VLANs, neighbouring ones as a range; of all ports, for the kernel knows no other way. */
static int dump_ports(struct nv_rtnl *rtnl, struct nv_things *things)
{
	struct nv_request request;
	struct ifinfomsg *info = nv_request_start(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(*info));

	info->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(&request.header, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	return dump(rtnl, &request, things);
}

static int dump_fdb(struct nv_rtnl *rtnl, int ifindex, struct nv_things *things)
{
	struct nv_request request;
	struct ndmsg *info = nv_request_start(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*info));

	info->ndm_family = AF_BRIDGE;
	if (ifindex)
		mnl_attr_put_u32(&request.header, NDA_IFINDEX, (uint32_t)ifindex);
	return dump(rtnl, &request, things);
}

static int dump_all(
	struct nv_rtnl *rtnl, uint16_t type, size_t header_size, struct nv_things *things)
{
	struct nv_request request;

	nv_request_start(&request, type, NLM_F_DUMP, header_size);
	return dump(rtnl, &request, things);
}

int nv_things_dump(
	struct nv_rtnl *rtnl, enum nv_thing_kind kind, int ifindex, struct nv_things *ret_things)
{
	NV_AUTO(nv_things) struct nv_things things = {};
	int r = 0;

	switch (kind) {
	case NV_THING_ADDR:
		return -EOPNOTSUPP;
	case NV_THING_ROUTE:
		r = dump_routes(rtnl, ifindex, &things);
		break;
	case NV_THING_NEIGH:
		r = dump_neighs(rtnl, ifindex, &things);
		break;
	case NV_THING_RULE:
		r = dump_all(rtnl, RTM_GETRULE, sizeof(struct fib_rule_hdr), &things);
		break;
	case NV_THING_NEXTHOP:
		r = dump_all(rtnl, RTM_GETNEXTHOP, sizeof(struct nhmsg), &things);
		break;
	case NV_THING_PORT:
		r = dump_ports(rtnl, &things);
		break;
	case NV_THING_FDB:
		r = dump_fdb(rtnl, ifindex, &things);
		break;
	}
	if (r < 0)
		return r;
	*ret_things = things;
	things = (struct nv_things){};
	return 0;
}
