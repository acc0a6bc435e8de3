/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When to repeat a request that a VF's driver has refused. Drivers refuse for some moments what
 * they accept later: iavf returns EBUSY until its first reset is done, others ENETDOWN or EAGAIN.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The longest time between two attempts: what has become possible is done within a second. */
#define NV_RETRY_MAX 800000 /* microseconds */

/* Whether an error (-errno) of a driver's is such a refusal. */
bool nv_retry_is_worth(int error);

/* All zero: nothing was refused. */
struct nv_retry {
	int vf; /* ifindex of the VF that refused; 0: none */
	uint64_t wait; /* microseconds after the last refusal: 50 ms at first, doubled each time */
	uint64_t next; /* time of the next attempt; microseconds of the caller's clock */
};

/*
 * Records that @vf refused at @now. Returns whether this is the first time, which is worth a
 * message.
 */
bool nv_retry_note(struct nv_retry *retry, int vf, uint64_t now);

/*
 * The same for attempts that are expensive or visible to others: one second at first, doubled each
 * time up to 32 s. After a pause as long as the last wait it begins with one second again.
 */
bool nv_retry_note_slow(struct nv_retry *retry, int vf, uint64_t now);

/* Microseconds from @now until the next attempt for @vf; 0: it may be made now. */
uint64_t nv_retry_left(const struct nv_retry *retry, int vf, uint64_t now);
