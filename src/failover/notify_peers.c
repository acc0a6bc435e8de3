/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/notify_peers.h"

#include "failover/managed_table.h"
#include "failover/notify_send.h"
#include "pair/vf_mac.h"

#include <sys/random.h>

/* Pairs for which the groups are read one by one; of more, those of all interfaces. */
#define FEW 4

static void notify_peers_tell(struct nv_failover *failover, const struct nv_managed *managed,
	struct nv_notify_mcasts *mcasts)
{
	struct nv_dp_pair path;

	if (nv_datapath_get(failover->datapath, managed->id.hn, &path) < 0)
		return;
	nv_notify_send(failover->kernel, nv_monitor_links(failover->monitor),
		nv_monitor_addrs(failover->monitor), mcasts, nv_dp_pair_upper(&path),
		managed->id.hn_name);
}

void nv_notify_addresses(struct nv_failover *failover, const struct nv_managed *managed)
{
	struct nv_dp_pair path;

	if (nv_datapath_get(failover->datapath, managed->id.hn, &path) == 0)
		nv_notify_send_addrs(failover->kernel, nv_monitor_links(failover->monitor),
			nv_monitor_addrs(failover->monitor), nv_dp_pair_upper(&path),
			managed->id.hn_name);
}

void nv_notify_left(struct nv_failover *failover)
{
	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_managed *managed = &failover->managed[i];
		const struct nv_links *links = nv_monitor_links(failover->monitor);

		if (managed->state.active == NV_PORT_VF &&
			nv_vf_has_own_mac(nv_links_by_index(links, managed->id.hn),
				nv_links_by_index(links, managed->state.vf)))
			nv_notify_addresses(failover, managed);
	}
}

static void notify_peers_arm(struct nv_failover *failover)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t next = nv_deadlines_next(&failover->notices);

	if (next == NV_NEVER)
		nv_watch_disarm(failover->notify);
	else
		nv_watch_arm(failover->notify, next > now ? next - now : 0);
}

/* At the most a quarter of the interval. */
static uint64_t notify_peers_jitter(uint64_t interval)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		return 0;
	return interval / 4 * random / UINT32_MAX;
}

/*
 * Where hn is the upper, the kernel announces it by itself. Where a lagg is, the kernel announces
 * nothing for hn. One frame leaves by hn itself, as the kernel's would.
 */
static void notify_peers_tell_first(
	const struct nv_failover *failover, const struct nv_managed *managed)
{
	struct nv_dp_pair path;

	if (managed->state.active == NV_PORT_HN &&
		nv_datapath_get(failover->datapath, managed->id.hn, &path) == 0 &&
		path.mode == NV_MODE_LAGG)
		nv_notify_send_direct(failover->kernel, nv_monitor_links(failover->monitor),
			nv_monitor_addrs(failover->monitor), path.lagg, path.hn);
}

/* The first frame is sent before anything else is done: nothing on this host is cached. */
void nv_notify_arrival(struct nv_failover *failover, int hn)
{
	uint64_t interval = failover->settings->announce_interval * NV_USEC_PER_SEC;
	struct nv_managed *managed = nv_managed_find(failover, hn);
	uint64_t now = nv_loop_now(failover->loop);
	struct nv_notify *notify;
	bool was_due;

	if (!managed)
		return;
	notify = &managed->memory.notify;
	was_due = nv_notify_wait(notify, now) == 0;
	nv_notify_again(notify, failover->settings->announce_count, now);
	if (!was_due && nv_notify_wait(notify, now) == 0)
		notify_peers_tell_first(failover, managed);
	nv_notify_spread(notify, notify_peers_jitter(interval));
	nv_notify_peers_due(failover, managed);
	notify_peers_arm(failover);
}

void nv_notify_peers_due(struct nv_failover *failover, const struct nv_managed *managed)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t wait = nv_notify_wait(&managed->memory.notify, now);

	nv_deadlines_set(
		&failover->notices, managed->id.hn, wait == UINT64_MAX ? NV_NEVER : now + wait);
}

void nv_notify_peers(void *data)
{
	NV_AUTO(nv_notify_mcasts) struct nv_notify_mcasts mcasts = {};
	struct nv_failover *failover = data;
	uint64_t interval = failover->settings->announce_interval * NV_USEC_PER_SEC;
	uint64_t now = nv_loop_now(failover->loop);
	bool few = nv_deadlines_due(&failover->notices, now) <= FEW;
	int hn;

	while ((hn = nv_deadlines_take(&failover->notices, now)) >= 0) {
		struct nv_managed *managed = nv_managed_find(failover, hn);

		if (!managed)
			continue;
		if (nv_notify_due(&managed->memory.notify, now, interval))
			notify_peers_tell(failover, managed, few ? NULL : &mcasts);
		nv_notify_peers_due(failover, managed);
	}
	notify_peers_arm(failover);
}
