/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/datapath.h"

#include "base/log.h"
#include "base/rundir.h"
#include "datapath/audit.h"
#include "datapath/counts.h"
#include "datapath/hooks.h"
#include "datapath/pins.h"
#include "datapath/tc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* a change takes some milliseconds; a process that holds the lock longer was stopped */
#define LOCK_WAIT_MS 5000

#define ALL_ROLES ((1U << NV_ROLES) - 1)

#define BYPASSED_MAX 64

struct nv_datapath {
	struct nv_kernel *kernel;
	char *run_dir;
	struct nv_objects objects;
	struct nv_audit audit; /* of these */
	struct nv_table table;
	enum nv_handover handover;
	size_t found; /* the slot that was searched last */
	bool adopted;
	bool patient; /* wait for the lock */
	bool has_tcx;
	bool hooks_wanted;
	struct ring_buffer *reports; /* NULL until nv_datapath_reports_fd() is called */
	unsigned int reported; /* by the reports that were read last */
	/* the hns of NV_DP_REPORT_BYPASS among these; each tells again after a second */
	int bypassed[BYPASSED_MAX];
	size_t n_bypassed;
	struct nv_hooks hooks;
	int hooks_error; /* 0: hooks are attached; -errno: why they are not */
};

struct nv_datapath *nv_datapath_free(struct nv_datapath *datapath)
{
	if (!datapath)
		return NULL;
	ring_buffer__free(datapath->reports);
	nv_table_auto(&datapath->table);
	nv_objects_auto(&datapath->objects);
	nv_hooks_auto(&datapath->hooks);
	free(datapath->run_dir);
	free(datapath);
	return NULL;
}

/*
 * Closing *ret_fd unlocks. -EBUSY: another process did not release the lock in time. -EAGAIN:
 * another process has it.
 */
