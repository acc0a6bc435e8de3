/* SPDX-License-Identifier: BSD-2-Clause */
/* Transparent mode: hn keeps its configuration and drives the VF. */
#pragma once

#include "failover/failover.h"

/*
 * Whether the pair is to be in it, as configured and by whoever configures hn; sets
 * managed->status.manager and managed->memory.undecided, and lowers @soonest to the end of that.
 * Needs facts->answered and ->mode.
 */
bool nv_mode_decide(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest);

/* The same, as it was decided last. */
bool nv_mode_is_transparent(const struct nv_failover *failover, const struct nv_managed *managed);

/* Sets facts->waiting, and lowers @soonest to the end of that. */
void nv_mode_wait(struct nv_failover *failover, struct nv_managed *managed,
	struct nv_pair_facts *facts, uint64_t *soonest);

/*
 * The VF gets MTU and flags of hn and is set up. A failure is logged once; the VF is not used then,
 * and is to be readied again when nv_mode_wait() says so no more.
 */
void nv_mode_ready_vf(struct nv_failover *failover, struct nv_managed *managed, int vf);

/* hn was set down: its VF is, too. */
void nv_mode_stop_vf(struct nv_failover *failover, const struct nv_managed *managed, int vf);
