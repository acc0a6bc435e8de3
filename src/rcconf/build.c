/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcconf/build.h"

#include "rcconf/values.h"

#include <errno.h>
#include <string.h>

#define DESCRIPTION_MAX 255 /* bytes; the kernel's IFALIASZ minus one */

bool nv_build_is_own_name(const struct nv_build *build, const char *name)
{
	char key[NV_RCCONF_KEY_MAX + 1];
	char own[NV_RCCONF_KEY_MAX + 1];
	char lagg[NV_RCCONF_KEY_MAX + 1];

	nv_rcconf_key_for("%s", name, key);
	nv_rcconf_key_for("%s", build->ifname, own);
	nv_rcconf_key_for("%s", build->lagg, lagg);
	return nv_streq(key, own) || nv_streq(key, lagg);
}

static void build_key(struct nv_build *build, const char *format, enum nv_build_value kind)
{
	char key[NV_RCCONF_KEY_MAX + 1];

	nv_rcconf_key_for(format, build->ifname, key);
	nv_build_keywords(build, key, kind);
}

static void build_primary(struct nv_build *build)
{
	if (nv_rcconf_get_for(build->rcconf, "ifconfig_%s", build->ifname))
		build_key(build, "ifconfig_%s", NV_BUILD_PRIMARY);
	else
		nv_build_keywords(build, "ifconfig_DEFAULT", NV_BUILD_PRIMARY);
}

/* One key ifconfig_IF_aliasN. */
struct numbered {
	unsigned int number;
	const char *key;
	const char *value;
};

struct numbered_list {
	char prefix[NV_RCCONF_KEY_MAX + 1];
	struct numbered *entry;
	size_t count;
};

static int build_collect_numbered(const char *key, const char *value, void *data)
{
	struct numbered_list *list = data;
	size_t length = strlen(list->prefix);
	struct numbered *more;
	unsigned int number;

	if (strncmp(key, list->prefix, length) != 0 ||
		nv_parse_u32(key + length, UINT32_MAX, &number) < 0)
		return 0;
	more = reallocarray(list->entry, list->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->entry = more;
	list->entry[list->count++] = (struct numbered){number, key, value};
	return 0;
}

static int build_compare_numbered(const void *a, const void *b)
{
	const struct numbered *x = a;
	const struct numbered *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->key, y->key);
}

/*
 * Reads all that are set, in the order of their numbers, with or without gaps. An empty value ends
 * the list.
 */
static void build_numbered(struct nv_build *build, const char *format, enum nv_build_value kind)
{
	struct numbered_list list = {};

	nv_rcconf_key_for(format, build->ifname, list.prefix);
	if (nv_rcconf_each(build->rcconf, build_collect_numbered, &list) < 0)
		build->error = -ENOMEM;
	if (list.count)
		qsort(list.entry, list.count, sizeof(*list.entry), build_compare_numbered);
	for (size_t i = 0; i < list.count && *list.entry[i].value; i++)
		nv_build_keywords(build, list.entry[i].key, kind);
	free(list.entry);
}

void nv_build_describe(struct nv_build *build, const char *key, const char *text)
{
	char *copy;

	if (strlen(text) > DESCRIPTION_MAX) {
		nv_build_fault(build, key, "a description of more than %d bytes", DESCRIPTION_MAX);
		return;
	}
	copy = strdup(text);
	if (!copy) {
		build->error = -ENOMEM;
		return;
	}
	free(build->config->description);
	build->config->description = copy;
}

static void build_description(struct nv_build *build)
{
	const char *text = nv_rcconf_get_for(build->rcconf, "ifconfig_%s_descr", build->ifname);
	char key[NV_RCCONF_KEY_MAX + 1];

	if (!text || !*text)
		return;
	build->config->configured = true;
	nv_rcconf_key_for("ifconfig_%s_descr", build->ifname, key);
	nv_build_describe(build, key, text);
}

static const char *build_for_interface_or_all(
	const struct nv_build *build, const char *format, const char *key)
{
	const char *value = nv_rcconf_get_for(build->rcconf, format, build->ifname);

	return value ? value : nv_rcconf_get(build->rcconf, key);
}

static void build_dhcp(struct nv_build *build)
{
	struct nv_dhcp_wanted *dhcp = &build->config->dhcp;
	const char *program = nv_rcconf_get(build->rcconf, "dhclient_program");
	const char *flags =
		build_for_interface_or_all(build, "dhclient_flags_%s", "dhclient_flags");
	const char *background =
		build_for_interface_or_all(build, "background_dhclient_%s", "background_dhclient");

	dhcp->program = program && *program ? program : NULL;
	dhcp->flags = flags ? flags : "";
	if (background)
		nv_yes_parse(background, &dhcp->background);
	if (dhcp->program && *dhcp->program != '/')
		nv_build_fault(build, "dhclient_program", "`%.100s' is not an absolute path",
			dhcp->program);
}

/* IPv6 first: its addresses may need a moment before they can be used. */
static int build_join_addresses(struct nv_build *build)
{
	size_t count = build->v6.count + build->v4.count;
	struct nv_addr *all;

	if (!count)
		return 0;
	all = calloc(count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (build->v6.count)
		memcpy(all, build->v6.addr, build->v6.count * sizeof(*all));
	if (build->v4.count)
		memcpy(all + build->v6.count, build->v4.addr, build->v4.count * sizeof(*all));
	build->config->addrs = (struct nv_addrs){all, count};
	return 0;
}

int nv_build_interface(struct nv_build *build)
{
	build_primary(build);
	build_key(build, "ifconfig_%s_ipv6", NV_BUILD_IPV6);
	build_key(build, "ifconfig_%s_aliases", NV_BUILD_ALIASES);
	build_numbered(build, "ifconfig_%s_alias", NV_BUILD_ALIASES);
	build_numbered(build, "ipv6_ifconfig_%s_alias", NV_BUILD_ALIASES6);
	build_key(build, "ipv4_addrs_%s", NV_BUILD_LIST4);
	build_key(build, "ipv6_prefix_%s", NV_BUILD_LIST6);
	build_description(build);
	build_dhcp(build);
	if (!build->error)
		build->error = build_join_addresses(build);
	nv_build_static_routes(build);
	nv_build_vlans(build);
	build->config->up = build->config->configured && !build->down;
	nv_addrs_auto(&build->v4);
	nv_addrs_auto(&build->v6);
	return build->error;
}

int nv_interface_build(const struct nv_rcconf *rcconf, const char *ifname, const char *lagg,
	const uint8_t *mac, struct nv_faults *faults, struct nv_interface **ret_config)
{
	NV_AUTO(nv_interface) struct nv_interface *config = calloc(1, sizeof(*config));
	struct nv_build_budget budget = {NV_INTERFACE_ADDRS_MAX, NV_INTERFACE_ROUTES_MAX};
	struct nv_build build = {
		.rcconf = rcconf,
		.faults = faults,
		.ifname = ifname,
		.lagg = lagg ? lagg : ifname,
		.mac = mac,
		.budget = &budget,
		.config = config,
	};
	int r;

	if (!config)
		return -ENOMEM;
	r = nv_build_interface(&build);
	if (r < 0)
		return r;
	*ret_config = TAKE_PTR(config);
	return 0;
}

struct nv_interface *nv_interface_free(struct nv_interface *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->n_vlans; i++)
		nv_interface_free(config->vlan[i].config);
	free(config->vlan);
	free(config->description);
	nv_addrs_auto(&config->addrs);
	nv_routes_auto(&config->routes);
	free(config);
	return NULL;
}
