/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/notify_peers.h"

#include "failover/notify_send.h"

static void tell(struct nv_failover *failover, const struct nv_managed *managed)
{
	struct nv_dp_pair path;

	if (nv_datapath_get(failover->datapath, managed->id.hn, &path) == 0)
		nv_notify_send(failover->kernel, nv_monitor_links(failover->monitor),
			nv_monitor_addrs(failover->monitor), nv_dp_pair_upper(&path),
			managed->id.hn_name);
}

void nv_notify_peers(void *data)
{
	struct nv_failover *failover = data;
	uint64_t interval = failover->settings->announce_interval * NV_USEC_PER_SEC;
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < failover->n_managed; i++) {
		struct nv_notify *notify = &failover->managed[i].memory.notify;
		uint64_t now = nv_loop_now(failover->loop);
		uint64_t wait;

		if (nv_notify_due(notify, now, interval))
			tell(failover, &failover->managed[i]);
		wait = nv_notify_wait(notify, now);
		soonest = wait < soonest ? wait : soonest;
	}
	if (soonest != UINT64_MAX)
		nv_watch_arm(failover->notify, soonest);
	else
		nv_watch_disarm(failover->notify);
}
