/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf sysctl: prints the sysctls that FreeBSD has for hn. */
#include "netvf/command.h"

#include "control/text.h"

static void sysctl_print_plain(const struct nv_command_context *context, json_t *list)
{
	const json_t *entry;
	size_t i;

	nv_json_printable(list);
	json_array_foreach (list, i, entry) {
		if (!context->quiet)
			printf("%s: ", nv_json_text(entry, "name"));
		printf("%s\n", nv_json_text(entry, "value"));
	}
}

static void sysctl_print_object(const json_t *list)
{
	json_t *object = json_object();
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		json_object_set(
			object, nv_json_text(entry, "name"), json_object_get(entry, "value"));
	nv_command_print_json(object);
	json_decref(object);
}

int nv_command_sysctl(struct nv_command_context *context)
{
	json_t *names = json_array();
	json_t *list;

	for (char **name = context->args; *name; name++)
		json_array_append_new(names, nv_json_string(*name));
	list = nv_command_ask(context, "sysctl", json_pack("{so}", "names", names));
	if (!list)
		return EXIT_FAILURE;
	if (context->json)
		sysctl_print_object(list);
	else
		sysctl_print_plain(context, list);
	json_decref(list);
	return EXIT_SUCCESS;
}