static int dp_lock(const struct nv_datapath *datapath, int *ret_fd)
{
	NV_AUTO(nv_fd) int fd = nv_lock_open(datapath->run_dir, "lock", "bpf");
	int r;

	if (fd < 0)
		return fd;
	r = nv_lock_within(fd, datapath->patient ? LOCK_WAIT_MS : 0);
	if (r == -EWOULDBLOCK)
		return datapath->patient ? -EBUSY : -EAGAIN;
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int nv_datapath_open(
	struct nv_kernel *kernel, const char *run_dir, struct nv_datapath **ret_datapath)
{
	NV_AUTO(nv_datapath) struct nv_datapath *datapath = calloc(1, sizeof(*datapath));
	NV_AUTO(nv_fd) int held = -1;
	int r;

	if (!datapath)
		return -ENOMEM;
	datapath->objects = NV_OBJECTS_NONE;
	datapath->patient = true;
	datapath->has_tcx = nv_tcx_is_there();
	datapath->hooks = NV_HOOKS_NONE;
	datapath->hooks_error = -ECANCELED;
	datapath->kernel = kernel;
	datapath->run_dir = strdup(run_dir);
	if (!datapath->run_dir)
		return -ENOMEM;
	r = nv_pins_prepare(run_dir);
	if (r == 0)
		r = dp_lock(datapath, &held);
	if (r == 0)
		r = nv_objects_open(kernel, run_dir, &datapath->objects, &datapath->adopted,
			&datapath->handover);
	if (r == 0)
		r = nv_table_map(datapath->objects.fd[NV_OBJECT_PAIRS], &datapath->table);
	if (r < 0)
		return r;
	nv_audit_begin(&datapath->objects, &datapath->audit);
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

void nv_datapath_be_patient(struct nv_datapath *datapath, bool patient)
{
	datapath->patient = patient;
}

int nv_datapath_repin(struct nv_kernel *kernel, const char *run_dir)
{
	const struct nv_datapath closed = {.run_dir = (char *)run_dir, .patient = true};
	NV_AUTO(nv_fd) int held = -1;
	int r;

	r = nv_pins_prepare(run_dir);
	if (r == 0)
		r = dp_lock(&closed, &held);
	return r < 0 ? r : nv_objects_repin(kernel, run_dir);
}

bool nv_datapath_adopted(const struct nv_datapath *datapath)
{
	return datapath->adopted;
}

bool nv_datapath_attaches_gently(const struct nv_datapath *datapath)
{
	return datapath->has_tcx;
}

struct nv_kernel *nv_datapath_kernel(const struct nv_datapath *datapath)
{
	return datapath->kernel;
}

/* Needs the lock. */
static int dp_hook(struct nv_datapath *datapath)
{
	struct nv_hooks hooks = NV_HOOKS_NONE;
	int r = datapath->handover == NV_HANDOVER_NETLINK ? -ENOTSUP : 0;

	if (!datapath->hooks_wanted)
		r = -ECANCELED;
	if (r == 0)
		r = nv_hooks_attach(
			datapath->run_dir, &datapath->objects, datapath->hooks.runs, &hooks);
	nv_hooks_trust(&datapath->table, nv_hooks_suffice(&hooks));
	if (r < 0)
		nv_hooks_detach(datapath->run_dir);
	nv_hooks_auto(&datapath->hooks);
	datapath->hooks = hooks;
	datapath->hooks_error = r;
	return datapath->hooks_wanted ? r : 0;
}

static void dp_note_bypass(struct nv_datapath *datapath, __u32 slot)
{
	datapath->reported |= NV_DP_REPORT_BYPASS;
	if (slot < datapath->table.count && datapath->n_bypassed < BYPASSED_MAX)
		datapath->bypassed[datapath->n_bypassed++] =
			(int)nv_table_entry(&datapath->table, slot)->hn;
}

static int dp_take_report(void *data, void *report, size_t size)
{
	const struct nv_report_of *what = report;
	struct nv_datapath *datapath = data;
	unsigned int *bits = &datapath->reported;

	/* Programs of an earlier version tell the slot only: of group reports. */
	if (size >= sizeof(*what) && what->report == NV_REPORT_BYPASS)
		dp_note_bypass(datapath, what->slot);
	else if (size >= sizeof(*what) && what->report == NV_REPORT_TRAFFIC)
		*bits |= NV_DP_REPORT_TRAFFIC;
	else if (size >= sizeof(*what) && what->report == NV_REPORT_LEFT)
		*bits |= NV_DP_REPORT_LEFT;
	else if (size >= sizeof(*what) && what->report == NV_REPORT_FOREIGN)
		*bits |= NV_DP_REPORT_FOREIGN;
	else
		*bits |= NV_DP_REPORT_GROUPS;
	return 0;
}

/*
 * Reports arrive by the descriptor that is waited for already. If the new ones cannot be heard,
 * there is nothing that this process could do.
 */
static void dp_follow_reports(struct nv_datapath *datapath, const struct nv_objects *old)
{
	int fd = datapath->objects.fd[NV_OBJECT_REPORTS];
	uint32_t before = 0;
	uint32_t now = 0;

	if (!datapath->reports || nv_object_id(fd, &now) < 0)
		return;
	nv_object_id(old->fd[NV_OBJECT_REPORTS], &before);
	if (now != before)
		ring_buffer__add(datapath->reports, fd, dp_take_report, datapath);
}

/* Opens the maps of a process of another version that has pinned its own. Needs the lock. */
static int dp_refresh(struct nv_datapath *datapath)
{
	NV_AUTO(nv_objects) struct nv_objects objects = NV_OBJECTS_NONE;
	NV_AUTO(nv_objects) struct nv_objects old = NV_OBJECTS_NONE;
	struct nv_table table = {};
	bool adopted;
	int r;

	if (nv_pins_current(datapath->run_dir, &datapath->objects))
		return 0;
	r = nv_pins_open(datapath->run_dir, &objects);
	if (r == -ENOENT) /* that process died before it had pinned everything */
		r = nv_objects_open(datapath->kernel, datapath->run_dir, &objects, &adopted,
			&datapath->handover);
	if (r == 0)
		r = nv_table_map(objects.fd[NV_OBJECT_PAIRS], &table);
	if (r < 0)
		return r;
	nv_table_auto(&datapath->table);
	datapath->table = table;
	old = TAKE(datapath->objects, NV_OBJECTS_NONE);
	datapath->objects = TAKE(objects, NV_OBJECTS_NONE);
	dp_follow_reports(datapath, &old);
	nv_audit_begin(&datapath->objects, &datapath->audit);
	if (datapath->hooks_wanted)
		dp_hook(datapath);
	return 0;
}

/* dp_lock(), and opens the maps that are in use now. */
static int dp_lock_current(struct nv_datapath *datapath, int *ret_fd)
{
	int r = dp_lock(datapath, ret_fd);

	return r < 0 ? r : dp_refresh(datapath);
}

int nv_datapath_hook(struct nv_datapath *datapath, bool wanted)
{
	NV_AUTO(nv_fd) int held = -1;
	int r;

	r = dp_lock_current(datapath, &held);
	if (r < 0)
		return r;
	datapath->hooks_wanted = wanted;
	return dp_hook(datapath);
}

/*
 * A slot whose entry has this hn, which is 0 in a free one; -1: there is none. Pairs are searched
 * again and again, or in the order in which they were added.
 */
static int dp_slot_with(struct nv_datapath *datapath, uint32_t hn)
{
	size_t count = datapath->table.count;

	for (size_t i = 0; i < count; i++) {
		size_t slot = (datapath->found + i) % count;

		if (NV_READ(nv_table_entry(&datapath->table, slot)->hn) != hn)
			continue;
		datapath->found = slot;
		return (int)slot;
	}
	return -1;
}

static struct nv_dp_pair dp_pair_in(const struct nv_datapath *datapath, size_t slot)
{
	return nv_entry_pair(&datapath->table, nv_table_entry(&datapath->table, slot));
}

/* The slot of an hn's pair, or -ENOENT. */
static int dp_find_slot(struct nv_datapath *datapath, int hn)
{
	int slot = hn > 0 ? dp_slot_with(datapath, (uint32_t)hn) : -1;

	return slot < 0 ? -ENOENT : slot;
}

/*
 * The same without holding the lock. A pair that is not in the table may be in another version's
 * table, which is pinned when that process releases the lock.
 */
static int dp_follow(struct nv_datapath *datapath)
{
	NV_AUTO(nv_fd) int held = -1;

	return dp_lock_current(datapath, &held);
}

static int dp_find_pair(struct nv_datapath *datapath, int hn)
{
	int slot = dp_find_slot(datapath, hn);
	int r;

	if (slot >= 0 || hn <= 0)
		return slot;
	r = dp_follow(datapath);
	return r < 0 ? r : dp_find_slot(datapath, hn);
}

int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair)
{
	int slot = dp_find_pair(datapath, hn);

	if (slot < 0)
		return slot;
	*ret_pair = dp_pair_in(datapath, (size_t)slot);
	return 0;
}

/* All pairs at one moment: a process of another version changes the table under the lock. */
static int dp_list(struct nv_datapath *datapath, struct nv_dp_pair *ret_pair, size_t *ret_count)
{
	NV_AUTO(nv_fd) int held = -1;
	size_t count = 0;
	int r;

	r = dp_lock_current(datapath, &held);
	if (r < 0)
		return r;
	for (size_t i = 0; i < datapath->table.count && count < NV_DP_PAIRS_MAX; i++) {
		ret_pair[count] = dp_pair_in(datapath, i);
		count += !!ret_pair[count].hn;
	}
	*ret_count = count;
	return 0;
}

int nv_datapath_each(struct nv_datapath *datapath,
	int (*each)(const struct nv_dp_pair *pair, void *data), void *data)
{
	struct nv_dp_pair pair[NV_DP_PAIRS_MAX];
	size_t count;
	int r;

	r = dp_list(datapath, pair, &count);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = each(&pair[i], data);
	return r;
}

static void dp_interfaces(const struct nv_dp_pair *pair, int ret_interface[NV_ROLES])
{
	ret_interface[NV_ROLE_HN] = pair->hn;
	ret_interface[NV_ROLE_VF] = pair->vf;
	ret_interface[NV_ROLE_LAGG] = pair->lagg;
}

static bool dp_has_interface(const struct nv_dp_pair *pair, int ifindex)
{
	return ifindex == pair->hn || ifindex == pair->vf || ifindex == pair->lagg;
}

/* The slot of the pair that an interface belongs to, or -ENOENT. */
static int dp_owner(const struct nv_datapath *datapath, int ifindex)
{
	struct nv_dp_pair pair;
	uint32_t slot;

	if (bpf_map_lookup_elem(datapath->objects.fd[NV_OBJECT_PORTS], &ifindex, &slot) < 0 ||
		slot >= datapath->table.count)
		return -ENOENT;
	pair = dp_pair_in(datapath, slot);
	return pair.hn && dp_has_interface(&pair, ifindex) ? (int)slot : -ENOENT;
}

static int dp_check(const struct nv_datapath *datapath, int slot, const struct nv_dp_pair *pair)
{
	int interface[NV_ROLES];

	if (pair->hn <= 0 || pair->vf < 0 || pair->lagg < 0 || pair->vf == pair->hn ||
		pair->lagg == pair->hn || (pair->vf && pair->vf == pair->lagg))
		return -EINVAL;
	dp_interfaces(pair, interface);
	for (size_t role = 0; role < NV_ROLES; role++) {
		int r = interface[role] ? dp_owner(datapath, interface[role]) : -ENOENT;

		if (r >= 0 && r != slot)
			return -EBUSY;
	}
	return 0;
}

/* Removes from the kernel what @old had and @new does not have. */
static void dp_withdraw(const struct nv_datapath *datapath, const struct nv_dp_pair *old,
	const struct nv_dp_pair *new)
{
	int interface[NV_ROLES];

	dp_interfaces(old, interface);
	for (size_t role = 0; role < NV_ROLES; role++) {
		if (!interface[role] || dp_has_interface(new, interface[role]))
			continue;
		nv_objects_detach(&datapath->objects, datapath->kernel, role, interface[role]);
		bpf_map_delete_elem(datapath->objects.fd[NV_OBJECT_PORTS], &interface[role]);
	}
}

/* The host may send to a new VF that is down already, so it is about to be set up. */
static enum nv_tc_place dp_place(const struct nv_datapath *datapath, const struct nv_dp_pair *old,
	enum nv_role role, int ifindex)
{
	struct nv_link link;

	if (role != NV_ROLE_VF)
		return NV_TC_KEEP;
	if (dp_has_interface(old, ifindex))
		return NV_TC_MOVE;
	return nv_kernel_link(datapath->kernel, ifindex, &link) < 0 || link.flags & IFF_UP
		       ? NV_TC_KEEP
		       : NV_TC_SOON;
}

static int dp_attach_one(const struct nv_datapath *datapath, int slot, enum nv_role role,
	int ifindex, const struct nv_dp_pair *old)
{
	int r = nv_objects_attach(&datapath->objects, NULL, datapath->kernel, role, ifindex,
		dp_place(datapath, old, role, ifindex));

	if (r == -ENODEV && dp_has_interface(old, ifindex))
		return 0;
	return r < 0 ? r
		     : bpf_map_update_elem(
			       datapath->objects.fd[NV_OBJECT_PORTS], &ifindex, &slot, BPF_ANY);
}

/*
 * Attaches our programs to interfaces of @new (@roles: a mask): to new interfaces, and where
 * somebody may have removed them. An interface that the pair had before may be gone; its owner will
 * remove it. An error does not keep programs off the other interfaces.
 */
static int dp_attach(const struct nv_datapath *datapath, int slot, const struct nv_dp_pair *old,
	const struct nv_dp_pair *new, unsigned int roles)
{
	int interface[NV_ROLES];
	int error = 0;

	dp_interfaces(new, interface);
	for (size_t role = 0; role < NV_ROLES; role++) {
		int r = 0;

		if (interface[role] && roles & 1U << role)
			r = dp_attach_one(datapath, slot, role, interface[role], old);
		error = error < 0 ? error : r;
	}
	if (error < 0)
		dp_withdraw(datapath, new, old);
	return error;
}

/*
 * Detaches the program from a VF that needs none. Needs the lock; the entry must be written before.
 */
static void dp_free_vf(const struct nv_datapath *datapath, const struct nv_entry *entry)
{
	const struct nv_tcx_known known = {
		.program = datapath->objects.fd[NV_OBJECT_INGRESS], .replaced = -1};
	struct nv_dp_pair pair = nv_entry_pair(&datapath->table, entry);

	if (nv_dp_pair_is_direct(&pair))
		nv_tc_remove(pair.vf, BPF_TC_INGRESS, &known);
}

int nv_datapath_missing(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES])
{
	struct nv_dp_pair pair;
	int r = nv_datapath_get(datapath, hn, &pair);

	return r < 0 ? r
		     : nv_audit_missing(&datapath->audit, &datapath->objects, &pair, ret_ifindex);
}

