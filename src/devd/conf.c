/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the rules from what the grammar finds. */
#include "devd/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

static void conf_add_fault(struct nv_conf *conf, enum nv_fault_severity severity,
	struct nv_place place, const char *format, va_list args)
{
	NV_AUTO(nv_free) char *message = NULL;

	if (vasprintf(&message, format, args) < 0) {
		message = NULL;
		conf->error = -ENOMEM;
		return;
	}
	nv_faults_add(conf->faults, severity, conf->file, place.line, place.column, "%s", message);
}

void nv_conf_error(struct nv_conf *conf, struct nv_place place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	conf_add_fault(conf, NV_FAULT_ERROR, place, format, args);
	va_end(args);
}

void nv_conf_warning(struct nv_conf *conf, struct nv_place place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	conf_add_fault(conf, NV_FAULT_WARNING, place, format, args);
	va_end(args);
}

struct nv_excerpt nv_excerpt(const char *text, size_t length)
{
	struct nv_excerpt excerpt = {};
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = text[i];

		if (at > 40) {
			memcpy(excerpt.text + at, "...", 4);
			break;
		}
		if (c >= ' ' && c < 0x7f)
			excerpt.text[at++] = (char)c;
		else
			at += snprintf(excerpt.text + at, 5, "\\x%02x", c);
	}
	return excerpt;
}

void nv_conf_begin_rule(
	struct nv_conf *conf, enum nv_event_kind kind, unsigned int priority, struct nv_place place)
{
	nv_rule_free(conf->rule);
	conf->rule = calloc(1, sizeof(*conf->rule));
	if (!conf->rule) {
		conf->error = -ENOMEM;
		return;
	}
	conf->rule->kind = kind;
	conf->rule->priority = priority;
	conf->rule->file = conf->file;
	conf->rule->line = place.line;
}

void nv_conf_end_rule(struct nv_conf *conf)
{
	struct nv_rules *rules = conf->rules;
	struct nv_rule *rule = TAKE_PTR(conf->rule);

	if (!rule)
		return;
	if (rules->count == NV_RULES_MAX) {
		nv_conf_error(conf, (struct nv_place){rule->line, 1},
			"there are more than %d rules; this one and those after it are ignored",
			NV_RULES_MAX);
	} else if (!rule->n_conditions && !rule->n_actions) {
		/* devd ignores a rule without conditions and actions. */
	} else if (nv_grow(rules->rule, rules->count)) {
		conf->error = -ENOMEM;
	} else {
		rule->place = rules->count;
		rules->rule[rules->count++] = TAKE_PTR(rule);
	}
	nv_rule_free(rule);
}

/* Adds a condition to the end of the rule; NULL: out of memory. */
static struct nv_condition *conf_add_condition(struct nv_conf *conf, struct nv_place place)
{
	struct nv_rule *rule = conf->rule;

	if (!rule)
		return NULL;
	if (rule->n_conditions == NV_RULES_CONDITIONS_MAX) {
		nv_conf_error(
			conf, place, "a rule has at most %d conditions", NV_RULES_CONDITIONS_MAX);
		return NULL;
	}
	if (nv_grow(rule->condition, rule->n_conditions)) {
		conf->error = -ENOMEM;
		return NULL;
	}
	rule->condition[rule->n_conditions] =
		(struct nv_condition){.line = place.line, .column = place.column};
	return &rule->condition[rule->n_conditions++];
}

/* The "!" is a negation only if it is in the file itself, not if it comes from a variable. */
void nv_conf_match(
	struct nv_conf *conf, const char *variable, const char *pattern, struct nv_place place)
{
	NV_AUTO(nv_str) struct nv_str expanded = {};
	struct nv_condition *condition = conf_add_condition(conf, place);
	char message[NV_PATTERN_MESSAGE_MAX] = "";
	int r;

