/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/monitor.h"

#include "base/log.h"
#include "kernel/devices.h"
#include "kernel/diff.h"
#include "kernel/ops.h"

#include "base/str.h"

#include <errno.h>

/* Datagrams that are read before the loop serves other descriptors. */
#define BATCH 256

/* Time between a dump that failed and the next attempt. */
#define RETRY (200 * NV_USEC_PER_MSEC)

/* More datagrams than a receive buffer can hold. */
#define DRAIN_MAX 100000

#define SUBSCRIPTIONS 2 /* number of values of enum nv_subscription */

struct nv_monitor {
	struct nv_kernel *kernel;
	const struct nv_kernel_ops *real; /* of the kernel below */
	struct nv_monitor_ops ops; /* of the listener */
	void *data;

	int fd[SUBSCRIPTIONS];
	struct nv_watch *watch[SUBSCRIPTIONS];
	struct nv_watch *retry;

	struct nv_links links;
	struct nv_addrs addrs; /* sorted by nv_addr_compare() */
	struct nv_devices *devices;

	bool lost[SUBSCRIPTIONS]; /* messages were lost: what is known may be wrong */
	bool busy; /* a callback is running */
	bool scanned; /* nv_monitor_coldplug_devices() was called: devices are reported */
	bool told; /* something was reported since the last settled() */
	bool out_of_memory; /* a message could not be stored */
	bool has_failed; /* a dump failed, which was logged once */
	unsigned long resyncs;
};

static void monitor_tell_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	struct nv_monitor *monitor = data;

	monitor->told = true;
	if (monitor->ops.link)
		monitor->ops.link(old, new, monitor->data);
}

static void monitor_tell_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	struct nv_monitor *monitor = data;

	monitor->told = true;
	if (monitor->ops.addr)
		monitor->ops.addr(old, new, monitor->data);
}

static void monitor_tell_uevent(const struct nv_uevent *uevent, void *data)
{
	struct nv_monitor *monitor = data;

	monitor->told = true;
	if (monitor->ops.uevent)
		monitor->ops.uevent(uevent, monitor->data);
}

static void monitor_settle(struct nv_monitor *monitor)
{
	if (monitor->told && monitor->ops.settled)
		monitor->ops.settled(monitor->data);
	monitor->told = false;
}

/*
 * The kernel reports the addresses of a link as gone before the link. If it did not, they are gone
 * all the same.
 */
static void monitor_lose_link(struct nv_monitor *monitor, const struct nv_link *known)
{
	struct nv_link old = *known;

	for (size_t i = monitor->addrs.count; i-- > 0;) {
		struct nv_addr addr = monitor->addrs.addr[i];

		if (addr.ifindex != old.ifindex)
			continue;
		nv_addrs_remove(&monitor->addrs, &addr);
		monitor_tell_addr(&addr, NULL, monitor);
	}
	nv_links_remove(&monitor->links, old.ifindex);
	monitor_tell_link(&old, NULL, monitor);
}

/*
 * Before Linux 5.14 the parent is found by the name, which the interface may not have had any more
 * when its message was read. The message of the new name follows.
 */
static bool monitor_knows_driver(const struct nv_link *known, const struct nv_link *now)
{
	return known->driver[0] && (known->parent_bus[0] || nv_streq(known->name, now->name));
}

static void monitor_take_link(const struct nv_link *link, bool gone, void *data)
{
	struct nv_monitor *monitor = data;
	const struct nv_link *known = nv_links_by_index(&monitor->links, link->ifindex);
	struct nv_link new = *link;
	struct nv_link old;

	if (gone) {
		if (known)
			monitor_lose_link(monitor, known);
		return;
	}
	if (known && monitor_knows_driver(known, link)) {
		nv_strcopy(new.driver, sizeof(new.driver), known->driver);
		nv_strcopy(new.parent_bus, sizeof(new.parent_bus), known->parent_bus);
		nv_strcopy(new.parent_dev, sizeof(new.parent_dev), known->parent_dev);
		new.is_virtfn = known->is_virtfn;
	} else if (monitor->real->link_driver) {
		monitor->real->link_driver(nv_kernel_self(monitor->kernel), &new);
	}
	if (known) {
		if (nv_link_equal(known, &new))
			return;
		old = *known;
	}
	if (nv_links_put(&monitor->links, &new) < 0) {
		monitor->out_of_memory = true;
		return;
	}
	monitor_tell_link(known ? &old : NULL, &new, monitor);
}

