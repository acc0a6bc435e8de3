/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the files of rules. */
#include "devd/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

/* A load: the rules that it makes, and the faults of all files. */
struct loader {
	struct nv_rules *rules;
	struct nv_faults *faults;
	nv_rules_guest_fn guest; /* NULL also after it was called */
	void *guest_data;
};

static const char GUEST[] = "vm_guest";

static void rules_say(const struct loader *loader, enum nv_fault_severity severity,
	const char *path, const char *what, int error)
{
	nv_faults_add(loader->faults, severity, path, 0, 0, "%s: %s", what, strerror(-error));
}

/* Reads a whole file. Returns 0, -EFBIG or -errno. */
static int rules_read_file(const char *path, int flags, char **ret_text, size_t *ret_length)
{
	NV_AUTO(nv_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	NV_AUTO(nv_free) char *text = NULL;
	size_t size = 4096;
	size_t length = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t got;

		if (!text || length == size) {
			char *more = realloc(text, size *= 2);

			if (!more)
				return -ENOMEM;
			text = more;
		}
		got = read(fd, text + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += got;
		if (length > NV_RULES_FILE_MAX)
			return -EFBIG;
	}
	*ret_text = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

/* FreeBSD's devd always has this variable. Here it must be detected first, which takes time. */
static int rules_define_guest(struct loader *loader, const char *text, size_t length)
{
	nv_rules_guest_fn guest = loader->guest;

	if (!guest || !memmem(text, length, GUEST, strlen(GUEST)))
		return 0;
	loader->guest = NULL;
	return nv_rules_define(loader->rules, GUEST, guest(loader->guest_data));
}

static int rules_parse_text(
	struct loader *loader, const char *name, const char *text, size_t length, bool drop_in)
{
	struct nv_rules *rules = loader->rules;
	struct nv_conf conf = {
		.rules = rules,
		.faults = loader->faults,
		.drop_in = drop_in,
	};
	char *file = strdup(name);
	int r;

	if (!file || nv_grow(rules->file, rules->n_files)) {
		free(file);
		return -ENOMEM;
	}
	rules->file[rules->n_files++] = file;
	conf.file = file;
	r = rules_define_guest(loader, text, length);
	if (r < 0)
		return r;
	r = nv_conf_read(&conf, text, length);
	nv_rule_free(conf.rule);
	return r;
}

static int load_drop_in(struct loader *loader, const char *directory, const char *name)
{
	NV_AUTO(nv_str) struct nv_str whole = {};
	NV_AUTO(nv_free) char *text = NULL;
	const char *path;
	size_t length;
	int r;

	nv_str_printf(&whole, "%s/%s", directory, name);
	if (whole.error)
		return -ENOMEM;
	path = nv_str_text(&whole);
	if (loader->rules->n_files == NV_RULES_FILES_MAX) {
		nv_faults_add(loader->faults, NV_FAULT_ERROR, path, 0, 0,
			"there are more than %d files of rules", NV_RULES_FILES_MAX);
		return 0;
	}
	/* O_NONBLOCK: a FIFO there must not block the daemon. */
	r = rules_read_file(path, O_NONBLOCK, &text, &length);
	if (r < 0) {
		rules_say(loader, NV_FAULT_ERROR, path, "cannot read this file of rules", r);
		return 0;
	}
	return rules_parse_text(loader, path, text, length, true);
}

/* Hidden files, such as those of an editor, are ignored. */
static int rules_is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int rules_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_directory(struct loader *loader, const char *directory)
{
	struct dirent **entry;
	int count = scandir(directory, &entry, rules_is_drop_in, rules_by_name);
	int r = 0;

	if (count < 0) {
		if (errno != ENOENT)
			rules_say(loader, NV_FAULT_WARNING, directory,
				"cannot read this directory of rules", -errno);
		return 0;
	}
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = load_drop_in(loader, directory, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return r;
}

/*
 * The result of a condition on `vm_guest` never changes: no event of Linux or FreeBSD has this
 * variable.
 */
static void rules_warn_of_guest(const struct nv_rules *rules, struct nv_faults *faults)
{
	const struct nv_set *set = nv_rules_set(rules, GUEST, strlen(GUEST));

	for (size_t i = 0; set && i < rules->count; i++) {
		const struct nv_rule *rule = rules->rule[i];

		for (size_t c = 0; c < rule->n_conditions; c++) {
			const struct nv_condition *condition = &rule->condition[c];

			if (condition->kind == NV_CONDITION_MEDIA ||
				!nv_streq(condition->variable, GUEST) ||
				nv_condition_takes(condition, set->value))
				continue;
			nv_faults_add(faults, NV_FAULT_WARNING, rule->file, condition->line,
				condition->column,
				"this rule never applies here: vm_guest is %s; netvf_vm_guest in rc.conf can change that",
				set->value);
		}
	}
}

int nv_rules_parse(const char *name, const char *text, size_t length, nv_rules_guest_fn guest,
	void *data, struct nv_faults *faults, struct nv_rules **ret_rules)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = calloc(1, sizeof(*rules));
	struct loader loader = {
		.rules = rules, .faults = faults, .guest = guest, .guest_data = data};
	size_t errors = faults->errors;
	int r;

	if (!rules)
		return -ENOMEM;
	r = rules_parse_text(&loader, name, text, length, false);
	for (size_t i = 0; i < rules->n_directories && r == 0; i++)
		r = load_directory(&loader, rules->directory[i]);
	if (r < 0)
		return r;
	if (faults->errors > errors)
		return -EINVAL;
	r = nv_rules_index(rules);
	if (r < 0)
		return r;
	rules_warn_of_guest(rules, faults);
	*ret_rules = TAKE_PTR(rules);
	return 0;
}

int nv_rules_load(const char *path, nv_rules_guest_fn guest, void *data, struct nv_faults *faults,
	struct nv_rules **ret_rules)
{
	NV_AUTO(nv_free) char *text = NULL;
	struct loader loader = {.faults = faults};
	size_t length;
	int r = rules_read_file(path, 0, &text, &length);

	if (r < 0) {
		rules_say(&loader, NV_FAULT_ERROR, path, "cannot read the rules", r);
		return r == -ENOMEM ? r : -EINVAL;
	}
	return nv_rules_parse(path, text, length, guest, data, faults, ret_rules);
}

struct nv_rule *nv_rule_free(struct nv_rule *rule)
{
	if (!rule)
		return NULL;
	for (size_t i = 0; i < rule->n_conditions; i++)
		nv_condition_clear(&rule->condition[i]);
	for (size_t i = 0; i < rule->n_actions; i++)
		free(rule->action[i]);
	free(rule->condition);
	free(rule->action);
	free(rule);
	return NULL;
}

static void rules_free_strings(char **array, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(array[i]);
	free(array);
}

struct nv_rules *nv_rules_free(struct nv_rules *rules)
{
	if (!rules)
		return NULL;
	for (size_t i = 0; i < rules->count; i++)
		nv_rule_free(rules->rule[i]);
	free(rules->rule);
	for (size_t i = 0; i < rules->n_sets; i++) {
		free(rules->set[i].name);
		free(rules->set[i].value);
	}
	free(rules->set);
	rules_free_strings(rules->file, rules->n_files);
	rules_free_strings(rules->directory, rules->n_directories);
	free(rules->pid_file);
	for (size_t i = 0; i < NV_RULE_KINDS; i++)
		free(rules->index[i].slot);
	free(rules);
	return NULL;
}

struct nv_set *nv_rules_set(const struct nv_rules *rules, const char *name, size_t length)
{
	for (size_t i = 0; i < rules->n_sets; i++) {
		struct nv_set *set = &rules->set[i];

		if (strncmp(set->name, name, length) == 0 && set->name[length] == '\0')
			return set;
	}
	return NULL;
}

int nv_rules_define(struct nv_rules *rules, const char *name, const char *value)
{
	struct nv_set *set = nv_rules_set(rules, name, strlen(name));
	NV_AUTO(nv_free) char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	if (!set) {
		NV_AUTO(nv_free) char *own = strdup(name);

		if (rules->n_sets == NV_RULES_SETS_MAX)
			return -E2BIG;
		if (!own || nv_grow(rules->set, rules->n_sets))
			return -ENOMEM;
		set = &rules->set[rules->n_sets++];
		*set = (struct nv_set){.name = TAKE_PTR(own)};
	}
	free(set->value);
	set->value = TAKE_PTR(copy);
	return 0;
}

const char *nv_rules_pid_file(const struct nv_rules *rules)
{
	return rules->pid_file;
}

size_t nv_rules_count(const struct nv_rules *rules)
{
	return rules->count;
}

int nv_rules_each_action(const struct nv_rules *rules,
	int (*each)(const char *file, unsigned int line, const char *action, void *data),
	void *data)
{
	int r = 0;

	for (size_t i = 0; i < rules->count && r == 0; i++) {
		const struct nv_rule *rule = rules->rule[i];

		for (size_t j = 0; j < rule->n_actions && r == 0; j++)
			r = each(rule->file, rule->line, rule->action[j], data);
	}
	return r;
}

bool nv_rules_make(const struct nv_rules *rules, const struct nv_event *event, const char *command)
{
	NV_AUTO(nv_str) struct nv_str made = {};

	for (size_t i = 0; i < rules->count; i++) {
		const struct nv_rule *rule = rules->rule[i];

		for (size_t j = 0; rule->kind == nv_event_kind(event) && j < rule->n_actions; j++)
			if (nv_rule_expand(rules, rule, j, event, &made) == 0 &&
				nv_streq(nv_str_text(&made), command))
				return true;
	}
	return false;
}

size_t nv_rule_actions(const struct nv_rule *rule)
{
	return rule->n_actions;
}

const char *nv_rule_file(const struct nv_rule *rule)
{
	return rule->file;
}

unsigned int nv_rule_line(const struct nv_rule *rule)
{
	return rule->line;
}
