/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf events: prints each event as it happens. */
#include "netvf/command.h"

#include "base/log.h"

#include <errno.h>

/* Returns whether it was written. */
static bool print_event(const struct nv_command_context *context, json_t *event)
{
	if (context->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
	} else {
		nv_json_printable(event);
		fputs(nv_json_text(event, "line"), stdout);
	}
	putchar('\n');
	return fflush(stdout) == 0 && !ferror(stdout);
}

int nv_command_events(struct nv_command_context *context)
{
	json_t *answer = nv_command_ask(context, "events", NULL);
	json_t *line = NULL;
	int r;

	if (!answer)
		return EXIT_FAILURE;
	json_decref(answer);
	while ((r = nv_client_next(context->client, &line)) == 0) {
		bool written = print_event(context, json_object_get(line, "event"));

		json_decref(line);
		if (!written)
			return EXIT_FAILURE;
	}
	fprintf(stderr, "netvf: events: %s\n", r == -EPIPE ? "netvfd ended" : nv_strerror(r));
	return EXIT_FAILURE;
}
