/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VLAN is registered by a VLAN interface on the VF that is never set up (vlan_vid_add(),
 * net/8021q/vlan_core.c); the kernel does it by itself only for ports of a bond or team. A group is
 * registered as by `ip maddress add`. Both remain when netvfd ends, and disappear with the VF.
 *
 * Kernels before 6.14 send no message about groups. But a host that joins a group reports it, and
 * the program at the upper sees the report. Groups that nobody reports are found at the next change
 * of a link.
 */
#include "failover/vf_filters.h"

#include "base/log.h"
#include "failover/managed_table.h"
#include "failover/notify_peers.h"
#include "pair/uppers.h"
#include "pair/vf_mac.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VLAN_RETRY  NV_USEC_PER_SEC
#define GROUPS_SOON (NV_USEC_PER_SEC / 10)
#define GROUPS_MAX  256 /* for one VF; cards have room for 30 to 128 */

static bool vf_filters_bit_is_set(const uint64_t *bits, unsigned int at)
{
	return bits[at / 64] >> at % 64 & 1;
}

static void vf_filters_bit_set(uint64_t *bits, unsigned int at, bool on)
{
	bits[at / 64] &= ~(UINT64_C(1) << at % 64);
	bits[at / 64] |= (uint64_t)on << at % 64;
}

/* A timer that already runs is not restarted, so a storm of changes cannot delay it. */
static void vf_filters_arm_groups(struct nv_failover *failover)
{
	if (!failover->groups_due.count && !failover->groups_due.all)
		nv_watch_arm(failover->groups, GROUPS_SOON);
}

static void vf_filters_compare_groups_soon(struct nv_failover *failover, int hn)
{
	vf_filters_arm_groups(failover);
	nv_hns_add(&failover->groups_due, hn);
}

/* The VF, if it carries its upper's traffic and is not in its attach delay. */
static const struct nv_link *vf_filters_find_port(const struct nv_failover *failover,
	const struct nv_managed *managed, const struct nv_dp_pair *path)
{
	bool is_port = path->mode == NV_MODE_LAGG ||
		       (path->mode == NV_MODE_HN &&
			       (managed->state.ready || managed->state.active == NV_PORT_VF));

	return is_port ? nv_links_by_index(nv_monitor_links(failover->monitor), path->vf) : NULL;
}

static bool vf_filters_is_8021q(const struct nv_link *link)
{
	return nv_streq(link->kind, "vlan") && !link->vlan_is_8021ad && link->vlan_id < 4096;
}

/*
 * VLANs of the upper and of the interfaces stacked on it that a card's filter compares. Frames of
 * 802.1ad VLANs go by hn: most cards have no filter for them. Returns whether these are all.
 */
static bool vf_filters_find_vlans(const struct nv_links *links, int upper, uint64_t *ret_vlans)
{
	int ifindex[NV_UPPERS_MAX];
	size_t count = nv_uppers_find(links, upper, ifindex);

	for (size_t i = 0; i < count; i++) {
		const struct nv_link *link = nv_links_by_index(links, ifindex[i]);

		if (vf_filters_is_8021q(link) && nv_vlan_is_outermost(links, link))
			vf_filters_bit_set(ret_vlans, link->vlan_id, true);
	}
	return count < NV_UPPERS_MAX;
}

/* Finds the VLANs that have an interface on the VF; deletes ours that are not wanted any more. */
static void vf_filters_keep_vlans(
	struct nv_failover *failover, int vf, const uint64_t *wanted, uint64_t *ret_vlans)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);

	for (const struct nv_link *link = nv_links_next_stacked(links, vf, 0); link;
		link = nv_links_next_stacked(links, vf, link->ifindex)) {
		char ours[IFNAMSIZ];

		if (!vf_filters_is_8021q(link))
			continue;
		nv_vf_vlan_name(vf, link->vlan_id, ours);
		if (nv_streq(link->name, ours) && !vf_filters_bit_is_set(wanted, link->vlan_id))
			nv_kernel_link_del(failover->kernel, link->ifindex);
		else
			vf_filters_bit_set(ret_vlans, link->vlan_id, true);
	}
}

static void vf_filters_drop_vlans(struct nv_failover *failover, int vf)
{
	const uint64_t none[4096 / 64] = {};
	uint64_t left[4096 / 64] = {};

	if (vf)
		vf_filters_keep_vlans(failover, vf, none, left);
}

static void vf_filters_drop_unicasts(struct nv_failover *failover, struct nv_vf_filters *filters)
{
	for (size_t i = 0; i < filters->n_unicasts; i++)
		nv_kernel_unicast_set(failover->kernel, filters->vf, filters->unicast[i], false);
	filters->n_unicasts = 0;
}

