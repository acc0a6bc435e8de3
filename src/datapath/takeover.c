/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the programs and maps: loads them, or adopts those of an earlier process. */
#include "datapath/pins.h"

#include "base/log.h"
#include "datapath/counts.h"
#include "datapath/programs.h"
#include "datapath/tc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *const map_names[] = {
	[NV_OBJECT_PAIRS] = "nv_pairs",
	[NV_OBJECT_PORTS] = "nv_ports",
	[NV_OBJECT_COUNTS] = "nv_counts",
	[NV_OBJECT_PLACES] = "nv_places",
	[NV_OBJECT_LIMITS] = "nv_limits",
	[NV_OBJECT_REPORTS] = "nv_reports",
};

static int takeover_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[1024];

	if (level == LIBBPF_DEBUG) /* libbpf's debug messages about its own object */
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	nv_debug("%s", text);
	return 0;
}

static bool takeover_has_program(int ifindex, const struct nv_tcx_known *known, uint32_t wanted)
{
	uint32_t id;

	return ifindex && nv_tc_program(ifindex, BPF_TC_INGRESS, known, &id) == 0 && id == wanted;
}

/* Whether a port of any pair of the pinned map has the pinned program. */
static bool takeover_in_force(const struct nv_objects *pinned)
{
	const struct nv_tcx_known known = {
		.program = pinned->fd[NV_OBJECT_INGRESS], .replaced = -1};
	NV_AUTO(nv_table) struct nv_table table = {};
	uint32_t wanted;

	if (nv_object_id(pinned->fd[NV_OBJECT_INGRESS], &wanted) < 0 ||
		nv_table_map(pinned->fd[NV_OBJECT_PAIRS], &table) < 0)
		return false;
	for (size_t i = 0; i < table.count; i++) {
		const struct nv_entry *entry = nv_table_entry(&table, i);

		if (takeover_has_program((int)entry->hn, &known, wanted) ||
			takeover_has_program((int)entry->vf, &known, wanted))
			return true;
	}
	return false;
}

/* Takes the maps of a program by their names. */
static int takeover_take_maps(
	const struct bpf_prog_info *program, const uint32_t *ids, struct nv_objects *objects)
{
	for (size_t i = 0; i < program->nr_map_ids; i++) {
		NV_AUTO(nv_fd) int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info info = {};
		unsigned int size = sizeof(info);

		if (fd < 0)
			return fd;
		if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
			continue;
		for (size_t j = 0; j < NV_ARRAY_SIZE(map_names); j++)
			if (objects->fd[j] < 0 && !strcmp(info.name, map_names[j]))
				objects->fd[j] = TAKE_FD(fd);
	}
	return 0;
}

/*
 * Takes the program of our filter if there is one, and its maps; of a second program, which uses
 * some that the first one does not, only if both belong together.
 */
static int takeover_take_attached(
	int ifindex, enum bpf_tc_attach_point side, struct nv_objects *objects)
{
	const struct nv_tcx_known none = {.program = -1, .replaced = -1};
	NV_AUTO(nv_fd) int fd = -1;
	uint32_t maps[16] = {};
	struct bpf_prog_info info = {
		.nr_map_ids = NV_ARRAY_SIZE(maps),
		.map_ids = (uintptr_t)maps,
	};
	unsigned int size = sizeof(info);
	enum nv_object which;
	uint32_t id;
	int r;

	if (nv_tc_program(ifindex, side, &none, &id) < 0)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	if (!strcmp(info.name, "netvf_ingress"))
		which = NV_OBJECT_INGRESS;
	else if (!strcmp(info.name, "netvf_egress"))
		which = NV_OBJECT_EGRESS;
	else
		return 0;
	r = 0;
	if (objects->fd[NV_OBJECT_PAIRS] < 0 || nv_pins_belong(fd, objects))
		r = takeover_take_maps(&info, maps, objects);
	if (r == 0 && objects->fd[which] < 0)
		objects->fd[which] = TAKE_FD(fd);
	return r;
}

