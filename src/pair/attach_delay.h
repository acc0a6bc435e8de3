/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attach wait of transparent mode, hn(4)'s hw.hn.vf_xpnt_attwait: how long a VF is left alone
 * after it has come, so that its driver and whoever names it can finish. Pure. Times are
 * microseconds of one clock.
 */
#pragma once

#include <stdint.h>

/* All zero: no VF so far. */
struct nv_attach_delay {
	int vf; /* ifindex; 0: none */
	uint64_t since; /* when it came; 0: before netvfd, that is, long ago */
};

/* @vf was there already when netvfd came: it is not left alone. */
void nv_attach_delay_skip(struct nv_attach_delay *attwait, int vf);

/*
 * How long, from @now, @vf is to be left alone; 0: not (any more), or there is none. To be called
 * whenever the VF may have changed. @limit: the wait.
 */
uint64_t nv_attach_delay_left(
	struct nv_attach_delay *attwait, int vf, uint64_t now, uint64_t limit);