static int vf_filters_add_vlan(struct nv_failover *failover, const struct nv_link *vf, uint16_t id)
{
	struct nv_link vlan = {.kind = "vlan", .lower = vf->ifindex, .vlan_id = id};
	int ifindex;
	int r;

	nv_vf_vlan_name(vf->ifindex, id, vlan.name);
	r = nv_kernel_link_add(failover->kernel, &vlan, NULL, &ifindex);
	return r == -EEXIST ? 0 : r;
}

/* VLANs of which no interface tells are those that the VF accepts without being told. */
static void vf_filters_sync_vlans(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *vf, int upper, uint64_t *ret_vlans)
{
	struct nv_vf_filters *filters = &managed->vf_filters;
	uint64_t wanted[4096 / 64] = {};
	bool all = vf_filters_find_vlans(nv_monitor_links(failover->monitor), upper, wanted);

	vf_filters_keep_vlans(failover, vf->ifindex, wanted, ret_vlans);
	for (uint16_t id = 0; id < 4096; id++) {
		int r;

		if (!vf_filters_bit_is_set(wanted, id))
			vf_filters_bit_set(filters->refused, id, false);
		if (!vf_filters_bit_is_set(wanted, id) || vf_filters_bit_is_set(ret_vlans, id) ||
			vf_filters_bit_is_set(filters->refused, id))
			continue;
		r = vf_filters_add_vlan(failover, vf, id);
		if (nv_retry_is_worth(r)) {
			nv_failover_look_in(failover, VLAN_RETRY);
			continue;
		}
		vf_filters_bit_set(r < 0 ? filters->refused : ret_vlans, id, true);
		if (r < 0)
			nv_warn("%s: the VF %s refuses VLAN %u: %s; its frames leave by %s",
				managed->id.hn_name, vf->name, id, nv_strerror(r),
				managed->id.hn_name);
	}
	for (size_t i = 0; i < 4096 / 64 && all && !failover->settings->vf_spoofchk; i++)
		ret_vlans[i] |= ~wanted[i];
}

static bool vf_filters_has_every_vlan(const struct nv_dp_limits *limits)
{
	for (size_t i = 0; i < 4096 / 64; i++)
		if (~limits->vlan[i])
			return false;
	return true;
}

static bool vf_filters_limits_equal(const struct nv_dp_limits *a, const struct nv_dp_limits *b)
{
	return a->vf == b->vf && a->any_mac == b->any_mac &&
	       !memcmp(a->mac, b->mac, sizeof(a->mac)) &&
	       !memcmp(a->vlan, b->vlan, sizeof(a->vlan));
}

/*
 * No frame is led to an hn that cannot send it. The source address is compared before that of a VF
 * with an address of its own takes the place of the upper's.
 */
static int vf_filters_limit(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *vf, const struct nv_link *upper, const struct nv_dp_limits *vlans)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, managed->id.hn);
	const struct nv_link *source = upper && nv_vf_has_own_mac(hn, vf) ? upper : vf;
	struct nv_vf_filters *filters = &managed->vf_filters;
	struct nv_dp_limits limits = *vlans;
	int r;

	if (vf && vf->has_mac && hn && nv_link_usable(hn) &&
		(failover->settings->vf_spoofchk || !vf_filters_has_every_vlan(vlans))) {
		limits.vf = vf->ifindex;
		limits.any_mac = !failover->settings->vf_spoofchk;
		memcpy(limits.mac, source->mac, NV_MAC_LEN);
	}
	if (filters->limits_known && vf_filters_limits_equal(&limits, &filters->limits))
		return 0;
	r = nv_datapath_limit(failover->datapath, managed->id.hn, &limits);
	if (r == 0) {
		filters->limits = limits;
		filters->limits_known = true;
	} else if (r != -ENOENT && r != -EAGAIN) {
		nv_err("%s: cannot update its data path with what its VF may send: %s",
			managed->id.hn_name, nv_strerror(r));
	}
	return r == -EAGAIN ? r : 0;
}

