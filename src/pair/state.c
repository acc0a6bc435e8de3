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

/* Call it before @state changes to what it is after the command. */
static struct nv_pair_command *state_command(const struct nv_pair_state *state,
	struct nv_pair_commands *commands, enum nv_pair_verb verb)
{
	struct nv_pair_command *next = &commands->command[commands->count++];

	*next = (struct nv_pair_command){.verb = verb, .vf = state->vf, .before = *state};
	return next;
}

static void state_activate(
	struct nv_pair_state *state, enum nv_port port, struct nv_pair_commands *commands)
{
	if (state->active == port)
		return;
	state_command(state, commands, NV_PAIR_ACTIVATE)->port = port;
	state->active = port;
}

static void state_set_mode(
	struct nv_pair_state *state, enum nv_mode mode, struct nv_pair_commands *commands)
{
	if (state->mode == mode)
		return;
	state_command(state, commands, NV_PAIR_SET_MODE)->mode = mode;
	state->mode = mode;
}

/*
 * facts may be older than our last command. Only `state` says whether there is something to undo.
 */
static void state_set_dormant(
	struct nv_pair_state *state, bool on, struct nv_pair_commands *commands)
{
	if (state->dormant != on)
		state_command(state, commands, NV_PAIR_SET_DORMANT)->on = on;
	state->dormant = on;
}

static void state_set_announced(
	struct nv_pair_state *state, bool on, struct nv_pair_commands *commands)
{
	if (state->announced != on)
		state_command(state, commands, on ? NV_PAIR_RAISE_VF_UP : NV_PAIR_RAISE_VF_DOWN);
	state->announced = on;
}

/* Leaves the VF: the traffic moves first, everything else follows. */
static void state_leave_vf(struct nv_pair_state *state, struct nv_pair_commands *commands)
{
	state_activate(state, NV_PORT_HN, commands);
	state_set_dormant(state, false, commands);
	state_set_announced(state, false, commands);
	state->answered = false;
}

static void state_forget_vf(struct nv_pair_state *state, struct nv_pair_commands *commands)
{
	state_leave_vf(state, commands);
	if (state->mode == NV_MODE_VF)
		state_set_mode(state, NV_MODE_HN, commands);
	state_command(state, commands, NV_PAIR_REMOVE_VF);
	state->ready = false;
	state->released = false;
	state->was_exclusive = false;
	state->vf = 0;
}

/* A lagg that has the addresses rules transparent mode out, whatever the configuration says now. */
static bool state_is_transparent(
	const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return facts->transparent && state->mode != NV_MODE_LAGG;
}

/* In transparent mode the VF counts as down if hn is down. */
static bool state_is_vf_usable(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return facts->vf_usable && (facts->hn_up || !state_is_transparent(state, facts));
}

static bool state_is_delayed(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return facts->held_down || facts->unproved || (facts->waiting && !state->ready);
}

/*
 * A lagg stays the upper once it is, and hn stays the upper once the lagg was released. Otherwise
 * it depends on VF_UP: if no rule answers it, the VF is the upper. If a rule begins to answer it,
 * the VF stays the upper until hyperv_vfup has made the lagg.
 */
static enum nv_mode state_wanted_mode(
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
 * For a VF that is usable. No setting keeps traffic on the VF, and none keeps it off the only
 * usable port. A hold-down ends no use of the VF; that it passes no frames does.
 */
static bool state_wants_vf(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (!facts->hn_usable)
		return true;
	switch (facts->override) {
	case NV_OVERRIDE_AUTO:
		return !state_is_delayed(state, facts) ||
		       (state->active == NV_PORT_VF && !facts->unproved);
	case NV_OVERRIDE_HN:
		return false;
	case NV_OVERRIDE_VF:
		return true;
	}
	return true;
}

/* A VF that has flapped or has just appeared is not announced before it may be used. */
static bool state_stays_held(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	return !state_wants_vf(state, facts) && state_is_delayed(state, facts) &&
	       !state->announced && state->active == NV_PORT_HN;
}

static enum nv_pair_phase state_decide(
	const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (!facts->vf)
		return NV_PHASE_ABSENT;
	if (!state_is_vf_usable(state, facts))
		return NV_PHASE_JOINED;
	if (state_stays_held(state, facts))
		return NV_PHASE_HELD;
	switch (state_wanted_mode(state, facts)) {
	case NV_MODE_LAGG:
		return NV_PHASE_LAGG;
	case NV_MODE_VF:
		return NV_PHASE_EXCLUSIVE;
	case NV_MODE_HN:
		break;
	}
	if (facts->transparent)
		return NV_PHASE_TRANSPARENT;
	return state->released ? NV_PHASE_RELEASED : NV_PHASE_ANNOUNCED;
}

/* The bond must exist when its first VF appears, before hyperv_vfup moves anything to it. */
static bool state_enters_bond(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (facts->transparent || state->active == NV_PORT_VF || state->released ||
		state->mode == NV_MODE_VF)
		return false;
	switch (facts->bond) {
	case NV_BOND_NONE:
		return false;
	case NV_BOND_MAKE:
		return facts->answered && !state->announced;
	case NV_BOND_TAKE:
		return true;
	}
	return false;
}

static void state_enter_bond(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	if (facts->bond == NV_BOND_MAKE)
		state_command(state, commands, NV_PAIR_MAKE_BOND);
	state_command(state, commands, NV_PAIR_BOND_VF)->vf = facts->vf;
}

/*
 * The VF joins the data path as soon as it is known: the host may send by it from the moment its
 * link is up, which is before netlink reports it. Until it transmits, hn or the lagg is the upper.
 */
static void state_join(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	enum nv_mode wanted = state_wanted_mode(state, facts);
	struct nv_pair_command *next;

	if (state->vf)
		return;
	next = state_command(state, commands, NV_PAIR_JOIN);
	state->vf = facts->vf;
	if (state_is_vf_usable(state, facts) && !state_is_delayed(state, facts))
		state->mode = wanted;
	next->vf = state->vf;
	next->mode = state->mode;
	next->on = wanted != NV_MODE_VF && !facts->transparent;
}

/* As in hn(4), the VF is set up like hn after the attach delay, before it transmits. */
static void state_ready_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	if (!facts->transparent) {
		state->ready = false;
	} else if (!state->ready && !facts->waiting &&
		   (facts->hn_up || !state_is_transparent(state, facts))) {
		state_command(state, commands, NV_PAIR_READY_VF);
		state->ready = true;
	}
}

