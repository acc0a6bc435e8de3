/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/match.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const synthetic_drivers[] = {"hv_netvsc", "virtio_net", "vmxnet3", "vif"};

static bool match_is_ethernet(const struct nv_link *link)
{
	return link->type == ARPHRD_ETHER && link->has_mac && !(link->flags & IFF_LOOPBACK);
}

static const uint8_t *match_mac(const struct nv_link *link)
{
	return link->has_permanent_mac ? link->permanent_mac : link->mac;
}

static bool match_same_mac(const struct nv_link *a, const struct nv_link *b)
{
	return memcmp(match_mac(a), match_mac(b), NV_MAC_LEN) == 0;
}

static const struct nv_hn_named_pair *match_named_by_hn(
	const struct nv_hn_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_pairs; i++)
		if (nv_streq(config->pair[i].hn, name))
			return &config->pair[i];
	return NULL;
}

static const struct nv_hn_named_pair *match_named_by_vf(
	const struct nv_hn_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_pairs; i++)
		if (nv_streq(config->pair[i].vf, name))
			return &config->pair[i];
	return NULL;
}

static bool match_has_synthetic_driver(
	const struct nv_link *link, const struct nv_hn_config *config)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(synthetic_drivers); i++)
		if (nv_streq(link->driver, synthetic_drivers[i]))
			return true;
	for (size_t i = 0; i < config->n_drivers; i++)
		if (nv_streq(link->driver, config->driver[i]))
			return true;
	return false;
}

static bool match_is_hn(const struct nv_link *link, const struct nv_hn_config *config)
{
	if (!match_is_ethernet(link))
		return false;
	if (match_named_by_hn(config, link->name))
		return true;
	if (match_named_by_vf(config, link->name))
		return false;
	for (size_t i = 0; i < config->n_names; i++)
		if (nv_streq(link->name, config->name[i]))
			return true;
	return !link->kind[0] && match_has_synthetic_driver(link, config);
}

bool nv_link_may_be_vf(const struct nv_link *link, const struct nv_hn_config *config)
{
	if (!match_is_ethernet(link) || match_is_hn(link, config))
		return false;
	return match_named_by_vf(config, link->name) ||
	       (!link->kind[0] && nv_streq(link->parent_bus, "pci"));
}

static bool match_is_vf_of(
	const struct nv_link *link, const struct nv_link *hn, const struct nv_hn_config *config)
{
	bool is_equal = memcmp(link->mac, hn->mac, NV_MAC_LEN) == 0;
	const struct nv_hn_named_pair *named;

	/* Compare addresses first: comparing names searches all named pairs. */
	if (link == hn || (!is_equal && !match_same_mac(link, hn)) ||
		!nv_link_may_be_vf(link, config))
		return false;
	/* Of a VF that netvf_pairs names, the current MAC address may be equal instead. */
	named = match_named_by_vf(config, link->name);
	if (named)
		return nv_streq(named->hn, hn->name);
	return match_same_mac(link, hn);
}

static void match_set(struct nv_pair *pair, enum nv_match_result match, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void match_set(struct nv_pair *pair, enum nv_match_result match, const char *format, ...)
{
	va_list args;

	pair->match = match;
	va_start(args, format);
	vsnprintf(pair->why, sizeof(pair->why), format, args);
	va_end(args);
}

/*
 * A bond is recognized as hn's lagg by its MAC address, which it loses with its last port
 * (bond_main.c), or by its name, which no longer fits if hn is renamed.
 */
static bool match_is_lagg_of(const struct nv_link *master, const struct nv_link *hn)
{
	char name[IFNAMSIZ];

	if (!nv_streq(master->kind, "bond") || strncmp(master->name, "lagg", strlen("lagg")) != 0)
		return false;
	if (nv_hn_lagg_name(hn->name, name) == 0 && nv_streq(master->name, name))
		return true;
	return master->has_mac && memcmp(master->mac, hn->mac, NV_MAC_LEN) == 0;
}

/* Whether a port's master is something other than the bond that is this hn's lagg. */
static bool match_has_foreign_master(
	const struct nv_links *links, const struct nv_link *port, const struct nv_link *hn)
{
	const struct nv_link *master = nv_links_by_index(links, port->master);

	return port->master && !(master && match_is_lagg_of(master, hn));
}

/* Finds the VF of an hn, or the reason why none may be used. A named VF's only rival is another. */
static void match_find_vf(const struct nv_links *links, const struct nv_hn_config *config,
	const struct nv_link *hn, struct nv_pair *pair)
{
	const struct nv_link *vf = NULL;
	bool has_named = false;

	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];
		bool is_named = match_named_by_vf(config, link->name);

		if (!match_is_vf_of(link, hn, config) || (has_named && !is_named))
			continue;
		if (is_named && !has_named)
			vf = NULL;
		has_named |= is_named;
		if (vf) {
			match_set(pair, NV_MATCH_REFUSED,
				"%s and %s both have the MAC address of %s: name the VF in netvf_pairs",
				vf->name, link->name, hn->name);
			return;
		}
		vf = link;
	}
	if (!vf)
		return;
	pair->vf = vf->ifindex;
	if (match_has_foreign_master(links, vf, hn)) {
		const struct nv_link *master = nv_links_by_index(links, vf->master);

		match_set(pair, NV_MATCH_OBSERVED,
			"%s already has the master %s: the kernel or an administrator couples this pair",
			vf->name, master ? master->name : "(hidden)");
	}
}

