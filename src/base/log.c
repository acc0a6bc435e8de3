/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TEXT   2048 /* bytes of a message */
#define LOG_PREFIX 64 /* bytes of what stands before it */

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

/*
 * systemd.exec(5): $JOURNAL_STREAM is "device:inode" of the stream to the journal. A process whose
 * stderr was redirected since then has the variable too.
 */
static bool log_stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(own, stream) == 0;
}

/*
 * netvfd and its actions share one pipe, where one write(2) stays whole up to PIPE_BUF bytes
 * (4,096). stdio may take several: the stderr of glibc 2.37 and later takes one for every 128
 * bytes.
 */
static void log_to_stderr(int priority, const char *text)
{
	char line[LOG_PREFIX + LOG_TEXT];
	int length;

	if (log_stderr_is_journal())
		length = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		length = snprintf(line, sizeof(line), "%s: %s\n", log_ident, text);
	while (write(STDERR_FILENO, line, (size_t)length) < 0 && errno == EINTR)
		;
}

void nv_log(int priority, const char *format, ...)
{
	char text[LOG_TEXT];
	va_list args;

	if (priority > log_max_priority)
		return;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	nv_str_printable(text);

	if (log_target == NV_LOG_SYSLOG)
		syslog(priority, "%s", text);
	else
		log_to_stderr(priority, text);
}

const char *nv_strerror(int error)
{
	return strerror(error < 0 ? -error : error);
}
