/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/state.h"

const char *nv_port_name(enum nv_port port)
{
	switch (port) {
	case NV_PORT_HN:
		return "hn";
	case NV_PORT_VF:
		return "vf";
	}
	return "?";
}

const char *nv_override_name(enum nv_override override)
{
	switch (override) {
	case NV_OVERRIDE_AUTO:
		return "auto";
	case NV_OVERRIDE_HN:
		return "hn";
	case NV_OVERRIDE_VF:
		return "vf";
	}
	return "?";
}

const char *nv_mode_name(enum nv_mode mode)
{
	switch (mode) {
	case NV_MODE_HN:
		return "transparent";
	case NV_MODE_LAGG:
		return "lagg";
	case NV_MODE_VF:
		return "exclusive";
	}
	return "?";
}

static struct nv_pair_command *command(
	struct nv_pair_commands *commands, enum nv_pair_verb verb, int vf)
{
	struct nv_pair_command *next = &commands->command[commands->count++];

	*next = (struct nv_pair_command){.verb = verb, .vf = vf};
	return next;
}

static void activate(
	struct nv_pair_state *state, enum nv_port port, struct nv_pair_commands *commands)
{
	if (state->active == port)
		return;
	state->active = port;
	command(commands, NV_PAIR_ACTIVATE, state->vf)->port = port;
}

static void set_mode(
	struct nv_pair_state *state, enum nv_mode mode, struct nv_pair_commands *commands)
{
	if (state->mode == mode)
		return;
	state->mode = mode;
	command(commands, NV_PAIR_SET_MODE, state->vf)->mode = mode;
}

/* What is seen may be older than what was done: what need not be undone, only `state` knows. */
static void pretend(struct nv_pair_state *state, bool on, struct nv_pair_commands *commands)
{
	if (state->pretending != on)
		command(commands, NV_PAIR_SET_DORMANT, state->vf)->on = on;
	state->pretending = on;
}

/* Off the VF: the traffic first, everything else after. */
static void leave_vf(struct nv_pair_state *state, struct nv_pair_commands *commands)
{
	activate(state, NV_PORT_HN, commands);
	pretend(state, false, commands);
	if (state->announced)
		command(commands, NV_PAIR_RAISE_VF_DOWN, state->vf);
	state->announced = false;
	state->answered = false;
}

static void forget_vf(struct nv_pair_state *state, struct nv_pair_commands *commands)
{
	leave_vf(state, commands);
	if (state->mode == NV_MODE_VF)
		set_mode(state, NV_MODE_HN, commands);
	if (state->joined)
		command(commands, NV_PAIR_LEAVE, state->vf);
	state->joined = false;
	state->ready = false;
	state->released = false;
	state->vf = 0;
}

/* Whatever the configuration says now, a lagg that carries the addresses is no transparent mode. */
static bool is_transparent(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return facts->transparent && state->mode != NV_MODE_LAGG;
}

/* In transparent mode hn's down is the VF's too. */
static bool is_vf_usable(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return facts->vf_usable && (facts->hn_up || !is_transparent(state, facts));
}

static bool is_held(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return facts->held || (facts->waiting && !state->ready);
}

/*
 * A lagg stays the upper once it is, and hn once that was given up; else VF_UP has an answer, or
 * the VF is for itself: until a new answer has made its lagg, too.
 */
static enum nv_mode wanted_mode(
	const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (state->mode == NV_MODE_LAGG)
		return NV_MODE_LAGG;
	if (facts->transparent)
		return NV_MODE_HN;
	if (!facts->answered)
		return NV_MODE_VF;
	return state->announced && !state->released ? state->mode : NV_MODE_HN;
}

/*
 * Of a VF that is usable. The way off it is never held, and never wished away from the only usable
 * port.
 */
static bool wants_vf(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (!facts->hn_usable)
		return true;
	switch (facts->override) {
	case NV_OVERRIDE_AUTO:
		return !is_held(state, facts) || state->active == NV_PORT_VF;
	case NV_OVERRIDE_HN:
		return false;
	case NV_OVERRIDE_VF:
		return true;
	}
	return true;
}

/*
 * The VF joins as soon as it is known: a host may send by it from the moment on at which its link
 * comes up, and that is before anybody here has heard so. Until then hn, or the lagg, is the upper.
 */
