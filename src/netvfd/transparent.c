/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "ifconfig/bare.h"
#include "netvfd/daemon.h"

#include <errno.h>

void nv_transparent_wait(struct nv_daemon *daemon, struct nv_managed *managed,
	struct nv_pair_facts *facts, uint64_t *soonest)
{
	uint64_t limit = daemon->settings->attwait * NV_USEC_PER_SEC;
	uint64_t left =
		nv_attwait_left(&managed->attwait, facts->vf, nv_loop_now(daemon->loop), limit);

	facts->waiting = left && facts->transparent && !managed->state.ready;
	if (facts->waiting && left < *soonest)
		*soonest = left;
}

void nv_transparent_ready(struct nv_daemon *daemon, const struct nv_managed *managed, int vf)
{
	const struct nv_links *links = nv_monitor_links(daemon->monitor);
	const struct nv_link *link = nv_links_by_index(links, vf);
	const struct nv_link *hn = nv_links_by_index(links, managed->hn);
	int r = link && hn ? nv_bare_follow(daemon->kernel, hn, link) : 0;

	if (r && r != -ENODEV)
		nv_warn("cannot set %s up with the flags of %s: %s; traffic stays on %s; set %s "
			"down and up to try again",
			link->name, hn->name, nv_strerror(r), hn->name, hn->name);
}

void nv_transparent_stop(struct nv_daemon *daemon, const struct nv_managed *managed, int vf)
{
	int r = nv_kernel_link_up(daemon->kernel, vf, false);

	if (r && r != -ENODEV)
		nv_warn("%s: was set down, but its VF %s cannot be: %s", managed->hn_name,
			managed->vf_name, nv_strerror(r));
}