bool nv_datapath_leads(struct nv_datapath *datapath, const struct nv_dp_pair *pair)
{
	return nv_audit_is_led(&datapath->audit, &datapath->objects, pair);
}

struct nv_dp_others nv_datapath_others(struct nv_datapath *datapath, const struct nv_dp_pair *pair)
{
	const struct nv_tcx_known known = {
		.program = datapath->objects.fd[NV_OBJECT_EGRESS], .replaced = -1};

	if (pair->mode == NV_MODE_VF)
		return (struct nv_dp_others){};
	return nv_tc_others_at_egress(datapath->kernel, nv_dp_pair_upper(pair), &known);
}

/* Looks again under the lock: another process may have changed the pair or its programs. */
int nv_datapath_reattach(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES])
{
	int count = nv_datapath_missing(datapath, hn, ret_ifindex);
	NV_AUTO(nv_fd) int held = -1;
	const struct nv_entry *entry;
	struct nv_dp_pair pair;
	int slot;
	int r;

	if (count <= 0)
		return count;
	r = dp_lock_current(datapath, &held);
	if (r < 0)
		return r;
	slot = dp_find_slot(datapath, hn);
	if (slot < 0)
		return slot;
	entry = nv_table_entry(&datapath->table, (size_t)slot);
	pair = nv_entry_pair(&datapath->table, entry);
	count = nv_audit_missing(&datapath->audit, &datapath->objects, &pair, ret_ifindex);
	r = count ? dp_attach(datapath, slot, &pair, &pair, ALL_ROLES) : 0;
	dp_free_vf(datapath, entry);
	return r < 0 ? r : count;
}

