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

/* "hn0" names hn0, and so does a word that ends in the wildcard and begins it. */
static bool traces_name(const char *word, size_t length, char wildcard, const char *ifname)
{
	if (length && word[length - 1] == wildcard)
		return strncmp(word, ifname, length - 1) == 0;
	return strlen(ifname) == length && memcmp(word, ifname, length) == 0;
}

/* Whether a text somewhere in a value names the interface; names of the filter's own do not. */
static bool traces_value_names(const json_t *value, const char *ifname)
{
	static const char *const own[] = {"family", "table", "chain", "name", "comment", "type"};
	const char *key;
	const json_t *part;
	size_t i;

	if (json_is_string(value))
		return traces_name(
			json_string_value(value), json_string_length(value), '*', ifname);
	json_array_foreach (value, i, part)
		if (traces_value_names(part, ifname))
			return true;
	json_object_foreach ((json_t *)value, key, part) {
		bool is_own = false;

		for (i = 0; i < NV_ARRAY_SIZE(own); i++)
			is_own |= nv_streq(key, own[i]);
		if (!is_own && traces_value_names(part, ifname))
			return true;
	}
	return false;
}

unsigned int nv_nft_count(const json_t *ruleset, const char *ifname, char *ret_where, size_t size)
{
	const json_t *list = json_object_get(ruleset, "nftables");
	unsigned int count = 0;
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *kind = json_object_iter_key(json_object_iter((json_t *)entry));
		const json_t *obj = kind ? json_object_get(entry, kind) : NULL;

		if (!traces_value_names(obj, ifname))
			continue;
		if (!count++)
			snprintf(ret_where, size, "%s of %s %s", kind, nv_json_text(obj, "family"),
				nv_json_text(obj, "table"));
	}
	return count;
}

/* Whether one of the options that name an interface does. */
static bool traces_rule_names(const char *line, size_t length, const char *ifname)
{
	static const char *const options[] = {" -i ", " -o ", " --physdev-in ", " --physdev-out "};

	for (size_t i = 0; i < NV_ARRAY_SIZE(options); i++) {
		const char *option = memmem(line, length, options[i], strlen(options[i]));
		const char *word = option ? option + strlen(options[i]) : NULL;

		if (word && traces_name(word, strcspn(word, " \n"), '+', ifname))
			return true;
	}
	return false;
}

unsigned int nv_iptables_count(const char *saved, const char *ifname, char *ret_where, size_t size)
{
	unsigned int count = 0;
	char table[32] = "";

	for (const char *line = saved; *line;) {
		size_t length = strcspn(line, "\n");

		if (line[0] == '*')
			snprintf(table, sizeof(table), "%.*s", (int)length - 1, line + 1);
		else if (strncmp(line, "-A ", 3) == 0 && traces_rule_names(line, length, ifname) &&
			 !count++)
			snprintf(ret_where, size, "chain %.*s of table %s",
				(int)strcspn(line + 3, " \n"), line + 3, table);
		line += length + (line[length] == '\n');
	}
	return count;
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
