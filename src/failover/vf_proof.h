/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a VF passes frames. A VF may keep its carrier although nothing passes: the host has cut
 * the link of its physical function, put it into another VLAN, or reset it.
 */
#pragma once

#include "failover/managed.h"

/* Returns 0 or -ENOMEM. */
int nv_vf_proof_open(struct nv_failover *failover);
void nv_vf_proof_close(struct nv_failover *failover);

/* Fills facts->unproved. The other facts must be filled. */
void nv_vf_proof_observe(struct nv_managed *managed, struct nv_pair_facts *facts);

/*
 * Begins the trial of a usable VF that traffic has not used yet. Call it after the commands of a
 * step: the VF must be in the data path. Returns whether there is nothing to try it with. It counts
 * as one that passes frames then: observe again.
 */
bool nv_vf_proof_begin(struct nv_failover *failover, struct nv_managed *managed);

/* Begins to watch the VF. Call it after the commands of a step. */
void nv_vf_proof_follow(struct nv_failover *failover, struct nv_managed *managed);

/* Seconds since the VF was found to pass nothing; 0: it was not. */
double nv_vf_proof_failed(const struct nv_failover *failover, const struct nv_managed *managed);