static void dp_store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* No program uses an address that is half written. */
static void dp_write_vf_mac(
	struct nv_entry *entry, const struct nv_dp_pair *old, const struct nv_dp_pair *new)
{
	const uint8_t none[NV_MAC_LEN] = {};

	if (old->vf == new->vf && !memcmp(old->vf_mac, new->vf_mac, sizeof(new->vf_mac)))
		return;
	dp_store(&entry->own_mac_vf, 0);
	memcpy(entry->vf_mac, new->vf_mac, sizeof(entry->vf_mac));
	if (memcmp(new->vf_mac, none, sizeof(none)))
		dp_store(&entry->own_mac_vf, (uint32_t) new->vf);
}

/*
 * Word by word, so that the path works at each moment in between: a new interface is named before
 * it is used, an old one is not used any more before it is forgotten. The active port is stored
 * only if it differs between @old and @new: another process may be switching it right now.
 */
static void dp_write(const struct nv_table *table, struct nv_entry *entry,
	const struct nv_dp_pair *old, const struct nv_dp_pair *new)
{
	enum nv_port active = old->active;

	dp_store(&entry->inside, old->inside & new->inside);
	if (old->vf != new->vf) {
		active = NV_PORT_HN;
		dp_store(&entry->active, active);
	}
	memcpy(entry->mac, new->mac, sizeof(entry->mac));
	entry->multicast = new->multicast;
	if (nv_table_is_whole(table))
		dp_write_vf_mac(entry, old, new);
	if (new->lagg)
		dp_store(&entry->lagg, (uint32_t) new->lagg);
	if (new->vf)
		dp_store(&entry->vf, (uint32_t) new->vf);
	if (old->vf != new->vf && nv_table_is_whole(table)) {
		dp_store(&entry->removing_vf, 0);
		dp_store(&entry->was_up, 0);
		nv_hooks_count_event(entry);
	}
	dp_store(&entry->mode, new->mode);
	if (active != new->active)
		dp_store(&entry->active, new->active);
	dp_store(&entry->vf, (uint32_t) new->vf);
	dp_store(&entry->lagg, (uint32_t) new->lagg);
	dp_store(&entry->inside, new->inside);
	dp_store(&entry->hn, (uint32_t) new->hn);
}

