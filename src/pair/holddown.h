/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hold-down: how long a VF must have been usable without a break before traffic returns to it.
 * Pure.
 *
 * None at first. Each time the VF is lost soon after the return, the next one waits longer, twice
 * as long each time; a VF that stays is trusted again. Nothing ever holds traffic on a VF. Times
 * are microseconds of one clock.
 */
#pragma once

#include <stdint.h>

#define NV_HOLDDOWN_FIRST (100 * 1000ULL) /* after the first flap */
#define NV_HOLDDOWN_SOON  (500 * 1000ULL) /* lost sooner than this after the return: a flap */

/* All zero: a VF that has not flapped. */
struct nv_holddown {
	unsigned int flaps; /* in a row */
	uint64_t usable_since; /* 0: is not */
	uint64_t active_since; /* 0: is not */
};

/*
 * Takes note of what is so at @now; to be called whenever that may have changed.
 * @on_vf: traffic goes by the VF.
 */
void nv_holddown_note(struct nv_holddown *holddown, uint64_t now, int usable, int on_vf);

/*
 * How long, from @now, traffic has to stay off the VF; 0: it may return.
 * @limit: the longest wait, netvf_holddown; 0: there is none.
 */
uint64_t nv_holddown_left(const struct nv_holddown *holddown, uint64_t now, uint64_t limit);