static void join(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	enum nv_mode wanted = wanted_mode(state, facts);
	struct nv_pair_command *next;

	if (state->joined)
		return;
	state->joined = true;
	if (is_vf_usable(state, facts) && !is_held(state, facts))
		state->mode = wanted;
	next = command(commands, NV_PAIR_JOIN, state->vf);
	next->mode = state->mode;
	next->on = wanted != NV_MODE_VF && !facts->transparent;
}

/* hn(4): the VF follows hn once its driver has had time; before it is transmitted on. */
static void ready_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	if (!facts->transparent)
		state->ready = false;
	else if (!state->ready && !facts->waiting &&
		 (facts->hn_up || !is_transparent(state, facts))) {
		command(commands, NV_PAIR_READY_VF, state->vf);
		state->ready = true;
	}
}

/* After the traffic has left it. */
static void stop_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	if (!state->ready || !is_transparent(state, facts) || facts->hn_up)
		return;
	command(commands, NV_PAIR_STOP_VF, state->vf);
	state->ready = false;
}

/* VF_UP is told once, and once more when somebody new listens who can make a lagg of it. */
static void announce(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	bool wanted = !is_transparent(state, facts);
	bool news = facts->answered && !state->answered && state->mode != NV_MODE_LAGG;

	/* A bond that was given up took the VF's link down with it, which is no new VF. */
	if (state->released && !state->announced)
		return;
	if (wanted && (!state->announced || news))
		command(commands, NV_PAIR_RAISE_VF_UP, state->vf);
	if (!wanted && state->announced)
		command(commands, NV_PAIR_RAISE_VF_DOWN, state->vf);
	state->announced = wanted;
	state->answered = wanted && facts->answered;
}

static void take_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	enum nv_port port, struct nv_pair_commands *commands)
{
	set_mode(state, wanted_mode(state, facts), commands);
	activate(state, port, commands);
	announce(state, facts, commands);
}

/* hn(4): hn has no link to show while the VF transmits, and hears strays even if it was set down.
 */
static void disguise_hn(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	bool wanted = state->active == NV_PORT_VF && state->mode != NV_MODE_HN;

	if (wanted && facts->giving_back)
		return;
	if (wanted && !facts->hn_up)
		command(commands, NV_PAIR_OPEN_HN, state->vf);
	if (wanted && !facts->hn_dormant)
		state->pretending = false;
	pretend(state, wanted, commands);
}

void nv_pair_step(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *ret_commands)
{
	*ret_commands = (struct nv_pair_commands){};
	state->released |= state->mode == NV_MODE_LAGG && facts->mode == NV_MODE_HN;
	state->released &= state->vf && facts->mode != NV_MODE_LAGG && !facts->transparent;
	state->mode = facts->mode;

	if (state->vf && state->vf != facts->vf)
		forget_vf(state, ret_commands);
	state->vf = facts->vf;
	if (state->vf) {
		join(state, facts, ret_commands);
		if (is_transparent(state, facts))
			set_mode(state, NV_MODE_HN, ret_commands);
		ready_vf(state, facts, ret_commands);
	}
	if (!state->vf || !is_vf_usable(state, facts))
		leave_vf(state, ret_commands);
	else if (wants_vf(state, facts))
		take_vf(state, facts, NV_PORT_VF, ret_commands);
	else if (!is_held(state, facts) || state->announced || state->active == NV_PORT_VF)
		take_vf(state, facts, NV_PORT_HN, ret_commands);
	/* else it flaps, or has just come: nobody is told of it until it may be used */
	stop_vf(state, facts, ret_commands);
	disguise_hn(state, facts, ret_commands);
}

void nv_pair_adopt(struct nv_pair_state *state, int vf, enum nv_port active, enum nv_mode mode)
{
	*state = (struct nv_pair_state){
		.vf = vf,
		.joined = vf != 0,
		.announced = vf != 0 && mode != NV_MODE_HN,
		.active = active,
		.mode = mode,
		.pretending = vf != 0 || mode != NV_MODE_HN,
		.answered = vf != 0 && mode == NV_MODE_LAGG,
		.ready = active == NV_PORT_VF,
	};
}
