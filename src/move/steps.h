/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan as the list of its steps, in their order: what is printed is what is carried out. Pure.
 * apply.h says how, and what may go wrong.
 */
#pragma once

#include "move/plan.h"

/* Between two stages somebody else acts: the data path, DHCP clients. */
enum nv_step_stage {
	NV_STAGE_FILL, /* the new interfaces get everything while the old ones still have it */
	NV_STAGE_SWITCH, /* frames arrive on the new interfaces from here on */
	NV_STAGE_STRIP_PATHS, /* what might still lead traffic by the old ones goes */
	NV_STAGE_CLIENTS, /* DHCP clients */
	NV_STAGE_STRIP, /* the rest goes */
};

enum nv_step_verb {
	NV_STEP_MAKE, /* an interface */
	NV_STEP_COPY, /* settings */
	NV_STEP_ADD,
	NV_STEP_REPLACE, /* at once, by the one that names the new interface */
	NV_STEP_WAIT,
	NV_STEP_SWITCH,
	NV_STEP_CLOSE, /* the old interface gets nothing by itself any more */
	NV_STEP_REMOVE,
	NV_STEP_LEAVE, /* it does not move, and goes: rc.conf has it otherwise */
	NV_STEP_SETTLE, /* what was provisional on the new interface */
};

const char *nv_step_verb_name(enum nv_step_verb verb); /* "make", "copy", … */

enum nv_step_object {
	NV_STEP_LINK,
	NV_STEP_SETTINGS,
	NV_STEP_PORT, /* a place in a bridge (bridge.h); it is copied before the interface is up */
	NV_STEP_ADDR, /* `index` of the move's addrs */
	NV_STEP_ROUTE, /* `index` of the move's routes, which are rc.conf's */
	NV_STEP_RTOBJ,
	NV_STEP_REST, /* routes to its own networks, and what has come to it since the snapshot */
	NV_STEP_ADDRS4, /* all that the old interface has, the last first */
	NV_STEP_ADDRS6,
	NV_STEP_NAMES, /* of DNS servers and domains (resolved.h) */
	NV_STEP_FRAMES,
	NV_STEP_CLIENT,
};

struct nv_step {
	enum nv_step_stage stage;
	enum nv_step_verb verb;
	enum nv_step_object object;
	size_t move; /* whose old or new interface it is done to */
	size_t index;
	const struct nv_rtobj *obj; /* of NV_STEP_RTOBJ; owned by the plan */
};

struct nv_steps {
	struct nv_step *step;
	size_t count;
	size_t size;
};

/* Lists the steps, which are good for as long as the plan does not change. Returns 0 or -ENOMEM. */
int nv_steps_list(const struct nv_plan *plan, struct nv_steps *ret_steps);
void nv_steps_auto(struct nv_steps *steps);

/* The interface that a step is done to. Owned by @plan. */
const char *nv_step_ifname(const struct nv_plan *plan, const struct nv_step *step);

/* Appends half a sentence: what it is that the verb is done to. */
void nv_step_text(const struct nv_plan *plan, const struct nv_step *step, struct nv_str *text);
