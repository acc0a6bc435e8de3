/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the qdisc that holds the tc filters of a link. */
#include "kernel/netlink_ops.h"

#include "kernel/attrs.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

static int clsact_note_kind(const struct nlmsghdr *message, void *data)
{
	struct nv_clsact *clsact = data;
	NV_ATTRS(attrs, TCA_KIND);

	if (message->nlmsg_type == RTM_NEWQDISC &&
		nv_attrs_read(message, sizeof(struct tcmsg), &attrs) == 0)
		nv_attr_string(&attrs, TCA_KIND, clsact->kind, sizeof(clsact->kind));
	return 0;
}

struct clsact_side {
	struct nv_clsact *clsact;
	bool egress;
};

static int clsact_note_filter(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	const struct clsact_side *side = data;
	struct nv_clsact *clsact = side->clsact;

	if (message->nlmsg_type != RTM_NEWTFILTER ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*tc) || clsact->count == NV_FILTERS_MAX)
		return 0;
	clsact->filter[clsact->count++] = (struct nv_filter){
		.egress = side->egress,
		.priority = (uint16_t)(TC_H_MAJ(tc->tcm_info) >> 16),
		.handle = tc->tcm_handle,
	};
	return 0;
}

static void clsact_start(
	struct nv_request *request, uint16_t type, uint16_t flags, int ifindex, uint32_t parent)
{
	struct tcmsg *tc = nv_request_start(request, type, flags, sizeof(*tc));

	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = parent;
}

int nv_clsact_read(struct nv_rtnl *rtnl, int ifindex, struct nv_clsact *ret_clsact)
{
	const uint32_t sides[] = {
		TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
	};
	struct nv_clsact clsact = {};
	struct nv_request request;
	int r;

	/* The answer to this request is a notification, which the sender gets only as an echo. */
	clsact_start(&request, RTM_GETQDISC, NLM_F_ACK | NLM_F_ECHO, ifindex, TC_H_CLSACT);
	r = nv_rtnl_request(rtnl, &request.header, clsact_note_kind, &clsact);
	for (size_t i = 0; r == 0 && i < NV_ARRAY_SIZE(sides); i++) {
		struct clsact_side side = {.clsact = &clsact, .egress = i};

		clsact_start(&request, RTM_GETTFILTER, NLM_F_DUMP, ifindex, sides[i]);
		r = nv_rtnl_request(rtnl, &request.header, clsact_note_filter, &side);
	}
	/* Without the qdisc: ENOENT if there never was one, EINVAL if it was removed. */
	if (r < 0 && (clsact.kind[0] || (r != -ENOENT && r != -EINVAL)))
		return r;
	*ret_clsact = clsact;
	return 0;
}
