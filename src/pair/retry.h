/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When to try again what a VF has refused: drivers refuse for some moments what they take later
 * (iavf says EBUSY until its first reset is done, others ENETDOWN or EAGAIN). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The longest time between two tries: what has become possible is done within a second. */
#define NV_RETRY_MAX 800000 /* microseconds */

/* All zero: nothing was refused. */
struct nv_retry {
	int vf; /* ifindex of the one that refused; 0: none */
	uint64_t wait; /* after its last refusal, microseconds: 50 ms, then twice as long each time
			*/
	uint64_t next; /* when; microseconds of the caller's clock */
};

/* @vf has refused at @now. Returns whether this is the first time, which is worth a message. */
bool nv_retry_note(struct nv_retry *retry, int vf, uint64_t now);

/*
 * The same for what costs much or is seen by others: one second, then twice as long each time, up
 * to 32 s; one second again after as long a rest as the last wait.
 */
bool nv_retry_note_slow(struct nv_retry *retry, int vf, uint64_t now);

/* How long, from @now, until @vf is asked again; 0: it may be asked now. */
uint64_t nv_retry_left(const struct nv_retry *retry, int vf, uint64_t now);
