/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/holddown.h"

#define FLAPS_MAX 30 /* keeps the shift below the width of the type */

static uint64_t holddown_wait_of(unsigned int flaps, uint64_t limit)
{
	uint64_t wait = flaps ? NV_HOLDDOWN_FIRST << (flaps - 1) : 0;

	return wait < limit ? wait : limit;
}

/*
 * A VF that is lost earlier than this after the return has flapped. The limit grows with the
 * hold-down. Otherwise a VF that stays a little longer than a fixed limit would not count.
 */
static uint64_t holddown_flap_limit(unsigned int flaps)
{
	uint64_t wait = holddown_wait_of(flaps, UINT64_MAX);

	return wait > NV_HOLDDOWN_SOON ? wait : NV_HOLDDOWN_SOON;
}

void nv_holddown_note(struct nv_holddown *holddown, uint64_t now, int usable, int on_vf)
{
	if (!usable)
		holddown->usable_since = 0;
	else if (!holddown->usable_since)
		holddown->usable_since = now;

	if (on_vf && usable) {
		if (!holddown->active_since)
			holddown->active_since = now;
		else if (now - holddown->active_since >= holddown_flap_limit(holddown->flaps))
			holddown->flaps = 0;
	} else if (holddown->active_since) {
		if (now - holddown->active_since >= holddown_flap_limit(holddown->flaps))
			holddown->flaps = 0;
		else if (!usable && holddown->flaps < FLAPS_MAX)
			holddown->flaps++;
		holddown->active_since = 0;
	}
}

uint64_t nv_holddown_left(const struct nv_holddown *holddown, uint64_t now, uint64_t limit)
{
	uint64_t wait = holddown_wait_of(holddown->flaps, limit);
	uint64_t been = holddown->usable_since ? now - holddown->usable_since : 0;

	return been < wait ? wait - been : 0;
}
