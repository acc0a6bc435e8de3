/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status as metrics in Prometheus' text format (version 0.0.4), for example for the textfile
 * collector of the node exporter.
 */
#include "netvf/command.h"

#include "base/str.h"

struct family {
	const char *name;
	const char *type;
	const char *help;
	/*
	 * Prints the samples of the family from @status; @member is the member that they are made
	 * of.
	 */
	void (*print)(const struct family *family, const json_t *status);
	const char *member;
};

static const char *const ports[] = {"hn", "vf"};

static void metrics_print_label(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", stdout);
		else if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else
			putchar(*value);
	}
	putchar('"');
}

static void metrics_begin_pair(const struct family *family, const json_t *pair)
{
	printf("%s{", family->name);
	metrics_print_label("hn", nv_json_text(pair, "hn"));
}

static void metrics_print_info(const struct family *family, const json_t *status)
{
	printf("%s{", family->name);
	metrics_print_label("version", nv_json_text(status, "version"));
	putchar(',');
	metrics_print_label("handover", nv_json_text(status, "handover"));
	printf("} 1\n");
}

static void metrics_print_number(const struct family *family, const json_t *status)
{
	printf("%s %.15g\n", family->name,
		json_number_value(json_object_get(status, family->member)));
}

static void metrics_print_pair_info(const struct family *family, const json_t *status)
{
	static const char *const labels[] = {"verdict", "form", "upper", "wish"};
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(status, "pairs"), i, pair) {
		metrics_begin_pair(family, pair);
		for (size_t k = 0; k < NV_ARRAY_SIZE(labels); k++) {
			putchar(',');
			metrics_print_label(labels[k], nv_json_text(pair, labels[k]));
		}
		printf("} 1\n");
	}
}

static void metrics_print_pair_number(const struct family *family, const json_t *status)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(status, "pairs"), i, pair) {
		metrics_begin_pair(family, pair);
		printf("} %.15g\n", json_number_value(json_object_get(pair, family->member)));
	}
}

static const json_t *metrics_port_of(const json_t *pair, const char *port)
{
	char name[16];

	snprintf(name, sizeof(name), "%s_port", port);
	return json_object_get(pair, name);
}

static void metrics_print_active(const struct family *family, const json_t *status)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(status, "pairs"), i, pair) {
		for (size_t k = 0; k < NV_ARRAY_SIZE(ports); k++) {
			metrics_begin_pair(family, pair);
			printf(",port=\"%s\"} %d\n", ports[k],
				nv_streq(nv_json_text(pair, "active"), ports[k]));
		}
	}
}

static void metrics_print_usable(const struct family *family, const json_t *status)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(status, "pairs"), i, pair) {
		for (size_t k = 0; k < NV_ARRAY_SIZE(ports); k++) {
			const json_t *port = metrics_port_of(pair, ports[k]);

			metrics_begin_pair(family, pair);
			printf(",port=\"%s\"} %d\n", ports[k],
				json_is_true(json_object_get(port, "usable")));
		}
	}
}

static void metrics_print_counters(
	const struct family *family, const json_t *pair, const char *port)
{
	json_t *counters = json_object_get(metrics_port_of(pair, port), "counters");
	const char *kind;
	json_t *count;

	json_object_foreach (counters, kind, count) {
		if (!json_is_object(count))
			continue;
		metrics_begin_pair(family, pair);
		printf(",port=\"%s\",kind=\"%s\"} %lld\n", port, kind,
			(long long)nv_json_int(count, family->member));
	}
}

static void metrics_print_counts(const struct family *family, const json_t *status)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(status, "pairs"), i, pair)
		for (size_t k = 0; k < NV_ARRAY_SIZE(ports); k++)
			metrics_print_counters(family, pair, ports[k]);
}

static const struct family families[] = {
	{"netvf_info", "gauge", "netvfd, and how frames change to hn when the VF ends.",
		metrics_print_info},
	{"netvf_uptime_seconds", "gauge", "Since netvfd was started.", metrics_print_number,
		"seconds"},
	{"netvf_events_total", "counter", "Events of the kernel and of pairs.",
		metrics_print_number, "events"},
	{"netvf_actions_running", "gauge", "Actions of rules that are running.",
		metrics_print_number, "actions_running"},
	{"netvf_resyncs_total", "counter",
		"How often netlink messages were lost and all links were read again.",
		metrics_print_number, "resyncs"},
	{"netvf_pair_info", "gauge", "A pair: managed, observed or refused, and its form.",
		metrics_print_pair_info},
	{"netvf_pair_active", "gauge", "Whether the port transmits.", metrics_print_active},
	{"netvf_pair_active_seconds", "gauge", "Since the last switch.", metrics_print_pair_number,
		"seconds"},
	{"netvf_pair_switches_total", "counter", "Switches from one port to the other.",
		metrics_print_pair_number, "switches"},
	{"netvf_port_usable", "gauge", "Whether the port exists, is up, and has a carrier.",
		metrics_print_usable},
	{"netvf_port_packets_total", "counter",
		"Frames of the upper by port; strays are also counted as received.",
		metrics_print_counts, "packets"},
	{"netvf_port_bytes_total", "counter", "The same in bytes.", metrics_print_counts, "bytes"},
};

int nv_command_metrics(struct nv_command_context *context)
{
	json_t *status = nv_command_ask_pairs(context, "status");

	if (!status)
		return EXIT_FAILURE;
	for (size_t i = 0; i < NV_ARRAY_SIZE(families); i++) {
		printf("# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help,
			families[i].name, families[i].type);
		families[i].print(&families[i], status);
	}
	json_decref(status);
	return EXIT_SUCCESS;
}
