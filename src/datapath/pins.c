/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/pins.h"

#include "datapath/tc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const char *const object_names[] = {
	[NV_OBJECT_PAIRS] = "pairs",
	[NV_OBJECT_PORTS] = "ports",
	[NV_OBJECT_COUNTS] = "counts",
	[NV_OBJECT_PLACES] = "places",
	[NV_OBJECT_LIMITS] = "limits",
	[NV_OBJECT_REPORTS] = "reports",
	[NV_OBJECT_INGRESS] = "ingress",
	[NV_OBJECT_EGRESS] = "egress",
};

void nv_objects_auto(struct nv_objects *objects)
{
	for (size_t i = 0; i < NV_OBJECTS; i++)
		nv_fd_auto(&objects->fd[i]);
}

int nv_table_map(int pairs, struct nv_table *ret_table)
{
	struct bpf_map_info info = {};
	unsigned int size = sizeof(info);
	struct nv_table table = {};
	void *base;
	int r;

	r = bpf_obj_get_info_by_fd(pairs, &info, &size);
	if (r < 0)
		return r;
	if (info.type != BPF_MAP_TYPE_ARRAY || !(info.map_flags & BPF_F_MMAPABLE) ||
		info.value_size < NV_ENTRY_FIRST_SIZE)
		return -EPROTO;
	table.count = info.max_entries;
	table.size = info.value_size;
	table.stride = (table.size + 7) & ~(size_t)7;
	base = mmap(NULL, table.count * table.stride, PROT_READ | PROT_WRITE, MAP_SHARED, pairs, 0);
	if (base == MAP_FAILED)
		return -errno;
	table.base = base;
	*ret_table = table;
	return 0;
}

void nv_table_auto(struct nv_table *table)
{
	if (table->base)
		munmap(table->base, table->count * table->stride);
}

struct nv_dp_pair nv_entry_pair(const struct nv_table *table, const struct nv_entry *entry)
{
	struct nv_dp_pair pair = {
		.hn = (int)NV_READ(entry->hn),
		.vf = (int)NV_READ(entry->vf),
		.lagg = (int)NV_READ(entry->lagg),
		.inside = NV_READ(entry->inside),
		.multicast = entry->multicast,
		.mode = NV_MODE_HN,
		.active = NV_PORT_HN,
	};
	int active = (int)nv_entry_active(entry);
	int upper = (int)nv_entry_upper(entry);

	memcpy(pair.mac, entry->mac, sizeof(pair.mac));
	if (pair.vf && nv_table_is_whole(table) && (int)NV_READ(entry->own_mac_vf) == pair.vf)
		memcpy(pair.vf_mac, entry->vf_mac, sizeof(pair.vf_mac));
	if (pair.vf && active == pair.vf)
		pair.active = NV_PORT_VF;
	if (pair.lagg && upper == pair.lagg)
		pair.mode = NV_MODE_LAGG;
	else if (pair.vf && upper == pair.vf)
		pair.mode = NV_MODE_VF;
	return pair;
}

static struct nv_tcx_known pins_known(
	const struct nv_objects *objects, const struct nv_objects *replaced, enum nv_object which)
{
	return (struct nv_tcx_known){
		.program = objects->fd[which], .replaced = replaced ? replaced->fd[which] : -1};
}

int nv_objects_attach(const struct nv_objects *objects, const struct nv_objects *replaced,
	struct nv_kernel *kernel, enum nv_role role, int ifindex, enum nv_tc_place place)
{
	const struct nv_tcx_known ingress = pins_known(objects, replaced, NV_OBJECT_INGRESS);
	const struct nv_tcx_known egress = pins_known(objects, replaced, NV_OBJECT_EGRESS);
	int r_in = 0;
	int r_out = 0;

	if (role != NV_ROLE_LAGG)
		r_in = nv_tc_attach(kernel, ifindex, BPF_TC_INGRESS, &ingress, place);
	if (role != NV_ROLE_VF)
		r_out = nv_tc_attach(kernel, ifindex, BPF_TC_EGRESS, &egress, place);
	return r_in < 0 ? r_in : r_out;
}

void nv_objects_detach(
	const struct nv_objects *objects, struct nv_kernel *kernel, enum nv_role role, int ifindex)
{
	const struct nv_tcx_known ingress = pins_known(objects, NULL, NV_OBJECT_INGRESS);
	const struct nv_tcx_known egress = pins_known(objects, NULL, NV_OBJECT_EGRESS);

	nv_tc_detach(kernel, ifindex, &ingress, &egress, role == NV_ROLE_VF);
}

