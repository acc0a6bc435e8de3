/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches the kernel: links and addresses over rtnetlink, devices over uevents.
 *
 * Netlink messages are hints. The monitor keeps the state it last knew, and after a lost message
 * (ENOBUFS, MSG_TRUNC, NLM_F_DUMP_INTR) it dumps again and reports the difference, so that whoever
 * listens sees every change that lasted and no change that did not happen.
 */
#pragma once

#include "kernel/kernel.h"
#include "loop/loop.h"

struct nv_monitor;

/* One of a uevent's KEY=VALUE; the first is ACTION. */
struct nv_uevent {
	const char *action; /* "add", "remove", "bind", "unbind", "change", … */
	const char *devpath; /* below /sys */
	const char *subsystem; /* "" when not given */
	const char *devname; /* below /dev, "" when it has no node */
	const char *devtype;
	const char *driver;
	bool is_block; /* its node is a block device, not a char device */
	const char *const *key; /* all KEY=VALUE, NULL-terminated */
};

/* The value of @name, or NULL. Owned by the uevent. */
const char *nv_uevent_get(const struct nv_uevent *uevent, const char *name);

struct nv_monitor_ops {
	/* @old NULL: new. @new NULL: gone. Both: changed, possibly in name. */
	void (*link)(const struct nv_link *old, const struct nv_link *new, void *data);
	/* The same for addresses; a change of lifetime alone is not reported. */
	void (*addr)(const struct nv_addr *old, const struct nv_addr *new, void *data);
	void (*uevent)(const struct nv_uevent *uevent, void *data);
	/*
	 * Whoever drives @link had the kernel tell its peers where its addresses are
	 * (NETDEV_NOTIFY_PEERS, told with IFLA_EVENT since Linux 4.13): virtio_net does so when the
	 * host says that the machine has moved, netvsc and xen-netfront when they are connected
	 * again. A message that is lost is not made up for.
	 */
	void (*notify_peers)(const struct nv_link *link, void *data);
	/*
	 * After the last of the changes that one wake-up brought: the moment to act on them. Also
	 * after all was dumped again, even if nothing differs.
	 */
	void (*settled)(void *data);
};

/*
 * Subscribes, then dumps (in this order: nothing can be missed), and reports all that exists as
 * new, in order of ifindex, before it returns (cold plug). Uevents that were not sent by the
 * kernel are dropped. Devices that exist already are reported by nv_monitor_coldplug_devices().
 *
 * @ops is copied; a row may be NULL. @ret_monitor is set before the first report. A callback may
 * change the kernel, but must not free the monitor nor ask it to dump.
 *
 * The links of a report are as they are after what is reported, but an address that is gone is
 * reported while its link is still there. After a loss the order is: addresses gone, links gone,
 * links new, links changed, addresses new or changed. A name that went to another ifindex is one
 * link gone and one new.
 */
int nv_monitor_new(struct nv_loop *loop, struct nv_kernel *kernel, const struct nv_monitor_ops *ops,
	void *data, struct nv_monitor **ret_monitor);
struct nv_monitor *nv_monitor_free(struct nv_monitor *monitor);
NV_DEFINE_AUTO(nv_monitor, struct nv_monitor *, nv_monitor_free);

/*
 * An event that repeats what was reported already is dropped: udev's replay, or an event that comes
 * while this looks at sysfs. When uevents are lost, this is done again and the difference reported.
 *
 * Reports each PCI and VMBus device as bound (or, without a driver, as added) and each device that
 * has a char node as added, as uevents read from sysfs, in order of devpath. -EBUSY from inside a
 * callback.
 */
int nv_monitor_coldplug_devices(struct nv_monitor *monitor);

/* What it knows now; owned by the monitor, valid until the loop's next turn. */
const struct nv_links *nv_monitor_links(const struct nv_monitor *monitor);
const struct nv_addrs *nv_monitor_addrs(const struct nv_monitor *monitor);

/* How often it had to dump again because messages were lost. */
unsigned long nv_monitor_resyncs(const struct nv_monitor *monitor);

/* Dumps now and reports the difference, as after a loss. -EBUSY from inside a callback. */
int nv_monitor_resync(struct nv_monitor *monitor);
