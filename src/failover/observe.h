/* SPDX-License-Identifier: BSD-2-Clause */
/* One look at a pair: all that a step decides by, read in one place. */
#pragma once

#include "failover/failover.h"

struct nv_view {
	const struct nv_link *hn; /* NULL: it has gone; owned by the monitor, as vf */
	const struct nv_link *vf; /* NULL: there is none */
	bool ours; /* no other owner, and no doubt about which VF it is */
	uint8_t mac[NV_MAC_LEN]; /* that hn and VF share */
	struct nv_dp_pair path; /* as the data path had it, without a lagg that has gone */
	struct nv_pair_facts facts;
	uint64_t wait; /* microseconds until it is to be looked at again; UINT64_MAX: no need */
};

/*
 * @pair: as nv_pairs_find() found it. Reads the data path once, and changes nothing but what the
 * pair's memory has of time (hold-down, attach delay) and of who configures hn.
 * Returns 0, or -EAGAIN: the data path is locked.
 */
int nv_observe(struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair,
	struct nv_view *ret_view);
