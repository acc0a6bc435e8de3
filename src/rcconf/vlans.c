/* SPDX-License-Identifier: BSD-2-Clause */
/* vlans_IF: a number T means the VLAN IF.T; a word means a VLAN of that name (create_args_WORD). */
#include "rcconf/build.h"
#include "rcconf/values.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define VLAN_ID_MAX 4094

/* One word of vlans_IF. */
struct child {
	char original[IFNAMSIZ]; /* its name in rc.conf: hn0.5 */
	char name[IFNAMSIZ]; /* its name on the lagg: lagg0.5 */
	unsigned int id;
};

static bool vlans_take_args(
	struct nv_build *build, const struct nv_words *words, unsigned int *ret_id)
{
	unsigned int id = 0;

	for (size_t i = 0; i < words->count; i += 2) {
		const char *word = words->word[i];
		const char *arg = i + 1 < words->count ? words->word[i + 1] : "";

		if (nv_streq(word, "vlan")) {
			if (nv_parse_u32(arg, VLAN_ID_MAX, &id) < 0 || !id)
				return false;
		} else if (nv_streq(word, "vlandev")) {
			if (!nv_build_is_own_name(build, arg))
				return false;
		} else if (!nv_streq(word, "vlanproto") || strcasecmp(arg, "802.1q") != 0) {
			return false;
		}
	}
	*ret_id = id;
	return id != 0;
}

/* Reads create_args_WORD. */
static bool vlans_read_args(struct nv_build *build, const char *name, unsigned int *ret_id)
{
	NV_AUTO(nv_words) struct nv_words words = {};
	char key[NV_RCCONF_KEY_MAX + 1];
	const char *value;

	nv_rcconf_key_for("create_args_%s", name, key);
	value = nv_rcconf_get(build->rcconf, key);
	if (nv_words_split(value ? value : "", &words) < 0) {
		build->error = -ENOMEM;
		return false;
	}
	if (vlans_take_args(build, &words, ret_id))
		return true;
	nv_build_fault(build, key,
		"must say `vlan NUMBER' (1 to %d) for the VLAN %s of %s, and may say `vlandev %s' and `vlanproto 802.1q'",
		VLAN_ID_MAX, name, build->ifname, build->ifname);
	return false;
}

static bool vlans_name_numbered(const struct nv_build *build, struct child *child)
{
	NV_AUTO(nv_str) struct nv_str original = {};
	NV_AUTO(nv_str) struct nv_str name = {};

	nv_str_printf(&original, "%s.%u", build->ifname, child->id);
	nv_str_printf(&name, "%s.%u", build->lagg, child->id);
	return nv_strcopy(child->original, IFNAMSIZ, nv_str_text(&original)) &&
	       nv_strcopy(child->name, IFNAMSIZ, nv_str_text(&name));
}

static bool vlans_name_worded(const char *word, struct child *child)
{
	if (strpbrk(word, "/:%") || nv_streq(word, ".") || nv_streq(word, ".."))
		return false;
	return nv_strcopy(child->original, IFNAMSIZ, word) &&
	       nv_strcopy(child->name, IFNAMSIZ, word);
}

static bool vlans_read_child(
	struct nv_build *build, const char *key, const char *word, struct child *ret_child)
{
	struct child child = {};
	bool number = strspn(word, "0123456789") == strlen(word);

	if (number && (nv_parse_u32(word, VLAN_ID_MAX, &child.id) < 0 || !child.id)) {
		nv_build_fault(
			build, key, "`%.40s': a VLAN has a number from 1 to %d", word, VLAN_ID_MAX);
		return false;
	}
	if (number ? !vlans_name_numbered(build, &child) : !vlans_name_worded(word, &child)) {
		nv_build_fault(build, key,
			"`%.40s' gives no valid interface name (1 to %d characters)", word,
			IFNAMSIZ - 1);
		return false;
	}
	if (!number && !vlans_read_args(build, word, &child.id))
		return false;
	for (size_t i = 0; i < build->config->n_vlans; i++) {
		const struct nv_vlan_wanted *other = &build->config->vlan[i];

		if (other->id == child.id || nv_streq(other->name, child.name)) {
			nv_build_fault(build, key, "`%.40s' is VLAN %u again, which %s is", word,
				child.id, other->name);
			return false;
		}
	}
	*ret_child = child;
	return true;
}

static int vlans_build_child(struct nv_build *parent, const struct child *child)
{
	NV_AUTO(nv_interface) struct nv_interface *config = calloc(1, sizeof(*config));
	struct nv_interface *to = parent->config;
	struct nv_build build = {
		.rcconf = parent->rcconf,
		.faults = parent->faults,
		.ifname = child->original,
		.lagg = child->name,
		.mac = parent->mac,
		.budget = parent->budget,
		.config = config,
		.is_vlan = true,
	};
	struct nv_vlan_wanted *more;
	int r;

	if (!config)
		return -ENOMEM;
	r = nv_build_interface(&build);
	if (r < 0)
		return r;
	if (build.noauto) {
		nv_interface_free(config);
		config = calloc(1, sizeof(*config));
	}
	more = config ? reallocarray(to->vlan, to->n_vlans + 1, sizeof(*more)) : NULL;
	if (!more)
		return -ENOMEM;
	to->vlan = more;
	more[to->n_vlans] = (struct nv_vlan_wanted){.id = child->id, .config = TAKE_PTR(config)};
	nv_strcopy(more[to->n_vlans].name, IFNAMSIZ, child->name);
	to->n_vlans++;
	return 0;
}

static void build_vlans(struct nv_build *build, const char *key, const struct nv_words *words)
{
	for (size_t i = 0; i < words->count && !build->error; i++) {
		struct child child;

		if (build->config->n_vlans == NV_INTERFACE_VLANS_MAX) {
			nv_build_fault(build, key, "more than %d VLANs; the others are ignored",
				NV_INTERFACE_VLANS_MAX);
			return;
		}
		if (vlans_read_child(build, key, words->word[i], &child))
			build->error = vlans_build_child(build, &child);
	}
}

void nv_build_vlans(struct nv_build *build)
{
	NV_AUTO(nv_words) struct nv_words words = {};
	char key[NV_RCCONF_KEY_MAX + 1];
	const char *value;

	nv_rcconf_key_for("vlans_%s", build->ifname, key);
	value = nv_rcconf_get(build->rcconf, key);
	if (!value || build->error)
		return;
	build->error = nv_words_split(value, &words);
	if (!words.count)
		return;
	build->config->configured = true;
	if (build->is_vlan)
		nv_build_warn(build, key, "has no effect: a VLAN on a VLAN is not made");
	else
		build_vlans(build, key, &words);
}
