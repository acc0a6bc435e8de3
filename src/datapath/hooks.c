/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/hooks.h"

#include "datapath/programs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	"netvf_closing", "netvf_close", "netvf_carrier", "netvf_detach", "netvf_release"};

static int reuse(struct bpf_object *hooks, const struct nv_objects *objects)
{
	const struct {
		const char *name;
		enum nv_object which;
	} maps[] = {{"nv_pairs", NV_OBJECT_PAIRS}, {"nv_ports", NV_OBJECT_PORTS},
		{"nv_places", NV_OBJECT_PLACES}};
	int r = 0;

	for (size_t i = 0; !r && i < NV_ARRAY_SIZE(maps); i++)
		r = bpf_map__reuse_fd(bpf_object__find_map_by_name(hooks, maps[i].name),
			objects->fd[maps[i].which]);
	return r;
}

/* The link lives by its pin from then on. */
static int attach(const char *run_dir, struct bpf_object *hooks, const char *name)
{
	struct bpf_link *link = bpf_program__attach(bpf_object__find_program_by_name(hooks, name));
	int r;

	if (!link)
		return -errno;
	r = nv_pin(run_dir, name, bpf_link__fd(link));
	bpf_link__destroy(link);
	return r;
}

int nv_hooks_attach(const char *run_dir, const struct nv_objects *objects)
{
	NV_AUTO(nv_programs) struct bpf_object *hooks = NULL;
	int r;

	r = nv_programs_open_hooks(&hooks);
	if (!r)
		r = reuse(hooks, objects);
	if (!r)
		r = bpf_object__load(hooks);
	for (size_t i = 0; !r && i < NV_ARRAY_SIZE(names); i++)
		r = attach(run_dir, hooks, names[i]);
	return r;
}

void nv_hooks_detach(const char *run_dir)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(names); i++)
		nv_unpin(run_dir, names[i]);
}

void nv_hooks_trust(const struct nv_table *table, bool on)
{
	for (size_t i = 0; i < table->count && nv_table_is_whole(table); i++) {
		struct nv_entry *entry = nv_table_entry(table, i);

		if (!on) {
			__atomic_fetch_and(&entry->signs, ~NV_HOOKED, __ATOMIC_SEQ_CST);
			continue;
		}
		__atomic_fetch_or(&entry->signs, NV_HOOKED, __ATOMIC_SEQ_CST);
		nv_hooks_sign(entry); /* earlier hooks may have been gone for a while */
	}
}