int nv_vf_filters_sync(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_dp_pair *path)
{
	struct nv_vf_filters *filters = &managed->vf_filters;
	struct nv_dp_limits limits = {};
	const struct nv_link *vf = vf_filters_find_port(failover, managed, path);
	int r;

	if (filters->vf != (vf ? vf->ifindex : 0)) {
		vf_filters_drop_vlans(failover, filters->vf);
		vf_filters_drop_unicasts(failover, filters);
		*filters = (struct nv_vf_filters){
			.vf = vf ? vf->ifindex : 0,
			.limits = filters->limits,
			.limits_known = filters->limits_known,
		};
	}
	if (vf && vf->master) { /* a bond registers VLANs and groups with its ports by itself */
		vf_filters_drop_vlans(failover, vf->ifindex);
		memset(limits.vlan, 0xff, sizeof(limits.vlan));
	} else if (vf) {
		vf_filters_sync_vlans(failover, managed, vf, nv_dp_pair_upper(path), limits.vlan);
	}
	r = vf_filters_limit(failover, managed, vf,
		nv_links_by_index(nv_monitor_links(failover->monitor), nv_dp_pair_upper(path)),
		&limits);
	if (vf && !vf->master)
		vf_filters_compare_groups_soon(failover, managed->id.hn);
	return r;
}

struct wanted_groups {
	uint8_t mac[GROUPS_MAX][NV_MAC_LEN];
	bool is_there[GROUPS_MAX];
	size_t count;
};

/* The index of the group; the count if it is not in the list. */
static size_t vf_filters_find_group(
	const struct wanted_groups *wanted, const uint8_t mac[NV_MAC_LEN])
{
	size_t at = 0;

	while (at < wanted->count && memcmp(wanted->mac[at], mac, NV_MAC_LEN))
		at++;
	return at;
}

/* The groups of the upper and of the interfaces stacked on it. */
static void vf_filters_find_groups(const struct nv_links *links, const struct nv_groups *groups,
	int upper, struct wanted_groups *ret_wanted)
{
	int ifindex[NV_UPPERS_MAX];
	size_t count = nv_uppers_find(links, upper, ifindex);

	for (size_t i = 0; i < groups->count && ret_wanted->count < GROUPS_MAX; i++) {
		const struct nv_group *group = &groups->group[i];
		bool is_above = false;

		for (size_t at = 0; at < count && !is_above; at++)
			is_above = group->ifindex == ifindex[at];
		if (is_above && vf_filters_find_group(ret_wanted, group->mac) == ret_wanted->count)
			memcpy(ret_wanted->mac[ret_wanted->count++], group->mac, NV_MAC_LEN);
	}
}

/*
 * Registers the wanted groups with the VF, and removes others that were added by hand: they must be
 * added to the upper. Frames of groups that the VF refuses come by hn.
 */
static void vf_filters_set_groups(struct nv_failover *failover, const struct nv_groups *groups,
	int vf, struct wanted_groups *wanted)
{
	for (size_t i = 0; i < groups->count; i++) {
		const struct nv_group *group = &groups->group[i];
		size_t at = group->ifindex == vf ? vf_filters_find_group(wanted, group->mac)
						 : GROUPS_MAX;

		if (at < wanted->count)
			wanted->is_there[at] = true;
		else if (group->ifindex == vf && group->by_hand)
			nv_kernel_group_set(failover->kernel, vf, group->mac, false);
	}
	for (size_t at = 0; at < wanted->count; at++)
		if (!wanted->is_there[at])
			nv_kernel_group_set(failover->kernel, vf, wanted->mac[at], true);
}

static bool vf_filters_is_wanted(const struct nv_groups *wanted, const uint8_t mac[NV_MAC_LEN])
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!memcmp(wanted->group[i].mac, mac, NV_MAC_LEN))
			return true;
	return false;
}

static bool vf_filters_has_unicast(
	const struct nv_vf_filters *filters, const uint8_t mac[NV_MAC_LEN])
{
	for (size_t i = 0; i < filters->n_unicasts; i++)
		if (!memcmp(filters->unicast[i], mac, NV_MAC_LEN))
			return true;
	return false;
}

static void vf_filters_set_unicasts(
	struct nv_failover *failover, struct nv_vf_filters *filters, const struct nv_groups *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < filters->n_unicasts; i++)
		if (vf_filters_is_wanted(wanted, filters->unicast[i]))
			memmove(filters->unicast[kept++], filters->unicast[i], NV_MAC_LEN);
		else
			nv_kernel_unicast_set(
				failover->kernel, filters->vf, filters->unicast[i], false);
	filters->n_unicasts = kept;
	for (size_t i = 0; i < wanted->count && filters->n_unicasts < NV_UNICASTS_MAX; i++) {
		const uint8_t *mac = wanted->group[i].mac;
		int r;

		if (vf_filters_has_unicast(filters, mac))
			continue;
		r = nv_kernel_unicast_set(failover->kernel, filters->vf, mac, true);
		if (r == 0 || r == -EEXIST) /* by an earlier netvfd */
			memcpy(filters->unicast[filters->n_unicasts++], mac, NV_MAC_LEN);
	}
}

