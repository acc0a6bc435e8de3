/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/port_setup.h"

#include "base/log.h"
#include "pair/retry.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>

int nv_port_setup(
	struct nv_kernel *kernel, const struct nv_link *link, uint32_t mtu, uint32_t *ret_mtu)
{
	struct nv_link_change change = {.what = NV_LINK_MTU, .to.mtu = mtu};
	bool differs = mtu && mtu != link->mtu;
	int r = differs ? nv_kernel_link_set(kernel, link->ifindex, &change) : 0;

	if (r < 0 && r != -ENODEV && link->mtu < mtu)
		nv_warn("cannot set the MTU of %s to %u: %s; larger frames than %u are lost on it",
			link->name, mtu, nv_strerror(r), link->mtu);
	if (ret_mtu)
		*ret_mtu = r == 0 && mtu ? mtu : link->mtu;
	change = (struct nv_link_change){
		.what = NV_LINK_FLAGS | NV_LINK_ADDR_GEN_MODE,
		.flags_mask = IFF_ALLMULTI,
		.to = {.flags = IFF_ALLMULTI, .addr_gen_mode = IN6_ADDR_GEN_MODE_NONE},
	};
	return nv_kernel_link_set(kernel, link->ifindex, &change);
}

/* Those that IPv6 has made by itself. */
static void port_setup_drop_addrs(struct nv_kernel *kernel, int ifindex)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};

	if (nv_kernel_addrs(kernel, ifindex, &addrs) < 0)
		return;
	for (size_t i = 0; i < addrs.count; i++) {
		const struct nv_addr *addr = &addrs.addr[i];

		if (addr->local.family == AF_INET6 && (IN6_IS_ADDR_LINKLOCAL(&addr->local.v6) ||
							      !(addr->flags & IFA_F_PERMANENT)))
			nv_kernel_addr_del(kernel, addr);
	}
}

static void port_setup_drop_routes(struct nv_kernel *kernel, int ifindex)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};

	if (nv_kernel_routes(kernel, ifindex, &routes) < 0)
		return;
	for (size_t i = 0; i < routes.count; i++) {
		const struct nv_route *route = &routes.route[i];

		if (route->family == AF_INET6 && route->type == RTN_UNICAST &&
			route->table != RT_TABLE_LOCAL &&
			(route->protocol == RTPROT_RA || route->protocol == RTPROT_KERNEL))
			nv_kernel_route_del(kernel, route);
	}
}

int nv_port_setup_vf(
	struct nv_kernel *kernel, const struct nv_link *vf, uint32_t mtu, uint32_t *ret_mtu)
{
	char path[NV_SYSCTL_PATH_MAX];
	int r = nv_port_setup(kernel, vf, mtu, ret_mtu);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", vf->name);
	nv_kernel_sysctl_write(kernel, path, "0"); /* a kernel without IPv6 has no such file */
	port_setup_drop_addrs(kernel, vf->ifindex);
	port_setup_drop_routes(kernel, vf->ifindex);
	return 0;
}

int nv_port_agree_mtu(
	struct nv_kernel *kernel, const struct nv_link *upper, const struct nv_link *port)
{
	struct nv_link_change change = {.what = NV_LINK_MTU, .to.mtu = upper->mtu};
	int refused = 0;
	int r;

	if (port->mtu != upper->mtu)
		refused = nv_kernel_link_set(kernel, port->ifindex, &change);
	/* A port with the larger MTU can send all that its upper sends. */
	if (!refused || refused == -ENODEV || port->mtu >= upper->mtu)
		return 0;
	if (nv_retry_is_worth(refused))
		return refused;
	if (upper->mtu <= ETH_DATA_LEN) {
		nv_warn("%s, a port of %s, refuses the MTU %u: %s; larger frames than %u are lost on it",
			port->name, upper->name, upper->mtu, nv_strerror(refused), port->mtu);
		return refused;
	}
	change.to.mtu = ETH_DATA_LEN;
	r = nv_kernel_link_set(kernel, upper->ifindex, &change);
	nv_warn("%s, a port of %s, refuses the MTU %u: %s; %s %s %d%s%s", port->name, upper->name,
		upper->mtu, nv_strerror(refused), upper->name,
		r < 0 ? "cannot fall back to" : "now has", ETH_DATA_LEN, r < 0 ? " either: " : "",
		r < 0 ? nv_strerror(r) : "");
	return r;
}

int nv_port_setup_transparent(
	struct nv_kernel *kernel, const struct nv_link *hn, const struct nv_link *vf)
{
	struct nv_link_change change = {
		.what = NV_LINK_FLAGS,
		.flags_mask = IFF_PROMISC | IFF_UP,
		.to.flags = IFF_UP,
	};
	int r;

	r = nv_port_agree_mtu(kernel, hn, vf);
	if (nv_retry_is_worth(r))
		return r;
	r = nv_port_setup_vf(kernel, vf, 0, NULL);
	if (r < 0)
		return r;
	if (hn->promiscuity || (hn->flags & IFF_PROMISC))
		change.to.flags |= IFF_PROMISC;
	return nv_kernel_link_set(kernel, vf->ifindex, &change);
}
