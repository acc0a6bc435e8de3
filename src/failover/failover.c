/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/failover.h"

#include "base/log.h"
#include "datapath/lagg.h"
#include "failover/act.h"
#include "failover/bond_ports.h"
#include "failover/concern.h"
#include "failover/dormant.h"
#include "failover/hn_guard.h"
#include "failover/hn_replace.h"
#include "failover/managed_table.h"
#include "failover/mode.h"
#include "failover/notify_peers.h"
#include "failover/owners.h"
#include "failover/port_sync.h"
#include "failover/reattach.h"
#include "failover/vf_filters.h"
#include "failover/vf_guard.h"
#include "failover/vf_proof.h"

#include <errno.h>
#include <linux/if.h>
#include <malloc.h>
#include <string.h>

#define LOOK_REST (NV_USEC_PER_SEC / 20)

/*
 * After a VF appeared: its programs may wait for the kernel then, and those of an hn whose first VF
 * it is. The kernel's RTNL lock is held meanwhile, which the carrier of a new link needs too
 * (linkwatch_event(), net/core/link_watch.c).
 */
#define PROGRAMS_MOVE_AFTER (2 * NV_USEC_PER_SEC)
#define PROGRAMS_JOIN_AFTER (NV_USEC_PER_SEC / 10)

/* The holder of the data path's lock changes a pair, which takes some milliseconds. */
#define LOCKED_LOOK (NV_USEC_PER_SEC / 100)
#define LOOKS	    3 /* of one step */

/*
 * A pair that is added to the data path waits for some grace periods of RCU. With hundreds of pairs
 * at the start that is half a minute, for which no switch and no client can wait; their traffic
 * goes by hn until their turn comes.
 */
#define ENTER_AT_ONCE 8
#define ENTER_REST    (NV_USEC_PER_SEC / 1000)

static const char *failover_link_name(const struct nv_failover *failover, int ifindex)
{
	const struct nv_link *link =
		nv_links_by_index(nv_monitor_links(failover->monitor), ifindex);

	return link ? link->name : "(gone)";
}

static bool failover_is_there(const struct nv_failover *failover, int ifindex)
{
	return nv_links_by_index(nv_monitor_links(failover->monitor), ifindex);
}

/* Writes the pair unchanged: this attaches programs that are missing or of an older version. */
static int failover_refresh_filters(struct nv_failover *failover, int hn)
{
	return nv_datapath_change(failover->datapath, hn, &(struct nv_dp_change){});
}

static void failover_note_lagg(struct nv_managed *managed, int lagg)
{
	if (managed->id.lagg != lagg)
		managed->memory.carrier = NV_CARRIER_UNKNOWN;
	managed->id.lagg = lagg;
}

/* The lagg has a carrier while any of its ports is usable, like FreeBSD's lagg(4). */
static void failover_show_carrier(
	struct nv_failover *failover, struct nv_managed *managed, bool carrier)
{
	enum nv_managed_carrier wanted = carrier ? NV_CARRIER_ON : NV_CARRIER_OFF;

	if (!managed->id.lagg || managed->memory.carrier == wanted)
		return;
	managed->memory.carrier = wanted;
	nv_lagg_set_carrier(failover->datapath, managed->id.lagg, carrier);
}

/* Runs after each step, whatever became of its commands. */
static void failover_note_step(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_view *view)
{
	const struct nv_pair_facts *facts = &view->facts;
	uint64_t now = nv_loop_now(failover->loop);
	bool on_vf = managed->state.active == NV_PORT_VF;

	if (facts->vf_up && (!facts->transparent || managed->state.ready))
		nv_datapath_note_vf_up(failover->datapath, managed->id.hn, facts->vf, true);
	nv_holddown_note(&managed->memory.holddown, now, facts->vf_usable, on_vf);
	nv_notify_note(&managed->memory.notify, managed->state.active,
		on_vf ? facts->vf_usable : facts->hn_usable, failover->settings->announce_count,
		now);
	nv_notify_peers_due(failover, managed);
	failover_show_carrier(failover, managed, facts->hn_usable || facts->vf_usable);
}

