/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/retry.h"

#include <errno.h>

#define RETRY_FIRST	 50000 /* microseconds */
#define RETRY_SLOW_FIRST 1000000
#define RETRY_SLOW_MAX	 32000000

static bool retry_set(
	struct nv_retry *retry, int vf, uint64_t now, bool first, uint64_t begin, uint64_t most)
{
	uint64_t wait = first ? begin : 2 * retry->wait;

	wait = wait < most ? wait : most;
	*retry = (struct nv_retry){.vf = vf, .wait = wait, .next = now + wait};
	return first;
}

bool nv_retry_is_worth(int error)
{
	return error == -EBUSY || error == -EAGAIN || error == -ENETDOWN || error == -ENODEV;
}

bool nv_retry_note_slow(struct nv_retry *retry, int vf, uint64_t now)
{
	bool first = retry->vf != vf || now > retry->next + retry->wait;

	return retry_set(retry, vf, now, first, RETRY_SLOW_FIRST, RETRY_SLOW_MAX);
}

bool nv_retry_note(struct nv_retry *retry, int vf, uint64_t now)
{
	return retry_set(retry, vf, now, retry->vf != vf, RETRY_FIRST, NV_RETRY_MAX);
}

uint64_t nv_retry_left(const struct nv_retry *retry, int vf, uint64_t now)
{
	return retry->vf == vf && retry->next > now ? retry->next - now : 0;
}
