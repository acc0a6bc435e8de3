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

/* Loads a hook that does nothing. The log may be NULL. Returns 0 or -errno. */
static int hooks_try(uint32_t function, char *log, uint32_t log_size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		.attach_btf_id = function, .log_level = log != NULL, .log_buf = log,
		.log_size = log_size);
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	NV_AUTO(nv_fd) int program = -1;

	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "Dual BSD/GPL", nothing,
		NV_ARRAY_SIZE(nothing), &opts);
	return program < 0 ? program : 0;
}

/*
 * Whether the kernel has tracing programs at all: 0 or -errno. If it has none, it refuses one
 * before its verifier, which always writes to the log. The first type in BTF is no function.
 */
static int hooks_known(void)
{
	char log[256] = "";
	int r = hooks_try(1, log, sizeof(log));

	return log[0] ? 0 : r;
}

/* The hook at a type of the kernel's BTF; NV_HOOKS: none. */
static enum nv_hook hooks_at(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const char *name = btf_is_func(type) ? btf__name_by_offset(btf, type->name_off) : "";
	enum nv_hook hook = 0;

	while (hook < NV_HOOKS && strcmp(name, hook_table[hook].function) != 0)
		hook++;
	return hook;
}

/*
 * The hooks whose functions the kernel has and accepts programs at; 0: none, because of *ret_why.
 * Each is tried alone, because a function in the BTF may refuse programs, and not as an object,
 * because libbpf reads the kernel's BTF again for each of those.
 */
static unsigned int hooks_accepted(int *ret_why)
{
	struct btf *btf;
	unsigned int accepted = 0;

	*ret_why = hooks_known();
	if (*ret_why < 0)
		return 0;
	*ret_why = -EOPNOTSUPP;
	btf = btf__load_vmlinux_btf();
	for (uint32_t id = 1; btf && id < btf__type_cnt(btf); id++) {
		enum nv_hook hook = hooks_at(btf, id);
		int r;

		if (hook == NV_HOOKS)
			continue;
		r = hooks_try(id, NULL, 0);
		if (r == 0)
			accepted |= 1U << hook;
		else
			*ret_why = r;
	}
	btf__free(btf);
	return accepted;
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
	int why;
	unsigned int accepted = hooks_accepted(&why);
	int r;

	r = accepted ? hooks_load(objects, runs, accepted, &object) : why;
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
