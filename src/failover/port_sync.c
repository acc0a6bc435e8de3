/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/port_sync.h"

/*
 * Keeps the ports as the upper's users expect of a network card. Only differences are changed,
 * because this runs after each change of a link of the pair. The kernel itself keeps a bond port in
 * step.
 */
#include "base/log.h"
#include "failover/port_setup.h"
#include "pair/uppers.h"
#include "pair/vf_mac.h"

#include <errno.h>
#include <string.h>

/* What the programs need to recognize own frames and copies, and a VF's own MAC address. */
static int port_sync_follow_entry(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_dp_pair *path, const struct nv_link *upper)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *vf = nv_links_by_index(links, path->vf);
	struct nv_dp_change wanted = {
		.what = NV_DP_MULTICAST | NV_DP_MAC | NV_DP_VF_MAC, .to = *path};
	int r = 0;

	wanted.to.multicast = failover->settings->hn.multicast;
	if (upper->has_mac)
		memcpy(wanted.to.mac, upper->mac, NV_MAC_LEN);
	if (vf)
		nv_vf_mac_find(
			nv_links_by_index(links, path->hn), vf, wanted.to.mac, wanted.to.vf_mac);
	if (wanted.to.multicast != path->multicast ||
		memcmp(wanted.to.mac, path->mac, NV_MAC_LEN) ||
		memcmp(wanted.to.vf_mac, path->vf_mac, NV_MAC_LEN))
		r = nv_datapath_change(failover->datapath, managed->id.hn, &wanted);
	managed->memory.failed |= r < 0;
	if (r < 0 && r != -ENODEV && r != -EAGAIN)
		nv_err("%s: cannot update its data path with %s: %s", managed->id.hn_name,
			upper->name, nv_strerror(r));
	return r == -EAGAIN ? r : 0;
}

/*
 * Whether hn, in a bond, is to receive for MAC addresses that are only in the bond's own list: of a
 * macvlan in another network namespace. The kernel tells nobody of them, but the programs report
 * their frames (NV_DP_REPORT_FOREIGN).
 */
static bool port_sync_has_unicasts(
	struct nv_failover *failover, const struct nv_managed *managed, const struct nv_link *upper)
{
	const struct nv_dp_limits *limits = &managed->vf_filters.limits;
	NV_AUTO(nv_groups) struct nv_groups addresses = {};

	return limits->vf && !limits->any_mac &&
	       nv_kernel_unicasts(failover->kernel, upper->ifindex, &addresses) == 0 &&
	       addresses.count;
}

/*
 * Whether the port's own filters would drop frames for the upper. A card passes only the MAC
 * addresses and VLANs that it was told, and it is not told those above the upper.
 */
static bool port_sync_wants_all(struct nv_failover *failover, const struct nv_managed *managed,
	const struct nv_link *upper, const struct nv_link *port)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	int ifindex[NV_UPPERS_MAX];
	size_t count = nv_uppers_find(links, upper->ifindex, ifindex);
	bool has_own_mac = nv_vf_has_own_mac(nv_links_by_index(links, managed->id.hn), port);
	const uint8_t *mac = has_own_mac ? upper->mac : port->mac;
	struct nv_link now;

	for (size_t i = 0; i < count; i++) {
		const struct nv_link *link = nv_links_by_index(links, ifindex[i]);

		if ((!port->master && !strcmp(link->kind, "vlan") &&
			    nv_vlan_is_outermost(links, link) &&
			    !(port->ifindex == managed->vf_filters.vf &&
				    nv_dp_limits_has_vlan(&managed->vf_filters.limits, link))) ||
			(link->has_mac && memcmp(link->mac, mac, NV_MAC_LEN)))
			return true;
	}
	if (port->master && port_sync_has_unicasts(failover, managed, upper))
		return true;
	/* The kernel sends no message when promiscuous mode ends with the last address above. */
	return upper->promiscuity && nv_kernel_link(failover->kernel, upper->ifindex, &now) == 0 &&
	       now.promiscuity;
}

