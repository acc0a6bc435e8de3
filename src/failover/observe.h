/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads everything that a step decides by, in one place. */
#pragma once

#include "failover/managed.h"

struct nv_view {
	const struct nv_link *hn; /* NULL: it is gone; owned by the monitor, like vf */
	const struct nv_link *vf; /* NULL: there is none */
	bool in_path; /* the data path has the pair */
	bool ours; /* the match result is NV_MATCH_MANAGED */
	uint8_t mac[NV_MAC_LEN]; /* hn's MAC address, usually the VF's too */
	struct nv_dp_pair path; /* the pair in the data path, without a lagg that is gone */
	struct nv_pair_facts facts;
	uint64_t wait; /* microseconds until the next settle of this pair; UINT64_MAX: none */
};

/*
 * Fills *ret_view. @pair: from nv_pairs_find(). Reads the data path once. Changes only the pair's
 * memory of times (hold-down, attach delay) and of who configures hn. Returns 0, or -EAGAIN: the
 * data path is locked; *ret_view is untouched then.
 */
int nv_observe(struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair,
	struct nv_view *ret_view);
