/* SPDX-License-Identifier: BSD-2-Clause */
#include "netvf/command.h"

#include <stdio.h>
#include <time.h>

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
