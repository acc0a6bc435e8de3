/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the rule for an event.
 *
 * A rule that requires a literal value of a variable can only match an event with that value. So
 * each rule is stored under the rarest such pair of variable and value that it has. For an event,
 * only the rules under its own pairs are tried, and the few rules without such a pair.
 */
#include "devd/rule.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static char match_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* FNV-1a. */
static uint32_t match_hash(uint32_t seed, const char *text)
{
	for (; *text; text++)
		seed = (seed ^ (unsigned char)match_lower(*text)) * 16777619;
	return seed;
}

static uint32_t match_hash_name(const char *variable)
{
	return match_hash(2166136261, variable) * 16777619;
}

static uint32_t match_hash_condition(const struct nv_condition *condition)
{
	return match_hash(match_hash_name(condition->variable), condition->pattern);
}

static int match_index_of(enum nv_event_kind kind)
{
	switch (kind) {
	case NV_EVENT_NOTIFY:
		return 0;
	case NV_EVENT_ATTACH:
		return 1;
	case NV_EVENT_DETACH:
		return 2;
	case NV_EVENT_NOMATCH:
		return 3;
	case NV_EVENT_UNKNOWN:
		break;
	}
	return -1;
}

/* By priority, highest first, then by position. */
static int match_by_rank(const void *a, const void *b)
{
	const struct nv_rule *const *left = a;
	const struct nv_rule *const *right = b;

	if ((*left)->priority != (*right)->priority)
		return (*left)->priority < (*right)->priority ? 1 : -1;
	return (*left)->place < (*right)->place ? -1 : 1;
}

static bool match_can_file(const struct nv_rules *rules, const struct nv_condition *condition)
{
	return condition->kind == NV_CONDITION_LITERAL && !condition->negated &&
	       condition->pattern[0] &&
	       !nv_rules_set(rules, condition->variable, strlen(condition->variable));
}

/* Adds the variable to the list of indexed ones. False: the list is full. */
static bool match_add_variable(struct nv_index *index, const char *variable)
{
	for (size_t i = 0; i < index->n_variables; i++)
		if (strcmp(index->variable[i], variable) == 0)
			return true;
	if (index->n_variables == NV_INDEX_VARIABLES_MAX)
		return false;
	index->seed[index->n_variables] = match_hash_name(variable);
	index->variable[index->n_variables++] = variable;
	return true;
}

/* Stores the rule under its rarest pair; @frequency is counted by hash. */
static void match_file_rule(const struct nv_rules *rules, struct nv_index *index,
	const uint32_t *frequency, struct nv_rule *rule)
{
	const struct nv_condition *best = NULL;
	struct nv_rule **list = &index->rest;

	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct nv_condition *condition = &rule->condition[i];

		if (match_can_file(rules, condition) &&
			(!best || frequency[match_hash_condition(condition) & index->mask] <
					  frequency[match_hash_condition(best) & index->mask]))
			best = condition;
	}
	if (best && match_add_variable(index, best->variable)) {
		rule->key = match_hash_condition(best);
		list = &index->slot[rule->key & index->mask];
	}
	rule->next = *list;
	*list = rule;
}

static int match_build_index(struct nv_rules *rules, struct nv_index *index, int which)
{
	NV_AUTO(nv_free) uint32_t *frequency = NULL;
	size_t size = 16;

	while (size < 4 * rules->count)
		size *= 2;
	index->mask = size - 1;
	index->slot = calloc(size, sizeof(*index->slot));
	frequency = calloc(size, sizeof(*frequency));
	if (!index->slot || !frequency)
		return -ENOMEM;
	for (size_t i = 0; i < rules->count; i++) {
		const struct nv_rule *rule = rules->rule[i];

		for (size_t c = 0; c < rule->n_conditions; c++)
			if (match_index_of(rule->kind) == which &&
				match_can_file(rules, &rule->condition[c]))
				frequency[match_hash_condition(&rule->condition[c]) &
					  index->mask]++;
	}
	/* From the last to the first, so that each list begins with its highest rank. */
	for (size_t i = rules->count; i-- > 0;)
		if (match_index_of(rules->rule[i]->kind) == which)
			match_file_rule(rules, index, frequency, rules->rule[i]);
	return 0;
}

int nv_rules_index(struct nv_rules *rules)
{
	int r = 0;

	if (rules->count)
		qsort(rules->rule, rules->count, sizeof(*rules->rule), match_by_rank);
	for (size_t i = 0; i < rules->count; i++) {
		struct nv_rule *rule = rules->rule[i];

		rule->place = i;
		for (size_t c = 0; c < rule->n_conditions; c++) {
			struct nv_condition *condition = &rule->condition[c];
			const struct nv_set *set =
				condition->variable ? nv_rules_set(rules, condition->variable,
							      strlen(condition->variable))
						    : NULL;

			condition->otherwise = set ? set->value : "";
		}
	}
	for (int i = 0; i < NV_RULE_KINDS && r == 0; i++)
		r = match_build_index(rules, &rules->index[i], i);
	return r;
}

struct question {
	const struct nv_rules *rules;
	const struct nv_event *event;
	nv_rules_media_fn media;
	void *data;
};

static const char *match_value_of(const struct question *question, const char *variable)
{
	const char *value = nv_event_get(question->event, variable);
	const struct nv_set *set;

	if (value)
		return value;
	set = nv_rules_set(question->rules, variable, strlen(variable));
	return set ? set->value : "";
}

