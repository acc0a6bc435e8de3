/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hold-down: how long a VF must have been usable without a break before traffic returns to it.
 * Pure.
 *
 * There is none at first. Each time the VF is lost soon after the return, the next hold-down is
 * twice as long. A VF that stays for longer clears it. Nothing ever holds traffic on a VF. Times
 * are microseconds of one clock.
 */
#pragma once

#include <stdint.h>

#define NV_HOLDDOWN_FIRST (100 * 1000ULL) /* the hold-down after the first flap */
/* a VF that is lost earlier than this after the return has flapped */
#define NV_HOLDDOWN_SOON (500 * 1000ULL)

/* All zero: the VF has not flapped. */
struct nv_holddown {
	unsigned int flaps; /* in a row */
	uint64_t usable_since; /* 0: it is not usable */
	uint64_t active_since; /* 0: it is not active */
};

/*
 * Records the state at @now. Call it whenever the state may have changed.
 * @on_vf: the VF is the active port.
 */
void nv_holddown_note(struct nv_holddown *holddown, uint64_t now, int usable, int on_vf);

/*
 * The rest of the hold-down at @now; 0: traffic may return to the VF.
 * @limit: the longest hold-down (netvf_holddown); 0: there is none.
 */
uint64_t nv_holddown_left(const struct nv_holddown *holddown, uint64_t now, uint64_t limit);