/* Only after the traffic has left it. */
static void state_stop_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	if (!state->ready || !state_is_transparent(state, facts) || facts->hn_up)
		return;
	state_command(state, commands, NV_PAIR_STOP_VF);
	state->ready = false;
}

/* VF_UP is raised once. It is raised again if a rule begins to answer it. */
static void state_announce(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	bool wanted = !state_is_transparent(state, facts);
	bool news = facts->answered && !state->answered && state->mode != NV_MODE_LAGG;

	/*
	 * When a bond is released, the VF loses its link with it. That does not make it a new VF.
	 */
	if (state->released && !state->announced)
		return;
	if (wanted && state->announced && news)
		state_command(state, commands, NV_PAIR_RAISE_VF_UP);
	state_set_announced(state, wanted, commands);
	state->answered = wanted && facts->answered;
}

static void state_use_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	state_set_mode(state, state_wanted_mode(state, facts), commands);
	state_activate(state, state_wants_vf(state, facts) ? NV_PORT_VF : NV_PORT_HN, commands);
	state_announce(state, facts, commands);
}

/*
 * As in hn(4), hn shows no link while the VF transmits, and receives strays even if it was set
 * down.
 */
static void state_hide_hn(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	bool wanted = state->active == NV_PORT_VF && state->mode != NV_MODE_HN;

	if (wanted && facts->giving_back)
		return;
	if (wanted && !facts->hn_up)
		state_command(state, commands, NV_PAIR_OPEN_HN);
	if (wanted && !facts->hn_dormant)
		state->dormant = false;
	state_set_dormant(state, wanted, commands);
}

/* A lagg that somebody has deleted does not count as released by hyperv_vfup. */
static void state_take_mode(struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (state->mode == NV_MODE_LAGG && facts->mode == NV_MODE_HN && !facts->lagg_gone)
		state->released = true;
	if (!state->vf || facts->mode == NV_MODE_LAGG || facts->transparent)
		state->released = false;
	state->mode = facts->mode;
}

/* Traffic first: later commands may have to wait for the data path's lock. */
static void state_begin(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	state_take_mode(state, facts);
	if (state->vf != facts->vf || !state_is_vf_usable(state, facts))
		state_activate(state, NV_PORT_HN, commands);
	if (!facts->entered)
		state_command(state, commands, NV_PAIR_ENTER);
	if (facts->lagg_gone)
		state_command(state, commands, NV_PAIR_DROP_LAGG);
}

static void state_act(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	switch (state_decide(state, facts)) {
	case NV_PHASE_ABSENT:
	case NV_PHASE_JOINED:
		state_leave_vf(state, commands);
		break;
	case NV_PHASE_HELD:
		break;
	case NV_PHASE_ANNOUNCED:
	case NV_PHASE_LAGG:
	case NV_PHASE_TRANSPARENT:
	case NV_PHASE_EXCLUSIVE:
	case NV_PHASE_RELEASED:
		state_use_vf(state, facts, commands);
		break;
	}
}

void nv_pair_step(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *ret_commands)
{
	struct nv_pair_facts now = *facts;

	*ret_commands = (struct nv_pair_commands){};
	state_begin(state, facts, ret_commands);
	if (state->vf && state->vf != facts->vf)
		state_forget_vf(state, ret_commands);
	if (facts->vf) {
		if (state_enters_bond(state, facts)) {
			state_enter_bond(state, facts, ret_commands);
			now.vf_usable &= !facts->vf_up;
		}
		state_join(state, &now, ret_commands);
		if (state_is_transparent(state, &now))
			state_set_mode(state, NV_MODE_HN, ret_commands);
		state_ready_vf(state, &now, ret_commands);
	}
	state_act(state, &now, ret_commands);
	state_stop_vf(state, &now, ret_commands);
	state_hide_hn(state, &now, ret_commands);
	state->was_exclusive |= state->mode == NV_MODE_VF;
	state->phase = state_decide(state, &now);
}

bool nv_pair_vf_is_port(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (!facts->vf || state->was_exclusive)
		return false;
	switch (state->mode) {
	case NV_MODE_HN:
		return facts->transparent ? state->ready : facts->answered;
	case NV_MODE_LAGG:
		return true;
	case NV_MODE_VF:
		return false;
	}
	return false;
}

void nv_pair_adopt(struct nv_pair_state *state, int vf, enum nv_port active, enum nv_mode mode)
{
	*state = (struct nv_pair_state){
		.phase = vf ? NV_PHASE_JOINED : NV_PHASE_ABSENT,
		.vf = vf,
		.active = active,
		.mode = mode,
		.announced = vf != 0 && mode != NV_MODE_HN,
		.answered = vf != 0 && mode == NV_MODE_LAGG,
		.ready = active == NV_PORT_VF,
		.dormant = vf != 0 || mode != NV_MODE_HN,
	};
}