static const char *match_media_name(const struct question *question)
{
	const char *ifname = match_value_of(question, "device-name");
	const char *is;

	if (!*ifname)
		ifname = match_value_of(question, "subsystem");
	is = question->media ? question->media(ifname, question->data) : NULL;
	return is ? is : "unknown";
}

static bool match_media_holds(const struct question *question, const char *type)
{
	return strcasecmp(match_media_name(question), type) == 0;
}

/* @slowly: compares a literal with its regex too. */
static bool match_condition_takes(
	const struct nv_condition *condition, const char *value, bool slowly)
{
	bool holds;

	if (condition->kind == NV_CONDITION_LITERAL && !slowly)
		holds = strcasecmp(value, condition->pattern) == 0;
	else
		holds = regexec(condition->regex, value, 0, NULL, 0) == 0;
	return holds != condition->negated;
}

bool nv_condition_takes(const struct nv_condition *condition, const char *value)
{
	return match_condition_takes(condition, value, false);
}

static bool match_condition_holds(
	const struct question *question, const struct nv_condition *condition, bool slowly)
{
	const char *value;

	if (condition->kind == NV_CONDITION_MEDIA)
		return match_media_holds(question, condition->pattern);
	value = nv_event_get(question->event, condition->variable);
	return match_condition_takes(condition, value ? value : condition->otherwise, slowly);
}

/* The cheap conditions first: their order does not change the result. */
static bool match_rule_holds(const struct question *question, const struct nv_rule *rule)
{
	for (int kind = NV_CONDITION_LITERAL; kind <= NV_CONDITION_MEDIA; kind++)
		for (size_t i = 0; i < rule->n_conditions; i++)
			if ((int)rule->condition[i].kind == kind &&
				!match_condition_holds(question, &rule->condition[i], false))
				return false;
	return true;
}

/* The first rule of a list that holds, if it ranks before @best. */
static const struct nv_rule *match_is_better(const struct question *question,
	const struct nv_rule *list, uint32_t key, const struct nv_rule *best)
{
	for (; list && (!best || list->place < best->place); list = list->next)
		if (list->key == key && match_rule_holds(question, list))
			return list;
	return best;
}

const struct nv_rule *nv_rules_match(const struct nv_rules *rules, const struct nv_event *event,
	nv_rules_media_fn media, void *data)
{
	struct question question = {rules, event, media, data};
	const struct nv_rule *best = NULL;
	const struct nv_index *index;
	int which = match_index_of(nv_event_kind(event));

	if (which < 0)
		return NULL;
	index = &rules->index[which];
	for (size_t i = 0; i < index->n_variables; i++) {
		const char *value = nv_event_get(event, index->variable[i]);
		uint32_t key;

		if (!value)
			continue;
		key = match_hash(index->seed[i], value);
		best = match_is_better(&question, index->slot[key & index->mask], key, best);
	}
	return match_is_better(&question, index->rest, 0, best);
}

static struct nv_rule_miss match_describe_miss(const struct question *question,
	const struct nv_rule *rule, const struct nv_condition *condition)
{
	bool is_media = condition->kind == NV_CONDITION_MEDIA;

	return (struct nv_rule_miss){
		.file = rule->file,
		.line = condition->line,
		.variable = is_media ? "media-type" : condition->variable,
		.pattern = condition->pattern,
		.value = is_media ? match_media_name(question)
				  : match_value_of(question, condition->variable),
		.negated = condition->negated,
	};
}

int nv_rules_nearest(const struct nv_rules *rules, const struct nv_event *event,
	nv_rules_media_fn media, void *data, struct nv_rule_miss *ret_miss)
{
	const struct question question = {rules, event, media, data};
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < rules->count; i++) {
		const struct nv_rule *rule = rules->rule[i];
		const struct nv_condition *first = NULL;
		size_t failed = 0;

		if (rule->kind != nv_event_kind(event))
			continue;
		for (size_t c = 0; c < rule->n_conditions; c++) {
			if (match_condition_holds(&question, &rule->condition[c], false))
				continue;
			first = first ? first : &rule->condition[c];
			failed++;
		}
		if (!first || failed == rule->n_conditions || failed >= fewest)
			continue;
		fewest = failed;
		*ret_miss = match_describe_miss(&question, rule, first);
	}
	return fewest == SIZE_MAX ? -ENOENT : 0;
}

/* Compiles the literals' regexes when they are first needed: the daemon never needs them. */
static bool match_can_walk(struct nv_rule *rule)
{
	char message[NV_PATTERN_MESSAGE_MAX];

	for (size_t i = 0; i < rule->n_conditions; i++) {
		struct nv_condition *condition = &rule->condition[i];

		if (condition->kind == NV_CONDITION_LITERAL && !condition->regex &&
			nv_condition_regex(condition, message) < 0)
			return false;
	}
	return true;
}

const struct nv_rule *nv_rules_match_slowly(const struct nv_rules *rules,
	const struct nv_event *event, nv_rules_media_fn media, void *data)
{
	struct question question = {rules, event, media, data};

	for (size_t i = 0; i < rules->count; i++) {
		struct nv_rule *rule = rules->rule[i];
		size_t c = 0;

		if (rule->kind != nv_event_kind(event) || !match_can_walk(rule))
			continue;
		while (c < rule->n_conditions &&
			match_condition_holds(&question, &rule->condition[c], true))
			c++;
		if (c == rule->n_conditions)
			return rule;
	}
	return NULL;
}
