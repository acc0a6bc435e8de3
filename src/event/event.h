/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A devctl event: a line of text and the variables in it (devctl(4), devd(8); the format is that of
 * FreeBSD's kern_devctl.c). Pure: this directory depends on base only.
 *
 *   !system=IFNET subsystem=hn0 type=LINK_UP
 *   +e1000e0 at slot=3 function=0 dbsf=pci0:0:3:0 vendor=0x8086 device=0x10d3 on pci0
 *   -e1000e0 at … on pci0
 *   ? at … on pci0
 *
 * The content of an event comes from outside. It is data, never code.
 */
#pragma once

#include "base/str.h"

#include <time.h>

#define NV_EVENT_LINE_MAX 1015 /* bytes without the newline; the limit of FreeBSD's kernel */

enum nv_event_kind {
	NV_EVENT_NOTIFY = '!',
	NV_EVENT_ATTACH = '+',
	NV_EVENT_DETACH = '-',
	NV_EVENT_NOMATCH = '?',
	/* any other first character: it has `*`, `_` and `timestamp`, and no rule */
	NV_EVENT_UNKNOWN = 0,
};

struct nv_event;

/*
 * Parses one line like FreeBSD's devd.cc. Newlines at the end are removed. Unlike in FreeBSD's
 * devd, an empty location (two spaces after `at`) does not end the parse: the `pnpinfo` pairs and
 * `bus` are found all the same.
 *
 * @line: need not be NUL-terminated; a NUL byte in it is refused
 * @when: wall-clock time of the event; becomes the variable `timestamp` (seconds.microseconds)
 * *ret_event: the caller frees it with nv_event_free().
 * Returns 0, -EMSGSIZE (longer than NV_EVENT_LINE_MAX), -EINVAL (empty, or a NUL byte), -ENOMEM.
 */
int nv_event_parse(
	const char *line, size_t length, const struct timespec *when, struct nv_event **ret_event);

struct nv_event *nv_event_free(struct nv_event *event);
NV_DEFINE_AUTO(nv_event, struct nv_event *, nv_event_free);

enum nv_event_kind nv_event_kind(const struct nv_event *event);

/* The whole line without newline, owned by the event. */
const char *nv_event_line(const struct nv_event *event);

/* The value of a variable, owned by the event; NULL: the event does not have it. */
const char *nv_event_get(const struct nv_event *event, const char *name);

/*
 * Calls @each for every variable in the order in which they were set; `*` and `_` come first. If
 * @each returns a value other than 0, stops and returns it.
 */
int nv_event_each(const struct nv_event *event,
	int (*each)(const char *name, const char *value, void *data), void *data);

/*
 * The object of an event, by whose name actions are queued: `subsystem` for a notify, `device-name`
 * for attach and detach, else "". Owned by the event.
 */
const char *nv_event_subject(const struct nv_event *event);

struct nv_event_var {
	const char *name;
	const char *value;
};

/*
 * Writes a line (without newline) to @line, which is cleared first. A value with white space is
 * quoted, and each " in a value gets a backslash, so that every value parses back to itself. There
 * are two exceptions: a control character becomes a space (a newline would end the line), and a
 * space is added after a backslash before the closing quote (which it would hide). Characters that
 * are not allowed in a key become '_', and so do spaces in a device's name. Returns 0, -EMSGSIZE
 * (it would be longer than NV_EVENT_LINE_MAX), or -ENOMEM.
 */
int nv_event_format_notify(struct nv_str *line, const char *system, const char *subsystem,
	const char *type, const struct nv_event_var *vars, size_t n_vars);

/*
 * @kind: NV_EVENT_ATTACH, NV_EVENT_DETACH or NV_EVENT_NOMATCH (then @device is not used). @parent:
 *        NULL is written as `.`, as on FreeBSD.
 */
int nv_event_format_device(struct nv_str *line, enum nv_event_kind kind, const char *device,
	const struct nv_event_var *location, size_t n_location, const struct nv_event_var *pnpinfo,
	size_t n_pnpinfo, const char *parent);
