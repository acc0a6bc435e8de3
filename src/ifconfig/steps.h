/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan as the list of its steps, in their order, for a person or a program to look at. Pure. */
#pragma once

#include "ifconfig/plan.h"

enum nv_step_verb {
	NV_STEP_MAKE, /* an interface */
	NV_STEP_COPY, /* settings */
	NV_STEP_ADD,
	NV_STEP_REPLACE, /* at once, by the one that names the new interface */
	NV_STEP_SWITCH, /* frames arrive on the new interface from here on */
	NV_STEP_REMOVE,
	NV_STEP_LEAVE, /* it does not move, and goes: rc.conf has it otherwise */
};

const char *nv_step_verb_name(enum nv_step_verb verb); /* "make", "copy", … */

struct nv_step {
	enum nv_step_verb verb;
	const char *ifname; /* the interface that it is done to */
	const char *what; /* half a sentence */
};

/*
 * Calls @each for every step, until it returns a value below 0, which is returned; @step is valid
 * until then. -ENOMEM.
 */
int nv_plan_steps(const struct nv_plan *plan, int (*each)(const struct nv_step *step, void *data),
	void *data);
