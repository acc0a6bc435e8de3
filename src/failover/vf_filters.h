/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VF's own filters let pass. A host gives a VF that it does not trust only its MAC address,
 * the groups and the VLANs that it asked for, and no promiscuous mode changes that. The kernel asks
 * for those of the VF itself; here those of the upper, and of what stands on it, are asked for.
 */
#pragma once

#include "datapath/datapath.h"

struct nv_failover;
struct nv_managed;

/* What was asked for; the groups are the kernel's to remember. */
struct nv_vf_filters {
	int vf; /* ifindex; 0: nothing of any */
	struct nv_dp_limits limits; /* as the data path has them */
	uint64_t refused[4096 / 64]; /* VLANs that the VF does not take */
};

/*
 * Registers with the VF the VLANs above the upper, and tells the data path what the VF may send.
 * Groups are looked at soon after, all at once. @path: as the data path has the pair now. Returns
 * 0, or -EAGAIN: the data path is locked.
 */
int nv_vf_filters_sync(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_dp_pair *path);

/* Begins to hear when the groups of uppers change. Returns 0 or -errno. */
int nv_vf_filters_open(struct nv_failover *failover);
void nv_vf_filters_close(struct nv_failover *failover);
