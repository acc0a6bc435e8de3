/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches the kernel: links and addresses with rtnetlink, devices with uevents.
 *
 * Netlink messages are hints. The monitor keeps the last known state. After a lost message
 * (ENOBUFS, MSG_TRUNC, NLM_F_DUMP_INTR) it dumps again and reports the difference. So the listener
 * sees every change that lasted, and no change that did not happen.
 */
#pragma once

#include "kernel/kernel.h"
#include "kernel/uevent.h"
#include "loop/loop.h"

struct nv_monitor;

struct nv_monitor_ops {
	/* @old NULL: it is new. @new NULL: it is gone. Both: it has changed, possibly its name. */
	void (*link)(const struct nv_link *old, const struct nv_link *new, void *data);
	/* The same for addresses. A change of lifetimes alone is not reported. */
	void (*addr)(const struct nv_addr *old, const struct nv_addr *new, void *data);
	void (*uevent)(const struct nv_uevent *uevent, void *data);
	/*
	 * The driver of @link has raised NETDEV_NOTIFY_PEERS (IFLA_EVENT since Linux 4.13).
	 * virtio_net does this when the host says that the machine has moved, netvsc and
	 * xen-netfront when they are connected again. If the message is lost, it is not repeated.
	 */
	void (*notify_peers)(const struct nv_link *link, void *data);
	/*
	 * All changes of one wake-up were reported: the moment to act on them. Also called after
	 * everything was dumped again, even if nothing differs.
	 */
	void (*settled)(void *data);
};

/*
 * Subscribes, then dumps, so that nothing can be missed. Before it returns, reports everything that
 * exists as new, in order of ifindex (cold plug). Uevents that the kernel did not send are dropped.
 * Existing devices are reported by nv_monitor_coldplug_devices().
 *
 * @ops is copied; a row may be NULL. @ret_monitor is set before the first report. A callback may
 * change the kernel. It must not free the monitor or ask it to dump.
 *
 * During a report, the links are as they are after the reported change; but an address that is gone
 * is reported while its link still exists. After a loss the order is: addresses gone, links gone,
 * links new, links changed, addresses new or changed. If a name moves to another ifindex, one link
 * is gone and one is new.
 */
int nv_monitor_new(struct nv_loop *loop, struct nv_kernel *kernel, const struct nv_monitor_ops *ops,
	void *data, struct nv_monitor **ret_monitor);
struct nv_monitor *nv_monitor_free(struct nv_monitor *monitor);
NV_DEFINE_AUTO(nv_monitor, struct nv_monitor *, nv_monitor_free);

/*
 * Reports each PCI and VMBus device as bound (or, without a driver, as added) and each device with
 * a character device node as added, as uevents read from sysfs, in order of devpath. Returns 0,
 * -errno, or -EBUSY from inside a callback.
 *
 * An event that repeats what was reported is dropped: one of udev's replay, or one that arrives
 * during this scan. If uevents are lost, the scan is repeated and the difference is reported.
 */
int nv_monitor_coldplug_devices(struct nv_monitor *monitor);

/* The known state. Owned by the monitor, valid until the loop's next turn. */
const struct nv_links *nv_monitor_links(const struct nv_monitor *monitor);
const struct nv_addrs *nv_monitor_addrs(const struct nv_monitor *monitor);

/* How often it dumped again because messages were lost. */
unsigned long nv_monitor_resyncs(const struct nv_monitor *monitor);

/*
 * Dumps now and reports the difference, as after a loss. Returns 0, -errno, or -EBUSY from inside a
 * callback.
 */
int nv_monitor_resync(struct nv_monitor *monitor);
