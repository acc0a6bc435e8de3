/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules are made of. Private to this directory. */
#pragma once

#include "devd/rules.h"

#include <regex.h>
#include <stdint.h>

enum nv_condition_kind {
	NV_CONDITION_LITERAL, /* the pattern has no character with a special meaning in a regex */
	NV_CONDITION_REGEX,
	NV_CONDITION_MEDIA,
};

struct nv_condition {
	enum nv_condition_kind kind;
	bool negated;
	char *variable; /* NULL for media-type */
	char *pattern; /* expanded, without the "!"; for media-type, the type */
	/* the value if the event has none: that of a `set` variable, or "" */
	const char *otherwise;
	unsigned int line, column; /* in the rule's file */
	regex_t *regex; /* NULL for a literal, until nv_rules_match_slowly() needs it */
};

struct nv_rule {
	enum nv_event_kind kind;
	int priority;
	size_t place; /* in the order of reading; after nv_rules_index(), in the order of rank */
	const char *file; /* owned by nv_rules.file */
	unsigned int line;
	struct nv_condition *condition;
	size_t n_conditions;
	char **action;
	size_t n_actions;
	uint32_t key; /* hash of the literal under which it is stored */
	struct nv_rule *next; /* the next rule in the same list, in the order of rank */
};

#define NV_INDEX_VARIABLES_MAX 16

/* The rules of one kind of event, each stored under one of its literal conditions. */
struct nv_index {
	const char *variable[NV_INDEX_VARIABLES_MAX];
	uint32_t seed[NV_INDEX_VARIABLES_MAX]; /* the hash of each variable's name */
	size_t n_variables;
	struct nv_rule **slot; /* lists of rules, by the hash of variable and value; NULL: none */
	uint32_t mask;
	struct nv_rule *rest; /* the list of rules without such a condition */
};

struct nv_set {
	char *name;
	char *value;
};

#define NV_RULE_KINDS 4

struct nv_rules {
	struct nv_rule **rule; /* by rank: priority, then position */
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

/* The variable made by `set`; NULL: there is none. */
struct nv_set *nv_rules_set(const struct nv_rules *rules, const char *name, size_t length);

#define NV_PATTERN_MESSAGE_MAX 128

/*
 * Initializes a condition on @variable. Refuses patterns that would cost the C library too much
 * memory. Returns 0, -EINVAL with the reason in @message (NV_PATTERN_MESSAGE_MAX bytes), or
 * -ENOMEM.
 */
int nv_condition_compile(
	struct nv_condition *condition, const char *variable, const char *pattern, char *message);

/*
 * Compiles "^pattern$" as devd does: extended, ignoring case, not grouped. Returns as
 * nv_condition_compile().
 */
int nv_condition_regex(struct nv_condition *condition, char *message);
void nv_condition_clear(struct nv_condition *condition);

/* Whether it has a | outside of all parentheses. */
bool nv_pattern_is_split(const char *pattern);

/* Whether @value fulfils the condition; not for media-type. */
bool nv_condition_takes(const struct nv_condition *condition, const char *value);

/* Sets or changes a variable. Returns 0, -E2BIG (NV_RULES_SETS_MAX) or -ENOMEM. */
int nv_rules_define(struct nv_rules *rules, const char *name, const char *value);

/* Sorts the rules by rank and builds the indexes, after all were read. Returns 0 or -ENOMEM. */
int nv_rules_index(struct nv_rules *rules);

/* A part of a text in devd.conf. */
struct nv_piece {
	bool is_variable;
	const char *text; /* text to copy, or the name of a variable */
	size_t length;
};

/* Reads the next piece at @at and moves behind it. False at the end. */
bool nv_piece_next(const char **at, struct nv_piece *ret_piece);

/* Expands `set` variables, and makes all others empty: what devd does with a pattern. */
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