static void monitor_take_addr(const struct nv_addr *addr, bool gone, void *data)
{
	struct nv_monitor *monitor = data;
	const struct nv_addr *known = nv_addrs_find(&monitor->addrs, addr);
	struct nv_addr new = *addr;
	struct nv_addr old;

	if (known)
		old = *known;
	if (gone) {
		if (!known)
			return;
		nv_addrs_remove(&monitor->addrs, &old);
		monitor_tell_addr(&old, NULL, monitor);
		return;
	}
	if (nv_addrs_put(&monitor->addrs, &new) < 0) {
		monitor->out_of_memory = true;
		return;
	}
	if (!known || !nv_addr_equal(&old, &new))
		monitor_tell_addr(known ? &old : NULL, &new, monitor);
}

static void monitor_take_uevent(const struct nv_uevent *uevent, void *data)
{
	struct nv_monitor *monitor = data;

	if (nv_devices_note(monitor->devices, uevent))
		monitor_tell_uevent(uevent, monitor);
}

static void monitor_take_notify_peers(int ifindex, void *data)
{
	struct nv_monitor *monitor = data;
	const struct nv_link *link = nv_links_by_index(&monitor->links, ifindex);

	if (link && monitor->ops.notify_peers)
		monitor->ops.notify_peers(link, monitor->data);
}

/* Messages from before a dump report nothing that the dump does not have. */
static void monitor_drain(struct nv_monitor *monitor)
{
	static const struct nv_subscribe_sink nowhere;
	int r = 0;

	for (int i = 0; i < DRAIN_MAX && r != -EAGAIN; i++)
		r = monitor->real->receive(nv_kernel_self(monitor->kernel), NV_SUBSCRIBE_RTNL,
			monitor->fd[NV_SUBSCRIBE_RTNL], &nowhere);
}

static int monitor_dump(
	struct nv_monitor *monitor, struct nv_links *ret_links, struct nv_addrs *ret_addrs)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	size_t kept = 0;
	int r = nv_kernel_links(monitor->kernel, &links);

	if (r == 0)
		r = nv_kernel_addrs(monitor->kernel, 0, &addrs);
	if (r < 0)
		return r;
	/* A link that was made between the two dumps is reported with its addresses later. */
	for (size_t i = 0; i < addrs.count; i++) {
		if (nv_links_by_index(&links, addrs.addr[i].ifindex))
			addrs.addr[kept++] = addrs.addr[i];
	}
	addrs.count = kept;
	nv_addrs_sort(&addrs);
	*ret_links = TAKE_STRUCT(links);
	*ret_addrs = TAKE_STRUCT(addrs);
	return 0;
}

/*
 * Reports the difference between the known and the new state, and stores the new one. Addresses are
 * reported as gone while their link still exists under its old name, and as new when it exists
 * under its new name.
 */
static void monitor_replace(
	struct nv_monitor *monitor, struct nv_links *links, struct nv_addrs *addrs)
{
	NV_AUTO(nv_links) struct nv_links old_links = monitor->links;
	NV_AUTO(nv_addrs) struct nv_addrs old_addrs = monitor->addrs;

	nv_diff_addrs(&old_addrs, addrs, NV_DIFF_GONE, monitor_tell_addr, monitor);
	monitor->links = *links;
	monitor->addrs = *addrs;
	nv_diff_links(&old_links, &monitor->links, NV_DIFF_GONE, monitor_tell_link, monitor);
	nv_diff_links(&old_links, &monitor->links, NV_DIFF_NEW, monitor_tell_link, monitor);
	nv_diff_links(&old_links, &monitor->links, NV_DIFF_CHANGED, monitor_tell_link, monitor);
	nv_diff_addrs(&old_addrs, &monitor->addrs, NV_DIFF_NEW | NV_DIFF_CHANGED, monitor_tell_addr,
		monitor);
}

