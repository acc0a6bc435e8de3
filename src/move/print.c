/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/print.h"

#include "move/steps.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static int print_step(const char *verb, const char *ifname, const char *what)
{
	return printf("%-8s %-15s %s\n", verb, ifname, what) < 0 ? -EIO : 0;
}

static int print_add_step(json_t *list, const char *verb, const char *ifname, const char *what)
{
	return json_array_append_new(list,
		       json_pack("{ss ss ss*}", "do", verb, "interface", ifname, "what", what)) < 0
		       ? -ENOMEM
		       : 0;
}

/* @list: JSON steps are appended to it; NULL: the steps are printed as text. */
static int print_steps(const struct nv_plan *plan, const struct nv_steps *steps, json_t *list)
{
	int r = 0;

	for (size_t i = 0; i < steps->count && r == 0; i++) {
		const struct nv_step *step = &steps->step[i];
		const char *verb = nv_step_verb_name(step->verb);
		const char *ifname = nv_step_ifname(plan, step);
		NV_AUTO(nv_str) struct nv_str what = {};

		nv_step_text(plan, step, &what);
		r = what.error;
		if (r == 0)
			r = list ? print_add_step(list, verb, ifname, nv_str_text(&what))
				 : print_step(verb, ifname, nv_str_text(&what));
	}
	return r;
}

int nv_print_plan(const struct nv_plan *plan, bool json)
{
	NV_AUTO(nv_steps) struct nv_steps steps = {};
	json_t *list = NULL;
	int r = nv_steps_list(plan, &steps);

	if (r < 0)
		return r;
	if (!json)
		return print_steps(plan, &steps, NULL);
	list = json_array();
	r = list ? print_steps(plan, &steps, list) : -ENOMEM;
	if (r == 0 && (json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0))
		r = -EIO;
	json_decref(list);
	return r;
}
