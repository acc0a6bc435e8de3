/* SPDX-License-Identifier: BSD-2-Clause */
/* The real kernel behind the table of operations. */
#include "kernel/netlink_ops.h"

#include "kernel/attrs.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

struct netlink {
	struct nv_rtnl rtnl; /* requests and dumps */
	struct nv_datagram datagram; /* the last datagram of a subscription */
	int ioctl_fd;
	int packet_fds[2]; /* as nv_packet_send() */
};

static void netlink_free(void *self)
{
	struct netlink *netlink = self;

	nv_rtnl_close(&netlink->rtnl);
	nv_datagram_auto(&netlink->datagram);
	if (netlink->ioctl_fd >= 0)
		close(netlink->ioctl_fd);
	nv_fd_auto(&netlink->packet_fds[0]);
	nv_fd_auto(&netlink->packet_fds[1]);
	free(netlink);
}

static const char *netlink_last_error(void *self)
{
	struct netlink *netlink = self;

	return netlink->rtnl.error;
}

static int netlink_send_request(struct netlink *netlink, struct nv_request *request)
{
	return nv_rtnl_request(&netlink->rtnl, &request->header, NULL, NULL);
}

struct links_dump {
	struct netlink *netlink;
	struct nv_links links;
};

/* Messages of other types are ignored, in dumps and elsewhere. */
static int netlink_each_link(const struct nlmsghdr *message, void *data)
{
	struct links_dump *dump = data;
	struct nv_link link;

	if (message->nlmsg_type != RTM_NEWLINK || nv_link_decode(message, &link) < 0)
		return 0;
	nv_link_driver_find(dump->netlink->ioctl_fd, &link);
	return nv_links_put(&dump->links, &link);
}

