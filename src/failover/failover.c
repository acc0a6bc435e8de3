/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/failover.h"

#include "base/log.h"
#include "base/move_lock.h"
#include "datapath/lagg.h"
#include "failover/bond_ports.h"
#include "failover/dormant.h"
#include "failover/mode.h"
#include "failover/notify_peers.h"
#include "failover/port_setup.h"
#include "failover/port_sync.h"
#include "failover/vf_guard.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>

#define LOOK_REST  (NV_USEC_PER_SEC / 20)
#define LOOK_AGAIN (NV_USEC_PER_SEC / 10)

static const char *link_name(const struct nv_failover *failover, int ifindex)
{
	const struct nv_link *link =
		nv_links_by_index(nv_monitor_links(failover->monitor), ifindex);

	return link ? link->name : "(gone)";
}

static bool is_there(const struct nv_failover *failover, int ifindex)
{
	return nv_links_by_index(nv_monitor_links(failover->monitor), ifindex);
}

static struct nv_managed *find_managed(struct nv_failover *failover, int hn)
{
	for (size_t i = 0; i < failover->n_managed; i++)
		if (failover->managed[i].id.hn == hn)
			return &failover->managed[i];
	return NULL;
}

static struct nv_managed *add_managed(struct nv_failover *failover, int hn)
{
	struct nv_managed *more =
		reallocarray(failover->managed, failover->n_managed + 1, sizeof(*more));
	size_t at = failover->n_managed;

	if (!more)
		return NULL;
	failover->managed = more;
	while (at > 0 && more[at - 1].id.hn > hn) {
		more[at] = more[at - 1];
		at--;
	}
	more[at] = (struct nv_managed){.id.hn = hn, .status.since = nv_loop_now(failover->loop)};
	failover->n_managed++;
	return &more[at];
}

/* A port stays bare, and can carry what the upper may send. */
static void prepare_vf(
	struct nv_failover *failover, const struct nv_managed *managed, int vf, bool up)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *link = nv_links_by_index(links, vf);
	const struct nv_link *upper =
		nv_links_by_index(links, managed->id.lagg ? managed->id.lagg : managed->id.hn);
	int r;

	if (!link || !upper)
		return;
	r = nv_port_setup_vf(failover->kernel, link, upper->mtu, NULL);
	if (!r && up)
		r = nv_kernel_link_up(failover->kernel, vf, true);
	if (r)
		nv_warn("cannot make %s ready as a port of %s: %s", link->name, upper->name,
			nv_strerror(r));
}

static int change_path(struct nv_failover *failover, const struct nv_managed *managed,
	unsigned int what, const struct nv_dp_pair *to)
{
	const struct nv_dp_change change = {.what = what, .to = *to};

	return nv_datapath_change(failover->datapath, managed->id.hn, &change);
}

/* Written as it is: filters that are missing, or of an older version, are set. */
static int refresh_filters(struct nv_failover *failover, int hn)
{
	return nv_datapath_change(failover->datapath, hn, &(struct nv_dp_change){});
}

static void note_switch(struct nv_failover *failover, struct nv_managed *managed, enum nv_port port)
{
	const char *to = port == NV_PORT_VF ? managed->id.vf_name : managed->id.hn_name;

	managed->status.since = nv_loop_now(failover->loop);
	managed->status.switches++;
	nv_notice("%s: transmitting on %s", managed->id.hn_name, to);
	failover->ops->switched(managed->id.hn_name, to, nv_port_name(port), failover->data);
}

