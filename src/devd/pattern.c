/* SPDX-License-Identifier: BSD-2-Clause */
/* The patterns of conditions. */
#include "devd/rule.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 50 /* nesting depth of groups */

/*
 * Limit for the characters of all repetitions together: the C library stores a{9}{9} eighty-one
 * times, and a+ twice. At this limit the worst pattern takes 20 MB, and 20 ms for an event.
 */
#define REPEATS_MAX 1000

static bool pattern_is_literal(const char *pattern)
{
	for (; *pattern; pattern++)
		if (strchr(".[]()*+?{}|^$\\", *pattern) || (unsigned char)*pattern >= 0x80)
			return false;
	return true;
}

/* Skips a […]. A ] at its start, and those of [:class:], [.x.] and [=x=], do not end it. */
static const char *pattern_skip_brackets(const char *at)
{
	at++;
	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	for (; *at && *at != ']'; at++) {
		if (at[0] == '[' && at[1] && strchr(":.=", at[1])) {
			const char end[] = {at[1], ']', '\0'};
			const char *found = strstr(at + 2, end);

			if (!found)
				return at + strlen(at);
			at = found + 1;
		}
	}
	return *at ? at + 1 : at;
}

/* What a quantifier does to the atom before it. */
struct quantifier {
	/* how often the C library stores the atom; 0: it is not a quantifier */
	unsigned long times;
	bool none; /* the atom may be absent */
	bool endless;
};

/* Reads a quantifier at @at, if there is one, and moves behind it. */
static struct quantifier pattern_read_quantifier(const char **at)
{
	struct quantifier q = {};
	unsigned long high;
	char *end;

	switch (**at) {
	case '+':
		(*at)++;
		return (struct quantifier){.times = 2, .endless = true};
	case '*':
		(*at)++;
		return (struct quantifier){.times = 1, .none = true, .endless = true};
	case '?':
		(*at)++;
		return (struct quantifier){.times = 1, .none = true};
	case '{':
		q.times = strtoul(*at + 1, &end, 10);
		q.none = q.times == 0;
		q.endless = end[0] == ',' && end[1] == '}';
		high = *end == ',' ? strtoul(end + 1, &end, 10) : 0;
		*at = *end == '}' ? end + 1 : end;
		q.times = q.times > high ? q.times : high;
		q.times = q.times < REPEATS_MAX ? q.times + 1 : REPEATS_MAX + 1;
	}
	return q;
}

/* What was read of a group, and the properties of its last atom. */
struct group {
	unsigned long weight; /* characters, as stored */
	unsigned long atom; /* the part of it that a following quantifier would repeat */
	bool atom_empty; /* the atom may be empty */
	bool before_empty; /* everything before it in this alternative may be empty */
	bool choice_empty; /* an earlier alternative may be empty */
};

static bool pattern_may_be_empty(const struct group *group)
{
	return group->choice_empty || (group->before_empty && group->atom_empty);
}

static void pattern_begin_alternative(struct group *group)
{
	group->atom = 0;
	group->atom_empty = true;
	group->before_empty = true;
}

static void pattern_add_atom(struct group *group, unsigned long weight, bool empty)
{
	group->weight += weight;
	group->atom = weight;
	group->before_empty = group->before_empty && group->atom_empty;
	group->atom_empty = empty;
}

/* ^, $ and the like of \b match between characters. */
static bool pattern_is_anchor(const char *at)
{
	return *at == '^' || *at == '$' || (*at == '\\' && at[1] && strchr("bB<>`'", at[1]));
}

/*
 * @repeated: the sum of all quantifiers so far. An unlimited repetition of something that may be
 *          empty is a loop that consumes no character. The C library searches for a way through
 *          such loops again and again, some 2^n times for n of them (calc_eclosure_iter(), glibc
 *          2.36).
 */
static const char *pattern_quantify(
	struct group *group, struct quantifier q, unsigned long *repeated)
{
	unsigned long more = q.times == 1 ? 1 : group->atom * q.times;

