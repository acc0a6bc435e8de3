/* SPDX-License-Identifier: BSD-2-Clause */
#include "hn/machine.h"

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

const char *nv_wish_name(enum nv_wish wish)
{
	switch (wish) {
	case NV_WISH_AUTO:
		return "auto";
	case NV_WISH_HN:
		return "hn";
	case NV_WISH_VF:
		return "vf";
	}
	return "?";
}

const char *nv_form_name(enum nv_form form)
{
	switch (form) {
	case NV_FORM_HN:
		return "transparent";
	case NV_FORM_LAGG:
		return "lagg";
	case NV_FORM_VF:
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

static void set_form(
	struct nv_pair_state *state, enum nv_form form, struct nv_pair_commands *commands)
{
	if (state->form == form)
		return;
	state->form = form;
	command(commands, NV_PAIR_SET_FORM, state->vf)->form = form;
}

/* What is seen may be older than what was done: what need not be undone, only `state` knows. */
static void pretend(struct nv_pair_state *state, bool on, struct nv_pair_commands *commands)
{
	if (state->pretending != on)
		command(commands, NV_PAIR_PRETEND, state->vf)->on = on;
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
}

static void forget_vf(struct nv_pair_state *state, struct nv_pair_commands *commands)
{
	leave_vf(state, commands);
	if (state->form == NV_FORM_VF)
		set_form(state, NV_FORM_HN, commands);
	if (state->joined)
		command(commands, NV_PAIR_LEAVE, state->vf);
	state->joined = false;
	state->vf = 0;
}

/* A lagg stays the upper once it is; else VF_UP has an answer, or the VF is for itself. */
static enum nv_form wanted_form(
	const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (state->form == NV_FORM_LAGG || state->announced)
		return state->form;
	return facts->answered || facts->transparent ? NV_FORM_HN : NV_FORM_VF;
}

/* The way off the VF is never held, and never wished away from the only usable port. */
static bool wants_vf(const struct nv_pair_state *state, const struct nv_pair_facts *facts)
{
	if (!facts->vf_usable || !facts->hn_usable)
		return facts->vf_usable;
	switch (facts->wish) {
	case NV_WISH_AUTO:
		return !facts->held || state->active == NV_PORT_VF;
	case NV_WISH_HN:
		return false;
	case NV_WISH_VF:
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
	enum nv_form wanted = wanted_form(state, facts);
	struct nv_pair_command *next;

	if (state->joined)
		return;
	state->joined = true;
	if (facts->vf_usable && !facts->held)
		state->form = wanted;
	next = command(commands, NV_PAIR_JOIN, state->vf);
	next->form = state->form;
	next->on = wanted != NV_FORM_VF;
}

static void take_vf(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	enum nv_port port, struct nv_pair_commands *commands)
{
	set_form(state, wanted_form(state, facts), commands);
	activate(state, port, commands);
	if (!state->announced && !facts->transparent)
		command(commands, NV_PAIR_RAISE_VF_UP, state->vf);
	state->announced = !facts->transparent;
}

/* hn(4): hn has no link to show while the VF transmits, and hears strays even if it was set down.
 */
static void disguise_hn(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *commands)
{
	bool wanted = state->active == NV_PORT_VF && state->form != NV_FORM_HN;

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
	state->form = facts->form;

	if (state->vf && state->vf != facts->vf)
		forget_vf(state, ret_commands);
	if (!state->vf && facts->vf) {
		state->vf = facts->vf;
		if (facts->transparent)
			command(ret_commands, NV_PAIR_READY_VF, state->vf);
	}
	if (state->vf)
		join(state, facts, ret_commands);
	if (!state->vf || !facts->vf_usable)
		leave_vf(state, ret_commands);
	else if (wants_vf(state, facts))
		take_vf(state, facts, NV_PORT_VF, ret_commands);
	else if (!facts->held || state->announced || state->active == NV_PORT_VF)
		take_vf(state, facts, NV_PORT_HN, ret_commands);
	/* else it flaps: nobody is told of it until it may be used */
	disguise_hn(state, facts, ret_commands);
}

void nv_pair_adopt(struct nv_pair_state *state, int vf, enum nv_port active, enum nv_form form)
{
	*state = (struct nv_pair_state){
		.vf = vf,
		.joined = vf != 0,
		.announced = vf != 0 && form != NV_FORM_HN,
		.active = active,
		.form = form,
		.pretending = vf != 0 || form != NV_FORM_HN,
	};
}
