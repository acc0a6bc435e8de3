/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcconf/rcconf.h"

#include "base/log.h"
#include "rcconf/store.h"
#include "rcconf/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION	  HASH_FNV /* the default one uses fallthrough, which clang warns about */
#include <uthash.h>

struct entry {
	char *key;
	char *value;
	unsigned int line;
	unsigned int column;
	bool used;
	UT_hash_handle hh;
};

struct nv_rcconf {
	char *name;
	struct entry *entries;
	size_t total; /* bytes of all values together */
};

static struct entry *rcconf_find(const struct nv_rcconf *rcconf, const char *key)
{
	struct entry *entry;

	HASH_FIND_STR(rcconf->entries, key, entry);
	return entry;
}

static struct entry *rcconf_entry_free(struct entry *entry)
{
	if (entry) {
		free(entry->key);
		free(entry->value);
		free(entry);
	}
	return NULL;
}
NV_DEFINE_AUTO(entry, struct entry *, rcconf_entry_free);

int nv_rcconf_new(const char *name, struct nv_rcconf **ret_rcconf)
{
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = calloc(1, sizeof(*rcconf));

	if (!rcconf)
		return -ENOMEM;
	rcconf->name = strdup(name);
	if (!rcconf->name)
		return -ENOMEM;
	*ret_rcconf = TAKE_PTR(rcconf);
	return 0;
}

struct nv_rcconf *nv_rcconf_free(struct nv_rcconf *rcconf)
{
	struct entry *entry;
	struct entry *next;

	if (!rcconf)
		return NULL;
	HASH_ITER (hh, rcconf->entries, entry, next) {
		HASH_DEL(rcconf->entries, entry);
		rcconf_entry_free(entry);
	}
	free(rcconf->name);
	free(rcconf);
	return NULL;
}

static int rcconf_insert(struct nv_rcconf *rcconf, const char *key, struct entry **ret_entry)
{
	NV_AUTO(entry) struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->key = strdup(key);
	if (!entry->key)
		return -ENOMEM;
	HASH_ADD_KEYPTR(hh, rcconf->entries, entry->key, strlen(entry->key), entry);
	if (!rcconf_find(rcconf, key))
		return -ENOMEM;
	*ret_entry = TAKE_PTR(entry);
	return 0;
}

int nv_rcconf_set(struct nv_rcconf *rcconf, const char *key, char *value, unsigned int line,
	unsigned int column)
{
	NV_AUTO(nv_free) char *taken = value;
	struct entry *entry = rcconf_find(rcconf, key);
	size_t before = entry ? strlen(entry->value) : 0;
	size_t total = rcconf->total - before + strlen(value);
	int r;

	if (total > NV_RCCONF_TOTAL_MAX)
		return -ENOBUFS;
	if (!entry) {
		if (HASH_COUNT(rcconf->entries) >= NV_RCCONF_KEYS_MAX)
			return -ENOBUFS;
		r = rcconf_insert(rcconf, key, &entry);
		if (r < 0)
			return r;
	}
	free(entry->value);
	entry->value = TAKE_PTR(taken);
	entry->line = line;
	entry->column = column;
	rcconf->total = total;
	return 0;
}

const char *nv_rcconf_get(const struct nv_rcconf *rcconf, const char *key)
{
	const struct entry *entry = rcconf_find(rcconf, key);

	return entry ? entry->value : NULL;
}

void nv_rcconf_mark_used(const struct nv_rcconf *rcconf, const char *key)
{
	struct entry *entry = rcconf_find(rcconf, key);

	if (entry)
		entry->used = true;
}

bool nv_rcconf_is_used(const struct nv_rcconf *rcconf, const char *key)
{
	const struct entry *entry = rcconf_find(rcconf, key);

	return entry && entry->used;
}

void nv_rcconf_key_for(const char *format, const char *ifname, char ret_key[NV_RCCONF_KEY_MAX + 1])
{
	char name[NV_RCCONF_KEY_MAX + 1];

	nv_strcopy(name, sizeof(name), ifname);
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	snprintf(ret_key, NV_RCCONF_KEY_MAX + 1, format, name);
}

const char *nv_rcconf_get_for(
	const struct nv_rcconf *rcconf, const char *format, const char *ifname)
{
	char key[NV_RCCONF_KEY_MAX + 1];

	nv_rcconf_key_for(format, ifname, key);
	return nv_rcconf_get(rcconf, key);
}

