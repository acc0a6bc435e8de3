/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rc.conf(5) as data: assignments in the syntax of sh are read, and nothing is ever executed. Pure.
 *
 * Accepted: NAME=VALUE with 'single', "double" and unquoted parts, backslash escapes, continuation
 * lines, comments, several assignments on a line separated by ';' or blanks, and $NAME or ${NAME}
 * of a name assigned earlier in the file. Everything else that sh accepts (commands, $(…), `…`,
 * ${x:-y}, export, if …) is a fault with its position.
 */
#pragma once

#include "base/fault.h"
#include "base/str.h"

#define NV_RCCONF_FILE_MAX  (1024 * 1024) /* bytes */
#define NV_RCCONF_KEY_MAX   255 /* bytes */
#define NV_RCCONF_VALUE_MAX 65536 /* bytes */
#define NV_RCCONF_KEYS_MAX  10000
/* bytes of all values together, references expanded */
#define NV_RCCONF_TOTAL_MAX (4 * 1024 * 1024)
#define NV_RCCONF_PATH	    "/etc/netvf/rc.conf"
#define NV_RCCONF_ENV	    "NETVF_RC_CONF" /* netvfd sets it for the actions that it starts */

struct nv_rcconf;

/*
 * Reads the file at @path. A file that does not exist counts as empty (-ENOENT is not returned). A
 * file that cannot be read is a fault. Returns 0, -EINVAL (@faults got an error), or -ENOMEM.
 */
int nv_rcconf_load(const char *path, struct nv_faults *faults, struct nv_rcconf **ret_rcconf);

/*
 * The same, but a file with an error counts as empty, for what must not depend on it. Returns 1 if
 * it is that, else 0 or -ENOMEM.
 */
int nv_rcconf_load_or_empty(
	const char *path, struct nv_faults *faults, struct nv_rcconf **ret_rcconf);
int nv_rcconf_parse(const char *name, const char *text, size_t length, struct nv_faults *faults,
	struct nv_rcconf **ret_rcconf);
struct nv_rcconf *nv_rcconf_free(struct nv_rcconf *rcconf);
NV_DEFINE_AUTO(nv_rcconf, struct nv_rcconf *, nv_rcconf_free);

/* The value assigned last; NULL if it is unset. Owned by @rcconf. */
const char *nv_rcconf_get(const struct nv_rcconf *rcconf, const char *key);

/*
 * The value for an interface. @format holds one %s ("ifconfig_%s_ipv6"). It stands for the
 * interface's name, with '_' for every character that cannot be in a variable's name (. - / + and
 * others). NULL if it is unset. Owned by @rcconf.
 */
const char *nv_rcconf_get_for(
	const struct nv_rcconf *rcconf, const char *format, const char *ifname);

/* Writes the name of that key to @ret_key, truncated to its size. */
void nv_rcconf_key_for(const char *format, const char *ifname, char ret_key[NV_RCCONF_KEY_MAX + 1]);

/*
 * YES TRUE ON 1 is true, NO FALSE OFF 0 is false, in upper or lower case. @otherwise if it is unset
 * or anything else; nv_rcconf_check() reports the latter.
 */
bool nv_rcconf_yes(const struct nv_rcconf *rcconf, const char *key, bool otherwise);

/*
 * Calls @each for every key, in the order of first assignment. If @each returns a value other than
 * 0, stops and returns it.
 */
int nv_rcconf_each(const struct nv_rcconf *rcconf,
	int (*each)(const char *key, const char *value, void *data), void *data);

/*
 * The file and the position where a key was assigned last, for faults that are found later; 0 if it
 * is unset.
 */
const char *nv_rcconf_file(const struct nv_rcconf *rcconf);
unsigned int nv_rcconf_line(const struct nv_rcconf *rcconf, const char *key);

/*
 * Adds a fault for the value of @key, at the position of its last assignment: "KEY: message". The
 * same fault is not added twice (two interfaces may share the key).
 */
void nv_rcconf_fault(const struct nv_rcconf *rcconf, const char *key,
	enum nv_fault_severity severity, struct nv_faults *faults, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Checks every key: a warning for a key that netvf does not know, with the most similar one that it
 * knows, and an error for a value that it cannot use. For `netvfd --check` and at the start.
 */
void nv_rcconf_check(const struct nv_rcconf *rcconf, struct nv_faults *faults);
