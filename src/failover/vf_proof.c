/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests go out past the programs at tc, so each leaves by the port that it is to try. Answers
 * are counted by the programs (nv_dp_counters.answers); nothing here reads a frame.
 *
 * While hn is tried, it carries the guest's traffic, too. Otherwise the next frame by the VF would
 * lead the host's switch, and so the answer, back to the VF.
 */
#include "failover/vf_proof.h"

#include "base/log.h"
#include "failover/concern.h"
#include "failover/managed_table.h"
#include "pair/requests.h"
#include "pair/uppers.h"

#include <errno.h>
#include <string.h>

#define OPEN_LOOK (NV_USEC_PER_SEC / 100)

/* The counters of both ports. */
struct proof_counters {
	struct nv_trial_answers answers;
	struct nv_vf_counters watched;
};

static int proof_read(struct nv_failover *failover, const struct nv_managed *managed,
	struct proof_counters *ret_counters)
{
	struct nv_dp_counters hn;
	struct nv_dp_counters vf;
	int r = nv_datapath_counters(failover->datapath, managed->id.hn, &hn);

	if (r == 0)
		r = nv_datapath_counters(failover->datapath, managed->proof.vf, &vf);
	if (r < 0)
		return r;
	*ret_counters = (struct proof_counters){
		.answers = {.vf = vf.answers, .hn = hn.answers},
		.watched = {.sent = vf.tx.packets,
			.heard = vf.heard,
			.answers = vf.answers + hn.answers},
	};
	return 0;
}

static void proof_add_requests(struct nv_failover *failover, const struct nv_dp_pair *path,
	const uint8_t *port_mac, int ifindex, struct nv_requests *requests)
{
	NV_AUTO(nv_neighs) struct nv_neighs neighs = {};
	NV_AUTO(nv_groups) struct nv_groups behind = {};
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	struct nv_requests_view view = {
		.links = links,
		.addrs = nv_monitor_addrs(failover->monitor),
		.neighs = &neighs,
		.link = nv_links_by_index(links, ifindex),
		.upper = nv_dp_pair_upper(path),
		.mac = path->mac,
		.port_mac = port_mac,
	};
	int r = nv_kernel_neighs(failover->kernel, ifindex, &neighs);

	if (view.link && nv_streq(view.link->kind, "bridge") &&
		nv_kernel_bridged(failover->kernel, view.upper, &behind) == 0)
		view.behind = &behind;
	if (r < 0 && r != -ENODEV)
		nv_warn("cannot list the neighbours of %s: %s; its VF is not tried",
			view.link->name, nv_strerror(r));
	nv_requests_add(requests, &view);
}

/* Frames in a VLAN that the VF has refused leave by hn, whichever port is active. */
static bool proof_is_of_hn(const struct nv_managed *managed, const struct nv_link *link)
{
	return nv_streq(link->kind, "vlan") && managed->vf_filters.limits.vf == managed->proof.vf &&
	       !nv_dp_limits_has_vlan(&managed->vf_filters.limits, link);
}

static void proof_find_requests(struct nv_failover *failover, const struct nv_managed *managed,
	int port, struct nv_requests *ret_requests)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const uint8_t none[NV_MAC_LEN] = {};
	int ifindex[NV_UPPERS_MAX];
	struct nv_dp_pair path;
	bool has_own_mac;
	size_t count;

	ret_requests->count = 0;
	if (nv_datapath_get(failover->datapath, managed->id.hn, &path) < 0)
		return;
	has_own_mac = port == path.vf && memcmp(path.vf_mac, none, sizeof(none)) != 0;
	count = nv_uppers_find(links, nv_dp_pair_upper(&path), ifindex);
	for (size_t i = 0; i < count && ret_requests->count < NV_REQUESTS_MAX; i++)
		if (!proof_is_of_hn(managed, nv_links_by_index(links, ifindex[i])))
			proof_add_requests(failover, &path, has_own_mac ? path.vf_mac : path.mac,
				ifindex[i], ret_requests);
}

/*
 * Returns whether there is a neighbour to ask. A frame that cannot be sent counts as one that is
 * not answered.
 */
static bool proof_ask(struct nv_failover *failover, const struct nv_managed *managed, int port)
{
	struct nv_requests requests;

	proof_find_requests(failover, managed, port, &requests);
	for (size_t i = 0; i < requests.count; i++)
		nv_kernel_send_direct(
			failover->kernel, port, requests.frame[i].bytes, requests.frame[i].length);
	return requests.count;
}

