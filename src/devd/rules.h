/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of devd.conf(5): parse files, match an event, expand an action. Pure: depends on base
 * and event alone.
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
 * Answers what the variable `vm_guest` is: one of the words of FreeBSD's sysctl kern.vm_guest
 * ("none", "kvm", "hv", …). Asked at most once for each load, and only when a file of rules names
 * the variable. Must not return NULL; the text is copied.
 */
typedef const char *(*nv_rules_guest_fn)(void *data);

/*
 * Reads @path and then the `.conf` files of each directory that it lists, in name order.
 * All faults of all files are added to @faults; what FreeBSD's devd takes but hardly anybody means
 * (`a|b` without parentheses) is a warning, and so is a rule that can match no event here, because
 * of what `vm_guest` is.
 *
 * @guest: NULL: `vm_guest` is a variable like any other, "" where nobody sets it.
 * @ret_rules: the caller's, to free with nv_rules_free(); untouched on failure.
 * Returns 0, -EINVAL (@faults has an error), -ENOMEM. An unreadable file is a fault too.
 */
int nv_rules_load(const char *path, nv_rules_guest_fn guest, void *data, struct nv_faults *faults,
	struct nv_rules **ret_rules);

/* The same from memory; directories it lists are read. @name stands in faults. */
int nv_rules_parse(const char *name, const char *text, size_t length, nv_rules_guest_fn guest,
	void *data, struct nv_faults *faults, struct nv_rules **ret_rules);

struct nv_rules *nv_rules_free(struct nv_rules *rules);
NV_DEFINE_AUTO(nv_rules, struct nv_rules *, nv_rules_free);

const char *nv_rules_pid_file(const struct nv_rules *rules); /* NULL when not set */
size_t nv_rules_count(const struct nv_rules *rules); /* those with a condition or an action */

/*
 * Answers `media-type`: the media type's name of interface @ifname ("Ethernet", "802.11", "ATM"),
 * or NULL when it cannot be told (then only "unknown" matches).
 */
typedef const char *(*nv_rules_media_fn)(const char *ifname, void *data);

/*
 * The first rule, by priority and then by place, all of whose conditions hold; NULL when none does.
 * Owned by @rules. @media may be NULL.
 */
const struct nv_rule *nv_rules_match(const struct nv_rules *rules, const struct nv_event *event,
	nv_rules_media_fn media, void *data);

/* The rule that came nearest to an event, and its first condition that does not hold. */
struct nv_rule_miss {
	const char *file;
	unsigned int line; /* of the condition */
	const char *variable; /* "media-type" for a medium */
	const char *pattern; /* as written, without the "!" of a negated one */
	const char *value; /* of the variable, "" where it has none; valid as long as the event */
	bool negated;
};

/*
 * Of the rules that do not match @event, the one of which the fewest conditions fail, by rank among
 * equals. A rule of which no condition holds is none.
 * @ret_miss: its texts are owned by @rules and @event; untouched on failure.
 * Returns 0, or -ENOENT: no rule comes near.
 */
int nv_rules_nearest(const struct nv_rules *rules, const struct nv_event *event,
	nv_rules_media_fn media, void *data, struct nv_rule_miss *ret_miss);

/* The same as nv_rules_match() by a walk over every rule with regexec; for tests and the bench. */
const struct nv_rule *nv_rules_match_slowly(const struct nv_rules *rules,
	const struct nv_event *event, nv_rules_media_fn media, void *data);

/*
 * Whether an action of any rule for this kind of event, whatever the rule's conditions, expands to
 * @command. False too where there is no memory to tell.
 */
bool nv_rules_make(const struct nv_rules *rules, const struct nv_event *event, const char *command);

/*
 * Calls @each with every action as it stands in its file, by the rules' rank; stops at and returns
 * what is not 0.
 */
int nv_rules_each_action(const struct nv_rules *rules,
	int (*each)(const char *file, unsigned int line, const char *action, void *data),
	void *data);

size_t nv_rule_actions(const struct nv_rule *rule); /* 0: the rule swallows the event */
const char *nv_rule_file(const struct nv_rule *rule);
unsigned int nv_rule_line(const struct nv_rule *rule);

/*
 * Writes the rule's action number @index (from 0) to @command, which is cleared first: text for
 * /bin/sh -c, with each variable's value quoted so that every POSIX sh takes it as one word. Inside
 * '…' of the action, a value keeps only characters that no shell, awk or sed minds.
 * Returns 0, -ENOENT (no such action), -E2BIG or -ENOMEM.
 */
int nv_rule_expand(const struct nv_rules *rules, const struct nv_rule *rule, size_t index,
	const struct nv_event *event, struct nv_str *command);