static int netlink_links(void *self, struct nv_links *ret_links)
{
	struct links_dump dump = {.netlink = self};
	struct nv_request request;
	int r;

	nv_request_start(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	r = nv_rtnl_request(&dump.netlink->rtnl, &request.header, netlink_each_link, &dump);
	if (r < 0) {
		nv_links_auto(&dump.links);
		return r;
	}
	*ret_links = dump.links;
	return 0;
}

static int netlink_one_link(const struct nlmsghdr *message, void *data)
{
	return message->nlmsg_type == RTM_NEWLINK ? nv_link_decode(message, data) : 0;
}

static int netlink_get_link(
	struct netlink *netlink, struct nv_request *request, struct nv_link *ret_link)
{
	struct nv_link link = {};
	int r;

	request->header.nlmsg_flags |= NLM_F_ACK;
	r = nv_rtnl_request(&netlink->rtnl, &request->header, netlink_one_link, &link);
	if (r < 0)
		return r;
	if (!link.ifindex)
		return -ENODEV;
	nv_link_driver_find(netlink->ioctl_fd, &link);
	*ret_link = link;
	return 0;
}

static int netlink_link(void *self, int ifindex, struct nv_link *ret_link)
{
	struct nv_request request;
	struct ifinfomsg *info = nv_request_start(&request, RTM_GETLINK, 0, sizeof(*info));

	info->ifi_index = ifindex;
	return netlink_get_link(self, &request, ret_link);
}

static int netlink_link_set(void *self, int ifindex, const struct nv_link_change *change)
{
	struct nv_request request;

	nv_link_encode_set(&request, ifindex, change);
	return netlink_send_request(self, &request);
}

/* Kernels before 5.11 treat a name in the request as a new name, also if the old one is free. */
static int netlink_link_move(void *self, int ifindex, int netns_fd)
{
	struct nv_request request;
	int r;

	nv_link_encode_move(&request, ifindex, netns_fd, NULL);
	r = netlink_send_request(self, &request);
	if (r != -EEXIST)
		return r;
	nv_link_encode_move(&request, ifindex, netns_fd, "eth%d");
	return netlink_send_request(self, &request);
}

/* The message about a new link arrives before the acknowledgement (Linux 6.2). */
static int netlink_read_echo(const struct nlmsghdr *message, void *data)
{
	struct nv_link link;

	if (message->nlmsg_type == RTM_NEWLINK && nv_link_decode(message, &link) == 0)
		*(int *)data = link.ifindex;
	return 0;
}

static int netlink_link_add(
	void *self, const struct nv_link *link, const char *peer_name, int *ret_ifindex)
{
	struct netlink *netlink = self;
	struct nv_request request;
	struct nv_link made;
	int ifindex = 0;
	int r = nv_link_encode_add(&request, link, peer_name);

	if (r < 0)
		return r;
	r = nv_rtnl_request(&netlink->rtnl, &request.header, netlink_read_echo, &ifindex);
	if (r < 0)
		return r;
	if (!ifindex) {
		nv_request_start(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
		mnl_attr_put_strz(&request.header, IFLA_IFNAME, link->name);
		r = netlink_get_link(netlink, &request, &made);
		if (r < 0)
			return r;
		ifindex = made.ifindex;
	}
	*ret_ifindex = ifindex;
	return 0;
}

static int netlink_link_del(void *self, int ifindex)
{
	struct nv_request request;

	nv_link_encode_del(&request, ifindex);
	return netlink_send_request(self, &request);
}

struct addrs_dump {
	int ifindex;
	struct nv_addrs addrs;
};

static int netlink_each_addr(const struct nlmsghdr *message, void *data)
{
	struct addrs_dump *dump = data;
	struct nv_addr addr;

	if (message->nlmsg_type != RTM_NEWADDR || nv_addr_decode(message, &addr) < 0 ||
		(dump->ifindex && dump->ifindex != addr.ifindex))
		return 0;
	return nv_addrs_add(&dump->addrs, &addr);
}

static int netlink_addrs(void *self, int ifindex, struct nv_addrs *ret_addrs)
{
	struct addrs_dump dump = {.ifindex = ifindex};
	struct netlink *netlink = self;
	struct nv_request request;
	struct ifaddrmsg *info = nv_request_start(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(*info));
	int r;

	info->ifa_index = (uint32_t)ifindex;
	r = nv_rtnl_request(&netlink->rtnl, &request.header, netlink_each_addr, &dump);
	if (r < 0) {
		nv_addrs_auto(&dump.addrs);
		return r;
	}
	*ret_addrs = dump.addrs;
	return 0;
}

struct routes_dump {
	uint8_t family;
	int oif;
	struct nv_routes routes;
};

static int netlink_each_route(const struct nlmsghdr *message, void *data)
{
	NV_AUTO(nv_routes) struct nv_routes hops = {};
	struct routes_dump *dump = data;
	int r;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return 0;
	r = nv_route_decode(message, &hops);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return 0;
	for (size_t i = 0; i < hops.count && r == 0; i++) {
		const struct nv_route *route = &hops.route[i];

		if (route->family == dump->family && (!dump->oif || dump->oif == route->oif))
			r = nv_routes_add(&dump->routes, route);
	}
	return r;
}

static int netlink_dump_routes(struct netlink *netlink, struct routes_dump *dump)
{
	struct nv_request request;
	struct rtmsg *info = nv_request_start(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info));

	info->rtm_family = dump->family;
	if (dump->oif)
		mnl_attr_put_u32(&request.header, RTA_OIF, (uint32_t)dump->oif);
	return nv_rtnl_request(&netlink->rtnl, &request.header, netlink_each_route, dump);
}

static int netlink_routes(void *self, int oif, struct nv_routes *ret_routes)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct routes_dump dump = {.oif = oif};
	int r = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(families) && r == 0; i++) {
		dump.family = families[i];
		r = netlink_dump_routes(self, &dump);
	}
	if (r < 0) {
		nv_routes_auto(&dump.routes);
		return r;
	}
	*ret_routes = dump.routes;
	return 0;
}

struct neighs_dump {
	int ifindex;
	struct nv_neighs neighs;
};

static int netlink_each_neigh(const struct nlmsghdr *message, void *data)
{
	struct neighs_dump *dump = data;
	struct nv_neigh neigh;

	if (message->nlmsg_type != RTM_NEWNEIGH || nv_neigh_decode(message, &neigh) < 0 ||
		(dump->ifindex && dump->ifindex != neigh.ifindex))
		return 0;
	return nv_neighs_add(&dump->neighs, &neigh);
}

