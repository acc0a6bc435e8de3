/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel tells nobody that a tcx program was removed, and tells of clsact only in a multicast
 * group that has each change of every filter. So netvfd looks.
 *
 * A bpf_link would refuse the removal (EBUSY), but the program would go with the last pin or
 * descriptor of the link: with an unmounted bpf file system, or with a mount namespace. Programs
 * that belong to the interface stay whatever becomes of netvfd and of its files.
 */
#include "failover/reattach.h"

#include "base/log.h"

#include <errno.h>

/* The programs are back within a second, also if the timer is late. */
#define REATTACH_PERIOD NV_RETRY_MAX
#define REATTACH_LOCKED (NV_USEC_PER_SEC / 100)
/* between two messages about a pair: something may remove the programs all the time */
#define REATTACH_QUIET (600 * NV_USEC_PER_SEC)

static void reattach_names(const struct nv_failover *failover, const int *ifindex, int count,
	char names[NV_DP_INTERFACES * (IFNAMSIZ + 2)])
{
	size_t at = 0;

	names[0] = '\0';
	for (int i = 0; i < count; i++) {
		const struct nv_link *link =
			nv_links_by_index(nv_monitor_links(failover->monitor), ifindex[i]);

		if (link)
			at += (size_t)snprintf(
				names + at, IFNAMSIZ + 2, "%s%s", at ? ", " : "", link->name);
	}
}

static bool reattach_is_worth_telling(
	struct nv_managed_stripped *stripped, bool failed, uint64_t now)
{
	uint64_t *told = failed ? &stripped->told_failure : &stripped->told;
	bool answers = !failed && stripped->failed;

	if (*told && now - *told < REATTACH_QUIET && !answers)
		return false;
	*told = now;
	stripped->failed = failed;
	return true;
}

/* @r: of nv_datapath_reattach() */
static void reattach_tell(
	const struct nv_failover *failover, struct nv_managed *managed, const int *ifindex, int r)
{
	char names[NV_DP_INTERFACES * (IFNAMSIZ + 2)];
	int left[NV_DP_INTERFACES];

	if (!reattach_is_worth_telling(&managed->stripped, r < 0, nv_loop_now(failover->loop)))
		return;
	if (r < 0)
		reattach_names(failover, left,
			nv_datapath_missing(failover->datapath, managed->id.hn, left), names);
	else
		reattach_names(failover, ifindex, r, names);
	if (r < 0)
		nv_err("%s: netvf's programs were removed from %s, and cannot be attached again: %s; netvfd tries again each second. See what stands in their place (tc qdisc show, tc filter show, bpftool net), and remove it",
			managed->id.hn_name, names, nv_strerror(r));
	else
		nv_warn("%s: somebody removed netvf's programs from %s; netvfd has attached them again. Find out what removes programs or clsact there (bpftool net detach, tc qdisc del); netvf doctor says how often it happens",
			managed->id.hn_name, names);
}

/* Returns 0, or -EAGAIN: the data path is locked. */
static int reattach_pair(struct nv_failover *failover, struct nv_managed *managed)
{
	int ifindex[NV_DP_INTERFACES];
	int r = nv_datapath_reattach(failover->datapath, managed->id.hn, ifindex);

	if (r == -EAGAIN)
		return r;
	if (r == 0 || r == -ENOENT || r == -ENODEV)
		return 0;
	reattach_tell(failover, managed, ifindex, r);
	if (r > 0) {
		managed->stripped.when = nv_loop_now(failover->loop);
		managed->stripped.count++;
	}
	return 0;
}

static bool reattach_matters(struct nv_failover *failover, const struct nv_managed *managed)
{
	struct nv_dp_pair path;

	return (managed->state.vf || managed->id.lagg) && !managed->memory.incomplete &&
	       nv_datapath_get(failover->datapath, managed->id.hn, &path) == 0 &&
	       (path.vf || path.lagg);
}

static void reattach_look(void *data)
{
	struct nv_failover *failover = data;
	uint64_t wait = REATTACH_PERIOD;
	bool matters = false;

	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];

		if (!reattach_matters(failover, managed))
			continue;
		matters = true;
		if (reattach_pair(failover, managed) == -EAGAIN)
			wait = REATTACH_LOCKED;
	}
	failover->reattach_due = matters;
	if (matters)
		nv_watch_arm(failover->reattach, wait);
}

void nv_reattach_watch(struct nv_failover *failover, const struct nv_managed *managed)
{
	if (failover->reattach_due || !reattach_matters(failover, managed))
		return;
	failover->reattach_due = true;
	nv_watch_arm(failover->reattach, REATTACH_PERIOD);
}

int nv_reattach_open(struct nv_failover *failover)
{
	return nv_loop_watch_timer(failover->loop, reattach_look, failover, &failover->reattach);
}

void nv_reattach_close(struct nv_failover *failover)
{
	nv_watch_free(failover->reattach);
}
