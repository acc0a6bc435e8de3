/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/hn_sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *hn_sysctl_vf_name(
	const struct nv_hn_sysctl_facts *facts, const struct nv_pair *pair)
{
	const struct nv_link *vf = pair->vf ? nv_links_by_index(facts->links, pair->vf) : NULL;

	return vf ? vf->name : "";
}

static const char *hn_name(const struct nv_hn_sysctl_facts *facts, const struct nv_pair *pair)
{
	const struct nv_link *hn = nv_links_by_index(facts->links, pair->hn);

	return hn ? hn->name : "";
}

static int hn_sysctl_by_vf(const void *a, const void *b)
{
	const struct nv_pair *const *first = a;
	const struct nv_pair *const *second = b;

	return ((*first)->vf > (*second)->vf) - ((*first)->vf < (*second)->vf);
}

/* In ascending order of the VF's ifindex, separated by single spaces, like FreeBSD's if_hn.c. */
static int hn_sysctl_list_vfs(
	const struct nv_hn_sysctl_facts *facts, bool with_hn, struct nv_str *value)
{
	NV_AUTO(nv_free)
	const struct nv_pair **pair = calloc(facts->pairs->count + 1, sizeof(struct nv_pair *));

	if (!pair)
		return -ENOMEM;
	for (size_t i = 0; i < facts->pairs->count; i++)
		pair[i] = &facts->pairs->pair[i];
	qsort(pair, facts->pairs->count, sizeof(*pair), hn_sysctl_by_vf);
	for (size_t i = 0; i < facts->pairs->count; i++) {
		if (!pair[i]->vf)
			continue;
		if (value->length)
			nv_str_addc(value, ' ');
		nv_str_add(value, hn_sysctl_vf_name(facts, pair[i]));
		if (with_hn)
			nv_str_printf(value, ":%s", hn_name(facts, pair[i]));
	}
	return 0;
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
		return hn_sysctl_list_vfs(facts, false, value);
	else if (nv_streq(leaf, "vfmap"))
		return hn_sysctl_list_vfs(facts, true, value);
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
		nv_str_add(value, hn_sysctl_vf_name(facts, pair));
	else if (nv_streq(leaf, "rxvf") && !transparent)
		nv_str_add(value, on_vf ? hn_sysctl_vf_name(facts, pair) : "");
	else if (nv_streq(leaf, "vf_xpnt_enabled") && transparent)
		nv_str_printf(value, "%d", on_vf);
	else if (nv_streq(leaf, "vf_xpnt_accbpf") && transparent)
		nv_str_add(value, "0");
	else
		return -ENOENT;
	return value->error;
}

static int each_of_hn(const struct nv_hn_sysctl_facts *facts, size_t index, struct nv_str *value,
	nv_hn_sysctl_fn each, void *data)
{
	static const char *const leaf[] = {"vf", "rxvf", "vf_xpnt_enabled", "vf_xpnt_accbpf"};
	char unit[IFNAMSIZ];
	char name[64];
	int r = 0;

	nv_hn_unit(hn_name(facts, &facts->pairs->pair[index]), unit);
	for (size_t i = 0; i < NV_ARRAY_SIZE(leaf) && unit[0] && r == 0; i++) {
		nv_str_clear(value);
		r = dev_hn(facts, index, leaf[i], value);
		snprintf(name, sizeof(name), "dev.hn.%s.%s", unit, leaf[i]);
		if (r == -ENOENT)
			r = 0;
		else if (r == 0)
			r = each(name, nv_str_text(value), data);
	}
	return r;
}

int nv_hn_sysctl_each(const struct nv_hn_sysctl_facts *facts, nv_hn_sysctl_fn each, void *data)
{
	static const char *const leaf[] = {
		"vf_transparent", "vf_xpnt_accbpf", "vf_xpnt_attwait", "vflist", "vfmap"};
	NV_AUTO(nv_str) struct nv_str value = {};
	char name[64];
	int r = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(leaf) && r == 0; i++) {
		nv_str_clear(&value);
		r = hw_hn(facts, leaf[i], &value);
		snprintf(name, sizeof(name), "hw.hn.%s", leaf[i]);
		if (r == 0)
			r = each(name, nv_str_text(&value), data);
	}
	for (size_t i = 0; i < facts->pairs->count && r == 0; i++)
		r = each_of_hn(facts, i, &value, each, data);
	return r;
}