	if (q.times > REPEATS_MAX || (*repeated += more) > REPEATS_MAX)
		return "it repeats too much";
	if (q.endless && group->atom_empty)
		return "it repeats without limit a part that may be empty";
	group->weight += more;
	group->atom += more;
	group->atom_empty |= q.none;
	return NULL;
}

/* Whether the C library can handle the pattern. Returns NULL, or what is wrong. */
static const char *pattern_burden(const char *pattern)
{
	struct group group[DEPTH_MAX + 1] = {{.atom_empty = true, .before_empty = true}};
	unsigned long repeated = 0;
	size_t depth = 0;

	for (const char *at = pattern; *at;) {
		struct quantifier q = pattern_read_quantifier(&at);
		const char *fault = q.times ? pattern_quantify(&group[depth], q, &repeated) : NULL;

		if (fault)
			return fault;
		if (q.times)
			continue;
		if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
			return "\\1 to \\9 do not exist in extended regular expressions";
		if (*at == '(' && depth == DEPTH_MAX)
			return "its groups are nested too deep";
		if (*at == '(') {
			group[++depth] = (struct group){};
			pattern_begin_alternative(&group[depth]);
			at++;
		} else if (*at == ')' && depth) {
			depth--;
			pattern_add_atom(&group[depth], group[depth + 1].weight + 1,
				pattern_may_be_empty(&group[depth + 1]));
			at++;
		} else if (*at == '|') {
			group[depth].choice_empty = pattern_may_be_empty(&group[depth]);
			pattern_begin_alternative(&group[depth]);
			at++;
		} else {
			pattern_add_atom(&group[depth], 1, pattern_is_anchor(at));
			at = *at == '[' ? pattern_skip_brackets(at)
					: at + (*at == '\\' && at[1] ? 2 : 1);
		}
	}
	return NULL;
}

int nv_condition_regex(struct nv_condition *condition, char *message)
{
	NV_AUTO(nv_str) struct nv_str anchored = {};
	NV_AUTO(nv_free) regex_t *regex = malloc(sizeof(*regex));
	int error;

	nv_str_printf(&anchored, "^%s$", condition->pattern);
	if (!regex || anchored.error)
		return -ENOMEM;
	error = regcomp(regex, nv_str_text(&anchored), REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (error == REG_ESPACE)
		return -ENOMEM;
	if (error) {
		regerror(error, regex, message, NV_PATTERN_MESSAGE_MAX);
		return -EINVAL;
	}
	condition->regex = TAKE_PTR(regex);
	return 0;
}

int nv_condition_compile(
	struct nv_condition *condition, const char *variable, const char *pattern, char *message)
{
	const char *fault;

	condition->variable = strdup(variable);
	condition->pattern = strdup(pattern);
	if (!condition->variable || !condition->pattern)
		return -ENOMEM;
	if (pattern_is_literal(pattern)) {
		condition->kind = NV_CONDITION_LITERAL;
		return 0;
	}
	condition->kind = NV_CONDITION_REGEX;
	fault = pattern_burden(pattern);
	if (fault) {
		nv_strcopy(message, NV_PATTERN_MESSAGE_MAX, fault);
		return -EINVAL;
	}
	return nv_condition_regex(condition, message);
}

void nv_condition_clear(struct nv_condition *condition)
{
	if (condition->regex)
		regfree(condition->regex);
	free(condition->regex);
	free(condition->variable);
	free(condition->pattern);
}

bool nv_pattern_is_split(const char *pattern)
{
	int depth = 0;

	for (const char *at = pattern; *at;) {
		if (*at == '[') {
			at = pattern_skip_brackets(at);
			continue;
		}
		if (*at == '\\' && at[1]) {
			at += 2;
			continue;
		}
		if (*at == '|' && depth == 0)
			return true;
		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		at++;
	}
	return false;
}
