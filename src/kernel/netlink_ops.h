/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of the real kernel that need more than one netlink request. */
#pragma once

#include "kernel/ops.h"
#include "kernel/rtnl.h"

/* sysctl.c */
int nv_sysctl_file_read(const char *path, char *ret_value, size_t size);
int nv_sysctl_file_write(const char *path, const char *value);
int nv_sysctl_dir_list(const char *path, struct nv_words *ret_names);

/* mcast.c: of all links, from the files "igmp" and "igmp6" in the directory @net. */
int nv_mcasts_read(const char *net, struct nv_mcasts *ret_mcasts);
/* As nv_kernel_mcasts() of some links. */
int nv_mcasts_get(struct nv_rtnl *rtnl, const char *net, const int *ifindex, size_t count,
	struct nv_mcasts *ret_mcasts);

/* groups.c: as nv_kernel_groups(), from a file like /proc/net/dev_mcast. */
int nv_groups_read(const char *path, struct nv_groups *ret_groups);
/* As nv_kernel_group_set(). @fd: any socket. */
int nv_group_change(int fd, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);

/* netconf.c: as nv_kernel_ipv6_forwarding(). */
int nv_netconf_ipv6_forwarding(struct nv_rtnl *rtnl, int ifindex, bool *ret_forwarding);

/* unicasts.c: as nv_kernel_unicasts(), nv_kernel_bridged() and nv_kernel_unicast_set(). */
int nv_unicasts_read(struct nv_rtnl *rtnl, int ifindex, struct nv_groups *ret_addresses);
int nv_unicasts_read_bridged(struct nv_rtnl *rtnl, int port, struct nv_groups *ret_addresses);
int nv_unicast_change(struct nv_rtnl *rtnl, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);

/*
 * packet.c: as nv_kernel_send(), or with @direct as nv_kernel_send_direct(). @fds: a socket for
 * each of the two. Those that are -1 are opened, so that later calls need no descriptor more.
 */
int nv_packet_send(int fds[2], bool direct, int ifindex, const void *frame, size_t length);

/* clsact.c: as nv_kernel_clsact(). */
int nv_clsact_read(struct nv_rtnl *rtnl, int ifindex, struct nv_clsact *ret_clsact);

/* rtobject_dump.c: as nv_kernel_rtobjs(). */
int nv_rtobjs_dump(
	struct nv_rtnl *rtnl, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs);

/*
 * link_driver.c: the driver and parent device of a link. If the message named the parent (Linux
 * 5.14) or the link has a kind, no lock of the kernel's network stack is taken, so this does not
 * wait for a device that is being removed. Otherwise @ioctl_fd is used for an ethtool request.
 */
void nv_link_driver_find(int ioctl_fd, struct nv_link *link);

/* sysfs.c: reports the devices below /sys as uevents, sorted by devpath. Returns 0 or -errno. */
int nv_sysfs_devices(const char *sys, const struct nv_subscribe_sink *sink);

/* subscribe.c */
int nv_subscribe_open(enum nv_subscription subscription, int *ret_fd);
int nv_subscribe_receive(enum nv_subscription subscription, int fd, struct nv_datagram *datagram,
	const struct nv_subscribe_sink *sink);
