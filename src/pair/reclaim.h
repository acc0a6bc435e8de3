/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often the configuration that somebody gives an hn again is moved to its lagg again. Whoever
 * does this may repeat it as soon as it is gone. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NV_RECLAIM_MAX	 5 /* times in a row */
#define NV_RECLAIM_FIRST 1000000 /* microseconds between the first and the second; then doubled */
#define NV_RECLAIM_QUIET 600000000ULL /* after so long it begins anew */

/* All zero: nothing was moved again. */
struct nv_reclaim {
	unsigned int count; /* of times in a row */
	uint64_t wait;
	uint64_t next; /* of the caller's clock */
};

/* Microseconds from @now until it may be moved; 0: now. */
uint64_t nv_reclaim_left(const struct nv_reclaim *reclaim, uint64_t now);

/* Whether the next time counts as one in a row with the last. */
bool nv_reclaim_is_in_row(const struct nv_reclaim *reclaim, uint64_t now);

/* Records that it is moved at @now. */
void nv_reclaim_note(struct nv_reclaim *reclaim, uint64_t now);