static bool proof_has_neighbours(struct nv_failover *failover, const struct nv_managed *managed)
{
	struct nv_requests requests;

	proof_find_requests(failover, managed, managed->proof.vf, &requests);
	return requests.count;
}

/* hn takes the traffic for as long as it is tried. */
static void proof_lend(struct nv_failover *failover, struct nv_managed *managed)
{
	if (managed->state.active != NV_PORT_VF)
		return;
	nv_datapath_activate(failover->datapath, managed->id.hn, NV_PORT_HN);
	managed->proof.lent = true;
}

static void proof_give_back(struct nv_failover *failover, struct nv_managed *managed)
{
	if (managed->proof.lent && managed->state.active == NV_PORT_VF)
		nv_datapath_activate(failover->datapath, managed->id.hn, NV_PORT_VF);
	managed->proof.lent = false;
}

static void proof_tell_failed(const struct nv_managed *managed)
{
	nv_warn("%s: its VF %s has a carrier, but passes no frames: neighbours do not answer through it, and do through %s, which has the traffic. Find out at the host what it did to the VF (link of the physical function, VLAN, MAC address, reset); netvfd tries the VF again by itself",
		managed->id.hn_name, managed->id.vf_name, managed->id.hn_name);
}

static void proof_pass(struct nv_failover *failover, struct nv_managed *managed,
	const struct proof_counters *counters, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;
	enum nv_proof_state before = proof->state;

	proof->state = NV_PROOF_GOOD;
	proof->told_silence = false;
	nv_vf_watch_begin(&proof->watch, &counters->watched, now);
	if (before == NV_PROOF_FAILED)
		nv_notice("%s: its VF %s passes frames again", managed->id.hn_name,
			managed->id.vf_name);
	if (before != NV_PROOF_GOOD)
		nv_concern_soon(failover, managed->id.hn);
}

static void proof_fail(struct nv_failover *failover, struct nv_managed *managed, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;
	bool first = nv_retry_note_slow(&proof->retry, proof->vf, now);

	if (proof->state == NV_PROOF_FAILED) {
		proof_give_back(failover, managed);
		return;
	}
	proof->state = NV_PROOF_FAILED;
	proof->failed = now;
	if (first)
		proof_tell_failed(managed);
	nv_concern_soon(failover, managed->id.hn);
}

/* A VF that has not been used yet. */
static void proof_let_in(struct nv_failover *failover, struct nv_managed *managed)
{
	managed->proof.state = NV_PROOF_GOOD;
	nv_concern_soon(failover, managed->id.hn);
}

/* Nobody answers: the neighbours may be dead, so the VF is not to blame. */
static void proof_let(struct nv_failover *failover, struct nv_managed *managed,
	const struct proof_counters *counters, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;

	proof_give_back(failover, managed);
	if (proof->state == NV_PROOF_FAILED) {
		nv_retry_note_slow(&proof->retry, proof->vf, now);
		return;
	}
	if (proof->state == NV_PROOF_NONE) {
		proof_let_in(failover, managed);
		return;
	}
	nv_retry_note_slow(&proof->silence, proof->vf, now);
	if (!proof->told_silence)
		nv_notice(
			"%s: no neighbour answers, neither through its VF %s nor through %s; the traffic stays on the VF",
			managed->id.hn_name, managed->id.vf_name, managed->id.hn_name);
	proof->told_silence = true;
	nv_vf_watch_begin(&proof->watch, &counters->watched, now);
}

static void proof_try(struct nv_failover *failover, struct nv_managed *managed,
	const struct proof_counters *counters, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;

	switch (nv_trial_step(&proof->trial, &counters->answers, now)) {
	case NV_TRIAL_WAIT:
		break;
	case NV_TRIAL_ASK_VF:
		proof_ask(failover, managed, proof->vf);
		break;
	case NV_TRIAL_ASK_HN:
		proof_lend(failover, managed);
		proof_ask(failover, managed, managed->id.hn);
		break;
	case NV_TRIAL_PASSED:
		proof_pass(failover, managed, counters, now);
		break;
	case NV_TRIAL_FAILED:
		proof_fail(failover, managed, now);
		break;
	case NV_TRIAL_NOBODY:
		proof_let(failover, managed, counters, now);
		break;
	}
}

/*
 * Returns false, and begins none, if there is no neighbour to ask. The trial of a VF that has
 * failed begins with a time of listening, any other with the requests.
 */