static int monitor_dump_and_tell(struct nv_monitor *monitor)
{
	struct nv_links links;
	struct nv_addrs addrs;
	int r;

	monitor_drain(monitor);
	r = monitor_dump(monitor, &links, &addrs);
	if (r < 0)
		return r;
	monitor->resyncs++;
	monitor->told = true; /* an equal link may be another one with the same ifindex */
	monitor_replace(monitor, &links, &addrs);
	return 0;
}

static void monitor_found_device(const struct nv_uevent *found, void *data)
{
	struct nv_monitor *monitor = data;

	nv_devices_scan_found(monitor->devices, found, monitor_tell_uevent, monitor);
}

static int monitor_scan_devices(struct nv_monitor *monitor)
{
	const struct nv_subscribe_sink sink = {.uevent = monitor_found_device, .data = monitor};
	int r;

	if (!monitor->scanned)
		return 0;
	if (!monitor->real->devices)
		return -EOPNOTSUPP;
	nv_devices_scan_begin(monitor->devices);
	r = monitor->real->devices(nv_kernel_self(monitor->kernel), &sink);
	if (r == 0)
		nv_devices_scan_end(monitor->devices, monitor_tell_uevent, monitor);
	return r;
}

/*
 * Dumps again what may be wrong. A failure is repeated later; until then, messages are applied to
 * the known state.
 */
static void monitor_recover(struct nv_monitor *monitor)
{
	int links = 0;
	int devices = 0;

	if (monitor->lost[NV_SUBSCRIBE_RTNL])
		links = monitor_dump_and_tell(monitor);
	if (monitor->lost[NV_SUBSCRIBE_UEVENT])
		devices = monitor_scan_devices(monitor);
	monitor->lost[NV_SUBSCRIBE_RTNL] = links < 0;
	monitor->lost[NV_SUBSCRIBE_UEVENT] = devices < 0;
	if (links == 0 && devices == 0) {
		monitor->has_failed = false;
		return;
	}
	if (!monitor->has_failed)
		nv_warn("netlink messages were lost, and the kernel's %s cannot be listed again: %s; trying again",
			links < 0 ? "links" : "devices", nv_strerror(links < 0 ? links : devices));
	monitor->has_failed = true;
	nv_watch_arm(monitor->retry, RETRY);
}

/* Reads the waiting datagrams. Returns true if some were lost. */
static bool monitor_receive(struct nv_monitor *monitor, enum nv_subscription subscription)
{
	const struct nv_subscribe_sink sink = {
		.link = monitor_take_link,
		.addr = monitor_take_addr,
		.uevent = monitor_take_uevent,
		.notify_peers = monitor_take_notify_peers,
		.data = monitor,
	};

	monitor->out_of_memory = false;
	for (int i = 0; i < BATCH; i++) {
		int r = monitor->real->receive(nv_kernel_self(monitor->kernel), subscription,
			monitor->fd[subscription], &sink);

		if (r == -EAGAIN)
			break;
		if (r < 0 && r != -EINTR)
			return true;
	}
	return monitor->out_of_memory;
}

static void monitor_on_message(struct nv_monitor *monitor, enum nv_subscription subscription)
{
	monitor->busy = true;
	if (monitor_receive(monitor, subscription)) {
		monitor->lost[subscription] = true;
		monitor_recover(monitor);
	}
	monitor_settle(monitor);
	monitor->busy = false;
}

static void monitor_on_rtnl(int fd, int events, void *data)
{
	(void)fd;
	(void)events;
	monitor_on_message(data, NV_SUBSCRIBE_RTNL);
}

static void monitor_on_uevent(int fd, int events, void *data)
{
	(void)fd;
	(void)events;
	monitor_on_message(data, NV_SUBSCRIBE_UEVENT);
}