/* Makes the ports what the data path needs now. */
static int failover_follow(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_view *view)
{
	struct nv_dp_pair path;
	int r = nv_datapath_get(failover->datapath, managed->id.hn, &path);
	int r_filters = 0;
	int r_bond;

	if (r < 0)
		return r;
	if (view->ours) {
		r_filters = nv_vf_filters_sync(failover, managed, &path);
		r = nv_port_sync(failover, managed, &path);
	} else if (!view->facts.vf) {
		nv_vf_filters_forget(failover, managed);
	}
	managed->memory.port_vf = view->ours && nv_pair_vf_is_port(&managed->state, &view->facts)
					  ? view->facts.vf
					  : 0;
	/* Until hn is used, a DHCP client that asks there may still get an address. */
	if (managed->memory.port_vf && !managed->memory.hn_unused)
		nv_vf_guard(failover, managed, view->facts.vf);
	if (view->ours)
		nv_hn_guard(failover, managed, view, &path);
	r_bond = nv_bond_ports_update(failover, managed, view, &path);
	if (r_filters < 0)
		return r_filters;
	return r < 0 ? r : r_bond;
}

/* Observes, decides and acts; again if what was done has shown more. */
static void failover_try_step(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair)
{
	enum nv_act_result result = NV_ACT_LOOK_AGAIN;
	struct nv_pair_commands commands;
	struct nv_view view;
	uint64_t refused;
	int r = 0;

	for (int look = 0; look < LOOKS && result == NV_ACT_LOOK_AGAIN; look++) {
		r = nv_observe(failover, managed, pair, &view);
		if (r < 0) {
			nv_failover_look_in(failover, LOCKED_LOOK);
			return;
		}
		if (view.vf)
			nv_strcopy(managed->id.vf_name, sizeof(managed->id.vf_name), view.vf->name);
		failover_note_lagg(managed, view.path.lagg);
		nv_pair_step(&managed->state, &view.facts, &commands);
		result = nv_act(failover, managed, &view, &commands);
		if (result == NV_ACT_DONE && nv_vf_proof_begin(failover, managed))
			result = NV_ACT_LOOK_AGAIN;
	}
	failover_note_step(failover, managed, &view);
	nv_vf_proof_follow(failover, managed);
	if (result != NV_ACT_LOCKED)
		r = failover_follow(failover, managed, &view);
	nv_failover_look_in(
		failover, result == NV_ACT_LOCKED || r == -EAGAIN ? LOCKED_LOOK : view.wait);
	refused = nv_retry_left(
		&managed->memory.setup_retry, managed->state.vf, nv_loop_now(failover->loop));
	if (refused)
		nv_failover_look_in(failover, refused);
}

static uint64_t failover_in(const struct nv_failover *failover, uint64_t wait)
{
	return wait == UINT64_MAX ? NV_NEVER : nv_loop_now(failover->loop) + wait;
}

/*
 * A VF that was in another network namespace may come back with its ifindex before netvfd has seen
 * it go: set down, and without all that it was given. Returns false while it cannot be taken out:
 * the data path is locked.
 */
static bool failover_take_vf_out(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair)
{
	int lost = managed->memory.vf_lost ? managed->state.vf : 0;
	struct nv_pair without = *pair;

	if (pair->vf == lost)
		without.vf = 0;
	if (lost)
		failover_try_step(failover, managed, &without);
	managed->memory.vf_lost = lost && managed->state.vf == lost;
	return !managed->memory.vf_lost;
}

/* A VF that becomes somebody's, or ceases to be, joins the pair anew. */
static void failover_note_vfs_own(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair)
{
	bool own =
		pair->match == NV_MATCH_MANAGED && nv_mode_is_vfs_own(failover, managed, pair->vf);
	bool stays = own == managed->memory.vfs_own || managed->memory.adopted_exclusive;

	managed->memory.vfs_own = own;
	managed->memory.adopted_exclusive = false;
	if (stays || !failover->ops->answers_vf_up(managed->id.hn_name, failover->data))
		return;
	managed->memory.vf_lost = managed->state.vf;
	if (own)
		nv_warn("%s: nobody has configured it, and somebody its VF %s; the VF is used by itself until %s is configured, which it serves then",
			managed->id.hn_name, failover_link_name(failover, pair->vf),
			managed->id.hn_name);
}

