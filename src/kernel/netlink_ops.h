/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the real kernel's table that are more than one netlink request. */
#pragma once

#include "kernel/ops.h"
#include "kernel/rtnl.h"

/* sysctl.c */
int nv_sysctl_file_read(const char *path, char *ret_value, size_t size);
int nv_sysctl_file_write(const char *path, const char *value);
int nv_sysctl_dir_list(const char *path, struct nv_words *ret_names);

/* mcast.c: as nv_kernel_mcasts(), from "igmp" and "igmp6" in the directory @net. */
int nv_mcasts_read(const char *net, struct nv_mcasts *ret_mcasts);

/* groups.c: as nv_kernel_groups(), from a file like /proc/net/dev_mcast. */
int nv_groups_read(const char *path, struct nv_groups *ret_groups);
/* As nv_kernel_group_set(); @fd: of any socket. */
int nv_group_change(int fd, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on);

/*
 * packet.c: as nv_kernel_send(). @fd: of the socket that sends, which is opened when it is first
 * wanted; -1: not yet.
 */
int nv_packet_send(int *fd, int ifindex, const void *frame, size_t length);

/* clsact.c: as nv_kernel_clsact(). */
int nv_clsact_read(struct nv_rtnl *rtnl, int ifindex, struct nv_clsact *ret_clsact);

/* thing_dump.c: as nv_kernel_rtobjs(). */
int nv_rtobjs_dump(
	struct nv_rtnl *rtnl, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs);

/*
 * details.c: driver and parent of a link. No lock of the kernel's network stack is taken for one
 * that names its parent (Linux 5.14) or has a kind, so that this does not wait for a device that is
 * being removed; for others @ioctl_fd asks ethtool.
 */
void nv_link_driver_find(int ioctl_fd, struct nv_link *link);

/* sysfs.c: what is below /sys, told as uevents, sorted by devpath. Returns 0 or -errno. */
int nv_sysfs_devices(const char *sys, const struct nv_subscribe_sink *sink);

/* feed.c */
int nv_subscribe_open(enum nv_subscription feed, int *ret_fd);
int nv_subscribe_receive(enum nv_subscription feed, int fd, struct nv_datagram *datagram,
	const struct nv_subscribe_sink *sink);

/*
 * uevent.c: the text of a uevent, "add@/devices/…" and then KEY=VALUE, each ended by a NUL; the
 * first part may be missing.
 */
#define NV_UEVENT_KEYS_MAX 128
#define NV_UEVENT_TEXT_MAX 8192 /* bytes; the kernel's own are at most about 2 KiB */

struct nv_uevent_text {
	char bytes[NV_UEVENT_TEXT_MAX + 1];
	const char *key[NV_UEVENT_KEYS_MAX + 1];
};

/*
 * @text keeps what @ret_uevent points to.
 * Returns 0, -EMSGSIZE or -E2BIG (too long, too many), -EBADMSG (without ACTION or DEVPATH).
 */
int nv_uevent_decode(const char *bytes, size_t length, struct nv_uevent_text *text,
	struct nv_uevent *ret_uevent);
