/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages for a person. A function logs an error or returns it, never both.
 *
 * A message says what was tried, on what, why it failed, and what to do about it.
 */
#pragma once

#include <syslog.h>

enum nv_log_target {
	NV_LOG_STDERR, /* with sd-daemon(3)'s prefix <N> if it is the journal */
	NV_LOG_SYSLOG,
};

/*
 * Sets where messages go and which are dropped. May be called again at any time (devd(8): stderr
 * while in the foreground, syslog later). Before the first call: stderr, LOG_INFO.
 *
 * @ident: the program's name, at most 60 bytes; not copied, must live as long as the process
 * @max_priority: LOG_ERR … LOG_DEBUG; messages with a larger number are dropped
 */
void nv_log_open(const char *ident, enum nv_log_target target, int max_priority);

/*
 * Writes one message of a priority (LOG_ERR …). A newline in it becomes a space, and what is longer
 * than 2,047 bytes is cut off. It is one write(2), so that it stays whole among other processes'.
 */
void nv_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define nv_err(...)    nv_log(LOG_ERR, __VA_ARGS__)
#define nv_warn(...)   nv_log(LOG_WARNING, __VA_ARGS__)
#define nv_notice(...) nv_log(LOG_NOTICE, __VA_ARGS__)
#define nv_info(...)   nv_log(LOG_INFO, __VA_ARGS__)
#define nv_debug(...)  nv_log(LOG_DEBUG, __VA_ARGS__)

/* The text of a -errno or errno value, for use in a message. */
const char *nv_strerror(int error);
