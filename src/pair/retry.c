/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/retry.h"

#define RETRY_FIRST	 50000 /* microseconds */
#define RETRY_SLOW_FIRST 1000000
#define RETRY_SLOW_MAX	 32000000

bool nv_retry_note_slow(struct nv_retry *retry, int vf, uint64_t now)
{
	bool first = retry->vf != vf || now > retry->next + retry->wait;
	uint64_t wait = first ? RETRY_SLOW_FIRST : 2 * retry->wait;

	wait = wait < RETRY_SLOW_MAX ? wait : RETRY_SLOW_MAX;
	*retry = (struct nv_retry){.vf = vf, .wait = wait, .next = now + wait};
	return first;
}

bool nv_retry_note(struct nv_retry *retry, int vf, uint64_t now)
{
	bool first = retry->vf != vf;
	uint64_t wait = first ? RETRY_FIRST : 2 * retry->wait;

	wait = wait < NV_RETRY_MAX ? wait : NV_RETRY_MAX;
	*retry = (struct nv_retry){.vf = vf, .wait = wait, .next = now + wait};
	return first;
}

uint64_t nv_retry_left(const struct nv_retry *retry, int vf, uint64_t now)
{
	return retry->vf == vf && retry->next > now ? retry->next - now : 0;
}
