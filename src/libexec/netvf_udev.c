/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf_udev IF [NAME]: what udev(7) is to know of an interface, so that NetworkManager
 * (NM_UNMANAGED) and systemd-networkd (ID_NET_MANAGED_BY, through dist/00-netvf.network) leave the
 * VFs and laggs of pairs alone. NAME is what udev is about to call it: where a rule goes by the MAC
 * address, which a VF shares with its hn, the name is the hn's. udev would fail to rename the VF
 * then, and forget the rest: NETVF_KEEPS_NAME says so. See netvfd(8), FILES.
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
	bool vf;

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_WARNING);
	if (argc != 2 && argc != 3) {
		nv_err("usage: " PROGRAM " INTERFACE [NAME]");
		return 1;
	}
	if (!nv_context_open(&context) || !nv_context_look(&context))
		return 1;
	vf = is_vf(&context, argv[1]);
	if (vf || is_lagg(&context, argv[1]))
		puts("NM_UNMANAGED=1\nID_NET_MANAGED_BY=netvf");
	if (vf && argc == 3 && !nv_streq(argv[1], argv[2]) &&
		nv_links_by_name(&context.links, argv[2]))
		puts("NETVF_KEEPS_NAME=1");
	return 0;
}
