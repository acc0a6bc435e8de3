/* SPDX-License-Identifier: BSD-2-Clause */
/* Which interfaces packet filters and other configuration name. */
#include "netvf/doctor.h"

#include "netvf/command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void nv_facts_auto(struct nv_facts *facts)
{
	json_decref(facts->status);
	json_decref(facts->told);
	json_decref(facts->absent);
	json_decref(facts->unchecked);
	nv_links_auto(&facts->links);
	nv_addrs_auto(&facts->addrs);
	free(facts->trace);
	*facts = (struct nv_facts){};
}

void nv_facts_trace(struct nv_facts *facts, enum nv_trace_kind kind, const char *ifname,
	const char *format, ...)
{
	struct nv_trace *trace;
	va_list args;

	if (!facts->trace)
		facts->trace = calloc(NV_TRACES_MAX, sizeof(*trace));
	if (!facts->trace || facts->n_traces == NV_TRACES_MAX)
		return;
	trace = &facts->trace[facts->n_traces++];
	trace->kind = kind;
	nv_strcopy(trace->ifname, sizeof(trace->ifname), ifname);
	va_start(args, format);
	vsnprintf(trace->what, sizeof(trace->what), format, args);
	va_end(args);
}

void nv_facts_unchecked(struct nv_facts *facts, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!facts->unchecked)
		facts->unchecked = json_array();
	json_array_append_new(facts->unchecked, json_string(text));
}

/* The line that begins with @begin and a character of @end; NULL: there is none. */
static const char *traces_find_line(const char *text, const char *begin, char end)
{
	size_t length = strlen(begin);

	for (const char *line = text; *line;) {
		if (strncmp(line, begin, length) == 0 && line[length] == end)
			return line + length + 1;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

bool nv_nmcli_manages(const char *listed, const char *ifname)
{
	const char *state = traces_find_line(listed, ifname, ':');

	return state && strncmp(state, "unmanaged", strlen("unmanaged")) != 0;
}

bool nv_ifupdown_manages(const char *state, const char *ifname)
{
	return traces_find_line(state, ifname, '=');
}

bool nv_action_program(const char *action, char *ret_program, size_t size)
{
	static const char *const shells_own[] = {".", ":", "[", "break", "case", "cd", "command",
		"continue", "echo", "eval", "exec", "exit", "export", "false", "for", "if", "kill",
		"printf", "read", "return", "set", "shift", "test", "trap", "true", "type",
		"ulimit", "umask", "unset", "until", "wait", "while", "{", "!"};
	size_t length;

	while (isspace((unsigned char)*action))
		action++;
	length = strcspn(action, " \t\n;&|<>");
	if (!length || length >= size || strcspn(action, "$`\"'\\(){}*?[]#~=") < length)
		return false;
	snprintf(ret_program, size, "%.*s", (int)length, action);
	for (size_t i = 0; i < NV_ARRAY_SIZE(shells_own); i++)
		if (nv_streq(ret_program, shells_own[i]))
			return false;
	return true;
}