static int netlink_neighs(void *self, int ifindex, struct nv_neighs *ret_neighs)
{
	struct neighs_dump dump = {.ifindex = ifindex};
	struct netlink *netlink = self;
	struct nv_request request;
	int r;

	nv_request_start(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	if (ifindex)
		mnl_attr_put_u32(&request.header, NDA_IFINDEX, (uint32_t)ifindex);
	r = nv_rtnl_request(&netlink->rtnl, &request.header, netlink_each_neigh, &dump);
	if (r < 0) {
		nv_neighs_auto(&dump.neighs);
		return r;
	}
	*ret_neighs = dump.neighs;
	return 0;
}

static int netlink_change_addr(
	void *self, uint16_t type, uint16_t flags, const struct nv_addr *addr)
{
	struct nv_request request;
	int r = nv_addr_encode(&request, type, flags, addr);

	return r < 0 ? r : netlink_send_request(self, &request);
}

static int netlink_clsact(void *self, int ifindex, struct nv_clsact *ret_clsact)
{
	struct netlink *netlink = self;

	return nv_clsact_read(&netlink->rtnl, ifindex, ret_clsact);
}

static int netlink_addr_add(void *self, const struct nv_addr *addr, bool replace)
{
	uint16_t how = replace ? NLM_F_REPLACE : NLM_F_EXCL;

	return netlink_change_addr(self, RTM_NEWADDR, NLM_F_CREATE | how, addr);
}

static int netlink_addr_del(void *self, const struct nv_addr *addr)
{
	return netlink_change_addr(self, RTM_DELADDR, 0, addr);
}

static int netlink_change_route(
	void *self, uint16_t type, uint16_t flags, const struct nv_route *route)
{
	struct nv_request request;
	int r = nv_route_encode(&request, type, flags, route);

	return r < 0 ? r : netlink_send_request(self, &request);
}

static int netlink_route_add(void *self, const struct nv_route *route, enum nv_route_how how)
{
	switch (how) {
	case NV_ROUTE_NEW:
		return netlink_change_route(self, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
	case NV_ROUTE_REPLACE:
		return netlink_change_route(
			self, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
	case NV_ROUTE_BESIDE:
		return netlink_change_route(self, RTM_NEWROUTE, NLM_F_CREATE, route);
	}
	return -EINVAL;
}

static int netlink_route_del(void *self, const struct nv_route *route)
{
	return netlink_change_route(self, RTM_DELROUTE, 0, route);
}

static int netlink_nexthop_add(void *self, uint32_t id, const struct nv_route *route)
{
	struct nv_request request;
	int r = nv_nexthop_encode(&request, id, route);

	return r < 0 ? r : netlink_send_request(self, &request);
}

static int netlink_nexthop_del(void *self, uint32_t id)
{
	struct nv_request request;

	nv_nexthop_encode_del(&request, id);
	return netlink_send_request(self, &request);
}

static int netlink_neigh_add(void *self, const struct nv_neigh *neigh)
{
	struct nv_request request;
	int r = nv_neigh_encode(&request, neigh);

	return r < 0 ? r : netlink_send_request(self, &request);
}

static int netlink_objs(
	void *self, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs)
{
	struct netlink *netlink = self;

	return nv_rtobjs_dump(&netlink->rtnl, kind, ifindex, ret_objs);
}

static int netlink_batch(void *self, struct nv_rtobjs *requests, int *ret_errors)
{
	struct netlink *netlink = self;

	return nv_rtnl_batch(
		&netlink->rtnl, requests->bytes, requests->length, requests->count, ret_errors);
}

static int netlink_mcasts(
	void *self, const int *ifindex, size_t count, struct nv_mcasts *ret_mcasts)
{
	struct netlink *netlink = self;

	return count ? nv_mcasts_get(&netlink->rtnl, "/proc/net", ifindex, count, ret_mcasts)
		     : nv_mcasts_read("/proc/net", ret_mcasts);
}

static int netlink_groups(void *self, struct nv_groups *ret_groups)
{
	(void)self;
	return nv_groups_read("/proc/net/dev_mcast", ret_groups);
}

static int netlink_group_set(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct netlink *netlink = self;

	return nv_group_change(netlink->ioctl_fd, ifindex, mac, on);
}

static int netlink_unicasts(void *self, int ifindex, struct nv_groups *ret_addresses)
{
	struct netlink *netlink = self;

	return nv_unicasts_read(&netlink->rtnl, ifindex, ret_addresses);
}

static int netlink_bridged(void *self, int port, struct nv_groups *ret_addresses)
{
	struct netlink *netlink = self;

	return nv_unicasts_read_bridged(&netlink->rtnl, port, ret_addresses);
}

static int netlink_unicast_set(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct netlink *netlink = self;

	return nv_unicast_change(&netlink->rtnl, ifindex, mac, on);
}

static int netlink_ipv6_forwarding(void *self, int ifindex, bool *ret_forwarding)
{
	struct netlink *netlink = self;

	return nv_netconf_ipv6_forwarding(&netlink->rtnl, ifindex, ret_forwarding);
}

static int netlink_send(void *self, int ifindex, const void *frame, size_t length)
{
	struct netlink *netlink = self;

	return nv_packet_send(netlink->packet_fds, false, ifindex, frame, length);
}

static int netlink_send_direct(void *self, int ifindex, const void *frame, size_t length)
{
	struct netlink *netlink = self;

	return nv_packet_send(netlink->packet_fds, true, ifindex, frame, length);
}

static int netlink_sysctl_read(void *self, const char *path, char *ret_value, size_t size)
{
	(void)self;
	return nv_sysctl_file_read(path, ret_value, size);
}

static int netlink_sysctl_write(void *self, const char *path, const char *value)
{
	(void)self;
	return nv_sysctl_file_write(path, value);
}

static int netlink_sysctl_list(void *self, const char *path, struct nv_words *ret_names)
{
	(void)self;
	return nv_sysctl_dir_list(path, ret_names);
}

static void netlink_link_driver(void *self, struct nv_link *link)
{
	struct netlink *netlink = self;

	nv_link_driver_find(netlink->ioctl_fd, link);
}

static int netlink_devices(void *self, const struct nv_subscribe_sink *sink)
{
	(void)self;
	return nv_sysfs_devices("/sys", sink);
}

static int netlink_subscribe(void *self, enum nv_subscription subscription, int *ret_fd)
{
	(void)self;
	return nv_subscribe_open(subscription, ret_fd);
}

static int netlink_receive(
	void *self, enum nv_subscription subscription, int fd, const struct nv_subscribe_sink *sink)
{
	struct netlink *netlink = self;

	return nv_subscribe_receive(subscription, fd, &netlink->datagram, sink);
}

static const struct nv_kernel_ops ops = {
	.free = netlink_free,
	.last_error = netlink_last_error,
	.links = netlink_links,
	.addrs = netlink_addrs,
	.routes = netlink_routes,
	.neighs = netlink_neighs,
	.link = netlink_link,
	.link_set = netlink_link_set,
	.link_move = netlink_link_move,
	.link_add = netlink_link_add,
	.link_del = netlink_link_del,
	.clsact = netlink_clsact,
	.addr_add = netlink_addr_add,
	.addr_del = netlink_addr_del,
	.route_add = netlink_route_add,
	.route_del = netlink_route_del,
	.nexthop_add = netlink_nexthop_add,
	.nexthop_del = netlink_nexthop_del,
	.neigh_add = netlink_neigh_add,
	.objs = netlink_objs,
	.batch = netlink_batch,
	.mcasts = netlink_mcasts,
	.groups = netlink_groups,
	.group_set = netlink_group_set,
	.unicasts = netlink_unicasts,
	.bridged = netlink_bridged,
	.unicast_set = netlink_unicast_set,
	.ipv6_forwarding = netlink_ipv6_forwarding,
	.send = netlink_send,
	.send_direct = netlink_send_direct,
	.sysctl_read = netlink_sysctl_read,
	.sysctl_write = netlink_sysctl_write,
	.sysctl_list = netlink_sysctl_list,
	.link_driver = netlink_link_driver,
	.devices = netlink_devices,
	.subscribe = netlink_subscribe,
	.receive = netlink_receive,
};

int nv_kernel_open(struct nv_kernel **ret_kernel)
{
	struct netlink *netlink = malloc(sizeof(*netlink));
	int r;

	if (!netlink)
		return -ENOMEM;
	*netlink = (struct netlink){
		.rtnl.fd = -1,
		.ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
		.packet_fds = {-1, -1},
	};
	r = nv_rtnl_open(&netlink->rtnl);
	if (r == 0)
		r = nv_kernel_new(&ops, netlink, ret_kernel);
	if (r < 0)
		netlink_free(netlink);
	else
		nv_kernel_set_patient(*ret_kernel, true);
	return r;
}
