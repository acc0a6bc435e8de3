/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link-layer multicast addresses of links. rtnetlink does not have them; /proc/net/dev_mcast lists
 * them, and SIOCADDMULTI (netdevice(7), `ip maddress add`) adds one that remains when this process
 * ends.
 */
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAC_FORMAT    "%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx"
#define MAC_BYTES(at) &(at)[0], &(at)[1], &(at)[2], &(at)[3], &(at)[4], &(at)[5]

/* "4    eth0            1     0     01005e000001": ifindex, name, users, added by hand, address. */
int nv_groups_read(const char *path, struct nv_groups *ret_groups)
{
	NV_AUTO(nv_groups) struct nv_groups groups = {};
	NV_AUTO(nv_file) FILE *file = fopen(path, "re");
	char line[256];
	int r = 0;

	if (!file)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), file)) {
		struct nv_group group = {};
		int by_hand;

		if (sscanf(line, "%d %*s %*d %d " MAC_FORMAT, &group.ifindex, &by_hand,
			    MAC_BYTES(group.mac)) != 8)
			continue; /* other kinds of links have longer addresses */
		group.by_hand = by_hand;
		r = nv_groups_add(&groups, &group);
	}
	if (r < 0)
		return r;
	*ret_groups = TAKE_STRUCT(groups);
	return 0;
}

int nv_group_change(int fd, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct ifreq request = {.ifr_hwaddr.sa_family = AF_UNSPEC};

	if (!if_indextoname((unsigned int)ifindex, request.ifr_name))
		return -ENODEV;
	memcpy(request.ifr_hwaddr.sa_data, mac, NV_MAC_LEN);
	return ioctl(fd, on ? SIOCADDMULTI : SIOCDELMULTI, &request) < 0 ? -errno : 0;
}
