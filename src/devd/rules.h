/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of devd.conf(5): parses files, matches an event, expands an action. Pure: depends on
 * base and event only.
 */
#pragma once

#include "base/fault.h"
#include "event/event.h"

#define NV_RULES_MAX		 10000 /* rules in all files */
#define NV_RULES_FILE_MAX	 (1024 * 1024) /* bytes of one file */
#define NV_RULES_FILES_MAX	 1000
#define NV_RULES_DIRECTORIES_MAX 100
#define NV_RULES_CONDITIONS_MAX	 100 /* of one rule */
#define NV_RULES_ACTIONS_MAX	 100 /* of one rule */
#define NV_RULES_SETS_MAX	 1000 /* variables made by `set` */
#define NV_RULES_PATTERN_MAX	 4096 /* bytes of one pattern, expanded */
#define NV_RULES_ACTION_MAX	 65536 /* bytes of one action, expanded */

struct nv_rules;
struct nv_rule;

/*
 * Returns the value of the variable `vm_guest`: one of the words of FreeBSD's sysctl kern.vm_guest
 * ("none", "kvm", "hv", …). Called at most once for each load, and only if a file of rules uses the
 * variable. Must not return NULL; the text is copied.
 */
typedef const char *(*nv_rules_guest_fn)(void *data);

/*
 * Reads @path and then the `.conf` files of each directory in it, in the order of their names. All
 * faults of all files are added to @faults. A warning is given for what FreeBSD's devd accepts but
 * hardly anybody intends (`a|b` without parentheses), and for a rule that can match no event here
 * because of `vm_guest`.
 *
 * @guest: NULL: `vm_guest` is a variable like any other, "" if nobody sets it.
 * *ret_rules: the caller frees it with nv_rules_free(); untouched on failure.
 * Returns 0, -EINVAL (@faults has an error), or -ENOMEM. A file that cannot be read is a fault too.
 */
int nv_rules_load(const char *path, nv_rules_guest_fn guest, void *data, struct nv_faults *faults,
	struct nv_rules **ret_rules);

/* The same for a text in memory; directories in it are read. @name: for faults. */
int nv_rules_parse(const char *name, const char *text, size_t length, nv_rules_guest_fn guest,
	void *data, struct nv_faults *faults, struct nv_rules **ret_rules);

struct nv_rules *nv_rules_free(struct nv_rules *rules);
NV_DEFINE_AUTO(nv_rules, struct nv_rules *, nv_rules_free);

const char *nv_rules_pid_file(const struct nv_rules *rules); /* NULL if it is not set */
size_t nv_rules_count(const struct nv_rules *rules); /* those with a condition or an action */

/*
 * Returns the media type of interface @ifname for `media-type` ("Ethernet", "802.11", "ATM"), or
 * NULL if it is not known (then only "unknown" matches).
 */
typedef const char *(*nv_rules_media_fn)(const char *ifname, void *data);

/*
 * The first rule, by priority and then by position, whose conditions all hold; NULL: there is none.
 * Owned by @rules. @media may be NULL.
 */
const struct nv_rule *nv_rules_match(const struct nv_rules *rules, const struct nv_event *event,
	nv_rules_media_fn media, void *data);

/* The rule that comes nearest to an event, and its first condition that does not hold. */
struct nv_rule_miss {
	const char *file;
	unsigned int line; /* of the condition */
	const char *variable; /* "media-type" for that condition */
	const char *pattern; /* as in the file, without the "!" of a negated one */
	/* the value of the variable, "" if it has none; valid as long as the event */
	const char *value;
	bool negated;
};

/*
 * Of the rules that do not match @event, finds the one with the fewest conditions that fail, the
 * first by rank if there are several. A rule without a condition that holds does not count.
 * *ret_miss: its texts are owned by @rules and @event; untouched on failure.
 * Returns 0, or -ENOENT: no rule comes near.
 */
int nv_rules_nearest(const struct nv_rules *rules, const struct nv_event *event,
	nv_rules_media_fn media, void *data, struct nv_rule_miss *ret_miss);

/*
 * The same as nv_rules_match(), but tries every rule with regexec(3). For tests and the benchmark.
 */
const struct nv_rule *nv_rules_match_slowly(const struct nv_rules *rules,
	const struct nv_event *event, nv_rules_media_fn media, void *data);

/*
 * Whether @command is the expansion of an action of any rule for this kind of event, whatever the
 * rule's conditions are. False also if memory is short.
 */
bool nv_rules_make(const struct nv_rules *rules, const struct nv_event *event, const char *command);

/*
 * Calls @each for every action as it is in its file, in the order of rank. If @each returns a value
 * other than 0, stops and returns it.
 */
int nv_rules_each_action(const struct nv_rules *rules,
	int (*each)(const char *file, unsigned int line, const char *action, void *data),
	void *data);

size_t nv_rule_actions(const struct nv_rule *rule); /* 0: the rule hides the event */
const char *nv_rule_file(const struct nv_rule *rule);
unsigned int nv_rule_line(const struct nv_rule *rule);

/*
 * Writes the rule's action number @index (from 0) to @command, which is cleared first: text for
 * /bin/sh -c. Each variable's value is quoted so that every POSIX sh takes it as one word. Inside
 * '…' of the action, a value keeps only characters without a special meaning in a shell, awk or
 * sed. Returns 0, -ENOENT (there is no such action), -E2BIG or -ENOMEM.
 */
int nv_rule_expand(const struct nv_rules *rules, const struct nv_rule *rule, size_t index,
	const struct nv_event *event, struct nv_str *command);