/*
 * The objects that filters use, also if no pin leads to them: the pins went with the mount
 * namespace in which they were made. Needs CAP_SYS_ADMIN, as mounting did.
 */
static int takeover_find_attached(struct nv_kernel *kernel, struct nv_objects *ret_objects)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	NV_AUTO(nv_links) struct nv_links links = {};
	int r;

	r = nv_kernel_links(kernel, &links);
	for (size_t i = 0; r == 0 && i < links.count; i++) {
		r = takeover_take_attached(links.link[i].ifindex, BPF_TC_INGRESS, &objects);
		if (r == 0)
			r = takeover_take_attached(links.link[i].ifindex, BPF_TC_EGRESS, &objects);
	}
	if (r < 0)
		return r;
	if (objects.fd[NV_OBJECT_PAIRS] < 0)
		return -ENOENT;
	*ret_objects = TAKE(objects, NV_OBJECTS_NONE);
	return 0;
}

static int takeover_find(
	struct nv_kernel *kernel, const char *run_dir, struct nv_objects *ret_objects)
{
	NV_AUTO(nv_objects) struct nv_objects pinned = NV_OBJECTS_NONE;
	bool has_pins;
	int r;

	has_pins = nv_pins_open(run_dir, &pinned) == 0;
	if (!has_pins || !takeover_in_force(&pinned)) {
		r = takeover_find_attached(kernel, ret_objects);
		/* If the programs may not be inspected, the pinned ones are assumed. */
		if (!has_pins || (r != -ENOENT && r != -EPERM))
			return r;
	}
	*ret_objects = TAKE(pinned, NV_OBJECTS_NONE);
	return 0;
}

int nv_objects_repin(struct nv_kernel *kernel, const char *run_dir)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	int r;

	libbpf_set_print(takeover_print);
	r = takeover_find(kernel, run_dir, &objects);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return nv_pins_write(run_dir, &objects);
}

static bool takeover_same_map(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	unsigned int size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) >= 0 && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/* The kernel's digest of a program's instructions. */
static bool takeover_same_program(int fd, const struct bpf_program *program)
{
	struct bpf_prog_info old = {};
	struct bpf_prog_info new = {};
	unsigned int old_size = sizeof(old);
	unsigned int new_size = sizeof(new);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &old, &old_size) >= 0 &&
	       bpf_obj_get_info_by_fd(bpf_program__fd(program), &new, &new_size) >= 0 &&
	       !memcmp(old.tag, new.tag, sizeof(old.tag));
}

static int takeover_load_mode(const struct nv_objects *old, enum nv_handover mode,
	struct bpf_object **ret_programs, bool *ret_kept)
{
	NV_AUTO(nv_programs) struct bpf_object *programs = NULL;
	bool keep = true;
	int r;

	r = nv_programs_open(mode, &programs);
	if (r < 0)
		return r;
	for (size_t i = 0; i < NV_ARRAY_SIZE(map_names); i++)
		keep &= takeover_same_map(
			old->fd[i], bpf_object__find_map_by_name(programs, map_names[i]));
	for (size_t i = 0; keep && i < NV_ARRAY_SIZE(map_names); i++) {
		r = bpf_map__reuse_fd(
			bpf_object__find_map_by_name(programs, map_names[i]), old->fd[i]);
		if (r < 0)
			return r;
	}
	r = bpf_object__load(programs);
	if (r < 0)
		return r;
	*ret_programs = TAKE_PTR(programs);
	*ret_kept = keep;
	return 0;
}

/*
 * Loads the best form that this kernel accepts. A kernel refuses a form in many ways (no BTF, no
 * such function, lockdown). So only a lack of memory or of privileges ends the search, because the
 * next form would meet it too.
 */