/* Frames from other MAC addresses leave by hn unless the host does not check them. */
static void vf_filters_sync_unicasts(
	struct nv_failover *failover, struct nv_managed *managed, int upper)
{
	NV_AUTO(nv_groups) struct nv_groups wanted = {};
	int r = 0;

	if (!failover->settings->vf_spoofchk)
		r = nv_kernel_unicasts(failover->kernel, upper, &wanted);
	if (r < 0)
		nv_warn("%s: cannot list the MAC addresses above it, so its VF may not receive all of them: %s",
			managed->id.hn_name, nv_strerror(r));
	else
		vf_filters_set_unicasts(failover, &managed->vf_filters, &wanted);
}

static void vf_filters_sync_groups(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_groups *groups)
{
	struct wanted_groups wanted = {};
	const struct nv_link *vf;
	struct nv_dp_pair path;

	if (nv_datapath_get(failover->datapath, managed->id.hn, &path) < 0)
		return;
	vf = vf_filters_find_port(failover, managed, &path);
	if (!vf || vf->master)
		return;
	vf_filters_find_groups(
		nv_monitor_links(failover->monitor), groups, nv_dp_pair_upper(&path), &wanted);
	vf_filters_set_groups(failover, groups, vf->ifindex, &wanted);
	vf_filters_sync_unicasts(failover, managed, nv_dp_pair_upper(&path));
}

void nv_vf_filters_forget(struct nv_failover *failover, struct nv_managed *managed)
{
	struct nv_vf_filters *filters = &managed->vf_filters;
	NV_AUTO(nv_groups) struct nv_groups groups = {};
	struct wanted_groups none = {};

	if (!filters->vf)
		return;
	vf_filters_drop_vlans(failover, filters->vf);
	vf_filters_drop_unicasts(failover, filters);
	if (nv_kernel_groups(failover->kernel, &groups) == 0)
		vf_filters_set_groups(failover, &groups, filters->vf, &none);
	*filters = (struct nv_vf_filters){};
}

static void vf_filters_sync_due_groups(void *data)
{
	NV_AUTO(nv_groups) struct nv_groups groups = {};
	struct nv_failover *failover = data;
	NV_AUTO(nv_hns) struct nv_hns due = TAKE_STRUCT(failover->groups_due);
	int r = nv_kernel_groups(failover->kernel, &groups);

	if (r < 0) {
		nv_warn("cannot list the multicast groups of interfaces, so VFs may not receive all of them: %s",
			nv_strerror(r));
		return;
	}
	for (size_t i = 0; i < failover->n_managed && due.all; i++)
		vf_filters_sync_groups(failover, &failover->managed[i], &groups);
	for (size_t i = 0; i < due.count && !due.all; i++)
		vf_filters_sync_groups(failover, nv_managed_find(failover, due.hn[i]), &groups);
}

static void vf_filters_on_report(int fd, int events, void *data)
{
	struct nv_failover *failover = data;
	unsigned int reports;

	(void)fd;
	(void)events;
	reports = nv_datapath_reports(failover->datapath);
	if (reports & NV_DP_REPORT_GROUPS) {
		vf_filters_arm_groups(failover);
		failover->groups_due.all = true;
	}
	if (reports & NV_DP_REPORT_TRAFFIC) {
		failover->traffic = true;
		nv_watch_arm(failover->proof, 0);
	}
	if (reports & NV_DP_REPORT_LEFT)
		nv_notify_left(failover);
	if (!(reports & (NV_DP_REPORT_BYPASS | NV_DP_REPORT_FOREIGN)))
		return;
	for (size_t i = 0; i < failover->n_managed; i++) {
		failover->managed[i].memory.bypass_reports +=
			nv_datapath_was_bypassed(failover->datapath, failover->managed[i].id.hn);
		nv_hns_add(&failover->due, failover->managed[i].id.hn);
	}
	nv_watch_arm(failover->soon, 0);
}

int nv_vf_filters_open(struct nv_failover *failover)
{
	int r = nv_loop_watch_timer(
		failover->loop, vf_filters_sync_due_groups, failover, &failover->groups);
	int fd;

	if (r < 0)
		return r;
	fd = nv_datapath_reports_fd(failover->datapath);
	return fd < 0 ? fd
		      : nv_loop_watch_fd(failover->loop, fd, NV_LOOP_READ, vf_filters_on_report,
				failover, &failover->reports);
}

void nv_vf_filters_close(struct nv_failover *failover)
{
	nv_watch_free(failover->reports);
	nv_watch_free(failover->groups);
}
