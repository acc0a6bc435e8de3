/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of rc.conf, and what is checked of them and of their values. */
#include "rcconf/interface.h"
#include "rcconf/settings.h"
#include "rcconf/store.h"
#include "rcconf/suggest.h"
#include "rcconf/values.h"

#include <ctype.h>
#include <string.h>

#define INTERFACES_MAX 1024 /* interfaces that are checked; hardly any machine has so many */

enum key_kind {
	KEY_IFCONFIG, /* ifconfig_IF */
	KEY_INTERFACE, /* another key of the interface IF */
	KEY_ROUTE, /* a route */
	KEY_YES, /* YES or NO */
	KEY_ANY, /* checked by the code that uses it */
	KEY_NO_EFFECT, /* a key of FreeBSD's without effect here; `note` says why */
};

/* A key as in the manual page: capitals stand for a part of a name, N for a number. */
struct key {
	const char *pattern;
	enum key_kind kind;
	const char *note;
};

#define BOOT "the distribution's network service sets up interfaces that netvf does not make"

/* The first row that matches is used. */
static const struct key keys[] = {
	{"ifconfig_IF_ipv6", KEY_INTERFACE, NULL},
	{"ifconfig_IF_aliases", KEY_INTERFACE, NULL},
	{"ifconfig_IF_aliasN", KEY_INTERFACE, NULL},
	{"ifconfig_IF_descr", KEY_INTERFACE, NULL},
	{"ifconfig_IF_name", KEY_NO_EFFECT, "rename an interface in a systemd.link(5) file"},
	{"ifconfig_IF", KEY_IFCONFIG, NULL},
	{"ipv6_ifconfig_IF_aliasN", KEY_INTERFACE, NULL},
	{"ipv4_addrs_IF", KEY_INTERFACE, NULL},
	{"ipv6_prefix_IF", KEY_INTERFACE, NULL},
	{"vlans_IF", KEY_INTERFACE, NULL},
	{"create_args_IF", KEY_ANY, NULL},
	{"defaultrouter", KEY_ROUTE, NULL},
	{"ipv6_defaultrouter", KEY_ROUTE, NULL},
	{"defaultrouter_fibN", KEY_NO_EFFECT, "Linux has no FIB numbers"},
	{"ipv6_defaultrouter_fibN", KEY_NO_EFFECT, "Linux has no FIB numbers"},
	{"static_routes", KEY_ANY, NULL},
	{"static_routes_IF", KEY_INTERFACE, NULL},
	{"ipv6_static_routes", KEY_ANY, NULL},
	{"route_NAME", KEY_ROUTE, NULL},
	{"ipv6_route_NAME", KEY_ROUTE, NULL},
	{"dhclient_program", KEY_ANY, NULL},
	{"dhclient_flags", KEY_ANY, NULL},
	{"dhclient_flags_IF", KEY_INTERFACE, NULL},
	{"background_dhclient", KEY_YES, NULL},
	{"background_dhclient_IF", KEY_YES, NULL},
	{"synchronous_dhclient", KEY_YES, NULL},
	{"hyperv_vf_delay", KEY_ANY, NULL},
	{"netvf_pairs", KEY_ANY, NULL},
	{"netvf_synthetic", KEY_ANY, NULL},
	{"netvf_synthetic_drivers", KEY_ANY, NULL},
	{"netvf_vf_transparent", KEY_ANY, NULL},
	{"netvf_vf_transparent_HN", KEY_ANY, NULL},
	{"netvf_vf_xpnt_attwait", KEY_ANY, NULL},
	{"netvf_inherit", KEY_ANY, NULL},
	{"netvf_move_named", KEY_ANY, NULL},
	{"netvf_vf_spoofchk", KEY_ANY, NULL},
	{"netvf_hooks", KEY_ANY, NULL},
	{"netvf_vm_guest", KEY_ANY, NULL},
	{"netvf_lagg", KEY_ANY, NULL},
	{"netvf_multicast", KEY_ANY, NULL},
	{"netvf_holddown", KEY_ANY, NULL},
	{"netvf_announce_count", KEY_ANY, NULL},
	{"netvf_announce_interval", KEY_ANY, NULL},
	{"netvf_action_timeout", KEY_ANY, NULL},
	{"network_interfaces", KEY_NO_EFFECT, BOOT},
	{"ipv6_network_interfaces", KEY_NO_EFFECT, BOOT},
	{"ipv6_activate_all_interfaces", KEY_NO_EFFECT, "IPv6 is on wherever the kernel has it"},
	{"cloned_interfaces", KEY_NO_EFFECT, BOOT},
	{"netif_enable", KEY_NO_EFFECT, BOOT},
	{"devd_enable", KEY_NO_EFFECT, "enable netvfd.service instead"},
	{"devd_flags", KEY_NO_EFFECT, "edit netvfd.service instead"},
	{"defaultroute_delay", KEY_NO_EFFECT, BOOT},
	{"defaultroute_carrier_delay", KEY_NO_EFFECT, BOOT},
};