/* A step, and what is to be known after it of when the next one is. */
static void failover_step(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair)
{
	int hn = managed->id.hn;

	failover->wait = UINT64_MAX;
	managed->memory.failed = false;
	nv_deadlines_set(&failover->clock, hn, NV_NEVER);
	nv_hn_take_back(failover, managed);
	failover_note_vfs_own(failover, managed, pair);
	if (failover_take_vf_out(failover, managed, pair))
		failover_try_step(failover, managed, pair);
	nv_deadlines_add(&failover->clock, hn, failover_in(failover, failover->wait));
	nv_owners_set(failover, managed, pair->vf);
	if (managed->memory.failed || managed->memory.undecided)
		nv_hns_add(&failover->restless, hn);
	else
		nv_hns_remove(&failover->restless, hn);
	failover->in_use |= managed->state.vf || managed->id.vf_name[0] || managed->id.lagg;
}

static void failover_take_match(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair)
{
	managed->memory.found = true;
	if (failover_is_there(failover, pair->hn) || !managed->id.hn_name[0])
		nv_strcopy(managed->id.hn_name, sizeof(managed->id.hn_name),
			failover_link_name(failover, pair->hn));
	if (managed->status.match == pair->match && nv_streq(managed->status.why, pair->why))
		return;
	managed->status.match = pair->match;
	memcpy(managed->status.why, pair->why, sizeof(managed->status.why));
	if (pair->match != NV_MATCH_MANAGED)
		nv_warn("%s: %s; netvfd changes nothing", managed->id.hn_name, managed->status.why);
	else if (managed->status.why[0])
		nv_notice("%s: %s", managed->id.hn_name, managed->status.why);
}

/*
 * Whether nv_pairs_find() does not find the pair any more, but its lagg has the guest's addresses.
 * This happens when rc.conf changes, or hn is renamed or gone. Without the pair the addresses would
 * have no path.
 */
static bool failover_find_kept(const struct nv_failover *failover, const struct nv_managed *managed,
	struct nv_pair *ret_pair)
{
	static const char unnamed[] =
		"is no synthetic interface any more by its name and rc.conf; its pair stays, because its lagg has no other path";
	static const char gone[] = "is gone; its lagg continues on the VF, and has no other path";
	static const char both_gone[] =
		"is gone, and so is its VF; its lagg keeps the configuration until a synthetic interface with its MAC address comes";
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, managed->id.hn);
	const struct nv_link *vf = nv_links_by_index(links, managed->state.vf);
	const struct nv_pairs *pairs = &failover->pairs;
	struct nv_dp_pair path;

	if (nv_pairs_by_vf(pairs, managed->id.hn) ||
		nv_datapath_get(failover->datapath, managed->id.hn, &path) < 0 ||
		path.mode != NV_MODE_LAGG || !nv_links_by_index(links, path.lagg))
		return false;
	*ret_pair = (struct nv_pair){.match = NV_MATCH_MANAGED, .hn = managed->id.hn};
	nv_strcopy(ret_pair->why, sizeof(ret_pair->why), hn ? unnamed : vf ? gone : both_gone);
	memcpy(ret_pair->mac, path.mac, NV_MAC_LEN);
	if (vf && (!vf->master || vf->master == path.lagg) && !nv_pairs_by_vf(pairs, vf->ifindex) &&
		!nv_pairs_by_hn(pairs, vf->ifindex))
		ret_pair->vf = vf->ifindex;
	return true;
}

/* Whether the VF appeared before this time; if not, settles again then. */
static bool failover_is_past(
	struct nv_failover *failover, const struct nv_managed *managed, uint64_t after)
{
	struct nv_attach_delay appeared = managed->memory.attach_delay;
	uint64_t left = nv_attach_delay_left(
		&appeared, managed->state.vf, nv_loop_now(failover->loop), after);

	if (left)
		nv_failover_look_in(failover, left);
	return !left;
}

/* Whether the programs of a new VF are to move to where they cost least (nv_tc_attach()). */
static bool failover_is_moving(struct nv_failover *failover, struct nv_managed *managed)
{
	int vf = managed->state.vf;

	if (managed->memory.moved_vf == vf ||
		!failover_is_past(failover, managed, PROGRAMS_MOVE_AFTER))
		return false;
	managed->memory.moved_vf = vf;
	return vf;
}

