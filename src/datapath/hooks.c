/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/hooks.h"

#include "base/log.h"
#include "base/str.h"
#include "datapath/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/*
 * Only drivers call netif_device_detach(), and no driver of a device of ours does. It is exported
 * and the kernel proper does not call it: if the hook is attached, it runs.
 */
#define SURE_TO_RUN (1U << NV_HOOK_DETACH)

static const struct {
	const char *program;
	const char *function;
	enum nv_dp_moment_id moment;
} hook_table[NV_HOOKS] = {
	[NV_HOOK_DEV_CLOSE_MANY] = {"netvf_closing", "dev_close_many", NV_DP_MOMENT_REMOVED},
	[NV_HOOK_NETIF_CLOSE_MANY] = {"netvf_netif_closing", "netif_close_many",
		NV_DP_MOMENT_REMOVED},
	[NV_HOOK_DEACTIVATE] = {"netvf_close", "dev_deactivate_many", NV_DP_MOMENT_CLOSED},
	[NV_HOOK_CARRIER] = {"netvf_carrier", "linkwatch_fire_event", NV_DP_MOMENT_CARRIER},
	[NV_HOOK_DETACH] = {"netvf_detach", "netif_device_detach", NV_DP_MOMENT_DETACHED},
	[NV_HOOK_RELEASE_INTERNAL] = {"netvf_release", "device_release_driver_internal",
		NV_DP_MOMENT_RELEASED},
	[NV_HOOK_RELEASE_STATIC] = {"netvf_release_static", "__device_release_driver",
		NV_DP_MOMENT_RELEASED},
	[NV_HOOK_RELEASE] = {"netvf_release_called", "device_release_driver",
		NV_DP_MOMENT_RELEASED},
};

static const char *const moment_name[NV_DP_MOMENTS] = {
	[NV_DP_MOMENT_RELEASED] = "driver unbinds",
	[NV_DP_MOMENT_REMOVED] = "unregistered",
	[NV_DP_MOMENT_CLOSED] = "set down",
	[NV_DP_MOMENT_CARRIER] = "carrier lost",
	[NV_DP_MOMENT_DETACHED] = "detached",
};

void nv_hooks_auto(struct nv_hooks *hooks)
{
	nv_fd_auto(&hooks->runs);
}

static int hooks_reuse(struct bpf_object *hooks, const struct nv_objects *objects, int runs)
{
	const struct {
		const char *name;
		enum nv_object which;
	} maps[] = {{"nv_pairs", NV_OBJECT_PAIRS}, {"nv_ports", NV_OBJECT_PORTS},
		{"nv_places", NV_OBJECT_PLACES}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < NV_ARRAY_SIZE(maps); i++)
		r = bpf_map__reuse_fd(bpf_object__find_map_by_name(hooks, maps[i].name),
			objects->fd[maps[i].which]);
	if (r == 0 && runs >= 0)
		r = bpf_map__reuse_fd(bpf_object__find_map_by_name(hooks, "nv_runs"), runs);
	return r;
}

static struct bpf_program *hooks_program(const struct bpf_object *object, enum nv_hook hook)
{
	return bpf_object__find_program_by_name(object, hook_table[hook].program);
}

/* The hooks whose functions the kernel's BTF has. */
static unsigned int hooks_named(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int named = 0;

	for (enum nv_hook hook = 0; btf && hook < NV_HOOKS; hook++)
		if (btf__find_by_name_kind(btf, hook_table[hook].function, BTF_KIND_FUNC) > 0)
			named |= 1U << hook;
	btf__free(btf);
	return named;
}

/* Loads the hooks of the mask, all or none. */
static int hooks_load(const struct nv_objects *objects, int runs, unsigned int mask,
	struct bpf_object **ret_object)
{
	NV_AUTO(nv_programs) struct bpf_object *object = NULL;
	libbpf_print_fn_t before;
	int r;

	r = nv_programs_open_hooks(&object);
	if (r == 0)
		r = hooks_reuse(object, objects, runs);
	for (enum nv_hook hook = 0; r == 0 && hook < NV_HOOKS; hook++)
		r = bpf_program__set_autoload(hooks_program(object, hook), mask >> hook & 1);
	if (r < 0)
		return r;
	/* netvfd reports once that a kernel refuses hooks; libbpf would guess the reason. */
	before = libbpf_set_print(NULL);
	r = bpf_object__load(object);
	libbpf_set_print(before);
	if (r < 0)
		return r;
	*ret_object = TAKE_PTR(object);
	return 0;
}

/*
 * Loads those of the mask that the kernel accepts: a function in its BTF may refuse programs. If it
 * accepts none, returns its error.
 */
static int hooks_load_each(const struct nv_objects *objects, int runs, unsigned int mask,
	struct bpf_object **ret_object)
{
	unsigned int taken = 0;
	int why = -EOPNOTSUPP;

	for (enum nv_hook hook = 0; hook < NV_HOOKS; hook++) {
		NV_AUTO(nv_programs) struct bpf_object *object = NULL;
		int r = mask >> hook & 1 ? hooks_load(objects, runs, 1U << hook, &object) : -ENOENT;

		if (r == 0)
			taken |= 1U << hook;
		else if (r != -ENOENT)
			why = r;
	}
	return taken ? hooks_load(objects, runs, taken, ret_object) : why;
}

