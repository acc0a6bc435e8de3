/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcconf/settings.h"

#include "rcconf/values.h"

#include <string.h>

#define TRANSPARENT_PREFIX "netvf_vf_transparent_"

struct reader {
	const struct nv_rcconf *rcconf;
	struct nv_faults *faults;
	struct nv_settings *settings;
};

#define FAULT(reader, key, ...) \
	nv_rcconf_fault((reader)->rcconf, key, NV_FAULT_ERROR, (reader)->faults, __VA_ARGS__)

static void settings_read_number(const struct reader *reader, const char *key, const char *what,
	unsigned int min, unsigned int max, unsigned int *ret)
{
	const char *value = nv_rcconf_get(reader->rcconf, key);
	unsigned int number;

	if (!value)
		return;
	if (nv_parse_u32(value, max, &number) < 0 || number < min)
		FAULT(reader, key, "`%.60s' is not a number%s from %u to %u; %u is used", value,
			what, min, max, *ret);
	else
		*ret = number;
}

static void settings_read_seconds(const struct reader *reader, const char *key, unsigned int min,
	unsigned int max, unsigned int *ret)
{
	settings_read_number(reader, key, " of seconds", min, max, ret);
}

static void settings_read_yes(const struct reader *reader, const char *key, bool *ret)
{
	const char *value = nv_rcconf_get(reader->rcconf, key);

	if (value && nv_yes_parse(value, ret) < 0)
		FAULT(reader, key, "`%.60s' is neither YES nor NO; %s is used", value,
			*ret ? "YES" : "NO");
}

/* Splits the value of @key; gives no words if it is unset. */
static void settings_read_words(
	const struct reader *reader, const char *key, struct nv_words *ret_words)
{
	const char *value = nv_rcconf_get(reader->rcconf, key);

	if (value && nv_words_split(value, ret_words) < 0)
		FAULT(reader, key, "cannot be read: out of memory");
}

static bool settings_copy_ifname(
	const struct reader *reader, const char *key, const char *name, char ret_name[IFNAMSIZ])
{
	if (!*name || strlen(name) >= IFNAMSIZ) {
		FAULT(reader, key, "`%.60s' is not an interface's name (1 to %d characters)", name,
			IFNAMSIZ - 1);
		return false;
	}
	return nv_strcopy(ret_name, IFNAMSIZ, name);
}

static void settings_are_full(const struct reader *reader, const char *key, unsigned int max)
{
	FAULT(reader, key, "more than %u entries; the others are ignored", max);
}

static void settings_read_pair(const struct reader *reader, char *word)
{
	struct nv_hn_config *hn = &reader->settings->hn;
	struct nv_hn_named_pair *pair = &hn->pair[hn->n_pairs];
	char *colon = strchr(word, ':');

	if (!colon) {
		FAULT(reader, "netvf_pairs", "`%.60s' is not a pair; write HN:VF, as in hn0:vf0",
			word);
		return;
	}
	*colon = '\0';
	if (!settings_copy_ifname(reader, "netvf_pairs", word, pair->hn) ||
		!settings_copy_ifname(reader, "netvf_pairs", colon + 1, pair->vf))
		return;
	if (nv_streq(pair->hn, pair->vf)) {
		FAULT(reader, "netvf_pairs", "`%s' cannot be its own VF", pair->hn);
		return;
	}
	for (size_t i = 0; i < hn->n_pairs; i++) {
		const struct nv_hn_named_pair *other = &hn->pair[i];

		if (nv_streq(other->vf, pair->vf) || nv_streq(other->hn, pair->vf) ||
			nv_streq(other->vf, pair->hn)) {
			FAULT(reader, "netvf_pairs",
				"`%s:%s' and `%s:%s' cannot both be: a VF belongs to one hn",
				other->hn, other->vf, pair->hn, pair->vf);
			return;
		}
	}
	hn->n_pairs++;
}