/* Whether the pair's first VF has joined, and the programs of hn are to follow now. */
static bool failover_is_completing(struct nv_failover *failover, struct nv_managed *managed)
{
	if (!managed->memory.incomplete ||
		!failover_is_past(failover, managed, PROGRAMS_JOIN_AFTER))
		return false;
	managed->memory.incomplete = false;
	return true;
}

/*
 * A link that went and came back with the same ifindex (from another network namespace, or while
 * netlink messages were lost) has lost its programs and looks unchanged.
 */
static void failover_restore_filters(struct nv_failover *failover, struct nv_managed *managed)
{
	struct nv_dp_pair path;
	int r;

	managed->memory.programs_due |= failover_is_moving(failover, managed);
	managed->memory.programs_due |= failover_is_completing(failover, managed);
	if (!managed->memory.programs_due)
		return;
	r = nv_datapath_get(failover->datapath, managed->id.hn, &path);
	if (r == 0)
		r = failover_refresh_filters(failover, managed->id.hn);
	if (r == -EAGAIN)
		nv_failover_look_in(failover, LOCKED_LOOK);
	else if (r < 0 && r != -ENOENT && r != -ENODEV)
		nv_err("%s: cannot check its tc programs: %s", managed->id.hn_name, nv_strerror(r));
	managed->memory.programs_due = r == -EAGAIN;
}

bool nv_failover_is_inert(const struct nv_failover *failover)
{
	return !failover->in_use;
}

bool nv_failover_is_urgent(const struct nv_failover *failover)
{
	for (size_t i = 0; i < failover->n_managed; i++)
		if (failover->managed[i].state.vf ||
			failover->managed[i].state.mode == NV_MODE_LAGG)
			return true;
	return false;
}

bool nv_failover_left_down(struct nv_failover *failover, const struct nv_link *link)
{
	int hn = 0;

	if (link->flags & IFF_UP)
		return false;
	while ((hn = nv_owners_next(failover, link->ifindex, hn)))
		if (nv_managed_find(failover, hn)->state.vf == link->ifindex)
			return nv_datapath_vf_was_up(failover->datapath, hn, link->ifindex);
	return false;
}

static void failover_lose(struct nv_failover *failover, int ifindex)
{
	int hn = 0;

	while ((hn = nv_owners_next(failover, ifindex, hn))) {
		struct nv_managed *managed = nv_managed_find(failover, hn);

		managed->memory.programs_due = true;
		managed->memory.vf_lost |= ifindex == managed->state.vf;
		managed->memory.hn_lost |= ifindex == managed->id.hn;
	}
}

void nv_failover_note_link(
	struct nv_failover *failover, const struct nv_link *old, const struct nv_link *new)
{
	nv_concern_link(failover, old, new);
	if (!new)
		failover_lose(failover, old->ifindex);
}

void nv_failover_note_addr(struct nv_failover *failover, int ifindex)
{
	nv_concern_addr(failover, ifindex);
}

/* The pair is not managed yet, and is settled again after this time. */
static void failover_postpone(struct nv_failover *failover, int hn, uint64_t wait)
{
	nv_hns_add(&failover->due, hn);
	nv_deadlines_add(&failover->clock, 0, failover_in(failover, wait));
}

static void failover_settle_found(
	struct nv_failover *failover, const struct nv_pair *pair, struct nv_hns *due)
{
	struct nv_managed *managed = nv_managed_find(failover, pair->hn);

	if (nv_hn_replace(failover, pair, due, &managed) == -EAGAIN) {
		failover_postpone(failover, pair->hn, LOCKED_LOOK);
		return;
	}
	if (!managed && failover->to_enter) {
		failover->to_enter--;
		managed = nv_managed_add(failover, pair->hn);
	}
	if (!managed) {
		failover_postpone(failover, pair->hn, ENTER_REST);
		return;
	}
	failover_take_match(failover, managed, pair);
	failover_step(failover, managed, pair);
}

/* Returns false if the data path is locked; the pair stays then. */
static bool failover_forget(struct nv_failover *failover, struct nv_managed *managed)
{
	if (nv_datapath_remove(failover->datapath, managed->id.hn) == -EAGAIN)
		return false;
	/* A lagg that remains has no port, so it has no carrier. */
	if (managed->id.lagg)
		nv_lagg_set_carrier(failover->datapath, managed->id.lagg, false);
	if (managed->state.dormant)
		nv_dormant_set(failover, managed, false);
	nv_vf_filters_forget(failover, managed);
	if (managed->state.announced)
		failover->ops->raise_vf(managed->id.hn_name, "VF_DOWN", failover->data);
	if (managed->id.hn_name[0])
		nv_notice("%s: is %s; its pair is dropped", managed->id.hn_name,
			failover_is_there(failover, managed->id.hn)
				? "no synthetic interface any more"
				: "gone");
	return true;
}

