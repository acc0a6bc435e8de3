/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers for the output of the commands. */
#include "netvf/command.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void nv_json_printable(json_t *value)
{
	NV_AUTO(nv_free)
	char *text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
	const char *key;
	json_t *inner;
	size_t i;

	if (text) {
		nv_str_printable(text);
		json_string_set(value, text);
	}
	json_object_foreach (value, key, inner)
		nv_json_printable(inner);
	json_array_foreach (value, i, inner)
		nv_json_printable(inner);
}

const char *nv_json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t nv_json_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void nv_format_time(double seconds, char *text, size_t size)
{
	time_t whole = (time_t)seconds;
	struct tm local;
	char second[32];

	localtime_r(&whole, &local);
	strftime(second, sizeof(second), "%Y-%m-%d %H:%M:%S", &local);
	snprintf(text, size, "%s.%03d", second, (int)((seconds - (double)whole) * 1000));
}

void nv_format_age(double seconds, char *text, size_t size)
{
	unsigned long whole = (unsigned long)seconds;

	if (seconds < 60)
		snprintf(text, size, "%.1f s", seconds);
	else if (whole < 3600)
		snprintf(text, size, "%lu min %lu s", whole / 60, whole % 60);
	else if (whole < 86400)
		snprintf(text, size, "%lu h %lu min", whole / 3600, whole / 60 % 60);
	else
		snprintf(text, size, "%lu d %lu h", whole / 86400, whole / 3600 % 24);
}

/* Prints the moments that are seen by @by on one line. */
static void text_print_moments(const json_t *status, const char *by, const char *title)
{
	const char *between = "";
	const json_t *moment;
	size_t i;

	json_array_foreach (json_object_get(status, "moments"), i, moment) {
		if (!nv_streq(nv_json_text(moment, "by"), by))
			continue;
		printf("%s%s", between[0] ? between : title, nv_json_text(moment, "moment"));
		if (nv_json_text(moment, "function")[0] && !nv_json_int(moment, "runs"))
			printf(" (has not run yet)");
		between = ", ";
	}
	if (between[0])
		putchar('\n');
}

void nv_print_handover(const json_t *status)
{
	printf("handover by %s: %s\n", nv_json_text(status, "handover"),
		nv_json_text(status, "handover_why"));
	text_print_moments(status, "hook", "  hooks see: ");
	text_print_moments(status, "look", "  looks see: ");
	text_print_moments(status, "nothing", "  unseen: ");
}