static void settings_read_pairs(const struct reader *reader)
{
	NV_AUTO(nv_words) struct nv_words words = {};

	settings_read_words(reader, "netvf_pairs", &words);
	for (size_t i = 0; i < words.count; i++) {
		if (reader->settings->hn.n_pairs == NV_HN_PAIRS_MAX) {
			settings_are_full(reader, "netvf_pairs", NV_HN_PAIRS_MAX);
			break;
		}
		settings_read_pair(reader, words.word[i]);
	}
}

static void settings_read_drivers(const struct reader *reader)
{
	static const char key[] = "netvf_synthetic_drivers";
	struct nv_hn_config *hn = &reader->settings->hn;
	NV_AUTO(nv_words) struct nv_words words = {};

	settings_read_words(reader, key, &words);
	for (size_t i = 0; i < words.count; i++) {
		if (hn->n_drivers == NV_HN_DRIVERS_MAX) {
			settings_are_full(reader, key, NV_HN_DRIVERS_MAX);
			break;
		}
		if (nv_strcopy(hn->driver[hn->n_drivers], NV_NAME_LEN, words.word[i]))
			hn->n_drivers++;
		else
			FAULT(reader, key, "`%.80s' is too long for a driver's name",
				words.word[i]);
	}
}

static void settings_read_names(const struct reader *reader)
{
	static const char key[] = "netvf_synthetic";
	struct nv_hn_config *hn = &reader->settings->hn;
	NV_AUTO(nv_words) struct nv_words words = {};

	settings_read_words(reader, key, &words);
	for (size_t i = 0; i < words.count; i++) {
		if (hn->n_names == NV_HN_NAMES_MAX) {
			settings_are_full(reader, key, NV_HN_NAMES_MAX);
			break;
		}
		if (settings_copy_ifname(reader, key, words.word[i], hn->name[hn->n_names]))
			hn->n_names++;
	}
}

static void settings_read_lagg(const struct reader *reader)
{
	const char *value = nv_rcconf_get(reader->rcconf, "netvf_lagg");

	if (value && nv_streq(value, "bond"))
		reader->settings->hn.lagg = NV_LAGG_BOND;
	else if (value && nv_streq(value, "auto"))
		reader->settings->hn.lagg = NV_LAGG_AUTO;
	else if (value && !nv_streq(value, "bpf"))
		FAULT(reader, "netvf_lagg", "`%.60s' is none of bpf, bond and auto; bpf is used",
			value);
}

/* "auto" is another word for YES: where the kernel refuses hooks, there are none with either. */
static void settings_read_hooks(const struct reader *reader)
{
	const char *value = nv_rcconf_get(reader->rcconf, "netvf_hooks");

	if (!value || !nv_streq(value, "auto"))
		settings_read_yes(reader, "netvf_hooks", &reader->settings->hooks);
}

static void settings_read_vm_guest(const struct reader *reader)
{
	static const char *const words[] = {"none", "generic", "xen", "hv", "vmware", "kvm",
		"bhyve", "vbox", "parallels", "nvmm"};
	const char *value = nv_rcconf_get(reader->rcconf, "netvf_vm_guest");

	for (size_t i = 0; value && i < NV_ARRAY_SIZE(words); i++)
		if (nv_streq(value, words[i]))
			reader->settings->vm_guest = words[i];
	if (value && !reader->settings->vm_guest)
		FAULT(reader, "netvf_vm_guest",
			"`%.60s' is none of none, generic, xen, hv, vmware, kvm, bhyve, vbox, parallels and nvmm; it is detected",
			value);
}