/* A pair that was not found any more. If it is kept, it may be for this step only. */
static void failover_settle_unseen(struct nv_failover *failover, struct nv_managed *managed)
{
	struct nv_pair pair;

	if (failover_find_kept(failover, managed, &pair)) {
		failover_take_match(failover, managed, &pair);
		failover_step(failover, managed, &pair);
		nv_hns_add(&failover->restless, managed->id.hn);
		nv_hn_call_heirs(failover, managed);
		return;
	}
	managed->memory.dropped = failover_forget(failover, managed);
	if (!managed->memory.dropped)
		nv_deadlines_set(
			&failover->clock, managed->id.hn, failover_in(failover, LOCKED_LOOK));
}

static void failover_tell_handover(const struct nv_failover *failover)
{
	char why[256];

	nv_datapath_handover_why(failover->datapath, why, sizeof(why));
	nv_info("handover by %s: %s", nv_datapath_handover(failover->datapath), why);
}

static void failover_set_hooks(struct nv_failover *failover)
{
	int r;

	if (!failover->hooks_due)
		return;
	r = nv_datapath_hook(failover->datapath, failover->settings->hooks);
	/* libbpf has read the kernel's BTF: some 10 MB, which malloc(3) would keep. */
	malloc_trim(0);
	failover->hooks_due = r == -EAGAIN;
	if (r == -EAGAIN)
		nv_deadlines_add(&failover->clock, 0, failover_in(failover, LOCKED_LOOK));
	else if (r < 0 || !nv_streq(nv_datapath_handover(failover->datapath), "hooks"))
		failover_tell_handover(failover);
}

void nv_failover_configure(struct nv_failover *failover, const struct nv_settings *settings,
	const struct nv_rcconf *rcconf)
{
	failover->settings = settings;
	failover->rcconf = rcconf;
	failover->hooks_due = true;
	failover->due.all = true;
}

static void failover_mark_changed(int hn, void *data)
{
	struct nv_failover *failover = data;

	nv_hns_add(&failover->due, hn);
}

/*
 * Finds the pairs again, and marks those that have changed. One that is kept though it is not found
 * depends on who else is.
 */
static int failover_match(struct nv_failover *failover)
{
	NV_AUTO(nv_pairs) struct nv_pairs old = {};
	struct nv_pairs new;
	int r = nv_pairs_find(nv_monitor_links(failover->monitor), &failover->settings->hn, &new);

	if (r < 0)
		return r;
	old = failover->pairs;
	failover->pairs = new;
	failover->rematch = false;
	nv_pairs_diff(&old, &failover->pairs, failover_mark_changed, failover);
	for (size_t i = 0; i < failover->n_managed; i++)
		if (!nv_pairs_by_hn(&failover->pairs, failover->managed[i].id.hn))
			nv_hns_add(&failover->due, failover->managed[i].id.hn);
	return 0;
}

static void failover_mark_all(struct nv_failover *failover)
{
	bool lost = failover->resyncs != nv_monitor_resyncs(failover->monitor);

	failover->resyncs = nv_monitor_resyncs(failover->monitor);
	failover->due.all = false;
	for (size_t i = 0; i < failover->pairs.count; i++)
		nv_hns_add(&failover->due, failover->pairs.pair[i].hn);
	for (size_t i = 0; i < failover->n_managed; i++) {
		nv_hns_add(&failover->due, failover->managed[i].id.hn);
		failover->managed[i].memory.programs_due |= lost;
	}
}

static int failover_order(const void *a, const void *b)
{
	int one = *(const int *)a, other = *(const int *)b;

	return (one > other) - (one < other);
}

