/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attach delay of transparent mode (hn(4): hw.hn.vf_xpnt_attwait): for how long a new VF is not
 * used, so that its driver can finish. Pure. Times are microseconds of one clock.
 */
#pragma once

#include <stdint.h>

/* All zero: no VF was seen yet. */
struct nv_attach_delay {
	int vf; /* ifindex; 0: none */
	uint64_t since; /* when it appeared; 0: before netvfd started */
};

/* @vf existed when netvfd started: there is no delay for it. */
void nv_attach_delay_skip(struct nv_attach_delay *attwait, int vf);

/*
 * The rest of the delay of @vf at @now; 0: it is over, or there is no VF. Call it whenever the VF
 * may have changed. @limit: the whole delay.
 */
uint64_t nv_attach_delay_left(
	struct nv_attach_delay *attwait, int vf, uint64_t now, uint64_t limit);
