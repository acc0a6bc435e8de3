/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When an active VF is tried, because what its counters say is no proof that it passes frames.
 * Pure. Times are microseconds of one clock.
 *
 * Counters are looked at while the guest sends by the VF, and not while it is quiet. Frames to one
 * station that arrive show that the VF receives; only an answer shows that it sends, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NV_VF_WATCH_PERIOD 500000 /* between two looks */
#define NV_VF_WATCH_QUIET  2000000 /* the guest sends nothing for so long: no more looks */
#define NV_VF_WATCH_PROOF  5000000 /* so long an answer holds, while frames arrive */

struct nv_vf_counters {
	uint64_t sent; /* by the VF */
	uint64_t heard; /* frames to one station that the VF has received */
	uint64_t answers; /* that either port has received */
};

/* All zero: nobody watches. */
struct nv_vf_watch {
	bool awake;
	struct nv_vf_counters proved; /* the counters when there was proof for the last time */
	uint64_t answered; /* when there was an answer for the last time */
	uint64_t sent; /* by the VF, at the last look */
	uint64_t busy; /* when that has changed for the last time */
};

enum nv_vf_watch_need {
	NV_VF_WATCH_LOOK, /* look again after NV_VF_WATCH_PERIOD */
	NV_VF_WATCH_TRY, /* the same, and the VF is to be tried (trial.h) */
	NV_VF_WATCH_SLEEP, /* nothing until the guest sends by the VF again: nv_vf_watch_wake() */
};

/* Begins with a VF that has just shown that it passes frames. */
void nv_vf_watch_begin(
	struct nv_vf_watch *watch, const struct nv_vf_counters *counters, uint64_t now);

/* The guest sends by the VF again. */
void nv_vf_watch_wake(struct nv_vf_watch *watch, uint64_t now);

enum nv_vf_watch_need nv_vf_watch_look(
	struct nv_vf_watch *watch, const struct nv_vf_counters *counters, uint64_t now);