/* If hn is a port of somebody else's bond, its VF is a port too, or was before it went away. */
static void match_find_bonded_hn(
	const struct nv_links *links, const struct nv_link *hn, struct nv_pair *pair)
{
	const struct nv_link *master = nv_links_by_index(links, hn->master);

	if (pair->match == NV_MATCH_MANAGED && master && match_has_foreign_master(links, hn, hn) &&
		(nv_streq(master->kind, "bond") || nv_streq(master->kind, "team")))
		match_set(pair, NV_MATCH_OBSERVED,
			"%s is a port of %s: an administrator couples this pair", hn->name,
			master->name);
}

/* If a second hn has the same MAC address, the VF's hn is ambiguous. */
static void match_find_rival(const struct nv_links *links, const struct nv_hn_config *config,
	const struct nv_link *hn, struct nv_pair *pair)
{
	if (match_named_by_hn(config, hn->name))
		return;
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *link = &links->link[i];

		if (link == hn || !match_same_mac(link, hn) || !match_is_hn(link, config))
			continue;
		pair->vf = 0;
		if (match_has_foreign_master(links, link, hn) ||
			match_has_foreign_master(links, hn, hn))
			match_set(pair, NV_MATCH_OBSERVED,
				"%s and %s have the same MAC address and a master: the kernel couples them",
				hn->name, link->name);
		else
			match_set(pair, NV_MATCH_REFUSED,
				"%s and %s are both synthetic and have the same MAC address: name the VF in netvf_pairs",
				hn->name, link->name);
		return;
	}
}

int nv_pairs_find(
	const struct nv_links *links, const struct nv_hn_config *config, struct nv_pairs *ret_pairs)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};

	pairs.pair = calloc(links->count ? links->count : 1, sizeof(*pairs.pair));
	if (!pairs.pair)
		return -ENOMEM;
	for (size_t i = 0; i < links->count; i++) {
		const struct nv_link *hn = &links->link[i];
		struct nv_pair *pair = &pairs.pair[pairs.count];

		if (!match_is_hn(hn, config))
			continue;
		pair->hn = hn->ifindex;
		memcpy(pair->mac, hn->mac, NV_MAC_LEN);
		match_find_vf(links, config, hn, pair);
		match_find_bonded_hn(links, hn, pair);
		match_find_rival(links, config, hn, pair);
		pairs.count++;
	}
	*ret_pairs = TAKE_STRUCT(pairs);
	return 0;
}

void nv_pairs_auto(struct nv_pairs *pairs)
{
	free(pairs->pair);
	*pairs = (struct nv_pairs){};
}

const struct nv_pair *nv_pairs_by_hn(const struct nv_pairs *pairs, int hn)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (pairs->pair[i].hn == hn)
			return &pairs->pair[i];
	return NULL;
}

const struct nv_pair *nv_pairs_by_vf(const struct nv_pairs *pairs, int vf)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (vf && pairs->pair[i].vf == vf)
			return &pairs->pair[i];
	return NULL;
}

void nv_hn_unit(const char *ifname, char ret_unit[IFNAMSIZ])
{
	size_t length = 0;

	for (const char *c = ifname; *c && length < IFNAMSIZ - 1; c++)
		if (isdigit((unsigned char)*c))
			ret_unit[length++] = *c;
	ret_unit[length] = '\0';
}

int nv_hn_lagg_name(const char *ifname, char ret_name[IFNAMSIZ])
{
	char unit[IFNAMSIZ];

	nv_hn_unit(ifname, unit);
	if (!unit[0])
		return -ENOENT;
	if (strlen("lagg") + strlen(unit) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	snprintf(ret_name, IFNAMSIZ, "lagg%.11s", unit);
	return 0;
}
