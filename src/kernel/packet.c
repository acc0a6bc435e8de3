/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends Ethernet frames with AF_PACKET. */
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

/* Protocol 0: it receives nothing. */
static int packet_open(bool direct, int *ret_fd)
{
	NV_AUTO(nv_fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 ||
		(direct && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int nv_packet_send(int fds[2], bool direct, int ifindex, const void *frame, size_t length)
{
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++)
		if (fds[i] < 0)
			r = packet_open(i, &fds[i]);
	if (r == 0 && sendto(fds[direct], frame, length, MSG_DONTWAIT, (const struct sockaddr *)&to,
			      sizeof(to)) < 0)
		r = -errno;
	return r;
}