/* Like mkdir -p. */
static int pins_make_directories(const char *path)
{
	NV_AUTO(nv_free) char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int pin_path(const char *run_dir, const char *name, char *ret_path)
{
	int length = snprintf(ret_path, PATH_MAX, "%s/bpf%s%s", run_dir, name[0] ? "/" : "", name);

	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int nv_pins_prepare(const char *run_dir)
{
	char path[PATH_MAX];
	struct statfs fs;
	int r;

	r = pin_path(run_dir, "", path);
	if (r == 0)
		r = pins_make_directories(path);
	if (r < 0)
		return r;
	if (statfs(path, &fs) < 0)
		return -errno;
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return errno == ENODEV ? -EOPNOTSUPP : -errno;
	return 0;
}

static int pin_get(const char *run_dir, enum nv_object which)
{
	char path[PATH_MAX];
	int r;

	r = pin_path(run_dir, object_names[which], path);
	return r < 0 ? r : bpf_obj_get(path);
}

bool nv_pins_belong(int program, const struct nv_objects *objects)
{
	uint32_t maps[16] = {};
	struct bpf_prog_info info = {
		.nr_map_ids = NV_ARRAY_SIZE(maps),
		.map_ids = (uintptr_t)maps,
	};
	unsigned int size = sizeof(info);
	uint32_t id;

	if (bpf_obj_get_info_by_fd(program, &info, &size) < 0 ||
		nv_object_id(objects->fd[NV_OBJECT_PAIRS], &id) < 0)
		return false;
	for (size_t i = 0; i < NV_ARRAY_SIZE(maps); i++)
		if (maps[i] == id)
			return true;
	return false;
}

/*
 * Maps that some programs do not use: those of an earlier netvf, or of a kernel that lets none read
 * its memory. Once unmounted, nothing else keeps them.
 */
static bool pins_may_lack(size_t which)
{
	return which == NV_OBJECT_LIMITS || which == NV_OBJECT_REPORTS || which == NV_OBJECT_PLACES;
}

int nv_pins_open(const char *run_dir, struct nv_objects *ret_objects)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;

	for (size_t i = 0; i < NV_OBJECTS; i++) {
		objects.fd[i] = pin_get(run_dir, i);
		if (objects.fd[i] < 0 && !pins_may_lack(i))
			return objects.fd[i];
	}
	/* The process that writes the pins may have died after two of them. */
	if (!nv_pins_belong(objects.fd[NV_OBJECT_INGRESS], &objects) ||
		!nv_pins_belong(objects.fd[NV_OBJECT_EGRESS], &objects))
		return -ENOENT;
	*ret_objects = TAKE(objects, NV_OBJECTS_NONE);
	return 0;
}

/* 1: @fd is what is pinned. 0: something else is pinned. -errno: nothing is pinned. */
static int pins_hold(const char *run_dir, enum nv_object which, int fd)
{
	NV_AUTO(nv_fd) int pinned = pin_get(run_dir, which);
	uint32_t pinned_id;
	uint32_t id;
	int r;

	if (pinned < 0)
		return pinned;
	r = nv_object_id(pinned, &pinned_id);
	if (r == 0)
		r = nv_object_id(fd, &id);
	return r < 0 ? r : pinned_id == id;
}

bool nv_pins_current(const char *run_dir, const struct nv_objects *objects)
{
	return pins_hold(run_dir, NV_OBJECT_INGRESS, objects->fd[NV_OBJECT_INGRESS]) != 0 &&
	       pins_hold(run_dir, NV_OBJECT_EGRESS, objects->fd[NV_OBJECT_EGRESS]) != 0;
}

int nv_pin(const char *run_dir, const char *name, int fd)
{
	char path[PATH_MAX];
	char fresh[PATH_MAX];
	int r;

	r = pin_path(run_dir, "fresh", fresh);
	if (r == 0)
		r = pin_path(run_dir, name, path);
	if (r < 0)
		return r;
	unlink(fresh);
	r = bpf_obj_pin(fd, fresh);
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	return r;
}

void nv_unpin(const char *run_dir, const char *name)
{
	char path[PATH_MAX];

	if (pin_path(run_dir, name, path) == 0)
		unlink(path);
}

int nv_pins_set_label(const char *run_dir, const char *label)
{
	char path[PATH_MAX];
	char fresh[PATH_MAX];
	int r;

	r = pin_path(run_dir, "fresh", fresh);
	if (r == 0)
		r = pin_path(run_dir, "label", path);
	if (r < 0)
		return r;
	unlink(fresh);
	return symlink(label, fresh) < 0 || rename(fresh, path) < 0 ? -errno : 0;
}

void nv_pins_label(const char *run_dir, char ret_label[NV_PINS_LABEL_SIZE])
{
	char path[PATH_MAX];
	ssize_t length = -1;

	if (pin_path(run_dir, "label", path) == 0)
		length = readlink(path, ret_label, NV_PINS_LABEL_SIZE - 1);
	ret_label[length < 0 ? 0 : length] = '\0';
}

int nv_pins_write(const char *run_dir, const struct nv_objects *objects)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < NV_OBJECTS; i++)
		if (objects->fd[i] >= 0 && pins_hold(run_dir, i, objects->fd[i]) <= 0)
			r = nv_pin(run_dir, object_names[i], objects->fd[i]);
	return r;
}
