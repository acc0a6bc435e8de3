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

static bool is_lagg(const struct nv_scene *scene, const char *ifname)
{
	for (size_t i = 0; i < scene->pairs.count; i++) {
		const struct nv_pair *pair = &scene->pairs.pair[i];
		const struct nv_link *hn = nv_links_by_index(&scene->links, pair->hn);
		char lagg[IFNAMSIZ];

		if (pair->verdict != NV_PAIR_COUPLED && hn && !nv_hn_lagg_name(hn->name, lagg) &&
			nv_streq(lagg, ifname))
			return true;
	}
	return false;
}

static bool is_vf(const struct nv_scene *scene, const char *ifname)
{
	const struct nv_link *link = nv_links_by_name(&scene->links, ifname);
	const struct nv_pair *pair = link ? nv_pairs_by_vf(&scene->pairs, link->ifindex) : NULL;

	return pair && pair->verdict == NV_PAIR_OURS;
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(nv_scene_auto))) struct nv_scene scene = {};

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_WARNING);
	if (argc != 2) {
		nv_err("usage: " PROGRAM " INTERFACE");
		return 1;
	}
	if (!nv_scene_open(&scene) || !nv_scene_look(&scene))
		return 1;
	if (is_vf(&scene, argv[1]) || is_lagg(&scene, argv[1]))
		puts("NM_UNMANAGED=1\nID_NET_MANAGED_BY=netvf");
	return 0;
}