static int carry_out_one(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_pair_command *command)
{
	const struct nv_dp_pair to = {.vf = command->vf, .mode = command->mode};
	int r = 0;

	switch (command->verb) {
	case NV_PAIR_LEAVE:
		return change_path(
			failover, managed, NV_DP_VF | NV_DP_ACTIVE, &(struct nv_dp_pair){});
	case NV_PAIR_JOIN:
		if (command->on)
			prepare_vf(failover, managed, command->vf, false);
		return change_path(failover, managed, NV_DP_VF | NV_DP_MODE | NV_DP_ACTIVE, &to);
	case NV_PAIR_ACTIVATE:
		r = nv_datapath_activate(failover->datapath, managed->id.hn, command->port);
		if (!r)
			note_switch(failover, managed, command->port);
		return r;
	case NV_PAIR_READY_VF:
		if (managed->state.mode == NV_MODE_LAGG)
			prepare_vf(failover, managed, command->vf, true);
		else
			nv_mode_ready_vf(failover, managed, command->vf);
		return 0;
	case NV_PAIR_STOP_VF:
		nv_datapath_note_vf_up(failover->datapath, managed->id.hn, command->vf, false);
		nv_mode_stop_vf(failover, managed, command->vf);
		return 0;
	case NV_PAIR_RAISE_VF_UP:
		failover->ops->raise_vf(managed->id.hn_name, "VF_UP", failover->data);
		return 0;
	case NV_PAIR_RAISE_VF_DOWN:
		failover->ops->raise_vf(managed->id.hn_name, "VF_DOWN", failover->data);
		return 0;
	case NV_PAIR_SET_MODE:
		if (command->mode == NV_MODE_VF && managed->id.lagg) /* made for it in vain */
			nv_lagg_destroy(failover->datapath, managed->id.hn);
		return change_path(failover, managed, NV_DP_MODE, &to);
	case NV_PAIR_OPEN_HN:
		return nv_dormant_open(failover, managed);
	case NV_PAIR_SET_DORMANT:
		nv_dormant_set(failover, managed, command->on);
		return 0;
	}
	return 0;
}

/*
 * What failed is tried again when anything changes next: the state goes back to what the datapath
 * says, and traffic stays where it is.
 */
static void carry_out(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_pair_commands *commands)
{
	for (size_t i = 0; i < commands->count; i++) {
		struct nv_dp_pair pair = {};
		int r = carry_out_one(failover, managed, &commands->command[i]);

		/* Gone meanwhile: the kernel has said so already, or will at once. */
		if (!r || r == -ENODEV || r == -ENOENT)
			continue;
		nv_err("%s: cannot change its data path: %s; traffic stays where it is, the next "
		       "change of a link tries again",
			managed->id.hn_name, nv_strerror(r));
		nv_datapath_get(failover->datapath, managed->id.hn, &pair);
		nv_pair_adopt(&managed->state, pair.vf, pair.active, pair.mode);
		return;
	}
}

/*
 * The data path is laid when an hn is first seen, and stays: to give a link its clsact, which
 * it needs before Linux 6.6, the kernel takes its queues away for some milliseconds (qdisc_graft(),
 * net/sched/sch_api.c), and what is sent then is lost. So it is done once, early, and not when a VF
 * comes or goes.
 */
static void enter(
	struct nv_failover *failover, const struct nv_managed *managed, const struct nv_pair *pair)
{
	struct nv_dp_pair to = {};
	int r;

	if (pair->match != NV_MATCH_OURS)
		return;
	memcpy(to.mac, pair->mac, NV_MAC_LEN);
	r = change_path(failover, managed, NV_DP_MAC, &to);
	if (r && r != -ENODEV)
		nv_err("%s: cannot lay its data path: %s", managed->id.hn_name, nv_strerror(r));
}

static void update_lagg(
	struct nv_failover *failover, struct nv_managed *managed, struct nv_dp_pair *pair)
{
	struct nv_link link;
	int r;

	/* One that has just been made may be news to the monitor. */
	if (pair->lagg && !nv_links_by_index(nv_monitor_links(failover->monitor), pair->lagg) &&
		nv_kernel_link(failover->kernel, pair->lagg, &link) == -ENODEV) {
		nv_notice("%s: its lagg is gone, the pair goes on in transparent form",
			managed->id.hn_name);
		r = change_path(failover, managed, NV_DP_LAGG, &(struct nv_dp_pair){});
		if (r)
			nv_err("%s: cannot take the lagg out of the data path: %s",
				managed->id.hn_name, nv_strerror(r));
		nv_bond_ports_reopen(failover, pair);
		pair->lagg = 0;
		if (pair->mode == NV_MODE_LAGG)
			pair->mode = NV_MODE_HN;
		managed->state.mode = pair->mode; /* which is no release */
	}
	if (managed->id.lagg != pair->lagg)
		managed->memory.carrier = true;
	managed->id.lagg = pair->lagg;
}