/* Traffic first: programs that are attached again wait for the kernel. */
static void failover_settle_these(struct nv_failover *failover, struct nv_hns *due)
{
	struct nv_managed *managed;
	const struct nv_pair *pair;
	bool any_dropped = false;

	for (size_t i = 0; i < due->count; i++) {
		managed = nv_managed_find(failover, due->hn[i]);
		if (managed)
			managed->memory.found = false;
	}
	for (size_t i = 0; i < due->count; i++) {
		pair = nv_pairs_by_hn(&failover->pairs, due->hn[i]);
		if (pair)
			failover_settle_found(failover, pair, due);
	}
	for (size_t i = 0; i < due->count; i++) {
		managed = nv_managed_find(failover, due->hn[i]);
		if (!managed || managed->memory.found)
			continue;
		failover_settle_unseen(failover, managed);
		any_dropped |= managed->memory.dropped;
	}
	if (any_dropped)
		nv_managed_sweep(failover);
	for (size_t i = 0; i < due->count; i++) {
		managed = nv_managed_find(failover, due->hn[i]);
		if (!managed)
			continue;
		failover->wait = UINT64_MAX;
		failover_restore_filters(failover, managed);
		nv_deadlines_add(
			&failover->clock, managed->id.hn, failover_in(failover, failover->wait));
		nv_reattach_watch(failover, managed);
	}
}

static void failover_arm(struct nv_failover *failover)
{
	uint64_t next = nv_deadlines_next(&failover->clock);
	uint64_t now = nv_loop_now(failover->loop);

	if (next == NV_NEVER)
		nv_watch_disarm(failover->again);
	else
		nv_watch_arm(failover->again, next > now ? next - now : 0);
}

/* Which pairs this settle is about. Returns 0 or -ENOMEM. */
static int failover_find_due(struct nv_failover *failover, struct nv_hns *ret_due)
{
	struct nv_hns *due = &failover->due;
	int r;

	due->all |= failover->resyncs != nv_monitor_resyncs(failover->monitor);
	for (size_t i = 0; i < failover->restless.count && failover->stirred; i++)
		nv_hns_add(due, failover->restless.hn[i]);
	due->all |= failover->stirred && failover->restless.all;
	failover->stirred = false;
	if (due->all || failover->rematch) {
		r = failover_match(failover);
		if (r < 0)
			return r;
	}
	if (due->all)
		failover_mark_all(failover);
	if (due->all)
		return -ENOMEM;
	if (due->count)
		qsort(due->hn, due->count, sizeof(*due->hn), failover_order);
	*ret_due = TAKE_STRUCT(*due);
	return 0;
}

void nv_failover_settle(struct nv_failover *failover)
{
	NV_AUTO(nv_hns) struct nv_hns due = {};
	int r = failover_find_due(failover, &due);

	if (r < 0) {
		nv_err("cannot find the pairs: %s; all stay as they are", nv_strerror(r));
		return;
	}
	failover->to_enter = ENTER_AT_ONCE;
	failover_settle_these(failover, &due);
	failover_set_hooks(failover);
	nv_notify_peers(failover);
	failover_arm(failover);
}

void nv_failover_settle_all(struct nv_failover *failover)
{
	failover->due.all = true;
	nv_failover_settle(failover);
}

void nv_failover_look_again(void *data)
{
	struct nv_failover *failover = data;

	nv_failover_settle_all(failover);
	failover->ops->settled(failover->data);
}

/* What is due now, and what else has been noted. */
static void failover_look(struct nv_failover *failover)
{
	nv_failover_settle(failover);
	failover->ops->settled(failover->data);
}

static void failover_on_clock(void *data)
{
	struct nv_failover *failover = data;
	int hn;

	while ((hn = nv_deadlines_take(&failover->clock, nv_loop_now(failover->loop))) >= 0)
		if (hn)
			nv_hns_add(&failover->due, hn);
	failover_look(failover);
}

/* A settle would be too much to do for each look. */
static void failover_look_for_names(void *data)
{
	struct nv_failover *failover = data;
	bool waits = false;
	bool any = false;

	for (size_t i = 0; i < failover->n_managed; i++) {
		int vf = failover->managed[i].memory.unnamed_vf;
		bool named = vf && nv_udev_allows_up(vf);

		if (named)
			nv_hns_add(&failover->due, failover->managed[i].id.hn);
		any |= named;
		waits |= vf && !named;
	}
	if (any)
		failover_look(failover);
	if (waits)
		nv_watch_arm(failover->names, NV_MODE_NAME_LOOK);
}