bool nv_rcconf_yes(const struct nv_rcconf *rcconf, const char *key, bool otherwise)
{
	const char *value = nv_rcconf_get(rcconf, key);
	bool yes = otherwise;

	if (value)
		nv_yes_parse(value, &yes);
	return yes;
}

int nv_rcconf_each(const struct nv_rcconf *rcconf,
	int (*each)(const char *key, const char *value, void *data), void *data)
{
	for (const struct entry *entry = rcconf->entries; entry; entry = entry->hh.next) {
		int stop = each(entry->key, entry->value, data);

		if (stop)
			return stop;
	}
	return 0;
}

const char *nv_rcconf_file(const struct nv_rcconf *rcconf)
{
	return rcconf->name;
}

unsigned int nv_rcconf_line(const struct nv_rcconf *rcconf, const char *key)
{
	const struct entry *entry = rcconf_find(rcconf, key);

	return entry ? entry->line : 0;
}

static bool rcconf_known_already(const struct nv_faults *faults, const struct entry *entry,
	const char *file, const char *message)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct nv_fault *fault = &faults->fault[i];

		if (fault->line == (entry ? entry->line : 0) && nv_streq(fault->file, file) &&
			nv_streq(fault->message, message))
			return true;
	}
	return false;
}

void nv_rcconf_fault(const struct nv_rcconf *rcconf, const char *key,
	enum nv_fault_severity severity, struct nv_faults *faults, const char *format, ...)
{
	const struct entry *entry = rcconf_find(rcconf, key);
	char message[512];
	int length = snprintf(message, sizeof(message), "%.200s: ", key);
	va_list args;

	va_start(args, format);
	vsnprintf(message + length, sizeof(message) - length, format, args);
	va_end(args);
	/* Quoted parts of a value must not control the terminal. */
	for (char *c = message; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	if (!rcconf_known_already(faults, entry, rcconf->name, message))
		nv_faults_add(faults, severity, rcconf->name, entry ? entry->line : 0,
			entry ? entry->column : 0, "%s", message);
}

int nv_rcconf_parse(const char *name, const char *text, size_t length, struct nv_faults *faults,
	struct nv_rcconf **ret_rcconf)
{
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	size_t errors = faults->errors;
	int r;

	if (length > NV_RCCONF_FILE_MAX) {
		nv_faults_add(faults, NV_FAULT_ERROR, name, 0, 0,
			"larger than %d bytes: this is hardly an rc.conf", NV_RCCONF_FILE_MAX);
		return -EINVAL;
	}
	r = nv_rcconf_new(name, &rcconf);
	if (r < 0)
		return r;
	r = nv_rcconf_scan(rcconf, text, length, faults);
	if (r < 0)
		return r;
	if (faults->errors > errors)
		return -EINVAL;
	*ret_rcconf = TAKE_PTR(rcconf);
	return 0;
}

static int rcconf_unreadable(const char *path, int error, struct nv_faults *faults)
{
	nv_faults_add(faults, NV_FAULT_ERROR, path, 0, 0, "cannot be read: %s", nv_strerror(error));
	return -EINVAL;
}

int nv_rcconf_load(const char *path, struct nv_faults *faults, struct nv_rcconf **ret_rcconf)
{
	NV_AUTO(nv_file) FILE *file = fopen(path, "re");
	NV_AUTO(nv_free) char *text = NULL;
	size_t length;

	if (!file && errno == ENOENT)
		return nv_rcconf_parse(path, "", 0, faults, ret_rcconf);
	if (!file)
		return rcconf_unreadable(path, errno, faults);
	text = malloc(NV_RCCONF_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	length = fread(text, 1, NV_RCCONF_FILE_MAX + 1, file);
	if (ferror(file))
		return rcconf_unreadable(path, errno, faults);
	return nv_rcconf_parse(path, text, length, faults, ret_rcconf);
}

int nv_rcconf_load_or_empty(
	const char *path, struct nv_faults *faults, struct nv_rcconf **ret_rcconf)
{
	int r = nv_rcconf_load(path, faults, ret_rcconf);

	if (r != -EINVAL)
		return r;
	r = nv_rcconf_parse(path, "", 0, faults, ret_rcconf);
	return r < 0 ? r : 1;
}