/* The pin keeps the link from then on. */
static int hooks_attach_one(const char *run_dir, const struct bpf_object *object, enum nv_hook hook)
{
	struct bpf_program *program = hooks_program(object, hook);
	struct bpf_link *link;
	int r;

	if (bpf_program__fd(program) < 0)
		return -ENOENT;
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	r = nv_pin(run_dir, hook_table[hook].program, bpf_link__fd(link));
	bpf_link__destroy(link);
	return r;
}

static uint64_t hooks_runs(const struct nv_hooks *hooks, enum nv_hook hook)
{
	uint32_t key = hook;
	uint64_t runs;

	return hooks->runs >= 0 && !bpf_map_lookup_elem(hooks->runs, &key, &runs) ? runs : 0;
}

/* Records which of the attached hooks run. */
static void hooks_see(struct nv_hooks *hooks)
{
	int r = nv_hooks_exercise();

	if (r < 0)
		nv_debug("cannot try the hooks on a device of their own: %s", nv_strerror(r));
	/* A confined service cannot make namespaces; netvfd --try-hooks does so in its place. */
	if (r == -EPERM) {
		hooks->relied = hooks->attached;
		return;
	}
	hooks->relied = hooks->attached & SURE_TO_RUN;
	for (enum nv_hook hook = 0; hook < NV_HOOKS; hook++)
		if (hooks->attached >> hook & 1 && hooks_runs(hooks, hook))
			hooks->relied |= 1U << hook;
}

int nv_hooks_attach(
	const char *run_dir, const struct nv_objects *objects, int runs, struct nv_hooks *ret_hooks)
{
	NV_AUTO(nv_programs) struct bpf_object *object = NULL;
	NV_AUTO(nv_hooks) struct nv_hooks hooks = NV_HOOKS_NONE;
	unsigned int named = hooks_named();
	int why = -EOPNOTSUPP;
	int r;

	r = named ? hooks_load(objects, runs, named, &object) : -EOPNOTSUPP;
	if (r < 0 && named && r != -ENOMEM && r != -EPERM)
		r = hooks_load_each(objects, runs, named, &object);
	if (r < 0)
		return r;
	for (enum nv_hook hook = 0; hook < NV_HOOKS; hook++) {
		r = hooks_attach_one(run_dir, object, hook);
		if (r == 0) {
			hooks.attached |= 1U << hook;
			continue;
		}
		nv_unpin(run_dir, hook_table[hook].program);
		nv_debug("hooks: none at %s: %s", hook_table[hook].function, nv_strerror(r));
		why = r != -ENOENT ? r : why;
	}
	if (!hooks.attached)
		return why;
	hooks.runs = fcntl(bpf_object__find_map_fd_by_name(object, "nv_runs"), F_DUPFD_CLOEXEC, 3);
	if (hooks.runs < 0)
		return -errno;
	hooks_see(&hooks);
	*ret_hooks = TAKE(hooks, NV_HOOKS_NONE);
	return 0;
}

void nv_hooks_detach(const char *run_dir)
{
	for (enum nv_hook hook = 0; hook < NV_HOOKS; hook++)
		nv_unpin(run_dir, hook_table[hook].program);
}

bool nv_hooks_suffice(const struct nv_hooks *hooks)
{
	const unsigned int needed =
		1U << NV_HOOK_DEACTIVATE | 1U << NV_HOOK_CARRIER | 1U << NV_HOOK_DETACH;

	return (hooks->relied & needed) == needed;
}

/* Whether a hook sees a moment: a device that is unregistered is closed too. */
static bool hooks_sees(enum nv_hook hook, enum nv_dp_moment_id moment)
{
	return hook_table[hook].moment == moment ||
	       (hook == NV_HOOK_DEACTIVATE && moment == NV_DP_MOMENT_REMOVED);
}

void nv_hooks_moment(const struct nv_hooks *hooks, enum nv_dp_moment_id moment, bool looks,
	struct nv_dp_moment *ret_moment)
{
	struct nv_dp_moment seen = {.name = moment_name[moment], .by = "nothing"};

	if (moment == NV_DP_MOMENT_RELEASED || nv_hooks_suffice(hooks)) {
		for (enum nv_hook hook = 0; hook < NV_HOOKS; hook++) {
			uint64_t runs = hooks_runs(hooks, hook);

			if (!(hooks->attached >> hook & 1) || !hooks_sees(hook, moment) ||
				(seen.function && runs <= seen.runs))
				continue;
			seen.by = "hook";
			seen.function = hook_table[hook].function;
			seen.runs = runs;
		}
	} else if (looks) {
		seen.by = "look";
	}
	*ret_moment = seen;
}

void nv_hooks_trust(const struct nv_table *table, bool on)
{
	for (size_t i = 0; i < table->count && nv_table_is_whole(table); i++) {
		struct nv_entry *entry = nv_table_entry(table, i);

		if (!on) {
			__atomic_fetch_and(&entry->event_seq, ~NV_HOOKED, __ATOMIC_SEQ_CST);
			continue;
		}
		__atomic_fetch_or(&entry->event_seq, NV_HOOKED, __ATOMIC_SEQ_CST);
		nv_hooks_count_event(entry); /* earlier hooks may have been absent for a while */
	}
}
