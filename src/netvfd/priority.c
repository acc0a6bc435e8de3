/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvfd's real-time priority: on a busy guest a switch must not wait for the processor. Without a
 * VF there is nothing to switch. Actions do not inherit it. If it is not allowed, switches work
 * too, a little later.
 *
 * Clients of the sockets are served at this priority too, within their budget. If it were lowered
 * for them, a switch would wait until the thread got the processor again to finish.
 */
#include "base/log.h"
#include "netvfd/daemon.h"

#include <errno.h>
#include <sched.h>

static int priority_set(int policy, int priority)
{
	const struct sched_param param = {.sched_priority = priority};

	return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param) < 0 ? -errno : 0;
}

static int priority_raise(void)
{
	int r = priority_set(SCHED_RR, 1);

	if (r < 0)
		nv_info("no real-time priority: %s; on a busy guest a switch may take longer",
			nv_strerror(r));
	return r;
}

static void priority_take_again(void *data)
{
	struct nv_daemon *daemon = data;

	daemon->yields = false;
	if (daemon->urgent)
		priority_raise();
}

int nv_priority_start(struct nv_daemon *daemon)
{
	daemon->urgent = true;
	if (priority_raise() < 0)
		return 0;
	return nv_loop_watch_timer(daemon->loop, priority_take_again, daemon, &daemon->priority);
}

void nv_priority_need(struct nv_daemon *daemon, bool urgent)
{
	if (!daemon->priority || daemon->urgent == urgent)
		return;
	daemon->urgent = urgent;
	if (!urgent)
		priority_set(SCHED_OTHER, 0);
	else if (!daemon->yields)
		priority_raise();
}

void nv_priority_yield(struct nv_daemon *daemon)
{
	if (!daemon->priority || priority_set(SCHED_OTHER, 0) < 0)
		return;
	daemon->yields = true;
	nv_watch_arm(daemon->priority, NV_PRIORITY_YIELD);
}

void nv_priority_stop(struct nv_daemon *daemon)
{
	daemon->priority = nv_watch_free(daemon->priority);
}