/*
 * If the pair lacks the port or the upper that it names, it uses hn. An interface that has changed
 * is not a bond port.
 */
static void dp_normalize(const struct nv_dp_pair *old, struct nv_dp_pair *pair)
{
	if (pair->lagg != old->lagg)
		pair->inside = 0;
	if (pair->vf != old->vf)
		pair->inside &= ~(1U << NV_PORT_VF);
	if (!pair->vf) {
		pair->active = NV_PORT_HN;
		memset(pair->vf_mac, 0, sizeof(pair->vf_mac));
	}
	if ((pair->mode == NV_MODE_VF && !pair->vf) || (pair->mode == NV_MODE_LAGG && !pair->lagg))
		pair->mode = NV_MODE_HN;
}

/* @roles_of_new: those whose interfaces get their programs at once if the pair is new */
static int dp_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data, unsigned int roles_of_new)
{
	const struct nv_counts no_counts = {};
	struct nv_dp_pair new = {.hn = hn};
	struct nv_dp_pair old = {};
	NV_AUTO(nv_fd) int held = -1;
	struct nv_entry *entry;
	int slot;
	int r;

	if (hn <= 0)
		return -EINVAL;
	r = dp_lock_current(datapath, &held);
	if (r < 0)
		return r;
	slot = dp_find_slot(datapath, hn);
	if (slot >= 0)
		old = new = dp_pair_in(datapath, (size_t)slot);
	else
		slot = dp_slot_with(datapath, 0);
	if (slot < 0)
		return -ENOSPC;
	entry = nv_table_entry(&datapath->table, (size_t)slot);

	r = edit(&new, data);
	if (r == 0) {
		dp_normalize(&old, &new);
		r = dp_check(datapath, slot, &new);
	}
	if (r == 0 && old.hn != new.hn)
		r = nv_counts_put(datapath->objects.fd[NV_OBJECT_COUNTS], (__u32)slot, NV_PORT_HN,
			&no_counts);
	if (r == 0 && old.vf != new.vf)
		r = nv_counts_put(datapath->objects.fd[NV_OBJECT_COUNTS], (__u32)slot, NV_PORT_VF,
			&no_counts);
	if (r == 0)
		r = dp_attach(datapath, slot, &old, &new, old.hn ? ALL_ROLES : roles_of_new);
	if (r < 0)
		return r;
	dp_write(&datapath->table, entry, &old, &new);
	dp_withdraw(datapath, &old, &new);
	dp_free_vf(datapath, entry);
	return !old.hn && roles_of_new != ALL_ROLES;
}

