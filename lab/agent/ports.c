/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's side of the guest's ports: raises a port when the guest opens its end, lowers it when
 * the guest closes it, as a physical function's driver does when the VF's driver talks to it.
 *
 * It also keeps the lab honest. Were the host's end up from the start, carrier would come the
 * moment the guest opens the VF, but Linux's bridge puts the port to work only a little later, from
 * the link watch work, and the guest's first frames would be lost in the switch. Raised from this
 * side, the host's end is worked on at once and the guest's end by the link watch work afterwards,
 * so that the guest hears of the carrier when the port forwards.
 *
 * Needs no list of ports: a veth end tells its peer's index (IFLA_LINK).
 */
#include "agent.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

/* The kernel's own macros walk by char pointers; the buffer is aligned, and so are its parts. */
#pragma GCC diagnostic ignored "-Wcast-align"

#define PORTS_MAX 256 /* of the guest's at one time */
#define MESSAGES  65536 /* bytes of netlink messages at once */

struct port {
	int guest; /* ifindex; 0: free */
	bool open;
};

struct ports {
	int netlink; /* in the guest */
	int control; /* in the host, for ioctl */
	struct port port[PORTS_MAX];
};

static struct port *find(struct ports *ports, int guest)
{
	for (size_t i = 0; i < PORTS_MAX; i++) {
		if (ports->port[i].guest == guest)
			return &ports->port[i];
	}
	return NULL;
}

static int set_up(const struct ports *ports, unsigned int ifindex, bool up)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq request = {.ifr_ifindex = (int)ifindex};

	if (ioctl(ports->control, SIOCGIFNAME, &request) ||
		ioctl(ports->control, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
	if (ioctl(ports->control, SIOCSIFFLAGS, &request))
		return -errno;
	/* Asking for the link has the kernel do this port's link watch work now (ethtool). */
	request.ifr_data = (void *)&link;
	return ioctl(ports->control, SIOCETHTOOL, &request) ? -errno : 0;
}

/* The index of the veth's other end; 0 when the link has none in another namespace. */
static unsigned int peer_index(const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = NLMSG_DATA(header);
	int length = (int)IFLA_PAYLOAD(header);
	unsigned int peer = 0;
	bool elsewhere = false;

	for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, length); a = RTA_NEXT(a, length)) {
		if (a->rta_type == IFLA_LINK)
			memcpy(&peer, RTA_DATA(a), sizeof(peer));
		elsewhere |= a->rta_type == IFLA_LINK_NETNSID;
	}
	return elsewhere ? peer : 0;
}

static void handle_link(struct ports *ports, const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = NLMSG_DATA(header);
	bool open = info->ifi_flags & IFF_UP;
	struct port *port = find(ports, info->ifi_index);
	unsigned int peer = peer_index(header);

	if (header->nlmsg_type == RTM_DELLINK) {
		if (port)
			port->guest = 0;
		return;
	}
	if (!peer)
		return;
	if (!port)
		port = find(ports, 0);
	if (!port)
		return;
	if (port->guest != info->ifi_index)
		*port = (struct port){info->ifi_index, false};
	if (port->open == open)
		return;
	port->open = open;
	/* A port that has vanished meanwhile needs nothing; another failure shows as no carrier. */
	if (set_up(ports, peer, open) == -EPERM)
		lab_fail("ports: setting a host's port up", EPERM);
}

static int ask_for_all(int netlink)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {{sizeof(request), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {0}};

	return send(netlink, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static int handle_messages(struct ports *ports)
{
	_Alignas(struct nlmsghdr) char buffer[MESSAGES];
	ssize_t length = recv(ports->netlink, buffer, sizeof(buffer), MSG_DONTWAIT);
	size_t left;

	if (length < 0 && errno == ENOBUFS)
		return ask_for_all(ports->netlink);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	left = (size_t)length;
	for (const struct nlmsghdr *h = (const void *)buffer; NLMSG_OK(h, left);
		h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK)
			handle_link(ports, h);
	}
	return 0;
}

/* The sockets belong to the namespaces in which they were made. */
static int open_sockets(const char *guest, struct ports *ports)
{
	struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	const int size = LAB_BUFFER;
	NV_AUTO(nv_fd) int netns = open(guest, O_RDONLY | O_CLOEXEC);

	if (netns < 0)
		return -errno;
	ports->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ports->control < 0 || setns(netns, CLONE_NEWNET))
		return -errno;
	ports->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (ports->netlink < 0 ||
		bind(ports->netlink, (const struct sockaddr *)&links, sizeof(links)))
		return -errno;
	setsockopt(ports->netlink, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return ask_for_all(ports->netlink);
}

int lab_ports_main(int argc, char **argv)
{
	struct ports ports = {.netlink = -1, .control = -1};
	struct lab_input input = {0};
	char line[sizeof(input.buffer)];
	int r, woke = 0;

	if (argc != 2)
		return 2;
	r = open_sockets(argv[1], &ports);
	if (r < 0)
		return lab_fail("ports: opening the guest's network namespace", r);
	puts("{\"ready\":true}");
	fflush(stdout);
	while (!(woke & LAB_WOKE_INPUT) || lab_input_next(&input, line, sizeof(line)) >= 0) {
		woke = lab_wait(ports.netlink, POLLIN, lab_now() + 10 * LAB_SEC);
		r = woke & LAB_WOKE_SOCKET ? handle_messages(&ports) : 0;
		if (r < 0)
			return lab_fail("ports: listening to the guest's links", r);
	}
	return 0;
}
