/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rc.conf(5) as data: assignments in sh's syntax are read, nothing is ever executed. Pure.
 *
 * Accepted: NAME=VALUE with 'single', "double" and unquoted parts, backslash escapes, continuation
 * lines, comments, several assignments on a line separated by ';' or blanks, and $NAME or ${NAME}
 * of a name assigned earlier in the file. Anything else that sh would take (commands, $(…), `…`,
 * ${x:-y}, export, if …) is a fault with its place.
 */
#pragma once

#include "base/fault.h"
#include "base/str.h"

#define NV_RCCONF_FILE_MAX  (1024 * 1024) /* bytes */
#define NV_RCCONF_KEY_MAX   255 /* bytes */
#define NV_RCCONF_VALUE_MAX 65536 /* bytes */
#define NV_RCCONF_KEYS_MAX  10000
#define NV_RCCONF_TOTAL_MAX (4 * 1024 * 1024) /* bytes of all values, references expanded */
#define NV_RCCONF_PATH	    "/etc/netvf/rc.conf"
#define NV_RCCONF_ENV	    "NETVF_RC_CONF" /* netvfd sets it for the actions that it starts */

struct nv_rcconf;

/*
 * Reads the file at @path. A file that does not exist is an empty one (-ENOENT is not returned);
 * an unreadable one is a fault.
 * Returns 0, -EINVAL (@faults got an error), -ENOMEM.
 */
int nv_rcconf_load(const char *path, struct nv_faults *faults, struct nv_rcconf **ret_rcconf);
int nv_rcconf_parse(const char *name, const char *text, size_t length, struct nv_faults *faults,
	struct nv_rcconf **ret_rcconf);
struct nv_rcconf *nv_rcconf_free(struct nv_rcconf *rcconf);
NV_DEFINE_AUTO(nv_rcconf, struct nv_rcconf *, nv_rcconf_free);

/* The last value assigned; NULL when unset. Owned by @rcconf. */
const char *nv_rcconf_get(const struct nv_rcconf *rcconf, const char *key);

/*
 * The value for an interface: @format holds one %s, for which the name stands with every character
 * that cannot be in a variable's name (. - / + and others) as '_': "ifconfig_%s_ipv6".
 */
const char *nv_rcconf_get_for(
	const struct nv_rcconf *rcconf, const char *format, const char *ifname);

/* Writes that key's name to @ret_key, cut to its size. */
void nv_rcconf_key_for(const char *format, const char *ifname, char ret_key[NV_RCCONF_KEY_MAX + 1]);

/*
 * YES TRUE ON 1, NO FALSE OFF 0, in any case; @otherwise when unset or anything else, which
 * nv_rcconf_check() finds.
 */
bool nv_rcconf_yes(const struct nv_rcconf *rcconf, const char *key, bool otherwise);

/* Calls @each for every key, in the order of first assignment; stops at and returns non-zero. */
int nv_rcconf_each(const struct nv_rcconf *rcconf,
	int (*each)(const char *key, const char *value, void *data), void *data);

/* Where a key was last assigned, for faults that are found later. 0 when unset. */
const char *nv_rcconf_file(const struct nv_rcconf *rcconf);
unsigned int nv_rcconf_line(const struct nv_rcconf *rcconf, const char *key);

/*
 * Adds a fault of the value of @key, at the place of its last assignment: "KEY: message". The same
 * fault a second time (two interfaces share the key) is not added.
 */
void nv_rcconf_fault(const struct nv_rcconf *rcconf, const char *key,
	enum nv_fault_severity severity, struct nv_faults *faults, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Checks every key that netvf knows: a warning for a key it does not know (with the nearest that
 * it does), an error for a value that it cannot use. For netvfd --check and at start.
 */
void nv_rcconf_check(const struct nv_rcconf *rcconf, struct nv_faults *faults);
