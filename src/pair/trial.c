/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/trial.h"

#include <stddef.h>

#define LOOK_FIRST 1000 /* after a request, an answer is looked for; the neighbour is near */
#define LOOK_LAST  20000

/* When the requests are sent, since the phase began. */
static const uint64_t trial_asks[] = {0, 60000, 140000};

#define ASKS (sizeof(trial_asks) / sizeof(trial_asks[0]))

static uint64_t trial_time(enum nv_trial_phase phase)
{
	switch (phase) {
	case NV_TRIAL_NONE:
		return 0;
	case NV_TRIAL_LISTEN:
		return NV_TRIAL_LISTEN_TIME;
	case NV_TRIAL_VF:
		return NV_TRIAL_VF_TIME;
	case NV_TRIAL_HN:
		return NV_TRIAL_HN_TIME;
	}
	return 0;
}

static void trial_enter(struct nv_trial *trial, enum nv_trial_phase phase,
	const struct nv_trial_answers *answers, uint64_t now)
{
	trial->phase = phase;
	trial->asked = 0;
	trial->begun = now;
	trial->next = now;
	trial->before = *answers;
}

void nv_trial_begin(struct nv_trial *trial, bool listen, bool hn_usable,
	const struct nv_trial_answers *answers, uint64_t now)
{
	*trial = (struct nv_trial){.hn_usable = hn_usable};
	trial_enter(trial, listen ? NV_TRIAL_LISTEN : NV_TRIAL_VF, answers, now);
}

static enum nv_trial_verdict trial_end(struct nv_trial *trial, enum nv_trial_verdict verdict)
{
	*trial = (struct nv_trial){};
	return verdict;
}

/* The phase goes on: asks if it is time to. */
static enum nv_trial_verdict trial_go_on(struct nv_trial *trial, uint64_t now)
{
	uint64_t been = now - trial->begun;
	uint64_t end = trial_time(trial->phase);
	uint64_t look = been / 2 < LOOK_LAST ? been / 2 : LOOK_LAST;
	bool asks = trial->phase != NV_TRIAL_LISTEN && trial->asked < ASKS;
	bool due = asks && been >= trial_asks[trial->asked];

	trial->asked += due;
	if (trial->phase == NV_TRIAL_LISTEN)
		look = end;
	look = look > LOOK_FIRST ? look : LOOK_FIRST;
	if (asks && trial->asked < ASKS && trial_asks[trial->asked] < been + look)
		look = trial_asks[trial->asked] - been;
	if (end < been + look)
		look = end - been;
	trial->next = now + look;
	if (!due)
		return NV_TRIAL_WAIT;
	return trial->phase == NV_TRIAL_VF ? NV_TRIAL_ASK_VF : NV_TRIAL_ASK_HN;
}

enum nv_trial_verdict nv_trial_step(
	struct nv_trial *trial, const struct nv_trial_answers *answers, uint64_t now)
{
	bool by_vf = answers->vf != trial->before.vf;
	bool by_hn = answers->hn != trial->before.hn;
	bool over = now - trial->begun >= trial_time(trial->phase);

	switch (trial->phase) {
	case NV_TRIAL_NONE:
		return NV_TRIAL_NOBODY;
	case NV_TRIAL_LISTEN:
		if (!over)
			break;
		trial->noisy = by_hn;
		trial_enter(trial, NV_TRIAL_VF, answers, now);
		break;
	case NV_TRIAL_VF:
		if (by_vf || (by_hn && !trial->noisy))
			return trial_end(trial, NV_TRIAL_PASSED);
		if (over && !trial->hn_usable)
			return trial_end(trial, NV_TRIAL_NOBODY);
		if (over)
			trial_enter(trial, NV_TRIAL_HN, answers, now);
		break;
	case NV_TRIAL_HN:
		if (by_vf || by_hn)
			return trial_end(trial, NV_TRIAL_FAILED);
		if (over)
			return trial_end(trial, NV_TRIAL_NOBODY);
		break;
	}
	return trial_go_on(trial, now);
}
