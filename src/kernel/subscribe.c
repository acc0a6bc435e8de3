/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the sockets of rtnetlink groups and uevents, and reads what arrives. */
#include "kernel/attrs.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Bytes that may wait in a socket while the daemon is busy: some seven thousand link messages. */
#define RECEIVE_BUFFER (8 * 1024 * 1024)

#define UEVENT_GROUP_KERNEL 1 /* group 2 is udev's */

static int subscribe_join(int fd, int group)
{
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

static int subscribe_join_all(int fd, enum nv_subscription subscription)
{
	int r;

	switch (subscription) {
	case NV_SUBSCRIBE_RTNL:
		r = subscribe_join(fd, RTNLGRP_LINK);
		if (r == 0)
			r = subscribe_join(fd, RTNLGRP_IPV4_IFADDR);
		if (r == 0)
			r = subscribe_join(fd, RTNLGRP_IPV6_IFADDR);
		return r;
	case NV_SUBSCRIBE_UEVENT:
		return subscribe_join(fd, UEVENT_GROUP_KERNEL);
	}
	return -EINVAL;
}

int nv_subscribe_open(enum nv_subscription subscription, int *ret_fd)
{
	int protocol = subscription == NV_SUBSCRIBE_RTNL ? NETLINK_ROUTE : NETLINK_KOBJECT_UEVENT;
	NV_AUTO(nv_fd)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int size = RECEIVE_BUFFER;
	int on = 1;
	int r;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if ((subscription == NV_SUBSCRIBE_UEVENT &&
		    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) ||
		bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		return -errno;
	r = subscribe_join_all(fd, subscription);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * Told before the link is decoded: a machine that has arrived at another host has nothing in its
 * caches, and its peers wait.
 */
static void subscribe_receive_event(
	const struct nlmsghdr *message, const struct nv_subscribe_sink *sink)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	NV_ATTRS(attrs, IFLA_EVENT);
	uint32_t event = IFLA_EVENT_NONE;

	if (nv_attrs_read(message, sizeof(*info), &attrs) < 0)
		return;
	nv_attr_u32(&attrs, IFLA_EVENT, &event);
	if (event == IFLA_EVENT_NOTIFY_PEERS)
		sink->notify_peers(info->ifi_index, sink->data);
}

static void subscribe_receive_message(
	const struct nlmsghdr *message, const struct nv_subscribe_sink *sink)
{
	struct nv_link link;
	struct nv_addr addr;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (sink->notify_peers)
			subscribe_receive_event(message, sink);
		if (sink->link && nv_link_decode(message, &link) == 0)
			sink->link(&link, message->nlmsg_type == RTM_DELLINK, sink->data);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (sink->addr && nv_addr_decode(message, &addr) == 0)
			sink->addr(&addr, message->nlmsg_type == RTM_DELADDR, sink->data);
		break;
	default:
		break;
	}
}

static void subscribe_receive_messages(
	const struct nv_datagram *datagram, const struct nv_subscribe_sink *sink)
{
	const struct nlmsghdr *message = (const void *)datagram->bytes;
	int left = (int)datagram->length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		subscribe_receive_message(message, sink);
}

static void subscribe_receive_uevent(
	const struct nv_datagram *datagram, const struct nv_subscribe_sink *sink)
{
	struct nv_uevent_text text;
	struct nv_uevent uevent;

	if (sink->uevent &&
		nv_uevent_decode(datagram->bytes, datagram->length, &text, &uevent) == 0)
		sink->uevent(&uevent, sink->data);
}

int nv_subscribe_receive(enum nv_subscription subscription, int fd, struct nv_datagram *datagram,
	const struct nv_subscribe_sink *sink)
{
	int r = nv_datagram_receive(fd, MSG_DONTWAIT, datagram);

	if (r == -EMSGSIZE)
		return -ENOBUFS;
	if (r < 0)
		return r;
	/*
	 * Every user may send to a netlink socket; only messages of the kernel count. The kernel
	 * forwards uevents for the owner of the network namespace (Linux 4.18), so the sender must
	 * also be root.
	 */
	if (datagram->portid != 0)
		return 0;
	switch (subscription) {
	case NV_SUBSCRIBE_RTNL:
		subscribe_receive_messages(datagram, sink);
		break;
	case NV_SUBSCRIBE_UEVENT:
		if (datagram->has_uid && datagram->uid == 0)
			subscribe_receive_uevent(datagram, sink);
		break;
	}
	return 0;
}