int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data)
{
	return dp_edit(datapath, hn, edit, data, ALL_ROLES);
}

int nv_datapath_join(struct nv_datapath *datapath, int hn, const struct nv_dp_change *change)
{
	return dp_edit(datapath, hn, nv_dp_change_apply, (void *)change,
		datapath->has_tcx ? 1U << NV_ROLE_VF : ALL_ROLES);
}

/* Needs the lock. */
static int dp_put_limits(
	const struct nv_datapath *datapath, int slot, const struct nv_dp_limits *limits)
{
	struct nv_limits value = {.vf = (uint32_t)limits->vf, .any_mac = limits->any_mac};
	int r;

	memcpy(value.mac, limits->mac, sizeof(value.mac));
	memcpy(value.vlan, limits->vlan, sizeof(value.vlan));
	r = bpf_map_update_elem(datapath->objects.fd[NV_OBJECT_LIMITS], &slot, &value, BPF_EXIST);
	if (r == 0)
		nv_entry_limit(&datapath->table, (size_t)slot, limits->vf);
	return r;
}

int nv_datapath_remove(struct nv_datapath *datapath, int hn)
{
	const struct nv_dp_pair none = {};
	NV_AUTO(nv_fd) int held = -1;
	struct nv_dp_pair pair;
	struct nv_entry *entry;
	int slot;
	int r;

	r = dp_lock_current(datapath, &held);
	if (r < 0)
		return r;
	slot = dp_find_slot(datapath, hn);
	if (slot < 0)
		return 0;
	entry = nv_table_entry(&datapath->table, (size_t)slot);
	pair = nv_entry_pair(&datapath->table, entry);
	dp_store(&entry->mode, NV_MODE_HN);
	dp_store(&entry->active, NV_PORT_HN);
	dp_withdraw(datapath, &pair, &none);
	/*
	 * A program on another CPU may have looked up the slot before its filter was removed. The
	 * slot becomes free for another pair only when no program can use it any more (an RCU grace
	 * period).
	 */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	if (nv_table_is_whole(&datapath->table)) {
		dp_write_vf_mac(entry, &pair, &none);
		dp_store(&entry->removing_vf, 0);
		dp_store(&entry->was_up, 0);
		dp_store(&entry->tell_traffic, 0);
	}
	dp_store(&entry->hn, 0);
	memset(entry, 0,
		offsetof(struct nv_entry, event_seq)); /* the other words belong to the slot */
	dp_put_limits(datapath, slot, &(struct nv_dp_limits){});
	return 0;
}

