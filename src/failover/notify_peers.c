/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/notify_send.h"
#include "netvfd/daemon.h"

static void tell(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	struct nv_dp_pair path;

	if (nv_datapath_get(daemon->datapath, managed->hn, &path) == 0)
		nv_notify_send(daemon->kernel, nv_monitor_links(daemon->monitor),
			nv_monitor_addrs(daemon->monitor), nv_dp_pair_upper(&path),
			managed->hn_name);
}

void nv_notify_peers(void *data)
{
	struct nv_daemon *daemon = data;
	uint64_t interval = daemon->settings->announce_interval * NV_USEC_PER_SEC;
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < daemon->n_managed; i++) {
		struct nv_notify *notify = &daemon->managed[i].notify;
		uint64_t now = nv_loop_now(daemon->loop);
		uint64_t wait;

		if (nv_notify_due(notify, now, interval))
			tell(daemon, &daemon->managed[i]);
		wait = nv_notify_wait(notify, now);
		soonest = wait < soonest ? wait : soonest;
	}
	if (soonest != UINT64_MAX)
		nv_watch_arm(daemon->tell, soonest);
	else
		nv_watch_disarm(daemon->tell);
}