/* The lagg has a carrier while any of its ports can carry traffic, as FreeBSD's lagg(4) has. */
static void show_carrier(struct nv_failover *failover, struct nv_managed *managed, bool carrier)
{
	if (!managed->id.lagg || managed->memory.carrier == carrier)
		return;
	managed->memory.carrier = carrier;
	nv_lagg_set_carrier(failover->datapath, managed->id.lagg, carrier);
}

/* A second VF is ignored, as hn(4) does, while the one that is known is there. */
static int vf_of(
	const struct nv_managed *managed, const struct nv_pair *pair, const struct nv_links *links)
{
	switch (pair->match) {
	case NV_MATCH_OURS:
		return pair->vf;
	case NV_MATCH_AMBIGUOUS:
		return nv_links_by_index(links, managed->state.vf) ? managed->state.vf : 0;
	case NV_MATCH_COUPLED:
		return 0;
	}
	return 0;
}

/* Sets facts->held; the first hold-down that ends makes all pairs be looked at again. */
static void apply_holddown(struct nv_failover *failover, struct nv_managed *managed,
	struct nv_pair_facts *facts, uint64_t *soonest)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t limit = failover->settings->holddown * NV_USEC_PER_SEC;
	uint64_t left;

	/* Another VF is not to blame for what the last one did. */
	if (facts->vf != managed->state.vf)
		managed->memory.holddown = (struct nv_holddown){};
	nv_holddown_note(&managed->memory.holddown, now, facts->vf_usable,
		facts->vf_usable && managed->state.active == NV_PORT_VF);
	left = nv_holddown_left(&managed->memory.holddown, now, limit);
	facts->held = facts->vf_usable && left && managed->state.active == NV_PORT_HN;
	if (facts->held && left < *soonest)
		*soonest = left;
}

/* Then what hyperv_vfup does to hn is not undone. When it has ended all is looked at again. */
static bool is_given_back(const struct nv_failover *failover, const struct nv_dp_pair *path,
	const struct nv_managed *managed, uint64_t *soonest)
{
	if (path->mode != NV_MODE_LAGG ||
		!nv_move_lock_is_to_hn(failover->run_dir, managed->id.hn_name))
		return false;
	*soonest = *soonest < LOOK_AGAIN ? *soonest : LOOK_AGAIN;
	return true;
}

/*
 * Whether the VF is to carry another's frames and nothing else. What it got while it was used
 * exclusively is for whoever gave it to take off.
 */
static bool is_port(const struct nv_managed *managed, const struct nv_pair_facts *facts)
{
	if (facts->vf == managed->memory.exclusive_vf)
		return false;
	switch (managed->state.mode) {
	case NV_MODE_HN:
		return facts->transparent ? managed->state.ready : facts->answered;
	case NV_MODE_LAGG:
		return true;
	case NV_MODE_VF:
		return false;
	}
	return false;
}