struct check {
	const struct nv_rcconf *rcconf;
	struct nv_faults *faults;
	char name[INTERFACES_MAX][IFNAMSIZ]; /* names of interfaces, as written in the keys */
	size_t n_names;
};

static bool check_fits(const char *pattern, size_t pattern_length, const char *text, size_t length)
{
	size_t digits = strspn(text, "0123456789");

	return length && (pattern_length > 1 || *pattern != 'N' || digits >= length);
}

/* Whether @key matches @pattern, and if so, where the first variable part of @key is. */
static bool check_matches(
	const char *pattern, const char *key, const char **ret_part, size_t *ret_length)
{
	size_t open;

	for (; *pattern && !isupper((unsigned char)*pattern); pattern++, key++)
		if (*pattern != *key)
			return false;
	if (!*pattern)
		return !*key;
	open = strspn(pattern, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	for (size_t length = strlen(key); length > 0; length--) {
		const char *part;
		size_t part_length;

		if (!check_fits(pattern, open, key, length) ||
			!check_matches(pattern + open, key + length, &part, &part_length))
			continue;
		*ret_part = key;
		*ret_length = length;
		return true;
	}
	return false;
}

static unsigned int check_distance_to(const char *key, const char *pattern)
{
	char glob[64];
	size_t length = 0;

	for (; *pattern; pattern++) {
		bool open = isupper((unsigned char)*pattern);

		if (!open || !length || glob[length - 1] != '*')
			glob[length++] = open ? '*' : *pattern;
	}
	glob[length] = '\0';
	return nv_suggest_distance(key, glob);
}

static void check_unknown(const struct check *check, const char *key)
{
	unsigned int nearest = UINT32_MAX;
	const char *pattern = NULL;

	if (nv_rcconf_is_used(check->rcconf, key))
		return;
	for (size_t i = 0; i < NV_ARRAY_SIZE(keys); i++) {
		unsigned int distance = check_distance_to(key, keys[i].pattern);

		if (distance < nearest) {
			nearest = distance;
			pattern = keys[i].pattern;
		}
	}
	if (nv_suggest_is_near(key, nearest))
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_WARNING, check->faults,
			"netvf has no such key; is %s meant?", pattern);
	else
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_WARNING, check->faults,
			"netvf has no such key, and ignores it");
}

static const struct key *check_find_key(const char *key, const char **ret_part, size_t *ret_length)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(keys); i++)
		if (check_matches(keys[i].pattern, key, ret_part, ret_length))
			return &keys[i];
	return NULL;
}

static void check_yes(const struct check *check, const char *key, const char *value)
{
	bool yes;

	if (nv_yes_parse(value, &yes) < 0)
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_ERROR, check->faults,
			"`%.60s' is neither YES nor NO", value);
}

