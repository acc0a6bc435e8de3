/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/event.h"

#include "event/names.h"

#include <errno.h>
#include <string.h>

/*
 * One block of memory: the variables, then the original line (`*` and `_` point into it), then a
 * copy of it in which NUL bytes end the keys and values (the others point into that).
 */
struct nv_event {
	enum nv_event_kind kind;
	const char *line;
	char timestamp[32];
	size_t n_vars;
	struct nv_event_var var[];
};

static struct nv_event_var *event_find(const struct nv_event *event, const char *name)
{
	for (size_t i = 0; i < event->n_vars; i++) {
		const struct nv_event_var *var = &event->var[i];

		if (var->name[0] == name[0] && strcmp(var->name, name) == 0)
			return (struct nv_event_var *)var;
	}
	return NULL;
}

/* There is room: nv_event_parse() has counted the variables. */
static void event_set(struct nv_event *event, const char *name, const char *value)
{
	struct nv_event_var *var = event_find(event, name);

	if (!var) {
		var = &event->var[event->n_vars++];
		var->name = name;
	}
	var->value = value;
}

static char *event_skip_space(char *at)
{
	while (nv_event_is_space(*at))
		at++;
	return at;
}

static char *event_skip_word(char *at, const char *word)
{
	size_t length = strlen(word);

	return strncmp(at, word, length) == 0 ? at + length : at;
}

/* Replaces each \" by ", and leaves every other backslash. */
static void event_unescape(char *text)
{
	char *to = strchr(text, '\\');

	if (!to)
		return;
	for (const char *from = to; *from; from++) {
		if (from[0] == '\\' && from[1] == '"')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

/*
 * The end of the value at @value, which is moved behind an opening quote; NULL: the quote is not
 * closed.
 */
static char *event_value_end(char **value)
{
	char *at = *value;

	if (*at == '"') {
		*value = ++at;
		while (*at && (*at != '"' || at[-1] == '\\'))
			at++;
		return *at ? at : NULL;
	}
	while (*at && !nv_event_is_space(*at))
		at++;
	return at;
}

/*
 * Sets a variable for every KEY=VALUE from @at on. Returns the position of the first text that is
 * not one.
 */
static char *event_read_pairs(struct nv_event *event, char *at)
{
	for (;;) {
		char *key = at;
		char *value;
		char *end;

		while (nv_event_is_key(*at))
			at++;
		if (*at != '=')
			return key;
		value = at + 1;
		end = event_value_end(&value);
		if (!end)
			return key;
		*at = '\0';
		at = *end ? end + 1 : end;
		*end = '\0';
		event_unescape(value);
		event_set(event, key, value);
		at = event_skip_space(at);
	}
}

/* NAME at LOCATION PNPINFO on PARENT; a nomatch has no name. */
static void event_read_device(struct nv_event *event, char *at)
{
	char *name = at;

	at += strcspn(at, " ");
	if (*at)
		*at++ = '\0';
	if (event->kind != NV_EVENT_NOMATCH)
		event_set(event, "device-name", name);
	at = event_skip_word(event_skip_space(at), "at ");
	/* FreeBSD's devd would stop at the space after an empty location. */
	at = event_skip_space(event_read_pairs(event, event_skip_space(at)));
	if (strncmp(at, "on ", 3) == 0)
		event_set(event, "bus", at + 3);
}

static enum nv_event_kind event_kind_of(char c)
{
	switch (c) {
	case NV_EVENT_NOTIFY:
	case NV_EVENT_ATTACH:
	case NV_EVENT_DETACH:
	case NV_EVENT_NOMATCH:
		return (enum nv_event_kind)c;
	}
	return NV_EVENT_UNKNOWN;
}

/* SECONDS.MICROSECONDS; printf(3) would take most of the time of a parse. */
static const char *event_format_time(struct nv_event *event, const struct timespec *when)
{
	char *at = event->timestamp + sizeof(event->timestamp);
	unsigned long long seconds = when->tv_sec < 0 ? 0 : when->tv_sec;
	unsigned long micro = when->tv_nsec / 1000;

	*--at = '\0';
	for (int i = 0; i < 6; i++, micro /= 10)
		*--at = '0' + micro % 10;
	*--at = '.';
	do {
		*--at = '0' + seconds % 10;
		seconds /= 10;
	} while (seconds);
	return at;
}

/* The largest number of variables that a line can set: one for each `=`, and five of our own. */
static size_t event_count_vars(const char *line, size_t length)
{
	size_t count = 5;

	for (size_t i = 0; i < length; i++)
		count += line[i] == '=';
	return count;
}

int nv_event_parse(
	const char *line, size_t length, const struct timespec *when, struct nv_event **ret_event)
{
	struct nv_event *event;
	size_t vars;
	char *whole;
	char *cut;

	while (length && line[length - 1] == '\n')
		length--;
	if (length > NV_EVENT_LINE_MAX)
		return -EMSGSIZE;
	if (!length || memchr(line, '\0', length))
		return -EINVAL;

	vars = event_count_vars(line, length) * sizeof(event->var[0]);
	event = malloc(sizeof(*event) + vars + 2 * (length + 1));
	if (!event)
		return -ENOMEM;
	whole = (char *)event->var + vars;
	memcpy(whole, line, length);
	whole[length] = '\0';
	cut = whole + length + 1;
	memcpy(cut, whole, length + 1);
	event->kind = event_kind_of(*line);
	event->line = whole;
	event->n_vars = 0;

	event_set(event, "*", whole);
	event_set(event, "_", whole + 1);
	event_set(event, "timestamp", event_format_time(event, when));
	switch (event->kind) {
	case NV_EVENT_NOTIFY:
		event_read_pairs(event, cut + 1);
		break;
	case NV_EVENT_ATTACH:
	case NV_EVENT_DETACH:
	case NV_EVENT_NOMATCH:
		event_read_device(event, cut + 1);
		break;
	case NV_EVENT_UNKNOWN:
		break;
	}
	*ret_event = event;
	return 0;
}

struct nv_event *nv_event_free(struct nv_event *event)
{
	free(event);
	return NULL;
}

enum nv_event_kind nv_event_kind(const struct nv_event *event)
{
	return event->kind;
}

const char *nv_event_line(const struct nv_event *event)
{
	return event->line;
}

const char *nv_event_get(const struct nv_event *event, const char *name)
{
	const struct nv_event_var *var = event_find(event, name);

	return var ? var->value : NULL;
}

int nv_event_each(const struct nv_event *event,
	int (*each)(const char *name, const char *value, void *data), void *data)
{
	int stop = 0;

	for (size_t i = 0; i < event->n_vars && !stop; i++)
		stop = each(event->var[i].name, event->var[i].value, data);
	return stop;
}

const char *nv_event_subject(const struct nv_event *event)
{
	const char *subject = NULL;

	switch (event->kind) {
	case NV_EVENT_NOTIFY:
		subject = nv_event_get(event, "subsystem");
		break;
	case NV_EVENT_ATTACH:
	case NV_EVENT_DETACH:
		subject = nv_event_get(event, "device-name");
		break;
	case NV_EVENT_NOMATCH:
	case NV_EVENT_UNKNOWN:
		break;
	}
	return subject ? subject : "";
}
