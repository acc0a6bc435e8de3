/* SPDX-License-Identifier: BSD-2-Clause */
/* An event as a line in the form of devd. */
#include "event/event.h"

#include "event/names.h"

#include <errno.h>
#include <string.h>

static bool format_is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool format_has_space(const char *value)
{
	for (; *value; value++)
		if (*value == ' ' || format_is_control(*value))
			return true;
	return false;
}

/*
 * A " gets a backslash before it, with or without quotes, because the parser makes each \" a " in
 * both cases. Backslashes are not doubled, because the parser would not undo that.
 */
static void format_add_value(struct nv_str *line, const char *value)
{
	const char *quote = format_has_space(value) ? "\"" : "";
	const char *at;

	nv_str_add(line, quote);
	for (at = value; *at; at++) {
		if (*at == '"')
			nv_str_addc(line, '\\');
		nv_str_addc(line, format_is_control(*at) ? ' ' : *at);
	}
	if (*quote && at[-1] == '\\')
		nv_str_addc(line, ' ');
	nv_str_add(line, quote);
}

static void format_add_pair(struct nv_str *line, const char *name, const char *value)
{
	for (; *name; name++)
		nv_str_addc(line, nv_event_is_key(*name) ? *name : '_');
	nv_str_addc(line, '=');
	format_add_value(line, value);
}

static void format_add_pairs(struct nv_str *line, const struct nv_event_var *vars, size_t n_vars)
{
	for (size_t i = 0; i < n_vars; i++) {
		if (i)
			nv_str_addc(line, ' ');
		format_add_pair(line, vars[i].name, vars[i].value);
	}
}

static int format_finish(const struct nv_str *line)
{
	if (line->error == -E2BIG || line->length > NV_EVENT_LINE_MAX)
		return -EMSGSIZE;
	return line->error;
}

int nv_event_format_notify(struct nv_str *line, const char *system, const char *subsystem,
	const char *type, const struct nv_event_var *vars, size_t n_vars)
{
	nv_str_clear(line);
	nv_str_addc(line, NV_EVENT_NOTIFY);
	format_add_pair(line, "system", system);
	nv_str_addc(line, ' ');
	format_add_pair(line, "subsystem", subsystem);
	nv_str_addc(line, ' ');
	format_add_pair(line, "type", type);
	if (n_vars)
		nv_str_addc(line, ' ');
	format_add_pairs(line, vars, n_vars);
	return format_finish(line);
}

int nv_event_format_device(struct nv_str *line, enum nv_event_kind kind, const char *device,
	const struct nv_event_var *location, size_t n_location, const struct nv_event_var *pnpinfo,
	size_t n_pnpinfo, const char *parent)
{
	nv_str_clear(line);
	nv_str_addc(line, (char)kind);
	if (kind != NV_EVENT_NOMATCH)
		for (; *device; device++)
			nv_str_addc(
				line, *device == ' ' || format_is_control(*device) ? '_' : *device);
	nv_str_add(line, " at ");
	format_add_pairs(line, location, n_location);
	nv_str_addc(line, ' ');
	format_add_pairs(line, pnpinfo, n_pnpinfo);
	nv_str_add(line, " on ");
	for (const char *at = parent && *parent ? parent : "."; *at; at++)
		nv_str_addc(line, format_is_control(*at) ? ' ' : *at);
	return format_finish(line);
}
