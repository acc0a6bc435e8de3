/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/netfilter.h"

#include "base/cleanup.h"
#include "kernel/attrs.h"
#include "kernel/rtnl.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

static int netfilter_take_table(const struct nlmsghdr *message, void *data)
{
	if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		*(bool *)data = true;
	return 0;
}

bool nv_nftables_has_tables(void)
{
	struct nv_request request;
	struct nfgenmsg *wanted = nv_request_start(&request,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP, sizeof(*wanted));
	struct nv_rtnl netfilter;
	bool found = false;
	int r = nv_rtnl_open_other(NETLINK_NETFILTER, &netfilter);

	if (r < 0)
		return r != -EPROTONOSUPPORT;
	wanted->version = NFNETLINK_V0;
	r = nv_rtnl_request(&netfilter, &request.header, netfilter_take_table, &found);
	nv_rtnl_close(&netfilter);
	/* nfnetlink_rcv_msg() refuses a subsystem that the kernel does not have with EINVAL. */
	return found || (r < 0 && r != -EINVAL && r != -EOPNOTSUPP);
}

/* The files are there once such a table was, and list those of this network namespace. */
bool nv_iptables_has_tables(void)
{
	static const char *const paths[] = {
		"/proc/self/net/ip_tables_names", "/proc/self/net/ip6_tables_names"};

	for (size_t i = 0; i < NV_ARRAY_SIZE(paths); i++) {
		NV_AUTO(nv_file) FILE *file = fopen(paths[i], "re");

		if (file ? getc(file) != EOF : errno != ENOENT)
			return true;
	}
	return false;
}
