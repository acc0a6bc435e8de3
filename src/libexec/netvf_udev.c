/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf_udev IF: what udev(7) is to know of an interface, so that NetworkManager (NM_UNMANAGED) and
 * systemd-networkd (ID_NET_MANAGED_BY, through dist/00-netvf.network) leave the VFs and laggs of
 * pairs alone. See netvfd(8), FILES.
 */
#include "base/log.h"
#include "libexec/context.h"

#include <stdio.h>

#define PROGRAM "netvf_udev"

static bool is_lagg(const struct nv_context *context, const char *ifname)
{
	for (size_t i = 0; i < context->pairs.count; i++) {
		const struct nv_pair *pair = &context->pairs.pair[i];
		const struct nv_link *hn = nv_links_by_index(&context->links, pair->hn);
		char lagg[IFNAMSIZ];

		if (pair->match != NV_MATCH_COUPLED && hn && !nv_hn_lagg_name(hn->name, lagg) &&
			nv_streq(lagg, ifname))
			return true;
	}
	return false;
}

static bool is_vf(const struct nv_context *context, const char *ifname)
{
	const struct nv_link *link = nv_links_by_name(&context->links, ifname);
	const struct nv_pair *pair = link ? nv_pairs_by_vf(&context->pairs, link->ifindex) : NULL;

	return pair && pair->match == NV_MATCH_OURS;
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(nv_context_auto))) struct nv_context context = {};

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_WARNING);
	if (argc != 2) {
		nv_err("usage: " PROGRAM " INTERFACE");
		return 1;
	}
	if (!nv_context_open(&context) || !nv_context_look(&context))
		return 1;
	if (is_vf(&context, argv[1]) || is_lagg(&context, argv[1]))
		puts("NM_UNMANAGED=1\nID_NET_MANAGED_BY=netvf");
	return 0;
}
