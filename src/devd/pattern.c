/* SPDX-License-Identifier: BSD-2-Clause */
/* The patterns of conditions. */
#include "devd/rule.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 50 /* groups in groups */

/*
 * How many characters repetitions may add up to: the C library lays out a{9}{9} eighty-one times,
 * and a+ twice. At this limit the worst there is takes 20 MB, and 20 ms for an event.
 */
#define REPEATS_MAX 1000

static bool is_literal(const char *pattern)
{
	for (; *pattern; pattern++)
		if (strchr(".[]()*+?{}|^$\\", *pattern) || (unsigned char)*pattern >= 0x80)
			return false;
	return true;
}

/* Past a […], of which a ] at the start and those of [:class:], [.x.] and [=x=] are no end. */
static const char *skip_brackets(const char *at)
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

/* How often the atom before @at may be laid out, by the quantifier there; moves past it. */
static unsigned long repeats(const char **at)
{
	unsigned long low;
	unsigned long high;
	char *end;

	switch (**at) {
	case '+':
		(*at)++;
		return 2;
	case '*':
	case '?':
		(*at)++;
		return 1;
	case '{':
		low = strtoul(*at + 1, &end, 10);
		high = *end == ',' ? strtoul(end + 1, &end, 10) : low;
		*at = *end == '}' ? end + 1 : end;
		high = low > high ? low : high;
		return high < REPEATS_MAX ? high + 1 : REPEATS_MAX + 1;
	}
	return 0;
}

/* Whether the C library can be trusted with it. NULL, or what is wrong. */
static const char *burden(const char *pattern)
{
	unsigned long weight[DEPTH_MAX + 1] = {}; /* of each group that is open, as laid out */
	unsigned long atom = 0; /* of what a quantifier that follows would repeat */
	unsigned long repeated = 0;
	size_t depth = 0;

	for (const char *at = pattern; *at;) {
		unsigned long times = repeats(&at);

		if (times) {
			unsigned long more = times == 1 ? 1 : atom * times;

			if (times > REPEATS_MAX || (repeated += more) > REPEATS_MAX)
				return "it repeats too much";
			weight[depth] += more;
			atom += more;
		} else if (*at == '(') {
			if (++depth > DEPTH_MAX)
				return "it has too many groups in groups";
			weight[depth] = 0;
			atom = 0;
			at++;
		} else if (*at == ')' && depth) {
			atom = weight[depth--] + 1;
			weight[depth] += atom;
			at++;
		} else if (*at == '\\' && at[1] >= '1' && at[1] <= '9') {
			return "\\1 to \\9 do not exist in extended regular expressions";
		} else {
			at = *at == '[' ? skip_brackets(at) : at + (*at == '\\' && at[1] ? 2 : 1);
			atom = 1;
			weight[depth]++;
		}
	}
	return NULL;
}

int nv_condition_regex(struct nv_condition *condition, char *message)
{
	NV_AUTO(nv_str) struct nv_str anchored = {};
	NV_AUTO(nv_free) regex_t *regex = malloc(sizeof(*regex));
	int r;

	nv_str_printf(&anchored, "^%s$", condition->pattern);
	if (!regex || anchored.error)
		return -ENOMEM;
	r = regcomp(regex, nv_str_text(&anchored), REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (r == REG_ESPACE)
		return -ENOMEM;
	if (r) {
		regerror(r, regex, message, NV_PATTERN_MESSAGE_MAX);
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
	if (is_literal(pattern)) {
		condition->kind = NV_CONDITION_LITERAL;
		return 0;
	}
	condition->kind = NV_CONDITION_REGEX;
	fault = burden(pattern);
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
			at = skip_brackets(at);
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
