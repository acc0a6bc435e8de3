/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "failover/port_setup.h"
#include "netvfd/daemon.h"
#include "services/manager.h"
#include "services/udev.h"

#include <errno.h>

/* Since netvfd's start: how long a manager may take to say whether it configures hn. */
#define DECIDED_WITHIN (30 * NV_USEC_PER_SEC)

#define UDEV_WAIT (NV_UDEV_WAIT_MS * NV_USEC_PER_SEC / 1000)
#define UDEV_LOOK (NV_USEC_PER_SEC / 20)

/* Asked each time, for it may begin or end at any time. */
static void find_manager(struct nv_daemon *daemon, struct nv_managed *managed)
{
	const struct nv_hn_config *config = &daemon->settings->hn;
	const char *manager = nv_manager_of(managed->hn);

	if (manager && manager != managed->manager &&
		nv_hn_is_transparent(config, managed->hn_name, true) &&
		!nv_hn_is_transparent(config, managed->hn_name, false))
		nv_notice("%s: %s configures it, so it keeps its configuration and sends by its VF "
			  "(netvf_vf_transparent=AUTO)",
			managed->hn_name, manager);
	managed->manager = manager;
}

/* Nobody has configured hn, or is said to. */
static bool is_untouched(const struct nv_daemon *daemon, const struct nv_managed *managed)
{
	const struct nv_addrs *addrs = nv_monitor_addrs(daemon->monitor);
	const struct nv_link *hn =
		nv_links_by_index(nv_monitor_links(daemon->monitor), managed->hn);

	for (size_t i = 0; i < addrs->count; i++)
		if (addrs->addr[i].ifindex == managed->hn && addrs->addr[i].scope < RT_SCOPE_LINK)
			return false;
	return hn && !hn->master &&
	       !nv_rcconf_get_for(daemon->rcconf, "ifconfig_%s", managed->hn_name);
}

/*
 * A VF may be there at boot before a manager has looked at hn. With a lagg made for it, hn would
 * have no carrier to show, for which the manager waits, and nothing to hear.
 */
static bool is_undecided(struct nv_daemon *daemon, const struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest)
{
	uint64_t been = nv_loop_now(daemon->loop) - daemon->started;

	if (managed->manager || !facts->answered || facts->mode != NV_MODE_HN ||
		been >= DECIDED_WITHIN || !nv_manager_is_silent(managed->hn) ||
		!is_untouched(daemon, managed))
		return false;
	if (DECIDED_WITHIN - been < *soonest)
		*soonest = DECIDED_WITHIN - been;
	return true;
}

bool nv_mode_is_transparent(const struct nv_daemon *daemon, const struct nv_managed *managed)
{
	return nv_hn_is_transparent(
		&daemon->settings->hn, managed->hn_name, managed->manager || managed->undecided);
}

bool nv_mode_decide(struct nv_daemon *daemon, struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest)
{
	find_manager(daemon, managed);
	managed->undecided = is_undecided(daemon, managed, facts, soonest);
	return nv_mode_is_transparent(daemon, managed);
}

static bool awaits_name(struct nv_daemon *daemon, struct nv_managed *managed, int vf)
{
	return nv_attach_delay_left(&managed->attwait, vf, nv_loop_now(daemon->loop), UDEV_WAIT) &&
	       !nv_udev_is_done(vf);
}

void nv_mode_wait(struct nv_daemon *daemon, struct nv_managed *managed, struct nv_pair_facts *facts,
	uint64_t *soonest)
{
	uint64_t limit = daemon->settings->attwait * NV_USEC_PER_SEC;
	uint64_t left = nv_attach_delay_left(
		&managed->attwait, facts->vf, nv_loop_now(daemon->loop), limit);
	bool unready = facts->transparent && !managed->state.ready;

	if (!left && unready && awaits_name(daemon, managed, facts->vf))
		left = UDEV_LOOK;
	facts->waiting = left && unready;
	if (facts->waiting && left < *soonest)
		*soonest = left;
}

void nv_mode_ready_vf(struct nv_daemon *daemon, const struct nv_managed *managed, int vf)
{
	const struct nv_links *links = nv_monitor_links(daemon->monitor);
	const struct nv_link *link = nv_links_by_index(links, vf);
	const struct nv_link *hn = nv_links_by_index(links, managed->hn);
	int r = link && hn ? nv_port_setup_transparent(daemon->kernel, hn, link) : 0;

	if (r && r != -ENODEV)
		nv_warn("cannot set %s up with the flags of %s: %s; traffic stays on %s; set %s "
			"down and up to try again",
			link->name, hn->name, nv_strerror(r), hn->name, hn->name);
}

void nv_mode_stop_vf(struct nv_daemon *daemon, const struct nv_managed *managed, int vf)
{
	int r = nv_kernel_link_up(daemon->kernel, vf, false);

	if (r && r != -ENODEV)
		nv_warn("%s: was set down, but its VF %s cannot be: %s", managed->hn_name,
			managed->vf_name, nv_strerror(r));
}