static void monitor_on_retry(void *data)
{
	struct nv_monitor *monitor = data;

	monitor->busy = true;
	monitor_recover(monitor);
	monitor_settle(monitor);
	monitor->busy = false;
}

int nv_monitor_coldplug_devices(struct nv_monitor *monitor)
{
	int r;

	if (monitor->busy)
		return -EBUSY;
	monitor->busy = true;
	monitor->scanned = true;
	r = monitor_scan_devices(monitor);
	monitor_settle(monitor);
	monitor->busy = false;
	return r;
}

int nv_monitor_resync(struct nv_monitor *monitor)
{
	int r;

	if (monitor->busy)
		return -EBUSY;
	monitor->busy = true;
	r = monitor_dump_and_tell(monitor);
	monitor_settle(monitor);
	monitor->busy = false;
	return r;
}

const struct nv_links *nv_monitor_links(const struct nv_monitor *monitor)
{
	return &monitor->links;
}

const struct nv_addrs *nv_monitor_addrs(const struct nv_monitor *monitor)
{
	return &monitor->addrs;
}

unsigned long nv_monitor_resyncs(const struct nv_monitor *monitor)
{
	return monitor->resyncs;
}

struct nv_monitor *nv_monitor_free(struct nv_monitor *monitor)
{
	if (!monitor)
		return NULL;
	nv_watch_free(monitor->retry);
	for (int subscription = 0; subscription < SUBSCRIPTIONS; subscription++) {
		nv_watch_free(monitor->watch[subscription]);
		nv_fd_auto(&monitor->fd[subscription]);
	}
	nv_devices_free(monitor->devices);
	nv_links_auto(&monitor->links);
	nv_addrs_auto(&monitor->addrs);
	free(monitor);
	return NULL;
}

static int monitor_subscribe(struct nv_monitor *monitor, struct nv_loop *loop)
{
	static const nv_loop_fd_fn on[SUBSCRIPTIONS] = {
		[NV_SUBSCRIBE_RTNL] = monitor_on_rtnl,
		[NV_SUBSCRIBE_UEVENT] = monitor_on_uevent,
	};
	int r = nv_loop_watch_timer(loop, monitor_on_retry, monitor, &monitor->retry);

	for (int subscription = 0; subscription < SUBSCRIPTIONS && r == 0; subscription++) {
		r = monitor->real->subscribe(
			nv_kernel_self(monitor->kernel), subscription, &monitor->fd[subscription]);
		if (r == 0)
			r = nv_loop_watch_fd(loop, monitor->fd[subscription], NV_LOOP_READ,
				on[subscription], monitor, &monitor->watch[subscription]);
		/* A switch must not wait for clients of the control socket. */
		if (r == 0)
			nv_watch_urgent(monitor->watch[subscription]);
	}
	return r;
}

int nv_monitor_new(struct nv_loop *loop, struct nv_kernel *kernel, const struct nv_monitor_ops *ops,
	void *data, struct nv_monitor **ret_monitor)
{
	NV_AUTO(nv_monitor) struct nv_monitor *monitor = calloc(1, sizeof(*monitor));
	struct nv_links links;
	struct nv_addrs addrs;
	int r;

	if (!monitor)
		return -ENOMEM;
	*monitor = (struct nv_monitor){
		.kernel = kernel,
		.real = nv_kernel_ops(kernel),
		.ops = *ops,
		.data = data,
		.fd = {-1, -1},
	};
	if (!monitor->real->subscribe || !monitor->real->receive)
		return -EOPNOTSUPP;
	r = nv_devices_new(&monitor->devices);
	if (r == 0)
		r = monitor_subscribe(monitor, loop);
	if (r == 0)
		r = monitor_dump(monitor, &links, &addrs);
	if (r < 0)
		return r;
	*ret_monitor = monitor;
	monitor->busy = true;
	monitor_replace(monitor, &links, &addrs);
	monitor_settle(monitor);
	monitor->busy = false;
	monitor = NULL;
	return 0;
}
