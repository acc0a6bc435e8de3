/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends Ethernet frames with AF_PACKET. */
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

int nv_packet_send(int *fd, int ifindex, const void *frame, size_t length)
{
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};

	if (*fd < 0)
		/* protocol 0: receives nothing */
		*fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (*fd < 0 || sendto(*fd, frame, length, MSG_DONTWAIT, (const struct sockaddr *)&to,
			       sizeof(to)) < 0)
		return -errno;
	return 0;
}
