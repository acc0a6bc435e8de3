/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * systemd's watchdog, if systemd asks for it. It is the only timer of an idle netvfd. A guest that
 * has had no VF has no traffic that it could guard, so the watchdog begins with the first VF.
 */
#include "base/service.h"
#include "base/str.h"
#include "netvfd/daemon.h"

static void watchdog_feed(void *data)
{
	const struct nv_daemon *daemon = data;

	nv_service_notify("WATCHDOG=1");
	nv_watch_arm(daemon->watchdog.timer, daemon->watchdog.limit / 2);
}

int nv_watchdog_start(struct nv_daemon *daemon)
{
	struct nv_daemon_watchdog *watchdog = &daemon->watchdog;
	int r;

	watchdog->limit = nv_service_watchdog();
	if (!watchdog->limit)
		return 0;
	r = nv_loop_watch_timer(daemon->loop, watchdog_feed, daemon, &watchdog->timer);
	if (r < 0)
		return r;
	watchdog->suspended = nv_failover_is_inert(daemon->failover);
	if (watchdog->suspended)
		nv_service_notify("WATCHDOG_USEC=0");
	else
		watchdog_feed(daemon);
	return 0;
}

void nv_watchdog_resume(struct nv_daemon *daemon)
{
	struct nv_daemon_watchdog *watchdog = &daemon->watchdog;
	NV_AUTO(nv_str) struct nv_str limit = {};

	if (!watchdog->suspended || nv_failover_is_inert(daemon->failover))
		return;
	watchdog->suspended = false;
	nv_str_printf(&limit, "WATCHDOG_USEC=%llu", (unsigned long long)watchdog->limit);
	nv_service_notify(nv_str_text(&limit));
	watchdog_feed(daemon);
}

void nv_watchdog_stop(struct nv_daemon *daemon)
{
	daemon->watchdog.timer = nv_watch_free(daemon->watchdog.timer);
}
