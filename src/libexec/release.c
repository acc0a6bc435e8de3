/* SPDX-License-Identifier: BSD-2-Clause */
#include "libexec/release.h"

#include "base/log.h"
#include "failover/notify_send.h"
#include "kernel/diff.h"
#include "move/dhcp_clients.h"
#include "move/journal.h"

#include <errno.h>
#include <string.h>

struct release {
	struct nv_context *context;
	struct nv_datapath *datapath;
	const struct nv_link *hn;
	struct nv_journal journal;
	struct nv_plan plan;
	int lagg;
};

static void release_auto(struct release *release)
{
	nv_journal_auto(&release->journal);
	nv_plan_auto(&release->plan);
}

static bool release_make_plan(struct release *release)
{
	NV_AUTO(nv_snapshot) struct nv_snapshot now = {};
	NV_AUTO(nv_str) struct nv_str why = {};
	const char *hn = release->hn->name;
	struct nv_move *first = NULL;
	int r = nv_snapshot_take(release->context->kernel, release->lagg, &now);

	if (r == 0)
		r = nv_plan_make(&now, release->lagg, hn, NULL, &release->plan, &why);
	if (r == 0) {
		first = &release->plan.move[0];
		r = nv_journal_amend(&release->journal,
			&(struct nv_link_map){
				release->hn->ifindex, release->lagg, hn, first->from_name},
			&release->plan);
	}
	if (r == 0)
		r = nv_journal_ports(&release->journal, &release->plan);
	if (r == 0 && release->journal.hn && first->port.count)
		r = nv_journal_write(release->context->run_dir, hn, &release->journal);
	if (r == -EBUSY)
		nv_err("nothing moves back to %s: %s", hn, nv_str_text(&why));
	else if (r < 0)
		nv_err("cannot plan the move back to %s: %s", hn, nv_strerror(r));
	if (r < 0 || !first)
		return false;
	first->to = release->hn->ifindex;
	first->keeps = true;
	first->up = true;
	nv_dhcp_clients_restore(first, release->journal.client);
	return true;
}

/* A port is set down when it leaves a bond, so it leaves before it gets anything. */
static int release_leave_bond(struct release *release)
{
	const struct nv_link_change leave = {.what = NV_LINK_MASTER};

	if (release->hn->master != release->lagg)
		return 0;
	return nv_kernel_link_set(release->context->kernel, release->hn->ifindex, &leave);
}

static void release_show_link(struct nv_kernel *kernel, const struct nv_link *hn)
{
	const struct nv_link_change change = {
		.what = NV_LINK_MODE | NV_LINK_OPERSTATE,
		.to = {.link_mode = IF_LINK_MODE_DEFAULT, .operstate = IF_OPER_UP},
	};

	nv_kernel_link_set(kernel, hn->ifindex, &change);
}

static bool release_give_back(struct release *release)
{
	const struct nv_dp_change transparent = {.what = NV_DP_MODE, .to.mode = NV_MODE_HN};
	struct nv_kernel *kernel = release->context->kernel;
	int r = release_leave_bond(release);

	if (r == 0 && nv_apply(kernel, &release->plan, NV_STAGE_FILL)) {
		/* While hn is dormant, a bridge receives nothing from it. */
		if (release->plan.move[0].port.count)
			release_show_link(kernel, release->hn);
		r = nv_datapath_change(release->datapath, release->hn->ifindex, &transparent);
		if (r == 0)
			return true;
	}
	if (r < 0)
		nv_err("cannot make %s its own upper again: %s", release->hn->name, nv_strerror(r));
	nv_apply_undo(kernel, &release->plan);
	nv_notice("%s stays on %s, with its configuration", release->hn->name,
		release->plan.move[0].from_name);
	return false;
}

/* Once, if notifications are configured. Only netvfd would repeat them. */
static void release_tell_peers(struct nv_context *context, const struct nv_link *hn)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	int r;

	if (!context->settings->announce_count)
		return;
	r = nv_kernel_links(context->kernel, &links);
	if (r == 0)
		r = nv_kernel_addrs(context->kernel, 0, &addrs);
	nv_addrs_sort(&addrs);
	if (r == 0)
		nv_notify_send(context->kernel, &links, &addrs, NULL, hn->ifindex, hn->name);
	else
		nv_warn("%s: cannot read what to tell the network: %s; switches learn from other frames where it is",
			hn->name, nv_strerror(r));
}