int nv_datapath_limit(struct nv_datapath *datapath, int hn, const struct nv_dp_limits *limits)
{
	NV_AUTO(nv_fd) int held = -1;
	int slot;
	int r;

	r = dp_lock_current(datapath, &held);
	if (r < 0)
		return r;
	slot = dp_find_slot(datapath, hn);
	return slot < 0 ? slot : dp_put_limits(datapath, slot, limits);
}

int nv_datapath_reports_fd(struct nv_datapath *datapath)
{
	if (!datapath->reports)
		datapath->reports = ring_buffer__new(
			datapath->objects.fd[NV_OBJECT_REPORTS], dp_take_report, datapath, NULL);
	return datapath->reports ? ring_buffer__epoll_fd(datapath->reports) : -errno;
}

unsigned int nv_datapath_reports(struct nv_datapath *datapath)
{
	datapath->reported = 0;
	datapath->n_bypassed = 0;
	if (datapath->reports)
		ring_buffer__consume(datapath->reports);
	return datapath->reported;
}

bool nv_datapath_was_bypassed(const struct nv_datapath *datapath, int hn)
{
	for (size_t i = 0; i < datapath->n_bypassed; i++)
		if (datapath->bypassed[i] == hn)
			return true;
	return false;
}

/* Whether the pair is direct while the VF is active. */
static bool dp_may_be_direct(const struct nv_table *table, const struct nv_entry *entry)
{
	struct nv_dp_pair pair = nv_entry_pair(table, entry);

	pair.active = NV_PORT_VF;
	return pair.vf && nv_dp_pair_is_direct(&pair);
}

/*
 * Without the lock, traffic leaves by @port all the same, and some frames may arrive twice until
 * the pair is written the next time.
 */
static int dp_activate_direct(struct nv_datapath *datapath, int hn, enum nv_port port)
{
	NV_AUTO(nv_fd) int held = -1;
	int r = dp_lock_current(datapath, &held);
	int slot = dp_find_slot(datapath, hn);
	struct nv_entry *entry;

	if (slot < 0)
		return slot;
	entry = nv_table_entry(&datapath->table, (size_t)slot);
	if (port == NV_PORT_VF && !NV_READ(entry->vf))
		return -ENODEV;
	if (r == 0 && port == NV_PORT_HN)
		nv_objects_attach(&datapath->objects, NULL, datapath->kernel, NV_ROLE_VF,
			(int)NV_READ(entry->vf), NV_TC_KEEP);
	dp_store(&entry->active, port);
	if (r == 0)
		dp_free_vf(datapath, entry);
	return r == -EAGAIN;
}

int nv_datapath_activate(struct nv_datapath *datapath, int hn, enum nv_port port)
{
	struct nv_entry *entry;
	int slot;

	/* A table that is retired meanwhile has its hn cleared before its active port is read. */
	do {
		slot = dp_find_pair(datapath, hn);
		if (slot < 0)
			return slot;
		entry = nv_table_entry(&datapath->table, (size_t)slot);
		if (port == NV_PORT_VF && !NV_READ(entry->vf))
			return -ENODEV;
		if (dp_may_be_direct(&datapath->table, entry))
			return dp_activate_direct(datapath, hn, port);
		dp_store(&entry->active, port);
	} while (__atomic_load_n(&entry->hn, __ATOMIC_SEQ_CST) != (uint32_t)hn ||
		 dp_may_be_direct(&datapath->table, entry));
	return 0;
}

/* The entry of an hn, if it is large enough to have that word. */
static struct nv_entry *dp_find_entry(struct nv_datapath *datapath, int hn, int vf)
{
	int slot = vf ? dp_find_pair(datapath, hn) : -ENOENT;
	struct nv_entry *entry;

	if (slot < 0 || !nv_table_is_whole(&datapath->table))
		return NULL;
	entry = nv_table_entry(&datapath->table, (size_t)slot);
	return NV_READ(entry->vf) == (uint32_t)vf ? entry : NULL;
}

void nv_datapath_note_vf_up(struct nv_datapath *datapath, int hn, int vf, bool up)
{
	struct nv_entry *entry = dp_find_entry(datapath, hn, vf);

	if (entry)
		dp_store(&entry->was_up, up ? (uint32_t)vf : 0);
}

