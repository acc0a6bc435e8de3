/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any event's line: what it sets can be written and read again; it finds the same rule with and
 * without the index; and no action that it is put into says more to a shell than it did before.
 */
#include "devd/rules.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct timespec WHEN = {.tv_sec = 1};

#define ACTIONS                                                       \
	" { action \"x $subsystem y\"; action \"x '$subsystem' y\"; " \
	"action \"x `y $subsystem` # it's $cdev\n${z} '$*' $* <<E\n$_\nE\n\"; };\n"

/* Every event finds one of these. */
static const char QUOTING[] =
	"options { set subsystem \"none\"; };\n"
	"notify 0" ACTIONS "attach 0" ACTIONS "detach 0" ACTIONS "nomatch 0" ACTIONS;

static const char MATCHING[] =
	"options { set nic \"(em|hn)\"; set a \"b\"; };\n"
	"notify 5 { match \"system\" \"IFNET\"; match \"type\" \"link_up\"; };\n"
	"notify 5 { match \"system\" \"IFNET\"; match \"subsystem\" \"!$nic[0-9]\"; };\n"
	"notify 9 { match \"type\" \"[A-Z]_.*\"; match \"system\" \"!ZFS\"; };\n"
	"notify 9 { match \"a\" \"b\"; match \"cdev\" \".+\"; };\n"
	"notify 1 { match \"cdev\" \"\"; media-type \"unknown\"; };\n"
	"attach 1 { device-name \"$nic[0-9]+\"; match \"bus\" \"pci0\"; };\n"
	"attach 2 { match \"vendor\" \"0x8086\"; match \"device\" \"0x(10|15).*\"; };\n"
	"nomatch 0 { match \"vendor\" \"a|b\"; class \"0x02\"; };\n";

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static struct nv_rules *rules_of(const char *text)
{
	struct nv_faults faults = {};
	struct nv_rules *rules = NULL;

	nv_rules_parse("f", text, strlen(text), NULL, NULL, &faults, &rules);
	nv_faults_auto(&faults);
	require(rules != NULL);
	return rules;
}

static const char *value_of(const struct nv_event *event, const char *name)
{
	const char *value = nv_event_get(event, name);

	return value ? value : "none";
}

static bool has_control(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return true;
	return false;
}

/* A value comes back, but for what event.h says of control characters and a last backslash. */
static int comes_back(const char *name, const char *value, void *data)
{
	const struct nv_event_var var = {name, value};
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	NV_AUTO(nv_str) struct nv_str line = {};
	size_t length = strlen(value);
	int r = nv_event_format_notify(&line, value, "s", "t", &var, 1);

	(void)data;
	if (r == -EMSGSIZE || nv_streq(name, "*"))
		return 0;
	require(r == 0);
	require(nv_event_parse(nv_str_text(&line), line.length, &WHEN, &event) == 0);
	if (has_control(value))
		return 0;
	if (strchr(value, ' ') && value[length - 1] == '\\') {
		require(strncmp(nv_event_get(event, name), value, length) == 0);
		return 0;
	}
	require(nv_streq(nv_event_get(event, name), value));
	if (!nv_streq(name, "system") && !nv_streq(name, "subsystem") && !nv_streq(name, "type"))
		require(nv_streq(nv_event_get(event, "system"), value));
	return 0;
}

/* Reads one word of plain shell text: nothing in it means anything but ' and \. */
static const char *read_word(const char *at, struct nv_str *word)
{
	bool quoted = false;

	while (*at == ' ')
		at++;
	for (; *at && (quoted || *at != ' '); at++) {
		if (*at == '\'') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && *at == '\\')
			at++;
		else
			require(quoted || !strchr("\n;|&<>()$`\"*?[#~", *at));
		nv_str_addc(word, *at);
	}
	require(!quoted);
	return at;
}

static void is_three_words(const char *command, const char *value)
{
	const char *const expected[] = {"x", value, "y", ""};

	for (size_t i = 0; i < NV_ARRAY_SIZE(expected); i++) {
		NV_AUTO(nv_str) struct nv_str word = {};

		command = read_word(command, &word);
		require(nv_streq(nv_str_text(&word), expected[i]));
	}
}

static void is_harmless(const char *command, const char *value)
{
	const char *at = command + strlen("x '");

	require(strlen(command) == strlen("x '' y") + strlen(value));
	for (; *value; value++, at++)
		require(*at == *value || *at == '_');
	require(nv_streq(at, "' y"));
}

/* Takes NAME='value'; off the front, and cuts out the one value that stands inside quotes. */
static void strip(const char *command, struct nv_str *rest)
{
	const char *quoted;

	while (strncmp(command, "netvf_", 6) == 0) {
		command = strchr(command, '\'') + 1;
		for (; *command != '\'' || strncmp(command, "'\\''", 4) == 0; command++) {
			require(*command != '\0');
			if (*command == '\'')
				command += 3;
		}
		require(strncmp(command, "'; ", 3) == 0);
		command += 3;
	}
	quoted = strstr(command, "${z} '");
	require(quoted != NULL);
	quoted += strlen("${z} '");
	nv_str_append(rest, command, quoted - command);
	nv_str_add(rest, strchr(quoted, '\''));
}

/* The text is the same whatever the event. */
static void is_the_same_text(const struct nv_rules *rules, const char *command)
{
	static const char plain[] = "!subsystem=hn0";
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	NV_AUTO(nv_str) struct nv_str other = {};
	NV_AUTO(nv_str) struct nv_str a = {};
	NV_AUTO(nv_str) struct nv_str b = {};

	require(nv_event_parse(plain, strlen(plain), &WHEN, &event) == 0);
	require(nv_rule_expand(rules, nv_rules_match(rules, event, NULL, NULL), 2, event, &other) ==
		0);
	strip(command, &a);
	strip(nv_str_text(&other), &b);
	require(nv_streq(nv_str_text(&a), nv_str_text(&b)));
}

static void is_quoted(const struct nv_rules *rules, const struct nv_event *event)
{
	const struct nv_rule *rule = nv_rules_match(rules, event, NULL, NULL);
	const char *value = value_of(event, "subsystem");
	NV_AUTO(nv_str) struct nv_str command = {};

	require((rule != NULL) == (nv_event_kind(event) != NV_EVENT_UNKNOWN));
	if (!rule)
		return;
	require(nv_rule_expand(rules, rule, 0, event, &command) == 0);
	is_three_words(nv_str_text(&command), value);
	require(nv_rule_expand(rules, rule, 1, event, &command) == 0);
	is_harmless(nv_str_text(&command), value);
	require(nv_rule_expand(rules, rule, 2, event, &command) == 0);
	is_the_same_text(rules, nv_str_text(&command));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nv_rules *quoting;
	static struct nv_rules *matching;
	NV_AUTO(nv_event) struct nv_event *event = NULL;

	if (!quoting) {
		quoting = rules_of(QUOTING);
		matching = rules_of(MATCHING);
	}
	if (nv_event_parse((const char *)data, size, &WHEN, &event))
		return 0;
	nv_event_each(event, comes_back, NULL);
	require(nv_rules_match(matching, event, NULL, NULL) ==
		nv_rules_match_slowly(matching, event, NULL, NULL));
	is_quoted(quoting, event);
	return 0;
}
