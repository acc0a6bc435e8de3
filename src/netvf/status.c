/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf status: prints the pairs, their ports and counters. */
#include "netvf/command.h"

#include "base/str.h"
#include "control/text.h"
#include "kernel/kernel.h"
#include "netvf/doctor.h"

#include <net/if.h>

/* Frames that pass none of our programs are not counted. */
static void status_print_count(const char *what, const json_t *counters, const char *member)
{
	const json_t *count = json_object_get(counters, member);

	if (json_is_object(count))
		printf("%s %lld", what, (long long)nv_json_int(count, "packets"));
	else
		printf("%s uncounted", what);
}

static void status_print_port(const char *role, const json_t *port, bool active)
{
	const json_t *counters = json_object_get(port, "counters");

	if (!json_is_object(port))
		return;
	printf("  %s %-12s %-6s %s", role, nv_json_text(port, "name"),
		json_is_true(json_object_get(port, "usable")) ? "usable" : "down",
		active ? "active" : "      ");
	if (json_is_object(counters)) {
		status_print_count("  sent", counters, "tx");
		status_print_count(", received", counters, "rx");
		status_print_count(", strays", counters, "stray");
	}
	putchar('\n');
}

static const char *status_active(const json_t *pair)
{
	const char *active = nv_json_text(pair, "active");

	if (nv_streq(active, "vf"))
		return nv_json_text(json_object_get(pair, "vf_port"), "name");
	return nv_streq(active, "hn") ? nv_json_text(pair, "hn") : "no port";
}

static void status_print_qdiscs(const json_t *pair)
{
	const json_t *missed;
	size_t i;

	json_array_foreach (json_object_get(pair, "missed_qdiscs"), i, missed)
		printf("  %s: its queueing discipline %s does not hold for what leaves by the VF\n",
			nv_json_text(missed, "interface"), nv_json_text(missed, "kind"));
}

static void status_print_pair(const json_t *pair)
{
	bool on_vf = nv_streq(nv_json_text(pair, "active"), "vf");
	const json_t *vf = json_object_get(pair, "vf_port");
	double fails = json_number_value(json_object_get(pair, "vf_fails"));
	char age[64];

	nv_format_age(json_number_value(json_object_get(pair, "seconds")), age, sizeof(age));
	if (!nv_streq(nv_json_text(pair, "verdict"), "managed")) {
		printf("%s: %s: %s\n", nv_json_text(pair, "hn"), nv_json_text(pair, "verdict"),
			nv_json_text(pair, "why"));
		return;
	}
	printf("%s: %s", nv_json_text(pair, "hn"), nv_json_text(pair, "form"));
	if (nv_streq(nv_json_text(pair, "form"), "lagg") &&
		nv_streq(nv_json_text(pair, "lagg"), "bond"))
		printf(" as a bond");
	if (nv_json_text(pair, "manager")[0])
		printf(" (%s configures it)", nv_json_text(pair, "manager"));
	printf(", upper %s, on %s for %s%s, %lld switches\n", nv_json_text(pair, "upper"),
		status_active(pair), age,
		nv_streq(nv_json_text(pair, "wish"), "auto") ? "" : " by order",
		(long long)nv_json_int(pair, "switches"));
	if (nv_json_text(pair, "why")[0])
		printf("  %s: %s\n", nv_json_text(pair, "hn"), nv_json_text(pair, "why"));
	status_print_port("hn", json_object_get(pair, "hn_port"),
		nv_streq(nv_json_text(pair, "active"), "hn"));
	status_print_port("vf", vf, on_vf);
	if (fails > 0) {
		nv_format_age(fails, age, sizeof(age));
		printf("  %s: has a carrier, but passes no frames (for %s)\n",
			nv_json_text(vf, "name"), age);
	}
	if (!json_is_object(vf) && nv_json_text(pair, "last_vf")[0])
		printf("  vf %-12s gone\n", nv_json_text(pair, "last_vf"));
	status_print_qdiscs(pair);
}

static void status_add_qdisc(struct nv_kernel *kernel, const char *usual, const struct nv_link *vf,
	const char *name, json_t *missed)
{
	struct nv_link link;

	if (nv_kernel_link(kernel, (int)if_nametoindex(name), &link) == 0 &&
		link.ifindex != vf->ifindex && nv_qdisc_is_missed(&link, vf, usual))
		json_array_append_new(
			missed, json_pack("{so so}", "interface", nv_json_string(name), "kind",
					nv_json_string(link.qdisc)));
}

/* Adds "missed_qdiscs" to a pair: those that its frames do not pass, because they leave by the VF.
 */
static void status_add_qdiscs(struct nv_kernel *kernel, const char *usual, json_t *pair)
{
	const char *vf_name = nv_json_text(json_object_get(pair, "vf_port"), "name");
	const char *hn = nv_json_text(pair, "hn");
	const char *upper = nv_json_text(pair, "upper");
	json_t *missed = json_array();
	struct nv_link vf;

	if (nv_streq(nv_json_text(pair, "active"), "vf") &&
		nv_kernel_link(kernel, (int)if_nametoindex(vf_name), &vf) == 0) {
		status_add_qdisc(kernel, usual, &vf, hn, missed);
		if (!nv_streq(upper, hn))
			status_add_qdisc(kernel, usual, &vf, upper, missed);
	}
	json_object_set_new(pair, "missed_qdiscs", missed);
}

static void status_find_qdiscs(const json_t *status)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	char usual[NV_KIND_LEN];
	json_t *pair;
	size_t i;

	if (nv_kernel_open(&kernel) < 0)
		return;
	nv_qdisc_usual(usual);
	json_array_foreach (json_object_get(status, "pairs"), i, pair)
		status_add_qdiscs(kernel, usual, pair);
}

int nv_command_status(struct nv_command_context *context)
{
	json_t *status = nv_command_ask_pairs(context, "status");
	const json_t *pair;
	size_t i;
	char age[64];

	if (!status)
		return EXIT_FAILURE;
	status_find_qdiscs(status);
	if (context->json) {
		nv_command_print_json(status);
	} else {
		nv_json_printable(status);
		nv_format_age(
			json_number_value(json_object_get(status, "seconds")), age, sizeof(age));
		printf("netvfd %s, process %lld, up %s, %lld rules, %lld events\n",
			nv_json_text(status, "version"), (long long)nv_json_int(status, "pid"), age,
			(long long)nv_json_int(status, "rules"),
			(long long)nv_json_int(status, "events"));
		nv_print_handover(status);
		json_array_foreach (json_object_get(status, "pairs"), i, pair)
			status_print_pair(pair);
		if (!json_array_size(json_object_get(status, "pairs")))
			printf("no synthetic interface here: nothing to pair\n");
	}
	json_decref(status);
	return EXIT_SUCCESS;
}