bool nv_datapath_await_traffic(struct nv_datapath *datapath, int hn, int vf)
{
	struct nv_entry *entry = dp_find_entry(datapath, hn, vf);

	if (entry)
		dp_store(&entry->tell_traffic, 1);
	return entry;
}

bool nv_datapath_vf_was_up(struct nv_datapath *datapath, int hn, int vf)
{
	const struct nv_entry *entry = dp_find_entry(datapath, hn, vf);

	return entry && NV_READ(entry->was_up) == (uint32_t)vf;
}

static struct nv_dp_count dp_give_count(const struct nv_count *count)
{
	return (struct nv_dp_count){.packets = count->packets, .bytes = count->bytes};
}

int nv_datapath_counters(
	struct nv_datapath *datapath, int ifindex, struct nv_dp_counters *ret_counters)
{
	struct nv_counts counts;
	struct nv_dp_pair pair;
	int slot;
	int r;

	slot = dp_owner(datapath, ifindex);
	if (slot < 0) {
		r = dp_follow(datapath);
		slot = r < 0 ? r : dp_owner(datapath, ifindex);
	}
	if (slot < 0)
		return slot;
	pair = dp_pair_in(datapath, (size_t)slot);
	if (ifindex != pair.hn && ifindex != pair.vf)
		return -ENOENT;
	r = nv_counts_get(datapath->objects.fd[NV_OBJECT_COUNTS], (__u32)slot,
		ifindex == pair.hn ? NV_PORT_HN : NV_PORT_VF, &counts);
	if (r < 0)
		return r;
	*ret_counters = (struct nv_dp_counters){
		.tx = dp_give_count(&counts.tx),
		.rx = dp_give_count(&counts.rx),
		.stray = dp_give_count(&counts.stray),
		.dropped_own = dp_give_count(&counts.own),
		.dropped_copy = dp_give_count(&counts.copy),
		.heard = counts.heard,
		.answers = counts.answers,
	};
	return 0;
}

const char *nv_datapath_handover(const struct nv_datapath *datapath)
{
	if (datapath->handover == NV_HANDOVER_NETLINK)
		return "netlink";
	return nv_hooks_suffice(&datapath->hooks) ? "hooks" : "looks";
}

const char *nv_datapath_reads(const struct nv_datapath *datapath)
{
	switch (datapath->handover) {
	case NV_HANDOVER_CAST:
		return "directly";
	case NV_HANDOVER_PROBE:
		return "by calls";
	case NV_HANDOVER_NETLINK:
		return "not";
	}
	return "not";
}

int nv_datapath_handover_why(const struct nv_datapath *datapath, char *buffer, size_t size)
{
	const char *by_calls =
		datapath->handover == NV_HANDOVER_PROBE
			? ", with helper calls, because this kernel is older than Linux 6.2"
			: "";

	if (datapath->handover == NV_HANDOVER_NETLINK)
		return snprintf(buffer, size,
			"this kernel does not let programs read the VF's state (no BTF, or locked down), so frames are lost until netvfd hears of the VF's end");
	if (nv_hooks_suffice(&datapath->hooks))
		return snprintf(buffer, size,
			"hooks in the kernel report when the VF begins to close or loses its carrier, and its state is read then");
	if (datapath->hooks_error == -ECANCELED)
		return snprintf(buffer, size,
			"the VF's state is read before each frame%s; netvf_hooks is \"no\"",
			by_calls);
	if (datapath->hooks_error)
		return snprintf(buffer, size,
			"the VF's state is read before each frame%s; the kernel refuses hooks, which are tracing programs: %s",
			by_calls, nv_strerror(datapath->hooks_error));
	return snprintf(buffer, size,
		"the VF's state is read before each frame%s; not all hooks can be attached here or were seen to run",
		by_calls);
}

void nv_datapath_moments(
	const struct nv_datapath *datapath, struct nv_dp_moment ret_moments[NV_DP_MOMENTS])
{
	bool looks = datapath->handover != NV_HANDOVER_NETLINK;

	for (enum nv_dp_moment_id moment = 0; moment < NV_DP_MOMENTS; moment++)
		nv_hooks_moment(&datapath->hooks, moment, looks, &ret_moments[moment]);
}
