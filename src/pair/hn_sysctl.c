/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/hn_sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *vf_name(const struct nv_hn_sysctl_facts *facts, const struct nv_pair *pair)
{
	const struct nv_link *vf = pair->vf ? nv_links_by_index(facts->links, pair->vf) : NULL;

	return vf ? vf->name : "";
}

static const char *hn_name(const struct nv_hn_sysctl_facts *facts, const struct nv_pair *pair)
{
	const struct nv_link *hn = nv_links_by_index(facts->links, pair->hn);

	return hn ? hn->name : "";
}

/* In ascending ifindex of the VF, single spaces, as FreeBSD's if_hn.c walks its map. */
static void list_vfs(const struct nv_hn_sysctl_facts *facts, bool with_hn, struct nv_str *value)
{
	for (size_t i = 0; i < facts->links->count; i++) {
		const struct nv_link *link = &facts->links->link[i];
		const struct nv_pair *pair = nv_pairs_by_vf(facts->pairs, link->ifindex);

		if (!pair)
			continue;
		if (value->length)
			nv_str_addc(value, ' ');
		nv_str_add(value, link->name);
		if (with_hn)
			nv_str_printf(value, ":%s", hn_name(facts, pair));
	}
}

static int hw_hn(const struct nv_hn_sysctl_facts *facts, const char *leaf, struct nv_str *value)
{
	if (nv_streq(leaf, "vf_transparent"))
		nv_str_printf(value, "%d", facts->config->transparent == NV_TRANSPARENT_YES);
	else if (nv_streq(leaf, "vf_xpnt_accbpf"))
		nv_str_add(value, "0");
	else if (nv_streq(leaf, "vf_xpnt_attwait"))
		nv_str_printf(value, "%u", facts->attwait);
	else if (nv_streq(leaf, "vflist"))
		list_vfs(facts, false, value);
	else if (nv_streq(leaf, "vfmap"))
		list_vfs(facts, true, value);
	else
		return -ENOENT;
	return value->error;
}

static int dev_hn(const struct nv_hn_sysctl_facts *facts, size_t index, const char *leaf,
	struct nv_str *value)
{
	const struct nv_pair *pair = &facts->pairs->pair[index];
	bool transparent =
		nv_hn_is_transparent(facts->config, hn_name(facts, pair), facts->managed[index]);
	bool on_vf = facts->active[index] == NV_PORT_VF;

	if (nv_streq(leaf, "vf"))
		nv_str_add(value, vf_name(facts, pair));
	else if (nv_streq(leaf, "rxvf") && !transparent)
		nv_str_add(value, on_vf ? vf_name(facts, pair) : "");
	else if (nv_streq(leaf, "vf_xpnt_enabled") && transparent)
		nv_str_printf(value, "%d", on_vf);
	else if (nv_streq(leaf, "vf_xpnt_accbpf") && transparent)
		nv_str_add(value, "0");
	else
		return -ENOENT;
	return value->error;
}

int nv_hn_sysctl_get(const struct nv_hn_sysctl_facts *facts, const char *name, struct nv_str *value)
{
	nv_str_clear(value);
	if (strncmp(name, "hw.hn.", 6) == 0)
		return hw_hn(facts, name + 6, value);
	for (size_t i = 0; i < facts->pairs->count; i++) {
		char unit[IFNAMSIZ];
		char prefix[IFNAMSIZ + 16];

		nv_hn_unit(hn_name(facts, &facts->pairs->pair[i]), unit);
		snprintf(prefix, sizeof(prefix), "dev.hn.%s.", unit);
		if (unit[0] && strncmp(name, prefix, strlen(prefix)) == 0)
			return dev_hn(facts, i, name + strlen(prefix), value);
	}
	return -ENOENT;
}

int nv_hn_sysctl_each(const struct nv_hn_sysctl_facts *facts,
	int (*each)(const char *name, void *data), void *data)
{
	static const char *const global[] = {"hw.hn.vf_transparent", "hw.hn.vf_xpnt_accbpf",
		"hw.hn.vf_xpnt_attwait", "hw.hn.vflist", "hw.hn.vfmap"};
	static const char *const leaf[] = {"vf", "rxvf", "vf_xpnt_enabled", "vf_xpnt_accbpf"};
	NV_AUTO(nv_str) struct nv_str value = {};
	int r = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(global) && !r; i++)
		r = each(global[i], data);
	for (size_t i = 0; i < facts->pairs->count && !r; i++) {
		char unit[IFNAMSIZ];

		nv_hn_unit(hn_name(facts, &facts->pairs->pair[i]), unit);
		for (size_t j = 0; j < NV_ARRAY_SIZE(leaf) && unit[0] && !r; j++) {
			char name[64];

			snprintf(name, sizeof(name), "dev.hn.%s.%s", unit, leaf[j]);
			if (nv_hn_sysctl_get(facts, name, &value) == 0)
				r = each(name, data);
		}
	}
	return r;
}