/* hn may have been promiscuous before; then it stays so. A VF has no settings of its own. */
static void port_sync_follow_flags(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *upper, const struct nv_link *port)
{
	bool is_hn = port->ifindex == managed->id.hn;
	bool wanted = port_sync_wants_all(failover, managed, upper, port);
	struct nv_link_change change = {
		.what = NV_LINK_FLAGS,
		.flags_mask = IFF_ALLMULTI,
		.to.flags = IFF_ALLMULTI | (wanted ? IFF_PROMISC : 0),
	};
	int r;

	if (wanted || !is_hn || managed->memory.promiscuous)
		change.flags_mask |= IFF_PROMISC;
	if (is_hn) {
		managed->memory.promiscuous =
			wanted && (managed->memory.promiscuous || managed->memory.adopted ||
					  !(port->flags & IFF_PROMISC));
		managed->memory.adopted = false;
	}
	if ((port->flags & change.flags_mask) == (change.to.flags & change.flags_mask))
		return;
	r = nv_kernel_link_set(failover->kernel, port->ifindex, &change);
	managed->memory.failed |= r < 0;
	if (r < 0 && r != -ENODEV)
		nv_warn("cannot set %s %s: %s; some frames for %s may not be received on it",
			port->name, wanted ? "promiscuous" : "to hear all groups", nv_strerror(r),
			upper->name);
}

static void port_sync_follow_mtu(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *upper, const struct nv_link *port)
{
	int r;

	if (upper->mtu == port->mtu || upper->mtu == managed->memory.refused_mtu)
		return;
	r = nv_port_agree_mtu(failover->kernel, upper, port);
	if (nv_retry_is_worth(r))
		nv_failover_look_in(failover, NV_RETRY_MAX);
	managed->memory.refused_mtu = r < 0 && !nv_retry_is_worth(r) ? upper->mtu : 0;
}

/* Whether the port has an upper other than itself, and is not in its attach delay. */
static bool is_port(
	const struct nv_managed *managed, const struct nv_dp_pair *path, const struct nv_link *port)
{
	if (!port || port->master)
		return false;
	switch (path->mode) {
	case NV_MODE_HN:
		return port->ifindex != path->hn &&
		       (managed->state.ready || managed->state.active == NV_PORT_VF);
	case NV_MODE_LAGG:
		return true;
	case NV_MODE_VF: /* hn is not used then */
		return false;
	}
	return false;
}

/*
 * A bond registers VLANs with each port, but MAC addresses and promiscuous mode with the active one
 * only (bond_hw_addr_swap(), drivers/net/bonding/bond_main.c). Frames from other MAC addresses
 * leave by hn while the VF is active, and their answers come there.
 */
static bool is_bonded_hn(const struct nv_dp_pair *path, const struct nv_link *port)
{
	return port && port->ifindex == path->hn && path->mode == NV_MODE_LAGG && port->master &&
	       port->master == path->lagg;
}

int nv_port_sync(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_dp_pair *path)
{
	const struct nv_links *links = nv_monitor_links(failover->monitor);
	const struct nv_link *upper = nv_links_by_index(links, nv_dp_pair_upper(path));
	const struct nv_link *port[] = {
		[NV_PORT_HN] = nv_links_by_index(links, path->hn),
		[NV_PORT_VF] = nv_links_by_index(links, path->vf),
	};
	int r;

	if (!upper || !port[NV_PORT_HN])
		return 0;
	r = port_sync_follow_entry(failover, managed, path, upper);
	for (size_t i = 0; i < NV_ARRAY_SIZE(port); i++) {
		bool alone = is_port(managed, path, port[i]);

		if (alone)
			port_sync_follow_mtu(failover, managed, upper, port[i]);
		if (alone || is_bonded_hn(path, port[i]))
			port_sync_follow_flags(failover, managed, upper, port[i]);
	}
	return r;
}
