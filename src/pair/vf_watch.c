/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/vf_watch.h"

void nv_vf_watch_begin(
	struct nv_vf_watch *watch, const struct nv_vf_counters *counters, uint64_t now)
{
	*watch = (struct nv_vf_watch){.proved = *counters, .sent = counters->sent};
	nv_vf_watch_wake(watch, now);
}

void nv_vf_watch_wake(struct nv_vf_watch *watch, uint64_t now)
{
	watch->awake = true;
	watch->answered = now;
	watch->busy = now;
}

enum nv_vf_watch_need nv_vf_watch_look(
	struct nv_vf_watch *watch, const struct nv_vf_counters *counters, uint64_t now)
{
	bool answered = counters->answers != watch->proved.answers;
	bool heard = counters->heard != watch->proved.heard;

	if (counters->sent != watch->sent)
		watch->busy = now;
	watch->sent = counters->sent;
	if (answered)
		watch->answered = now;
	if (answered || (heard && now - watch->answered < NV_VF_WATCH_PROOF))
		watch->proved = *counters;
	if (counters->sent != watch->proved.sent)
		return NV_VF_WATCH_TRY;
	watch->awake = now - watch->busy < NV_VF_WATCH_QUIET;
	return watch->awake ? NV_VF_WATCH_LOOK : NV_VF_WATCH_SLEEP;
}
