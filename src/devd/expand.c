/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expands variables in patterns and actions.
 *
 * An action is text for a shell, and no part of an event may become code there. In plain text,
 * where only ' and \ quote, a value is written as 'value'. In text with $, `, # or <<, only the
 * shell knows what is quoted. There the value is assigned to a shell variable before the text, and
 * the text only has the name of that variable, so that it is parsed in the same way with every
 * value. Text inside '…' may be a program for another shell, awk or sed. There a value keeps only
 * characters that have no special meaning in any of them.
 */
#include "devd/rule.h"

#include <errno.h>
#include <string.h>

static bool expand_begins_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static bool expand_continues_name(char c)
{
	return expand_begins_name(c) || (c >= '0' && c <= '9');
}

/* The length of "$(…)". Parentheses are counted as devd does: quotes are ignored. */
static size_t expand_substitution_length(const char *text)
{
	const char *at = text + 1;
	int depth = 0;

	for (; *at; at++) {
		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		if (depth == 0)
			return at + 1 - text;
	}
	return at - text;
}

bool nv_piece_next(const char **at, struct nv_piece *ret_piece)
{
	const char *text = *at;
	struct nv_piece piece = {.text = text};

	if (!*text)
		return false;
	if (*text != '$') {
		piece.length = strcspn(text, "$");
		*at = text + piece.length;
	} else if (text[1] == '$') {
		piece.length = 1;
		*at = text + 2;
	} else if (text[1] == '(') {
		piece.length = expand_substitution_length(text);
		*at = text + piece.length;
	} else if (expand_begins_name(text[1]) || text[1] == '*') {
		piece.is_variable = true;
		piece.text = text + 1;
		piece.length = 1;
		while (expand_continues_name(piece.text[piece.length]))
			piece.length++;
		*at = piece.text + piece.length;
	} else {
		piece.length = text[1] ? 2 : 1;
		*at = text + piece.length;
	}
	*ret_piece = piece;
	return true;
}

void nv_rules_expand_pattern(
	const struct nv_rules *rules, const char *pattern, struct nv_str *expanded)
{
	struct nv_piece piece;

	while (nv_piece_next(&pattern, &piece)) {
		if (piece.is_variable) {
			const struct nv_set *set = nv_rules_set(rules, piece.text, piece.length);

			nv_str_add(expanded, set ? set->value : "");
		} else {
			nv_str_append(expanded, piece.text, piece.length);
		}
	}
}

/* The position in a shell's text. Exact for plain text, and a good guess for other text. */
struct position {
	enum {
		BARE,
		ESCAPED, /* after a backslash */
		QUOTED, /* inside '…' */
		COMMENT,
	} state;
	char last;
};

static void expand_follow(struct position *position, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		switch (position->state) {
		case BARE:
			if (c == '\'')
				position->state = QUOTED;
			else if (c == '\\')
				position->state = ESCAPED;
			else if (c == '#' && strchr(" \t\n;&|()<>`", position->last))
				position->state = COMMENT;
			break;
		case ESCAPED:
			position->state = BARE;
			break;
		case QUOTED:
			if (c == '\'')
				position->state = BARE;
			break;
		case COMMENT:
			if (c == '\n')
				position->state = BARE;
			break;
		}
		position->last = c;
	}
}

static bool expand_is_plain(const char *action)
{
	struct nv_piece piece;

	while (nv_piece_next(&action, &piece)) {
		if (piece.is_variable)
			continue;
		for (size_t i = 0; i < piece.length; i++)
			if (strchr("$`#\"", piece.text[i]) ||
				(i && piece.text[i] == '<' && piece.text[i - 1] == '<'))
				return false;
	}
	return true;
}

bool nv_action_is_open(const char *action)
{
	struct position position = {.last = '\n'};
	struct nv_piece piece;

	if (!expand_is_plain(action))
		return false;
	while (nv_piece_next(&action, &piece))
		if (!piece.is_variable)
			expand_follow(&position, piece.text, piece.length);
	return position.state == QUOTED;
}

static void expand_add_word(struct nv_str *command, const char *value)
{
	nv_str_addc(command, '\'');
	for (; *value; value++) {
		if (*value == '\'')
			nv_str_add(command, "'\\''");
		else
			nv_str_addc(command, *value);
	}
	nv_str_addc(command, '\'');
}

static void expand_add_harmless(struct nv_str *command, const char *value)
{
	for (; *value; value++)
		nv_str_addc(command,
			expand_continues_name(*value) || strchr(".,:/@%+", *value) ? *value : '_');
}

struct expansion {
	struct nv_str before; /* NAME='value'; for each value that the text refers to by name */
	struct nv_str text;
	struct position position;
	bool plain;
	unsigned int names;
};

static void expansion_auto(struct expansion *expansion)
{
	nv_str_auto(&expansion->before);
	nv_str_auto(&expansion->text);
}

static void expand_add_text(struct expansion *expansion, const char *text, size_t length)
{
	expand_follow(&expansion->position, text, length);
	nv_str_append(&expansion->text, text, length);
}

static void expand_add_value(struct expansion *expansion, const char *value)
{
	switch (expansion->position.state) {
	case ESCAPED:
		/*
		 * FreeBSD's devd does the same with \$name: the backslash quotes the $ of its $'…'.
		 */
		expand_add_text(expansion, "$", 1);
		break;
	case QUOTED:
		expand_add_harmless(&expansion->text, value);
		return;
	case COMMENT:
		return;
	case BARE:
		break;
	}
	expansion->position.last = '\'';
	if (expansion->plain) {
		expand_add_word(&expansion->text, value);
		return;
	}
	expansion->names++;
	nv_str_printf(&expansion->before, "netvf_%u=", expansion->names);
	expand_add_word(&expansion->before, value);
	nv_str_add(&expansion->before, "; ");
	nv_str_printf(&expansion->text, "\"$netvf_%u\"", expansion->names);
}

static const char *expand_value_of(
	const struct nv_rules *rules, const struct nv_event *event, const struct nv_piece *piece)
{
	char name[NV_EVENT_LINE_MAX + 1];
	const char *value = NULL;
	const struct nv_set *set;

	if (piece->length < sizeof(name)) {
		memcpy(name, piece->text, piece->length);
		name[piece->length] = '\0';
		value = nv_event_get(event, name);
	}
	if (value)
		return value;
	set = nv_rules_set(rules, piece->text, piece->length);
	return set ? set->value : "";
}

int nv_rule_expand(const struct nv_rules *rules, const struct nv_rule *rule, size_t index,
	const struct nv_event *event, struct nv_str *command)
{
	NV_AUTO(expansion) struct expansion expansion = {.position.last = '\n'};
	struct nv_piece piece;
	const char *at;

	nv_str_clear(command);
	if (index >= rule->n_actions)
		return -ENOENT;
	at = rule->action[index];
	expansion.plain = expand_is_plain(at);
	while (nv_piece_next(&at, &piece)) {
		if (piece.is_variable)
			expand_add_value(&expansion, expand_value_of(rules, event, &piece));
		else
			expand_add_text(&expansion, piece.text, piece.length);
	}
	nv_str_add(command, nv_str_text(&expansion.before));
	nv_str_add(command, nv_str_text(&expansion.text));
	if (expansion.before.error || expansion.text.error)
		return expansion.before.error ? expansion.before.error : expansion.text.error;
	if (command->length > NV_RULES_ACTION_MAX)
		return -E2BIG;
	return command->error;
}
