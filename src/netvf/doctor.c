/* SPDX-License-Identifier: BSD-2-Clause */
#include "netvf/doctor.h"

#include "netvf/command.h"

#include <stdio.h>

/* One problem a paragraph: what is wrong, and below it what to do. */
static void doctor_print_text(const struct nv_facts *facts, json_t *findings)
{
	const json_t *entry;
	size_t i;

	nv_json_printable(findings);
	nv_json_printable(facts->unchecked);
	if (facts->status)
		nv_print_handover(facts->status);
	json_array_foreach (findings, i, entry)
		printf("%s %s\n    %s\n", nv_json_text(entry, "subject"),
			nv_json_text(entry, "problem"), nv_json_text(entry, "remedy"));
	json_array_foreach (facts->unchecked, i, entry)
		printf("not looked at: %s\n", json_string_value(entry));
	if (!json_array_size(findings))
		printf("nothing is wrong\n");
}

static void doctor_print_json(const struct nv_facts *facts, json_t *findings)
{
	json_t *all = json_pack("{sO* sO* sO* sO sO*}", "handover",
		json_object_get(facts->status, "handover"), "handover_why",
		json_object_get(facts->status, "handover_why"), "moments",
		json_object_get(facts->status, "moments"), "findings", findings, "unchecked",
		facts->unchecked);

	nv_command_print_json(all);
	json_decref(all);
}

int nv_command_doctor(struct nv_command_context *context)
{
	NV_AUTO(nv_facts) struct nv_facts facts = {};
	json_t *findings;
	size_t count;

	if (context->client) {
		facts.status = nv_command_ask_pairs(context, "status");
		facts.told = nv_command_ask_pairs(context, "doctor");
		if (!facts.status || !facts.told)
			return EXIT_FAILURE;
		nv_facts_gather(&facts);
	}
	findings = nv_doctor_findings(&facts);
	count = json_array_size(findings);
	if (context->json)
		doctor_print_json(&facts, findings);
	else
		doctor_print_text(&facts, findings);
	json_decref(findings);
	return count ? EXIT_FAILURE : EXIT_SUCCESS;
}