/* "ifconfig_hn0_alais0" could be for an interface hn0_alais0, but is more likely a typing error. */
static bool check_looks_like_slip(const struct check *check, const char *key)
{
	static const char *const tails[] = {"aliases", "alias*", "ipv6", "descr"};
	const char *tail = strrchr(key, '_') + 1;

	for (size_t i = 0; i < NV_ARRAY_SIZE(tails); i++) {
		if (!nv_suggest_is_near(tail, nv_suggest_distance(tail, tails[i])))
			continue;
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_WARNING, check->faults,
			"taken for an interface's name; is ifconfig_IF_%s meant?", tails[i]);
		return true;
	}
	return false;
}

static void check_add_interface(
	struct check *check, const char *key, const char *name, size_t length)
{
	if (length >= IFNAMSIZ) {
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_WARNING, check->faults,
			"no interface has a name of more than %d characters", IFNAMSIZ - 1);
		return;
	}
	for (size_t i = 0; i < check->n_names; i++)
		if (strlen(check->name[i]) == length && memcmp(check->name[i], name, length) == 0)
			return;
	if (check->n_names < INTERFACES_MAX) {
		memcpy(check->name[check->n_names], name, length);
		check->name[check->n_names++][length] = '\0';
	}
}

/*
 * Builds every interface as it would be used, to collect the faults. Returns whether the networks
 * of all interfaces are known: with DHCP they are not.
 */
static bool check_interfaces(const struct check *check)
{
	bool all_known = true;

	for (size_t i = 0; i < check->n_names; i++) {
		NV_AUTO(nv_interface) struct nv_interface *config = NULL;

		if (nv_interface_build(
			    check->rcconf, check->name[i], NULL, NULL, check->faults, &config) < 0)
			return false;
		if (config->dhcp.mode != NV_DHCP_NO || config->accept_rtadv)
			all_known = false;
	}
	return all_known;
}

/* A route that belongs to no interface. */
static int check_route(const char *key, const char *value, void *data)
{
	const struct check *check = data;
	const char *part;
	size_t length;
	const struct key *known = check_find_key(key, &part, &length);

	(void)value;
	if (known && known->kind == KEY_ROUTE && !nv_rcconf_is_used(check->rcconf, key))
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_WARNING, check->faults,
			"is not used: its gateway is in no network of an interface in this file, or no static_routes lists it");
	return 0;
}

static int check_key(const char *key, const char *value, void *data)
{
	struct check *check = data;
	const char *part = "";
	size_t length = 0;
	const struct key *known = check_find_key(key, &part, &length);

	if (!known) {
		check_unknown(check, key);
		return 0;
	}
	switch (known->kind) {
	case KEY_IFCONFIG:
		if (!check_looks_like_slip(check, key))
			check_add_interface(check, key, part, length);
		break;
	case KEY_INTERFACE:
		check_add_interface(check, key, part, length);
		break;
	case KEY_YES:
		check_yes(check, key, value);
		break;
	case KEY_NO_EFFECT:
		nv_rcconf_fault(check->rcconf, key, NV_FAULT_WARNING, check->faults,
			"has no effect: %s", known->note);
		break;
	case KEY_ROUTE:
	case KEY_ANY:
		break;
	}
	return 0;
}

void nv_rcconf_check(const struct nv_rcconf *rcconf, struct nv_faults *faults)
{
	NV_AUTO(nv_free) struct nv_settings *settings = malloc(sizeof(*settings));
	NV_AUTO(nv_free) struct check *check = calloc(1, sizeof(*check));

	if (!settings || !check) {
		nv_faults_add(faults, NV_FAULT_ERROR, nv_rcconf_file(rcconf), 0, 0,
			"cannot be checked: out of memory");
		return;
	}
	check->rcconf = rcconf;
	check->faults = faults;
	check_add_interface(check, "ifconfig_DEFAULT", "DEFAULT", strlen("DEFAULT"));
	nv_rcconf_each(rcconf, check_key, check);
	if (check_interfaces(check))
		nv_rcconf_each(rcconf, check_route, check);
	nv_settings_read(rcconf, faults, settings);
}