static int takeover_load(const struct nv_objects *old, struct bpf_object **ret_programs,
	bool *ret_kept, enum nv_handover *ret_mode)
{
	int r = -EOPNOTSUPP;

	for (enum nv_handover mode = NV_HANDOVER_FIRST; mode <= NV_HANDOVER_NETLINK; mode++) {
		r = takeover_load_mode(old, mode, ret_programs, ret_kept);
		if (r == 0)
			*ret_mode = mode;
		if (r == 0 || r == -ENOMEM || r == -EPERM)
			return r;
	}
	/*
	 * If the verifier refuses a program that is known to be good, the kernel lacks a feature.
	 */
	return r == -EINVAL || r == -ENOSYS ? -EOPNOTSUPP : r;
}

static const struct bpf_program *takeover_find_program(
	const struct bpf_object *programs, enum nv_object which)
{
	return bpf_object__find_program_by_name(
		programs, which == NV_OBJECT_INGRESS ? "netvf_ingress" : "netvf_egress");
}

static int takeover_take_loaded(const struct bpf_object *programs, struct nv_objects *ret_objects)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;

	for (size_t i = 0; i < NV_OBJECTS; i++) {
		int fd = i < NV_ARRAY_SIZE(map_names)
				 ? bpf_object__find_map_fd_by_name(programs, map_names[i])
				 : bpf_program__fd(takeover_find_program(programs, i));

		objects.fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (objects.fd[i] < 0)
			return -errno;
	}
	*ret_objects = TAKE(objects, NV_OBJECTS_NONE);
	return 0;
}

