/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf history: prints switches and actions, oldest first. */
#include "netvf/command.h"

#include "base/str.h"

#include <limits.h>

static void history_print_entry(const json_t *entry)
{
	const char *what = nv_json_text(entry, "what");
	char when[64];

	nv_format_time(json_number_value(json_object_get(entry, "time")), when, sizeof(when));
	if (nv_streq(what, "switch"))
		printf("%s  %s: transmitting on %s\n", when, nv_json_text(entry, "hn"),
			nv_json_text(entry, "to"));
	else if (nv_streq(what, "action"))
		printf("%s  '%s' %s after %.1f ms\n", when, nv_json_text(entry, "command"),
			nv_json_text(entry, "end"), nv_json_int(entry, "microseconds") / 1000.0);
	else
		printf("%s  %s: %s\n", when, nv_json_text(entry, "hn"), what);
}

static void history_print(json_t *history)
{
	const json_t *entry;
	size_t i;

	nv_json_printable(history);
	json_array_foreach (history, i, entry)
		history_print_entry(entry);
}

int nv_command_history(struct nv_command_context *context)
{
	unsigned int count = 0;
	json_t *history;

	if (context->args[0] && nv_parse_u32(context->args[0], INT_MAX, &count) < 0) {
		fprintf(stderr, "netvf: history: '%s' is no number of entries\n", context->args[0]);
		return EXIT_FAILURE;
	}
	history = nv_command_ask(context, "history", json_pack("{si}", "count", (int)count));
	if (!history)
		return EXIT_FAILURE;
	if (context->json)
		nv_command_print_json(history);
	else
		history_print(history);
	json_decref(history);
	return EXIT_SUCCESS;
}