static bool proof_begin_trial(struct nv_failover *failover, struct nv_managed *managed,
	const struct proof_counters *counters, uint64_t now)
{
	const struct nv_link *hn =
		nv_links_by_index(nv_monitor_links(failover->monitor), managed->id.hn);
	struct nv_vf_proof *proof = &managed->proof;
	bool listen = proof->state == NV_PROOF_FAILED;

	if (listen && !proof_has_neighbours(failover, managed))
		return false;
	nv_trial_begin(&proof->trial, listen, hn && nv_link_usable(hn), &counters->answers, now);
	if (nv_trial_step(&proof->trial, &counters->answers, now) == NV_TRIAL_ASK_VF &&
		!proof_ask(failover, managed, proof->vf)) {
		proof->trial = (struct nv_trial){};
		return false;
	}
	return true;
}

/* A VF that failed, and whose time to be tried again may have come. */
static void proof_retry(struct nv_failover *failover, struct nv_managed *managed,
	const struct proof_counters *counters, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;

	if (nv_retry_left(&proof->retry, proof->vf, now))
		return;
	if (!proof_begin_trial(failover, managed, counters, now))
		nv_retry_note_slow(&proof->retry, proof->vf, now);
}

/* What a direct VF receives is not counted. */
static bool proof_is_direct(struct nv_failover *failover, const struct nv_managed *managed)
{
	struct nv_dp_pair path;

	return nv_datapath_get(failover->datapath, managed->id.hn, &path) < 0 ||
	       nv_dp_pair_is_direct(&path);
}

static void proof_watch(struct nv_failover *failover, struct nv_managed *managed,
	const struct proof_counters *counters, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;

	proof->look = now + NV_VF_WATCH_PERIOD;
	if (proof_is_direct(failover, managed)) {
		proof->watch.awake = false;
		return;
	}
	switch (nv_vf_watch_look(&proof->watch, &counters->watched, now)) {
	case NV_VF_WATCH_LOOK:
		break;
	case NV_VF_WATCH_TRY:
		if (nv_retry_left(&proof->silence, proof->vf, now))
			break;
		if (!proof_begin_trial(failover, managed, counters, now))
			nv_vf_watch_begin(&proof->watch, &counters->watched, now);
		break;
	case NV_VF_WATCH_SLEEP:
		proof->watch.awake =
			!nv_datapath_await_traffic(failover->datapath, managed->id.hn, proof->vf);
		break;
	}
}

/* Does what is due. */
static void proof_look(struct nv_failover *failover, struct nv_managed *managed, uint64_t now)
{
	struct nv_vf_proof *proof = &managed->proof;
	struct proof_counters counters;

	if (!proof->vf)
		return;
	if (proof_read(failover, managed, &counters) < 0) {
		/* The VF is leaving the data path; if it is not, the next step begins anew. */
		proof->trial = (struct nv_trial){};
		if (proof->state == NV_PROOF_NONE)
			nv_concern_soon(failover, managed->id.hn);
		proof->look = now + NV_VF_WATCH_PERIOD;
		nv_retry_note_slow(&proof->retry, proof->vf, now);
		return;
	}
	if (proof->trial.phase) {
		if (now >= proof->trial.next)
			proof_try(failover, managed, &counters, now);
	} else if (proof->state == NV_PROOF_FAILED) {
		proof_retry(failover, managed, &counters, now);
	} else if (proof->watching && proof->watch.awake && now >= proof->look) {
		proof_watch(failover, managed, &counters, now);
	}
}

/* When there is something to do; UINT64_MAX: never. */
static uint64_t proof_due(const struct nv_managed *managed)
{
	const struct nv_vf_proof *proof = &managed->proof;

	if (!proof->vf || managed->memory.override == NV_OVERRIDE_HN)
		return UINT64_MAX;
	if (proof->trial.phase)
		return proof->trial.next;
	if (proof->state == NV_PROOF_FAILED)
		return proof->retry.next;
	return proof->watching && proof->watch.awake ? proof->look : UINT64_MAX;
}

static void proof_arm(struct nv_failover *failover)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t due = failover->traffic ? now : nv_deadlines_next(&failover->proofs);

	if (due == NV_NEVER)
		nv_watch_disarm(failover->proof);
	else
		nv_watch_arm(failover->proof, due > now ? due - now : 0);
}

static void proof_note_due(struct nv_failover *failover, const struct nv_managed *managed)
{
	uint64_t due = proof_due(managed);
	uint64_t now = nv_loop_now(failover->loop);

	/* Not now: the loop has its turn first. */
	nv_deadlines_set(&failover->proofs, managed->id.hn, due > now ? due : now + 1);
}

