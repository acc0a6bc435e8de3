/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers VLANs and multicast groups with a VF. The host of an untrusted VF passes only frames to
 * its MAC address and to the groups and VLANs that it registered; promiscuous mode has no effect.
 * The kernel registers those of the VF itself; this file registers those of the upper and of the
 * interfaces stacked on it. With a VF that may send frames of others, MAC addresses of macvlans are
 * registered too: trusted VFs of some cards know no promiscuous mode (igb).
 */
#pragma once

#include "failover/managed.h"

/*
 * Registers the VLANs above the upper with the VF, and tells the data path what the VF may send.
 * Groups are compared soon after, for all pairs that need it at once. @path: the pair as it is in
 * the data path now. Returns 0, or -EAGAIN: the data path is locked.
 */
int nv_vf_filters_sync(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_dp_pair *path);

/*
 * Takes off what was registered with the pair's VF, which is to be somebody else's. The data path
 * has no limits for it any more.
 */
void nv_vf_filters_forget(struct nv_failover *failover, struct nv_managed *managed);

/* Begins to listen for changes of the uppers' groups. Returns 0 or -errno. */
int nv_vf_filters_open(struct nv_failover *failover);
void nv_vf_filters_close(struct nv_failover *failover);
