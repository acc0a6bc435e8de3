/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf switch: sends by hn or by the VF until told otherwise. */
#include "netvf/command.h"

#include "control/text.h"

int nv_command_switch(struct nv_command_context *context)
{
	json_t *done;

	if (!context->args[0] || !context->args[1] || context->args[2]) {
		fprintf(stderr, "usage: netvf switch hn hn|vf|auto\n");
		return EXIT_FAILURE;
	}
	done = nv_command_ask(context, "switch",
		json_pack("{so so}", "hn", nv_json_string(context->args[0]), "to",
			nv_json_string(context->args[1])));
	if (!done)
		return EXIT_FAILURE;
	json_decref(done);
	return EXIT_SUCCESS;
}
