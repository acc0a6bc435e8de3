/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One trial of a VF: neighbours are asked through it; if nobody answers, through hn. Pure; the
 * caller sends the requests and counts the answers. Times are microseconds of one clock.
 *
 * An answer that arrives by either port counts, because the host decides by which it comes. While
 * traffic is on hn, the kernel asks its neighbours by hn, too. So a VF that has failed is tried
 * again after a time of listening: if hn brings answers then, only those that the VF brings count.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NV_TRIAL_LISTEN_TIME 250000
#define NV_TRIAL_VF_TIME     250000
#define NV_TRIAL_HN_TIME     200000

enum nv_trial_phase {
	NV_TRIAL_NONE,
	NV_TRIAL_LISTEN,
	NV_TRIAL_VF, /* the VF is asked through */
	NV_TRIAL_HN,
};

/* ARP replies and neighbour advertisements that a port has received. */
struct nv_trial_answers {
	uint64_t vf;
	uint64_t hn;
};

/* All zero: there is no trial. */
struct nv_trial {
	enum nv_trial_phase phase;
	bool hn_usable;
	bool noisy; /* hn brings answers of others */
	unsigned int asked; /* how often in this phase */
	uint64_t begun; /* when the phase began */
	uint64_t next; /* when to call nv_trial_step() again */
	struct nv_trial_answers before; /* this phase */
};

enum nv_trial_verdict {
	NV_TRIAL_WAIT,
	NV_TRIAL_ASK_VF, /* send the requests by the VF now */
	NV_TRIAL_ASK_HN,
	/* The trial has ended: */
	NV_TRIAL_PASSED, /* the VF passes frames */
	NV_TRIAL_FAILED, /* it does not, and hn does */
	NV_TRIAL_NOBODY, /* nobody answers by any port that could be tried */
};

/* @listen: traffic is on hn because the VF has failed before. */
void nv_trial_begin(struct nv_trial *trial, bool listen, bool hn_usable,
	const struct nv_trial_answers *answers, uint64_t now);

/*
 * Takes one step at trial->next or later. @answers: the counters now. With one of the last three
 * verdicts *trial is all zero again.
 */
enum nv_trial_verdict nv_trial_step(
	struct nv_trial *trial, const struct nv_trial_answers *answers, uint64_t now);
