/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules are made of. Private to this room. */
#pragma once

#include "devd/rules.h"

#include <regex.h>
#include <stdint.h>

enum nv_condition_kind {
	NV_CONDITION_LITERAL, /* the pattern has no character that means something to a regex */
	NV_CONDITION_REGEX,
	NV_CONDITION_MEDIA,
};

struct nv_condition {
	enum nv_condition_kind kind;
	bool negated;
	char *variable; /* NULL for media */
	char *pattern; /* expanded, without the "!"; for media, the type */
	const char *otherwise; /* the value where the event sets none: a `set` variable's, or "" */
	unsigned int line, column; /* in the rule's file */
	regex_t *regex; /* a literal has one only once nv_rules_match_slowly() wanted it */
};

struct nv_rule {
	enum nv_event_kind kind;
	int priority;
	size_t place; /* in reading order; in the order of rank once the rules are indexed */
	const char *file; /* one of nv_rules.file */
	unsigned int line;
	struct nv_condition *condition;
	size_t n_conditions;
	char **action;
	size_t n_actions;
	uint32_t key; /* hash of the literal by which it is found */
	struct nv_rule *next; /* found by the same slot, in the order of rank */
};

#define NV_INDEX_VARIABLES_MAX 16

/* The rules of one kind of event, found by one literal condition of each. */
struct nv_index {
	const char *variable[NV_INDEX_VARIABLES_MAX];
	uint32_t seed[NV_INDEX_VARIABLES_MAX]; /* the hash of the variable's name */
	size_t n_variables;
	struct nv_rule **slot; /* lists of rules by hash of variable and value; NULL: none */
	uint32_t mask;
	struct nv_rule *rest; /* the list of those without such a condition */
};

struct nv_set {
	char *name;
	char *value;
};

#define NV_RULE_KINDS 4

struct nv_rules {
	struct nv_rule **rule; /* by rank: priority, then place */
	size_t count;
	struct nv_set *set;
	size_t n_sets;
	char **file;
	size_t n_files;
	char **directory;
	size_t n_directories;
	char *pid_file;
	struct nv_index index[NV_RULE_KINDS];
};

struct nv_rule *nv_rule_free(struct nv_rule *rule);

/* The variable that `set` made; NULL when there is none. */
struct nv_set *nv_rules_set(const struct nv_rules *rules, const char *name, size_t length);

#define NV_PATTERN_MESSAGE_MAX 128

/*
 * Fills in a condition on @variable. Patterns that would cost the C library more than a
 * reasonable amount of memory are refused.
 * Returns 0, -EINVAL with what is wrong in @message (NV_PATTERN_MESSAGE_MAX bytes), or -ENOMEM.
 */
int nv_condition_compile(
	struct nv_condition *condition, const char *variable, const char *pattern, char *message);

/*
 * Compiles "^pattern$" as devd does: extended, without regard to case, not grouped.
 * Returns as nv_condition_compile() does.
 */
int nv_condition_regex(struct nv_condition *condition, char *message);
void nv_condition_clear(struct nv_condition *condition);

/* Whether it has a | outside of all parentheses. */
bool nv_pattern_is_split(const char *pattern);

/* Whether @value is what the condition wants; not for media. */
bool nv_condition_takes(const struct nv_condition *condition, const char *value);

/* Makes or changes a variable. Returns 0, -E2BIG (NV_RULES_SETS_MAX) or -ENOMEM. */
int nv_rules_define(struct nv_rules *rules, const char *name, const char *value);

/* Ranks the rules and builds the indexes, once all are read. Returns 0 or -ENOMEM. */
int nv_rules_index(struct nv_rules *rules);

/* A text of devd.conf is a row of these. */
struct nv_piece {
	bool is_variable;
	const char *text; /* to be copied, or the variable's name */
	size_t length;
};

/* Takes the next piece from @at. False at the end. */
bool nv_piece_next(const char **at, struct nv_piece *ret_piece);

/* Expands `set` variables as they are, others to nothing: what devd does with a pattern. */
void nv_rules_expand_pattern(
	const struct nv_rules *rules, const char *pattern, struct nv_str *expanded);

/* Whether a ' in the text of an action is certainly not closed. */
bool nv_action_is_open(const char *action);

/* Makes room for one more element. Returns 0 or -ENOMEM. */
#define nv_grow(array, count)                                                                 \
	({                                                                                    \
		__typeof__(array) _more = reallocarray((array), (count) + 1, sizeof(*_more)); \
		if (_more)                                                                    \
			(array) = _more;                                                      \
		_more ? 0 : -ENOMEM;                                                          \
	})
