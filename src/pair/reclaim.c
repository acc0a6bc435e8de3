/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/reclaim.h"

uint64_t nv_reclaim_left(const struct nv_reclaim *reclaim, uint64_t now)
{
	uint64_t next = reclaim->next;

	if (reclaim->count >= NV_RECLAIM_MAX)
		next += NV_RECLAIM_QUIET;
	return next > now ? next - now : 0;
}

bool nv_reclaim_is_in_row(const struct nv_reclaim *reclaim, uint64_t now)
{
	return reclaim->count && now < reclaim->next + NV_RECLAIM_QUIET;
}

void nv_reclaim_note(struct nv_reclaim *reclaim, uint64_t now)
{
	if (!nv_reclaim_is_in_row(reclaim, now))
		*reclaim = (struct nv_reclaim){};
	reclaim->wait = reclaim->count ? 2 * reclaim->wait : NV_RECLAIM_FIRST;
	reclaim->next = now + reclaim->wait;
	reclaim->count++;
}