static void failover_look_now(void *data)
{
	struct nv_failover *failover = data;

	failover_look(failover);
	failover->looked = nv_loop_now(failover->loop);
}

void nv_failover_note_action(struct nv_failover *failover, const char *subject)
{
	uint64_t been = nv_loop_now(failover->loop) - failover->looked;

	nv_concern_name(failover, subject);
	if (been >= LOOK_REST)
		failover_look_now(failover);
	else
		nv_watch_arm(failover->soon, LOOK_REST - been);
}

int nv_failover_override(struct nv_failover *failover, const char *hn, enum nv_override override)
{
	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];

		if (!nv_streq(managed->id.hn_name, hn))
			continue;
		if (managed->status.match != NV_MATCH_MANAGED ||
			(managed->state.mode == NV_MODE_VF && override != NV_OVERRIDE_AUTO))
			return -EOPNOTSUPP;
		managed->memory.override = override;
		nv_hns_add(&failover->due, managed->id.hn);
		failover_look(failover);
		return 0;
	}
	return -ENOENT;
}

static int failover_adopt_one(const struct nv_dp_pair *pair, void *data)
{
	struct nv_failover *failover = data;
	struct nv_managed *managed = nv_managed_add(failover, pair->hn);

	if (!managed)
		return -ENOMEM;
	nv_pair_adopt(&managed->state, pair->vf, pair->active, pair->mode);
	nv_attach_delay_skip(&managed->memory.attach_delay, pair->vf);
	managed->memory.adopted = true;
	managed->memory.adopted_exclusive = pair->mode == NV_MODE_VF;
	managed->memory.hn_unused = pair->mode == NV_MODE_VF;
	managed->memory.notify.port = pair->active;
	managed->id.lagg = pair->lagg;
	managed->state.ready |= nv_datapath_vf_was_up(failover->datapath, pair->hn, pair->vf);
	nv_owners_set(failover, managed, 0);
	return 0;
}

/*
 * One interface that is gone, or whose place for programs is taken, must not keep netvfd from all
 * the others: failover/reattach.h tells of it, and tries again each second.
 */
static int failover_adopt(struct nv_failover *failover)
{
	int r = nv_datapath_each(failover->datapath, failover_adopt_one, failover);

	for (size_t i = 0; i < failover->n_managed && r == 0; i++) {
		r = failover_refresh_filters(failover, failover->managed[i].id.hn);
		if (r == -ENODEV || r == -EBUSY)
			r = 0;
	}
	return r;
}

int nv_failover_new(const struct nv_failover *template, struct nv_failover **ret_failover)
{
	NV_AUTO(nv_failover) struct nv_failover *failover = calloc(1, sizeof(*failover));
	int r;

	if (!failover)
		return -ENOMEM;
	*failover = *template;
	failover->started = nv_loop_now(failover->loop);
	failover->due.all = true;
	r = nv_deadlines_reserve(&failover->clock, 0);
	if (r == 0)
		r = nv_loop_watch_timer(
			failover->loop, failover_on_clock, failover, &failover->again);
	if (r == 0)
		r = nv_loop_watch_timer(
			failover->loop, failover_look_now, failover, &failover->soon);
	if (r == 0)
		r = nv_loop_watch_timer(
			failover->loop, failover_look_for_names, failover, &failover->names);
	if (r == 0)
		r = nv_loop_watch_timer(
			failover->loop, nv_notify_peers, failover, &failover->notify);
	if (r == 0)
		r = nv_vf_filters_open(failover);
	if (r == 0)
		r = nv_reattach_open(failover);
	if (r == 0)
		r = nv_vf_proof_open(failover);
	if (r == 0) {
		failover->hooks_due = true;
		failover_set_hooks(failover);
		r = failover_adopt(failover);
	}
	if (r < 0)
		return r;
	nv_datapath_be_patient(failover->datapath, false);
	*ret_failover = TAKE_PTR(failover);
	return 0;
}

struct nv_failover *nv_failover_free(struct nv_failover *failover)
{
	if (!failover)
		return NULL;
	nv_watch_free(failover->again);
	nv_watch_free(failover->soon);
	nv_watch_free(failover->names);
	nv_watch_free(failover->notify);
	nv_vf_filters_close(failover);
	nv_reattach_close(failover);
	nv_vf_proof_close(failover);
	nv_managed_free(failover);
	free(failover);
	return NULL;
}