static void step(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_pair *pair, uint64_t *soonest)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	int vf = vf_of(managed, pair, links);
	const struct nv_link *vf_link = vf ? nv_links_by_index(links, vf) : NULL;
	const struct nv_link *hn_link = nv_links_by_index(links, managed->id.hn);
	struct nv_dp_pair path = {.mode = NV_MODE_HN};
	struct nv_pair_commands commands;
	struct nv_pair_facts facts = {
		.vf = vf,
		.vf_usable = vf_link && nv_link_usable(vf_link),
		.hn_usable = hn_link && nv_link_usable(hn_link),
		.hn_up = !hn_link || (hn_link->flags & IFF_UP),
		.hn_dormant = hn_link && hn_link->link_mode == IF_LINK_MODE_DORMANT,
		.override = managed->memory.override,
	};

	if (nv_datapath_get(failover->datapath, managed->id.hn, &path) == 0)
		update_lagg(failover, managed, &path);
	else
		enter(failover, managed, pair);
	if (facts.vf)
		facts.answered = failover->ops->answers_vf_up(managed->id.hn_name, failover->data);
	facts.mode = path.mode;
	facts.giving_back = is_given_back(failover, &path, managed, soonest);
	facts.transparent = nv_mode_decide(failover, managed, &facts, soonest);
	if (hn_link && vf_link && pair->match == NV_MATCH_OURS && !facts.transparent &&
		nv_bond_ports_take_vf(failover, managed, hn_link, vf_link))
		facts.vf_usable = false;
	if (vf_link)
		nv_strcopy(managed->id.vf_name, sizeof(managed->id.vf_name), vf_link->name);
	apply_holddown(failover, managed, &facts, soonest);
	nv_mode_wait(failover, managed, &facts, soonest);
	nv_pair_step(&managed->state, &facts, &commands);
	carry_out(failover, managed, &commands);
	if (vf_link && (vf_link->flags & IFF_UP) && (!facts.transparent || managed->state.ready))
		nv_datapath_note_vf_up(failover->datapath, managed->id.hn, vf, true);
	nv_holddown_note(&managed->memory.holddown, nv_loop_now(failover->loop), facts.vf_usable,
		managed->state.active == NV_PORT_VF);
	nv_notify_note(&managed->memory.notify, managed->state.active,
		managed->state.active == NV_PORT_VF ? facts.vf_usable : facts.hn_usable,
		failover->settings->announce_count, nv_loop_now(failover->loop));
	show_carrier(failover, managed, facts.hn_usable || facts.vf_usable);
	if (pair->match == NV_MATCH_OURS)
		nv_vf_filters_sync(failover, managed);
	if (pair->match == NV_MATCH_OURS)
		nv_port_sync(failover, managed);
	if (managed->state.mode == NV_MODE_VF)
		managed->memory.exclusive_vf = vf;
	if (pair->match == NV_MATCH_OURS && vf && is_port(managed, &facts))
		nv_vf_guard(failover, managed, vf);
	nv_bond_ports_settle(failover, managed, hn_link, vf_link, !facts.giving_back);
}

static void take_match(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_pair *pair)
{
	managed->memory.seen = true;
	if (is_there(failover, pair->hn) || !managed->id.hn_name[0])
		nv_strcopy(managed->id.hn_name, sizeof(managed->id.hn_name),
			link_name(failover, pair->hn));
	if (managed->status.match == pair->match && nv_streq(managed->status.why, pair->why))
		return;
	managed->status.match = pair->match;
	memcpy(managed->status.why, pair->why, sizeof(managed->status.why));
	if (pair->match != NV_MATCH_OURS)
		nv_warn("%s: %s; nothing is touched", managed->id.hn_name, managed->status.why);
	else if (managed->status.why[0])
		nv_notice("%s: %s", managed->id.hn_name, managed->status.why);
}

/*
 * A pair that rc.conf or a new name of hn has taken from nv_pairs_find(), or whose hn has gone, but
 * on whose lagg the guest's addresses are: without the pair they would have no path.
 */
static bool find_kept(const struct nv_failover *failover, const struct nv_managed *managed,
	const struct nv_pairs *pairs, struct nv_pair *ret_pair)
{
	static const char unnamed[] = "no synthetic interface by its name and rc.conf any more; "
				      "its pair stays, for its lagg has no other path";
	static const char gone[] = "has gone; its lagg goes on by the VF, and has no other path";
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, managed->id.hn);
	const struct nv_link *vf = nv_links_by_index(links, managed->state.vf);
	struct nv_dp_pair path;

	if ((!hn && !vf) || nv_pairs_by_vf(pairs, managed->id.hn) ||
		nv_datapath_get(failover->datapath, managed->id.hn, &path) ||
		path.mode != NV_MODE_LAGG || !nv_links_by_index(links, path.lagg))
		return false;
	*ret_pair = (struct nv_pair){.match = NV_MATCH_OURS, .hn = managed->id.hn};
	nv_strcopy(ret_pair->why, sizeof(ret_pair->why), hn ? unnamed : gone);
	memcpy(ret_pair->mac, path.mac, NV_MAC_LEN);
	if (vf && (!vf->master || vf->master == path.lagg) && !nv_pairs_by_vf(pairs, vf->ifindex) &&
		!nv_pairs_by_hn(pairs, vf->ifindex))
		ret_pair->vf = vf->ifindex;
	return true;
}

