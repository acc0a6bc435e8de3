/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *log_ident = "netvf";
static enum nv_log_target log_target = NV_LOG_STDERR;
static int log_max_priority = LOG_INFO;

void nv_log_open(const char *ident, enum nv_log_target target, int max_priority)
{
	log_ident = ident;
	log_target = target;
	log_max_priority = max_priority;
	if (target == NV_LOG_SYSLOG)
		openlog(ident, LOG_PID, LOG_DAEMON);
}

static void flatten(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

void nv_log(int priority, const char *format, ...)
{
	char text[2048];
	va_list args;

	if (priority > log_max_priority)
		return;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	flatten(text);

	if (log_target == NV_LOG_SYSLOG)
		syslog(priority, "%s", text);
	else if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, text);
	else
		fprintf(stderr, "%s: %s\n", log_ident, text);
}

const char *nv_strerror(int error)
{
	return strerror(error < 0 ? -error : error);
}
