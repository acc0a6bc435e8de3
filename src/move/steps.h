/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan as the list of its steps, in their order. What `netvf plan` prints is what is carried out.
 * Pure. apply.h says how a step is carried out and what may fail.
 */
#pragma once

#include "move/plan.h"

/* Between two stages somebody else acts: the data path, DHCP clients. */
enum nv_step_stage {
	NV_STAGE_FILL, /* the new interfaces get everything while the old ones still have it */
	NV_STAGE_SWITCH, /* frames arrive on the new interfaces from here on */
	NV_STAGE_STRIP_PATHS, /* what could still lead traffic to the old ones is removed */
	NV_STAGE_CLIENTS, /* DHCP clients */
	NV_STAGE_STRIP, /* the rest is removed */
};

enum nv_step_verb {
	NV_STEP_MAKE, /* an interface */
	NV_STEP_COPY, /* settings */
	NV_STEP_ADD,
	NV_STEP_REPLACE, /* in one request, by an object that names the new interface */
	NV_STEP_WAIT,
	NV_STEP_SWITCH,
	NV_STEP_CLOSE, /* the old interface makes itself no configuration any more */
	NV_STEP_REMOVE,
	NV_STEP_LEAVE, /* it does not move and is removed, because rc.conf has another value */
	NV_STEP_SETTLE, /* what was provisional on the new interface becomes final */
};

const char *nv_step_verb_name(enum nv_step_verb verb); /* "make", "copy", … */

enum nv_step_object {
	NV_STEP_LINK,
	NV_STEP_SETTINGS,
	NV_STEP_PORT, /* a bridge port (bridge.h); it is copied before the interface is up */
	NV_STEP_ADDR, /* `index` of the move's addrs */
	NV_STEP_ROUTE, /* `index` of the move's routes, which are rc.conf's */
	NV_STEP_RTOBJ,
	NV_STEP_REST, /* routes to its own networks, and what was added to it since the snapshot */
	NV_STEP_ADDRS4, /* all addresses of the old interface, the last first */
	NV_STEP_ADDRS6,
	NV_STEP_NAMES, /* DNS servers and domains (resolved.h) */
	NV_STEP_FRAMES,
	NV_STEP_CLIENT,
};

struct nv_step {
	enum nv_step_stage stage;
	enum nv_step_verb verb;
	enum nv_step_object object;
	size_t move; /* the move whose old or new interface is changed */
	size_t index;
	const struct nv_rtobj *obj; /* for NV_STEP_RTOBJ; owned by the plan */
};

struct nv_steps {
	struct nv_step *step;
	size_t count;
	size_t size;
};

/* Lists all steps. They are valid until the plan changes. Returns 0 or -ENOMEM. */
int nv_steps_list(const struct nv_plan *plan, struct nv_steps *ret_steps);
/* The same of one stage. */
int nv_steps_list_stage(
	const struct nv_plan *plan, enum nv_step_stage stage, struct nv_steps *ret_steps);
void nv_steps_auto(struct nv_steps *steps);

/* The name of the interface that a step changes. Owned by @plan. */
const char *nv_step_ifname(const struct nv_plan *plan, const struct nv_step *step);

/* Appends the object of the step's verb, as part of a sentence. */
void nv_step_text(const struct nv_plan *plan, const struct nv_step *step, struct nv_str *text);