/* Copies the pairs and ports of another version, as far as both versions have the words. */
static int takeover_copy_pairs(const struct nv_table *old, const struct nv_table *new, int ports)
{
	size_t size = old->size < new->size ? old->size : new->size;
	size_t count = old->count < new->count ? old->count : new->count;

	for (size_t i = 0; i < count; i++) {
		struct nv_entry *entry = nv_table_entry(new, i);
		uint32_t slot = (uint32_t)i;
		int r = 0;

		memcpy(entry, nv_table_entry(old, i), size);
		entry->event_seq = entry->removing_vf = entry->ok_seq =
			0; /* the hooks use the old ones */
		if (!entry->hn)
			continue;
		r = bpf_map_update_elem(ports, &entry->hn, &slot, BPF_ANY);
		if (r == 0 && entry->vf)
			r = bpf_map_update_elem(ports, &entry->vf, &slot, BPF_ANY);
		if (r == 0 && entry->lagg)
			r = bpf_map_update_elem(ports, &entry->lagg, &slot, BPF_ANY);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Counters that cannot be copied begin with zero. */
static void takeover_copy_counts(const struct nv_table *table, int from, int to)
{
	for (size_t i = 0; i < table->count; i++) {
		struct nv_counts counts;

		if (!nv_table_entry(table, i)->hn)
			continue;
		for (int port = NV_PORT_HN; port <= NV_PORT_VF; port++)
			if (nv_counts_get(from, (__u32)i, port, &counts) == 0)
				nv_counts_put(to, (__u32)i, port, &counts);
	}
}

/* Limits that cannot be copied have no effect until they are set again. */
static void takeover_copy_limits(const struct nv_table *table, int from, int to)
{
	for (__u32 slot = 0; from >= 0 && slot < table->count; slot++) {
		struct nv_limits limits;

		if (nv_table_entry(table, slot)->hn && !bpf_map_lookup_elem(from, &slot, &limits))
			bpf_map_update_elem(to, &slot, &limits, BPF_EXIST);
	}
}

/* Entries of a version that has no such word do not tell which slots have limits. */
static void takeover_note_limits(const struct nv_table *table, int fd)
{
	for (__u32 slot = 0; slot < table->count; slot++) {
		struct nv_limits limits;

		if (nv_table_entry(table, slot)->hn && !bpf_map_lookup_elem(fd, &slot, &limits))
			nv_entry_limit(table, slot, (int)limits.vf);
	}
}

/*
 * Attaches these programs to every interface of every pair. An interface that is gone, or whose
 * place is taken, is skipped.
 */
static int takeover_attach_all(const struct nv_objects *objects, const struct nv_objects *replaced,
	struct nv_kernel *kernel, const struct nv_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct nv_entry *entry = nv_table_entry(table, i);
		const struct nv_dp_pair pair = nv_entry_pair(table, entry);
		const int interface[NV_ROLES] = {
			pair.hn, nv_dp_pair_is_direct(&pair) ? 0 : pair.vf, pair.lagg};

		for (size_t role = 0; pair.hn && role < NV_ROLES; role++) {
			int r = 0;

			if (interface[role])
				r = nv_objects_attach(objects, replaced, kernel, role,
					interface[role], NV_TC_KEEP);
			if (r < 0 && r != -ENODEV && r != -EBUSY)
				return r;
		}
	}
	return 0;
}

/*
 * Closes the table that was copied from. If a process still uses it and switches a pair in it
 * meanwhile, it either stores its word before the word is read here, or finds no pair and looks for
 * it again (see nv_datapath_activate()).
 */
static void takeover_retire(const struct nv_table *old, const struct nv_table *new)
{
	for (size_t i = 0; i < old->count && i < new->count; i++) {
		struct nv_entry *from = nv_table_entry(old, i);
		struct nv_entry *to = nv_table_entry(new, i);

		__atomic_store_n(&from->hn, 0, __ATOMIC_SEQ_CST);
		to->active = __atomic_load_n(&from->active, __ATOMIC_SEQ_CST);
	}
}

/* The filters are replaced only when the new maps have everything that the old ones had. */
static int takeover_move_pairs(struct nv_kernel *kernel, const struct nv_objects *old,
	const struct nv_objects *objects, bool kept)
{
	NV_AUTO(nv_table) struct nv_table old_table = {};
	NV_AUTO(nv_table) struct nv_table table = {};
	int r;

	r = nv_table_map(objects->fd[NV_OBJECT_PAIRS], &table);
	if (r < 0)
		return r;
	if (kept || old->fd[NV_OBJECT_PAIRS] < 0) {
		takeover_note_limits(&table, objects->fd[NV_OBJECT_LIMITS]);
		return takeover_attach_all(objects, old, kernel, &table);
	}

	r = nv_table_map(old->fd[NV_OBJECT_PAIRS], &old_table);
	if (r < 0)
		return r;
	r = takeover_copy_pairs(&old_table, &table, objects->fd[NV_OBJECT_PORTS]);
	if (r < 0)
		return r;
	takeover_copy_counts(&table, old->fd[NV_OBJECT_COUNTS], objects->fd[NV_OBJECT_COUNTS]);
	takeover_copy_limits(&table, old->fd[NV_OBJECT_LIMITS], objects->fd[NV_OBJECT_LIMITS]);
	takeover_note_limits(&table, objects->fd[NV_OBJECT_LIMITS]);
	r = takeover_attach_all(objects, old, kernel, &table);
	if (r < 0)
		return r;
	takeover_retire(&old_table, &table);
	return 0;
}

static bool takeover_has_pairs(const struct nv_objects *objects)
{
	NV_AUTO(nv_table) struct nv_table table = {};

	if (objects->fd[NV_OBJECT_PAIRS] < 0 ||
		nv_table_map(objects->fd[NV_OBJECT_PAIRS], &table) < 0)
		return false;
	for (size_t i = 0; i < table.count; i++)
		if (nv_table_entry(&table, i)->hn)
			return true;
	return false;
}

/*
 * Names these programs: those of another version have another digest, and the same ones loaded
 * again have other ids. A process that tries other forms may find a better one.
 */
static int takeover_write_label(
	const struct nv_objects *objects, enum nv_handover mode, char ret_label[NV_PINS_LABEL_SIZE])
{
	uint32_t ingress;
	uint32_t egress;
	int r = nv_object_id(objects->fd[NV_OBJECT_INGRESS], &ingress);

	if (r == 0)
		r = nv_object_id(objects->fd[NV_OBJECT_EGRESS], &egress);
	if (r == 0)
		snprintf(ret_label, NV_PINS_LABEL_SIZE, "%s,%d,%d,%u,%u", nv_programs_digest(),
			NV_HANDOVER_FIRST, mode, ingress, egress);
	return r;
}

/* Whether these are pinned, and are what this process would load. */
static bool takeover_is_this_version(
	const char *run_dir, const struct nv_objects *objects, enum nv_handover *ret_mode)
{
	char label[NV_PINS_LABEL_SIZE];
	char expected[NV_PINS_LABEL_SIZE];

	for (size_t i = 0; i < NV_OBJECTS; i++)
		if (objects->fd[i] < 0)
			return false;
	nv_pins_label(run_dir, label);
	for (enum nv_handover mode = NV_HANDOVER_FIRST; mode <= NV_HANDOVER_NETLINK; mode++) {
		if (takeover_write_label(objects, mode, expected) < 0 || strcmp(label, expected))
			continue;
		*ret_mode = mode;
		return true;
	}
	return false;
}

/* Pins everything, and then says what it is. Without that, the next process loads the programs. */
static int takeover_pin(
	const char *run_dir, const struct nv_objects *objects, enum nv_handover mode)
{
	char label[NV_PINS_LABEL_SIZE];
	int r = nv_pins_write(run_dir, objects);

	if (r == 0 && takeover_write_label(objects, mode, label) == 0)
		nv_pins_set_label(run_dir, label);
	return r;
}

/* Loads the programs of this version, and makes every filter run them. */
static int takeover_replace(struct nv_kernel *kernel, struct nv_objects *old,
	struct nv_objects *ret_objects, enum nv_handover *ret_mode)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	NV_AUTO(nv_programs) struct bpf_object *programs = NULL;
	bool kept = false;
	int r;

	r = takeover_load(old, &programs, &kept, ret_mode);
	if (r < 0)
		return r;
	if (kept &&
		takeover_same_program(old->fd[NV_OBJECT_INGRESS],
			takeover_find_program(programs, NV_OBJECT_INGRESS)) &&
		takeover_same_program(old->fd[NV_OBJECT_EGRESS],
			takeover_find_program(programs, NV_OBJECT_EGRESS)))
		objects = TAKE(*old, NV_OBJECTS_NONE);
	else
		r = takeover_take_loaded(programs, &objects);
	if (r == 0)
		r = takeover_move_pairs(kernel, old, &objects, kept);
	if (r < 0)
		return r;
	*ret_objects = TAKE(objects, NV_OBJECTS_NONE);
	return 0;
}

int nv_objects_open(struct nv_kernel *kernel, const char *run_dir, struct nv_objects *ret_objects,
	bool *ret_adopted, enum nv_handover *ret_mode)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	NV_AUTO(nv_objects) struct nv_objects old = NV_OBJECTS_NONE;
	enum nv_handover mode;
	bool adopted;
	int r;

	libbpf_set_print(takeover_print);
	r = takeover_find(kernel, run_dir, &old);
	if (r < 0 && r != -ENOENT)
		return r;
	adopted = takeover_has_pairs(&old);
	if (takeover_is_this_version(run_dir, &old, &mode)) {
		objects = TAKE(old, NV_OBJECTS_NONE);
		r = nv_pins_write(run_dir, &objects);
	} else {
		r = takeover_replace(kernel, &old, &objects, &mode);
		if (r == 0)
			r = takeover_pin(run_dir, &objects, mode);
	}
	if (r < 0)
		return r;
	*ret_objects = TAKE(objects, NV_OBJECTS_NONE);
	*ret_adopted = adopted;
	*ret_mode = mode;
	return 0;
}