	if (!condition)
		return;
	condition->negated = *pattern == '!';
	nv_rules_expand_pattern(conf->rules, pattern + condition->negated, &expanded);
	if (expanded.error == -E2BIG || expanded.length > NV_RULES_PATTERN_MAX) {
		nv_conf_error(conf, place, "a pattern has at most %d bytes", NV_RULES_PATTERN_MAX);
		return;
	}
	r = expanded.error;
	if (r == 0)
		r = nv_condition_compile(condition, variable, nv_str_text(&expanded), message);
	if (r == -EINVAL)
		nv_conf_error(conf, place, "the pattern \"%s\" cannot be used: %s",
			nv_excerpt(condition->pattern, expanded.length).text, message);
	else if (r < 0)
		conf->error = r;
	else if (nv_pattern_is_split(condition->pattern))
		nv_conf_warning(conf, place,
			"\"a|b\" means \"begins with a, or ends with b\"; for one of the two, write \"(a|b)\"");
}

void nv_conf_media(struct nv_conf *conf, const char *type, struct nv_place place)
{
	static const char *const known[] = {"Ethernet", "802.11", "ATM", "unknown"};
	struct nv_condition *condition = conf_add_condition(conf, place);
	size_t i = 0;

	if (!condition)
		return;
	while (i < NV_ARRAY_SIZE(known) && strcasecmp(type, known[i]) != 0)
		i++;
	if (i == NV_ARRAY_SIZE(known)) {
		nv_conf_warning(conf, place,
			"there is no media type \"%s\": \"unknown\" is used (the types are Ethernet, 802.11, ATM and unknown)",
			nv_excerpt(type, strlen(type)).text);
		type = "unknown";
	}
	condition->kind = NV_CONDITION_MEDIA;
	condition->pattern = strdup(type);
	if (!condition->pattern)
		conf->error = -ENOMEM;
}

/* Appends a copy of @text to an array of strings. */
static void conf_add_string(struct nv_conf *conf, char ***array, size_t *count, const char *text)
{
	char *copy = strdup(text);

	if (!copy || nv_grow(*array, *count)) {
		free(copy);
		conf->error = -ENOMEM;
		return;
	}
	(*array)[(*count)++] = copy;
}

void nv_conf_action(struct nv_conf *conf, const char *action, struct nv_place place)
{
	struct nv_rule *rule = conf->rule;

	if (!rule)
		return;
	if (rule->n_actions == NV_RULES_ACTIONS_MAX) {
		nv_conf_error(conf, place, "a rule has at most %d actions", NV_RULES_ACTIONS_MAX);
		return;
	}
	if (strlen(action) > NV_RULES_ACTION_MAX) {
		nv_conf_error(conf, place, "an action has at most %d bytes", NV_RULES_ACTION_MAX);
		return;
	}
	if (nv_action_is_open(action))
		nv_conf_warning(conf, place, "a ' in this action is not closed");
	conf_add_string(conf, &rule->action, &rule->n_actions, action);
}

void nv_conf_directory(struct nv_conf *conf, const char *path, struct nv_place place)
{
	struct nv_rules *rules = conf->rules;

	if (conf->drop_in) {
		nv_conf_warning(conf, place,
			"\"directory\" is used only in the main file; this one is ignored");
		return;
	}
	if (*path != '/')
		nv_conf_warning(conf, place,
			"\"%s\" means another directory after the daemon has changed to /: write an absolute path",
			nv_excerpt(path, strlen(path)).text);
	if (rules->n_directories == NV_RULES_DIRECTORIES_MAX)
		nv_conf_error(conf, place, "there are more than %d directories",
			NV_RULES_DIRECTORIES_MAX);
	else
		conf_add_string(conf, &rules->directory, &rules->n_directories, path);
}

void nv_conf_pid_file(struct nv_conf *conf, const char *path)
{
	char *copy = strdup(path);

	if (!copy) {
		conf->error = -ENOMEM;
		return;
	}
	free(conf->rules->pid_file);
	conf->rules->pid_file = copy;
}

void nv_conf_set(struct nv_conf *conf, const char *name, const char *value, struct nv_place place)
{
	int r = nv_rules_define(conf->rules, name, value);

	if (r == -E2BIG)
		nv_conf_error(conf, place, "there are more than %d variables", NV_RULES_SETS_MAX);
	else if (r < 0)
		conf->error = r;
}
