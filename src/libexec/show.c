/* SPDX-License-Identifier: BSD-2-Clause */
#include "libexec/show.h"

#include "ifconfig/steps.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static int print_step(const struct nv_step *step, void *data)
{
	(void)data;
	return printf("%-8s %-15s %s\n", nv_step_verb_name(step->verb), step->ifname, step->what) <
			       0
		       ? -EIO
		       : 0;
}

static int add_step(const struct nv_step *step, void *data)
{
	return json_array_append_new(
		       data, json_pack("{ss ss ss*}", "do", nv_step_verb_name(step->verb),
				     "interface", step->ifname, "what", step->what)) < 0
		       ? -ENOMEM
		       : 0;
}

int nv_show_plan(const struct nv_plan *plan, bool json)
{
	json_t *list;
	int r;

	if (!json)
		return nv_plan_steps(plan, print_step, NULL);
	list = json_array();
	r = list ? nv_plan_steps(plan, add_step, list) : -ENOMEM;
	if (r == 0 && (json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0))
		r = -EIO;
	json_decref(list);
	return r;
}
