/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/bond_ports.h"

/*
 * A bond accepts only ports that are down. So the VF becomes a bond port when it appears, before it
 * is set up: its link comes up once, as a port. hn becomes a bond port last, when the VF carries
 * the traffic. Until then, and if the kernel refuses a port, the data path serves the port without
 * the bond.
 */
#include "base/log.h"
#include "datapath/lagg.h"

#include <errno.h>
#include <linux/if.h>

static void bond_ports_refuse(struct nv_managed *managed, const struct nv_link *port, int error)
{
	if (error == -ENODEV)
		return;
	nv_warn("%s: the bond refuses %s as a port: %s; the data path serves this port without the bond, which is a little slower",
		managed->id.hn_name, port->name, nv_strerror(error));
	managed->memory.refused = port->ifindex;
}

int nv_bond_ports_make(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, int *ret_bond)
{
	char name[IFNAMSIZ];
	int r = nv_hn_lagg_name(hn->name, name);

	/*
	 * A bond that was made and deleted again because of the lock changes links, so the pair is
	 * settled again at once.
	 */
	if (r == 0)
		r = nv_datapath_change(failover->datapath, hn->ifindex, &(struct nv_dp_change){});
	if (r == 0)
		r = nv_lagg_create(failover->datapath, hn, name, NV_LAGG_BOND, ret_bond);
	if (r == 0 || r == -EAGAIN)
		return r;
	/* hyperv_vfup reports it, and makes a lagg of the other type. */
	nv_log(r == -EOPNOTSUPP ? LOG_INFO : LOG_ERR, "%s: cannot make the bond %s: %s",
		managed->id.hn_name, name, nv_strerror(r));
	managed->memory.no_bond = true;
	return r;
}

void nv_bond_ports_take_vf(struct nv_failover *failover, struct nv_managed *managed, int bond,
	const struct nv_link *vf)
{
	int r = bond ? nv_lagg_take_port(failover->datapath, bond, vf->ifindex) : 0;

	if (r < 0)
		bond_ports_refuse(managed, vf, r);
	else if (bond && failover->settings->vf_delay && !(vf->flags & IFF_UP))
		nv_kernel_link_up(
			/* hyperv_vfattach sets it up again */
			failover->kernel, vf->ifindex, false);
}

void nv_bond_ports_reopen(struct nv_failover *failover, const struct nv_dp_pair *path)
{
	if (path->inside & 1U << NV_PORT_HN)
		nv_kernel_link_up(failover->kernel, path->hn, true);
	if (path->inside & 1U << NV_PORT_VF)
		nv_kernel_link_up(failover->kernel, path->vf, true);
}

/* Whether hn has no configuration of its own any more; hyperv_vfup removes it. */
static bool bond_ports_is_bare(const struct nv_failover *failover, int hn)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	if (nv_links_next_stacked(nv_monitor_links(failover->monitor), hn, 0))
		return false;
	return nv_kernel_addrs(failover->kernel, hn, &addrs) == 0 && !addrs.count;
}

/*
 * A bond without a port that is up has no carrier and perhaps another MAC address. Then hn becomes
 * a bond port at once.
 */
static void bond_ports_take_hn(struct nv_failover *failover, struct nv_managed *managed, int lagg,
	const struct nv_link *hn, bool vf_usable)
{
	int r;

	if (hn->master || managed->memory.refused == hn->ifindex ||
		(vf_usable && (managed->state.active != NV_PORT_VF ||
				      !bond_ports_is_bare(failover, managed->id.hn))))
		return;
	r = nv_lagg_take_port(failover->datapath, lagg, hn->ifindex);
	if (r < 0)
		bond_ports_refuse(managed, hn, r);
}

static int bond_ports_edit(struct nv_dp_pair *pair, void *data)
{
	const struct nv_dp_pair *wanted = data;

	if (pair->vf != wanted->vf || pair->lagg != wanted->lagg)
		return -ESTALE;
	pair->inside = wanted->inside;
	return 0;
}

static unsigned int bond_ports_bit(const struct nv_link *port, int lagg, enum nv_port which)
{
	return port && port->master == lagg ? 1U << which : 0;
}

int nv_bond_ports_update(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_dp_pair *path)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *lagg = nv_links_by_index(links, path->lagg);
	const struct nv_link *vf = nv_links_by_index(links, path->vf);
	struct nv_dp_pair wanted = *path;
	int active = path->active == NV_PORT_VF ? path->vf : path->hn;
	int r = 0;

	if (!view->hn || !lagg || !nv_lagg_has_ports(lagg))
		return 0;
	if (!view->facts.giving_back && path->mode == NV_MODE_LAGG)
		bond_ports_take_hn(failover, managed, path->lagg, view->hn,
			view->vf && nv_link_usable(view->vf));

	wanted.inside = bond_ports_bit(view->hn, path->lagg, NV_PORT_HN) |
			bond_ports_bit(vf, path->lagg, NV_PORT_VF);
	if (wanted.inside != path->inside)
		r = nv_datapath_edit(failover->datapath, managed->id.hn, bond_ports_edit, &wanted);
	if (wanted.inside & 1U << path->active && lagg->primary != active)
		nv_lagg_prefer(failover->datapath, path->lagg, active);
	return r == -EAGAIN ? r : 0;
}