/*
 * When a bond is deleted, the VF is set down: the traffic leaves it before, as at a planned switch.
 */
static void release_leave_vf(struct release *release)
{
	struct nv_kernel *kernel = release->context->kernel;
	int hn = release->hn->ifindex;
	struct nv_link vf, live;
	struct nv_dp_pair pair;

	if (nv_datapath_get(release->datapath, hn, &pair) < 0 || pair.active != NV_PORT_VF ||
		nv_kernel_link(kernel, pair.vf, &vf) < 0 || vf.master != release->lagg ||
		nv_kernel_link(kernel, hn, &live) < 0 || !nv_link_usable(&live))
		return;
	nv_datapath_activate(release->datapath, hn, NV_PORT_HN);
	release_tell_peers(release->context, release->hn);
}

static bool release_take_lagg(struct release *release)
{
	struct nv_kernel *kernel = release->context->kernel;
	const char *lagg = release->plan.move[0].from_name;
	int r;

	nv_apply(kernel, &release->plan, NV_STAGE_STRIP_PATHS);
	nv_dhcp_clients_move(kernel, &release->plan);
	nv_apply(kernel, &release->plan, NV_STAGE_STRIP);
	release_leave_vf(release);
	r = nv_lagg_destroy(release->datapath, release->hn->ifindex);
	if (r < 0)
		nv_err("cannot delete %s, which has no configuration any more: %s", lagg,
			nv_strerror(r));
	return r == 0;
}

bool nv_release(struct nv_context *context, struct nv_datapath *datapath, const struct nv_link *hn,
	int lagg)
{
	NV_AUTO(release)
	struct release release = {.context = context, .datapath = datapath, .hn = hn, .lagg = lagg};
	struct nv_link live = *hn;
	int r = nv_journal_read(context->run_dir, hn, &release.journal);

	if (r < 0)
		nv_warn("cannot read the journal of %s in %s: %s; what is on its lagg moves back all the same",
			hn->name, context->run_dir, nv_strerror(r));
	if (!lagg && !release.journal.hn) {
		nv_notice("%s has no lagg, so nothing moves back", hn->name);
		return true;
	}
	if (lagg && (!release_make_plan(&release) || !release_give_back(&release) ||
			    !release_take_lagg(&release)))
		return false;
	r = release.journal.hn ? nv_kernel_link(context->kernel, hn->ifindex, &live) : 0;
	if (r == 0 && release.journal.hn)
		r = nv_journal_restore(context->kernel, &release.journal, &live);
	if (r < 0 && r != -ENODEV) {
		nv_err("%s has its configuration again, but not all of its settings: %s; correct that and release it again",
			hn->name, nv_strerror(r));
		return false;
	}
	nv_journal_forget(context->run_dir, hn->name);
	if (release.journal.hn)
		nv_info("%s is as it was before", hn->name);
	else
		nv_notice("%s has the configuration of its lagg, and a port's settings", hn->name);
	return true;
}

bool nv_release_ports(
	struct nv_context *context, struct nv_datapath *datapath, const struct nv_link *hn)
{
	struct nv_dp_pair pair;
	int r = nv_datapath_get(datapath, hn->ifindex, &pair);

	if (r == -ENOENT)
		return true;
	nv_datapath_activate(datapath, hn->ifindex, NV_PORT_HN);
	if (hn->link_mode == IF_LINK_MODE_DORMANT)
		release_show_link(context->kernel, hn);
	if (pair.vf && pair.mode != NV_MODE_VF) {
		release_tell_peers(context, hn);
		nv_kernel_link_up(context->kernel, pair.vf, false);
	}
	r = nv_datapath_remove(datapath, hn->ifindex);
	if (r < 0)
		nv_err("cannot remove the tc programs from %s and its VF: %s", hn->name,
			nv_strerror(r));
	return r == 0;
}