/*
 * A link that went and came back with its index (from another network namespace, or while messages
 * were lost) has lost its filters, and looks as if nothing had happened.
 */
static void mend(struct nv_failover *failover)
{
	unsigned long resyncs = nv_monitor_resyncs(failover->monitor);

	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];
		struct nv_dp_pair path;
		int r = -ENOENT;

		if (managed->memory.lost || failover->resyncs != resyncs)
			r = nv_datapath_get(failover->datapath, managed->id.hn, &path);
		if (!r)
			r = refresh_filters(failover, managed->id.hn);
		if (r && r != -ENOENT && r != -ENODEV)
			nv_err("%s: cannot look after its filters: %s", managed->id.hn_name,
				nv_strerror(r));
		managed->memory.lost = false;
	}
	failover->resyncs = resyncs;
}

bool nv_failover_cares(const struct nv_failover *failover, int ifindex)
{
	for (size_t i = 0; i < failover->n_managed; i++)
		if (failover->managed[i].state.vf == ifindex ||
			(failover->managed[i].memory.undecided &&
				failover->managed[i].id.hn == ifindex))
			return true;
	return false;
}

bool nv_failover_left_down(struct nv_failover *failover, const struct nv_link *link)
{
	if (link->flags & IFF_UP)
		return false;
	for (size_t i = 0; i < failover->n_managed; i++)
		if (failover->managed[i].state.vf == link->ifindex)
			return nv_datapath_vf_was_up(
				failover->datapath, failover->managed[i].id.hn, link->ifindex);
	return false;
}

void nv_failover_lose(struct nv_failover *failover, int ifindex)
{
	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];

		managed->memory.lost |= ifindex == managed->id.hn || ifindex == managed->state.vf ||
					ifindex == managed->id.lagg;
	}
}

/*
 * A new hn takes the place of one that has gone, in a pair whose VF it shares. VF_UP is told again,
 * so that hyperv_vfup looks after what has come with it.
 */
static struct nv_managed *succeed(struct nv_failover *failover, const struct nv_pair *pair)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *hn = nv_links_by_index(links, pair->hn);
	struct nv_managed *managed = NULL;
	const struct nv_link *lagg;
	int r;

	for (size_t i = 0; i < failover->n_managed && !managed; i++)
		if (pair->vf && failover->managed[i].state.vf == pair->vf &&
			!is_there(failover, failover->managed[i].id.hn))
			managed = &failover->managed[i];
	if (!managed || !hn || pair->match != NV_MATCH_OURS)
		return NULL;
	lagg = nv_links_by_index(links, managed->id.lagg);
	nv_port_setup(failover->kernel, hn, lagg ? lagg->mtu : 0, NULL);
	r = change_path(failover, managed, NV_DP_HN, &(struct nv_dp_pair){.hn = pair->hn});
	if (r) {
		nv_err("%s: cannot take the place of %s in its pair: %s", hn->name,
			managed->id.hn_name, nv_strerror(r));
		return NULL;
	}
	managed->id.hn = pair->hn;
	managed->state.announced = false;
	managed->state.pretending = false;
	return managed;
}

static void keep_unseen(
	struct nv_failover *failover, const struct nv_pairs *pairs, uint64_t *soonest)
{
	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];
		struct nv_pair pair;

		if (managed->memory.seen || !find_kept(failover, managed, pairs, &pair))
			continue;
		take_match(failover, managed, &pair);
		step(failover, managed, &pair, soonest);
	}
}

static void forget_unseen(struct nv_failover *failover)
{
	size_t kept = 0;

	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];

		if (managed->memory.seen) {
			failover->managed[kept++] = *managed;
			continue;
		}
		nv_datapath_remove(failover->datapath, managed->id.hn);
		/* One that is left over has no port, and shows it. */
		if (managed->id.lagg)
			nv_lagg_set_carrier(failover->datapath, managed->id.lagg, false);
		if (managed->state.pretending)
			nv_dormant_set(failover, managed, false);
		if (managed->id.hn_name[0])
			nv_notice("%s: no synthetic interface any more, its pair is forgotten",
				managed->id.hn_name);
	}
	failover->n_managed = kept;
}