static void settings_read_multicast(const struct reader *reader)
{
	static const char *const words[] = {
		[NV_MULTICAST_ACTIVE] = "active",
		[NV_MULTICAST_BOTH] = "both",
		[NV_MULTICAST_ONCE] = "auto",
	};
	const char *value = nv_rcconf_get(reader->rcconf, "netvf_multicast");

	for (size_t i = 0; value && i < NV_ARRAY_SIZE(words); i++) {
		if (!nv_streq(value, words[i]))
			continue;
		reader->settings->hn.multicast = (enum nv_multicast)i;
		return;
	}
	if (value)
		FAULT(reader, "netvf_multicast",
			"`%.60s' is none of auto, active and both; auto is used", value);
}

static void settings_read_default_transparent(const struct reader *reader)
{
	static const char key[] = "netvf_vf_transparent";
	const char *value = nv_rcconf_get(reader->rcconf, key);
	bool yes;

	if (!value || strcasecmp(value, "AUTO") == 0)
		return;
	if (nv_yes_parse(value, &yes) < 0)
		FAULT(reader, key, "`%.60s' is none of YES, NO and AUTO; AUTO is used", value);
	else
		reader->settings->hn.transparent = yes ? NV_TRANSPARENT_YES : NV_TRANSPARENT_NO;
}

/* Reads netvf_vf_transparent_HN; a callback of nv_rcconf_each(). */
static int settings_read_transparent(const char *key, const char *value, void *data)
{
	const struct reader *reader = data;
	struct nv_hn_config *hn = &reader->settings->hn;
	bool yes = hn->transparent == NV_TRANSPARENT_YES;
	char(*names)[IFNAMSIZ];
	size_t *count;

	(void)value;
	if (strncmp(key, TRANSPARENT_PREFIX, strlen(TRANSPARENT_PREFIX)) != 0)
		return 0;
	settings_read_yes(reader, key, &yes);
	names = yes ? hn->transparent_name : hn->opaque_name;
	count = yes ? &hn->n_transparent_names : &hn->n_opaque_names;
	if (*count == NV_HN_NAMES_MAX)
		settings_are_full(reader, key, NV_HN_NAMES_MAX);
	else if (settings_copy_ifname(reader, key, key + strlen(TRANSPARENT_PREFIX), names[*count]))
		(*count)++;
	return 0;
}

void nv_settings_read(
	const struct nv_rcconf *rcconf, struct nv_faults *faults, struct nv_settings *ret_settings)
{
	const struct reader reader = {rcconf, faults, ret_settings};

	*ret_settings = (struct nv_settings){
		.hn.multicast = NV_MULTICAST_ONCE,
		.action_timeout = 300,
		.announce_count = 3,
		.announce_interval = 1,
		.holddown = 30,
		.hooks = true,
		.inherit = true,
		.vf_spoofchk = true,
	};
	settings_read_seconds(&reader, "hyperv_vf_delay", 0, 86400, &ret_settings->vf_delay);
	settings_read_seconds(&reader, "netvf_vf_xpnt_attwait", 0, 3600, &ret_settings->attwait);
	settings_read_seconds(&reader, "netvf_holddown", 0, 3600, &ret_settings->holddown);
	settings_read_number(
		&reader, "netvf_announce_count", "", 0, 255, &ret_settings->announce_count);
	settings_read_seconds(
		&reader, "netvf_announce_interval", 1, 60, &ret_settings->announce_interval);
	settings_read_seconds(
		&reader, "netvf_action_timeout", 1, 86400, &ret_settings->action_timeout);
	settings_read_hooks(&reader);
	settings_read_yes(&reader, "netvf_inherit", &ret_settings->inherit);
	settings_read_yes(&reader, "netvf_move_named", &ret_settings->move_named);
	settings_read_yes(&reader, "netvf_vf_spoofchk", &ret_settings->vf_spoofchk);
	settings_read_default_transparent(&reader);
	settings_read_lagg(&reader);
	settings_read_multicast(&reader);
	settings_read_vm_guest(&reader);
	settings_read_pairs(&reader);
	settings_read_drivers(&reader);
	settings_read_names(&reader);
	nv_rcconf_each(rcconf, settings_read_transparent, (void *)&reader);
}