/* A program has reported that the guest sends by a VF again. */
static void proof_wake(struct nv_failover *failover, uint64_t now)
{
	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_vf_proof *proof = &failover->managed[i].proof;

		if (proof->watch.awake || !proof->watching)
			continue;
		nv_vf_watch_wake(&proof->watch, now);
		proof->look = now + NV_VF_WATCH_PERIOD;
		proof_note_due(failover, &failover->managed[i]);
	}
}

static void proof_look_due(void *data)
{
	struct nv_failover *failover = data;
	uint64_t now = nv_loop_now(failover->loop);
	int hn;

	if (failover->traffic)
		proof_wake(failover, now);
	failover->traffic = false;
	while ((hn = nv_deadlines_take(&failover->proofs, now)) >= 0) {
		struct nv_managed *managed = nv_managed_find(failover, hn);

		if (!managed)
			continue;
		proof_look(failover, managed, now);
		proof_note_due(failover, managed);
	}
	proof_arm(failover);
}

int nv_vf_proof_open(struct nv_failover *failover)
{
	return nv_loop_watch_timer(failover->loop, proof_look_due, failover, &failover->proof);
}

void nv_vf_proof_close(struct nv_failover *failover)
{
	nv_watch_free(failover->proof);
}

void nv_vf_proof_observe(struct nv_managed *managed, struct nv_pair_facts *facts)
{
	struct nv_vf_proof *proof = &managed->proof;
	int vf = facts->vf_usable ? facts->vf : 0;

	if (proof->vf != vf) {
		proof->vf = vf;
		proof->state = NV_PROOF_NONE;
		proof->trial = (struct nv_trial){};
		proof->watching = false;
	}
	if (proof->state == NV_PROOF_NONE && managed->state.active == NV_PORT_VF)
		proof->state = NV_PROOF_GOOD;
	facts->unproved = vf && proof->state != NV_PROOF_GOOD;
}

/*
 * Whether the VF is usable, and neither used nor tried. An administrator who keeps traffic on hn
 * does not want the host to hear the guest by the VF: then it is not tried again either.
 */
static bool proof_is_open(const struct nv_managed *managed)
{
	const struct nv_vf_proof *proof = &managed->proof;

	return proof->vf && proof->state == NV_PROOF_NONE && !proof->trial.phase &&
	       managed->state.active != NV_PORT_VF && managed->memory.override != NV_OVERRIDE_HN;
}

bool nv_vf_proof_begin(struct nv_failover *failover, struct nv_managed *managed)
{
	struct nv_vf_proof *proof = &managed->proof;
	struct proof_counters counters;

	if (!proof_is_open(managed))
		return false;
	if (proof_read(failover, managed, &counters) == 0 &&
		proof_begin_trial(failover, managed, &counters, nv_loop_now(failover->loop)))
		return false;
	proof->state = NV_PROOF_GOOD;
	return true;
}

/*
 * An active VF is watched, unless it is the upper itself: then there is no hn that could take its
 * place.
 */
static void proof_begin_watch(struct nv_failover *failover, struct nv_managed *managed)
{
	struct nv_vf_proof *proof = &managed->proof;
	uint64_t now = nv_loop_now(failover->loop);
	bool was_watching = proof->watching;
	struct proof_counters counters;

	proof->watching = proof->state == NV_PROOF_GOOD && managed->state.active == NV_PORT_VF &&
			  managed->state.mode != NV_MODE_VF;
	if (was_watching || !proof->watching)
		return;
	proof->watching = proof_read(failover, managed, &counters) == 0;
	proof->look = now + NV_VF_WATCH_PERIOD;
	if (proof->watching)
		nv_vf_watch_begin(&proof->watch, &counters.watched, now);
}

void nv_vf_proof_follow(struct nv_failover *failover, struct nv_managed *managed)
{
	struct nv_vf_proof *proof = &managed->proof;

	if (managed->memory.override == NV_OVERRIDE_HN)
		proof->trial = (struct nv_trial){};
	if (proof->trial.phase != NV_TRIAL_HN)
		proof_give_back(failover, managed);
	proof_begin_watch(failover, managed);
	if (proof_is_open(managed))
		nv_failover_look_in(failover, OPEN_LOOK);
	proof_note_due(failover, managed);
	proof_arm(failover);
}

double nv_vf_proof_failed(const struct nv_failover *failover, const struct nv_managed *managed)
{
	if (managed->proof.state != NV_PROOF_FAILED)
		return 0;
	return (double)(nv_loop_now(failover->loop) - managed->proof.failed) / NV_USEC_PER_SEC;
}
