/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the rules have in common. */
#pragma once

#include "cm.h"

#include "devd/rules.h"

#include <string.h>

static inline __attribute__((unused)) struct nv_rules *rules_of(const char *text)
{
	struct nv_faults faults = {};
	struct nv_rules *rules = NULL;
	int r = nv_rules_parse("test.conf", text, strlen(text), NULL, NULL, &faults, &rules);

	if (r < 0)
		nv_faults_print(&faults, stderr);
	nv_faults_auto(&faults);
	assert_int_equal(r, 0);
	return rules;
}

static inline __attribute__((unused)) struct nv_event *event_of(const char *line)
{
	const struct timespec when = {.tv_sec = 1, .tv_nsec = 2000};
	struct nv_event *event = NULL;

	assert_int_equal(nv_event_parse(line, strlen(line), &when, &event), 0);
	return event;
}