void nv_failover_settle(struct nv_failover *failover)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	uint64_t soonest = UINT64_MAX;
	int r = nv_pairs_find(nv_monitor_links(failover->monitor), &failover->settings->hn, &pairs);

	if (r) {
		nv_err("cannot look for pairs: %s; all stay as they are", nv_strerror(r));
		return;
	}
	for (size_t i = 0; i < failover->n_managed; i++)
		failover->managed[i].memory.seen = false;
	for (size_t i = 0; i < pairs.count; i++) {
		struct nv_managed *managed = find_managed(failover, pairs.pair[i].hn);

		if (!managed)
			managed = succeed(failover, &pairs.pair[i]);
		if (!managed)
			managed = add_managed(failover, pairs.pair[i].hn);
		if (!managed)
			continue;
		take_match(failover, managed, &pairs.pair[i]);
		step(failover, managed, &pairs.pair[i], &soonest);
	}
	keep_unseen(failover, &pairs, &soonest);
	forget_unseen(failover);
	mend(failover);
	nv_notify_peers(failover);
	if (soonest != UINT64_MAX)
		nv_watch_arm(failover->again, soonest);
}

void nv_failover_look_again(void *data)
{
	struct nv_failover *failover = data;

	nv_failover_settle(failover);
	failover->ops->settled(failover->data);
}

static void look_now(void *data)
{
	struct nv_failover *failover = data;

	nv_failover_look_again(failover);
	failover->looked = nv_loop_now(failover->loop);
}

void nv_failover_look_soon(struct nv_failover *failover)
{
	uint64_t been = nv_loop_now(failover->loop) - failover->looked;

	if (been >= LOOK_REST)
		look_now(failover);
	else
		nv_watch_arm(failover->soon, LOOK_REST - been);
}

int nv_failover_override(struct nv_failover *failover, const char *hn, enum nv_override override)
{
	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];

		if (!nv_streq(managed->id.hn_name, hn))
			continue;
		if (managed->status.match != NV_MATCH_OURS || managed->state.mode == NV_MODE_VF)
			return -EOPNOTSUPP;
		managed->memory.override = override;
		nv_failover_look_again(failover);
		return 0;
	}
	return -ENOENT;
}

static int adopt_one(const struct nv_dp_pair *pair, void *data)
{
	struct nv_failover *failover = data;
	struct nv_managed *managed = add_managed(failover, pair->hn);

	if (!managed)
		return -ENOMEM;
	nv_pair_adopt(&managed->state, pair->vf, pair->active, pair->mode);
	nv_attach_delay_skip(&managed->memory.attach_delay, pair->vf);
	managed->memory.notify.port = pair->active;
	managed->id.lagg = pair->lagg;
	managed->memory.carrier = true;
	managed->state.ready |= nv_datapath_vf_was_up(failover->datapath, pair->hn, pair->vf);
	return 0;
}

static int adopt(struct nv_failover *failover)
{
	int r = nv_datapath_each(failover->datapath, adopt_one, failover);

	for (size_t i = 0; i < failover->n_managed && !r; i++) {
		r = refresh_filters(failover, failover->managed[i].id.hn);
		if (r == -ENODEV)
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
	r = nv_loop_watch_timer(failover->loop, nv_failover_look_again, failover, &failover->again);
	if (!r)
		r = nv_loop_watch_timer(failover->loop, look_now, failover, &failover->soon);
	if (!r)
		r = nv_loop_watch_timer(
			failover->loop, nv_notify_peers, failover, &failover->notify);
	if (!r)
		r = nv_vf_filters_open(failover);
	if (!r)
		r = adopt(failover);
	if (r < 0)
		return r;
	*ret_failover = TAKE_PTR(failover);
	return 0;
}

struct nv_failover *nv_failover_free(struct nv_failover *failover)
{
	if (!failover)
		return NULL;
	nv_watch_free(failover->again);
	nv_watch_free(failover->soon);
	nv_watch_free(failover->notify);
	nv_vf_filters_close(failover);
	free(failover->managed);
	free(failover);
	return NULL;
}
