/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the driver and the parent device of a link, in sysfs or with ethtool. */
#include "base/str.h"
#include "kernel/netlink_ops.h"

#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The last part of the target of a symbolic link below /sys. */
static bool link_driver_read_target(const char *path, char *ret, size_t size)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length <= 0)
		return false;
	target[length] = '\0';
	return nv_strcopy(ret, size, basename(target));
}

/* Whether /sys shows this very link: the mounted sysfs may belong to another network namespace. */
static bool link_driver_is_in_sysfs(const struct nv_link *link)
{
	NV_AUTO(nv_file) FILE *file = NULL;
	char path[PATH_MAX];
	int ifindex = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", link->name);
	file = fopen(path, "re");
	return file && fscanf(file, "%d", &ifindex) == 1 && ifindex == link->ifindex;
}

/* For kernels before 5.14, whose messages do not name the parent device. */
static void link_driver_find_parent(struct nv_link *link)
{
	char path[PATH_MAX];
	char device[NV_NAME_LEN];
	char bus[NV_NAME_LEN];

	if (!link_driver_is_in_sysfs(link))
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", link->name);
	if (!link_driver_read_target(path, device, sizeof(device)))
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device/subsystem", link->name);
	if (!link_driver_read_target(path, bus, sizeof(bus)))
		return;
	nv_strcopy(link->parent_dev, sizeof(link->parent_dev), device);
	nv_strcopy(link->parent_bus, sizeof(link->parent_bus), bus);
}

static bool link_driver_ask_sysfs(struct nv_link *link)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/driver", link->parent_bus,
		link->parent_dev);
	return link_driver_read_target(path, link->driver, sizeof(link->driver));
}

/* A virtio device has none of its own: its parent is the PCI device. */
static bool link_driver_has_physfn(const struct nv_link *link)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/%sphysfn", link->parent_bus,
		link->parent_dev, nv_streq(link->parent_bus, "virtio") ? "../" : "");
	return access(path, F_OK) == 0;
}

static void link_driver_ask_ethtool(int fd, struct nv_link *link)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_ifindex = link->ifindex};

	/* The current name: it may have changed since the message was sent. */
	if (ioctl(fd, SIOCGIFNAME, &request) < 0)
		return;
	request.ifr_data = (char *)&info;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		nv_strcopy(link->driver, sizeof(link->driver), info.driver);
}

void nv_link_driver_find(int ioctl_fd, struct nv_link *link)
{
	if (link->type == ARPHRD_LOOPBACK)
		return;
	if (link->kind[0]) {
		nv_strcopy(link->driver, sizeof(link->driver), link->kind);
		return;
	}
	if (!link->parent_dev[0])
		link_driver_find_parent(link);
	if (!link->parent_dev[0] || !link_driver_ask_sysfs(link))
		link_driver_ask_ethtool(ioctl_fd, link);
	link->is_virtfn = link->parent_dev[0] && link_driver_has_physfn(link);
}
