/* SPDX-License-Identifier: BSD-2-Clause */
#include "devd/kernel_events.h"

#include "base/log.h"
#include "devd/pnp.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1 /* on lack of memory the element is not added */
#define HASH_FUNCTION	  HASH_FNV /* the default one uses fallthrough, which clang warns about */
#include <uthash.h>

#define DEVICES_MAX 65536

/* A device whose attach event was raised. */
struct device {
	UT_hash_handle hh;
	unsigned int unit;
	char driver[NV_NAME_LEN];
	char *line; /* the line of that event */
	char devpath[];
};

struct nv_kernel_events {
	nv_kernel_events_fn emit;
	void *data;
	struct device *devices;
	struct nv_str line;
};

/* Nodes that have another name on FreeBSD. */
static const struct {
	const char *linux_name;
	const char *freebsd_name;
} node_names[] = {
	{"vmbus/hv_kvp", "hv_kvp_dev"},
	{"vmbus/hv_vss", "hv_fsvss_dev"},
};

int nv_kernel_events_new(
	nv_kernel_events_fn emit, void *data, struct nv_kernel_events **ret_announce)
{
	struct nv_kernel_events *announce = malloc(sizeof(*announce));

	if (!announce)
		return -ENOMEM;
	*announce = (struct nv_kernel_events){.emit = emit, .data = data};
	*ret_announce = announce;
	return 0;
}

static void kernel_events_forget(struct nv_kernel_events *announce, struct device *device)
{
	HASH_DEL(announce->devices, device);
	free(device->line);
	free(device);
}

struct nv_kernel_events *nv_kernel_events_free(struct nv_kernel_events *announce)
{
	struct device *device, *next;

	if (!announce)
		return NULL;
	HASH_ITER (hh, announce->devices, device, next)
		kernel_events_forget(announce, device);
	nv_str_auto(&announce->line);
	free(announce);
	return NULL;
}

static void kernel_events_emit(struct nv_kernel_events *announce, const char *what, int r)
{
	if (r < 0)
		nv_warn("the event about %s is dropped: %s", what, nv_strerror(r));
	else
		announce->emit(nv_str_text(&announce->line), announce->data);
}

static void kernel_events_notify(struct nv_kernel_events *announce, const char *system,
	const char *subsystem, const char *type, const char *name, const char *value)
{
	const struct nv_event_var var = {name, value};

	kernel_events_emit(announce, subsystem,
		nv_event_format_notify(
			&announce->line, system, subsystem, type, &var, name ? 1 : 0));
}

/* Like "active" in ifconfig: with a carrier and not dormant. */
static bool kernel_events_is_link_up(const struct nv_link *link)
{
	return link && (link->flags & IFF_RUNNING);
}

void nv_kernel_events_known_link(struct nv_kernel_events *announce, const struct nv_link *link)
{
	kernel_events_notify(announce, "IFNET", link->name, "ATTACH", NULL, NULL);
	if (kernel_events_is_link_up(link))
		kernel_events_notify(announce, "IFNET", link->name, "LINK_UP", NULL, NULL);
}

void nv_kernel_events_link(
	struct nv_kernel_events *announce, const struct nv_link *old, const struct nv_link *new)
{
	if (!new) {
		kernel_events_notify(announce, "IFNET", old->name, "DETACH", NULL, NULL);
		return;
	}
	if (!old) {
		kernel_events_notify(announce, "IFNET", new->name, "ATTACH", NULL, NULL);
		if (new->type == ARPHRD_ETHER)
			kernel_events_notify(
				announce, "ETHERNET", new->name, "IFATTACH", NULL, NULL);
	} else if (strcmp(old->name, new->name) != 0) {
		kernel_events_notify(announce, "IFNET", old->name, "RENAME", "name", new->name);
		/*
		 * Usually udev has renamed it. The program that acts on the old name may have run
		 * too late.
		 */
		if (new->type == ARPHRD_ETHER && !(new->flags &IFF_UP))
			kernel_events_notify(
				announce, "ETHERNET", new->name, "IFATTACH", NULL, NULL);
	}
	if (kernel_events_is_link_up(new) != kernel_events_is_link_up(old))
		kernel_events_notify(announce, "IFNET", new->name,
			kernel_events_is_link_up(new) ? "LINK_UP" : "LINK_DOWN", NULL, NULL);
}

/* False while IPv6 does duplicate address detection, and after that has failed. */
static bool kernel_events_is_addr_usable(const struct nv_addr *addr)
{
	if (!addr || (addr->flags & IFA_F_DADFAILED))
		return false;
	return !(addr->flags & IFA_F_TENTATIVE) || (addr->flags & IFA_F_OPTIMISTIC);
}

void nv_kernel_events_addr(struct nv_kernel_events *announce, const struct nv_links *links,
	const struct nv_addr *old, const struct nv_addr *new)
{
	const struct nv_addr *addr = new ? new : old;
	const struct nv_link *link = nv_links_by_index(links, addr->ifindex);
	char text[NV_IP_TEXT];

	if (!link || kernel_events_is_addr_usable(old) == kernel_events_is_addr_usable(new))
		return;
	kernel_events_notify(announce, "IFNET", link->name,
		kernel_events_is_addr_usable(new) ? "ADDR_ADD" : "ADDR_DEL", "address",
		nv_ip_text(&addr->local, text));
}

static void kernel_events_announce_node(
	struct nv_kernel_events *announce, const char *devname, const char *type)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(node_names); i++) {
		if (nv_streq(devname, node_names[i].linux_name))
			devname = node_names[i].freebsd_name;
	}
	kernel_events_notify(announce, "DEVFS", "CDEV", type, "cdev", devname);
}

static bool kernel_events_is_on_bus(const struct nv_uevent *uevent)
{
	return nv_streq(uevent->subsystem, "pci") || nv_streq(uevent->subsystem, "vmbus");
}

/* The lowest number that no attached device of this driver has. Returns 0 or -ENOMEM. */
static int kernel_events_find_unit(
	struct nv_kernel_events *announce, const char *driver, unsigned int *ret_unit)
{
	unsigned int count = HASH_COUNT(announce->devices);
	NV_AUTO(nv_free) bool *taken = calloc(count + 1, sizeof(*taken));
	unsigned int unit = 0;

	if (!taken)
		return -ENOMEM;
	for (struct device *device = announce->devices; device; device = device->hh.next) {
		if (device->unit < count && nv_streq(device->driver, driver))
			taken[device->unit] = true;
	}
	while (taken[unit])
		unit++;
	*ret_unit = unit;
	return 0;
}

/* A driver's name as a part of a device's name: in a line, `device-name` ends at white space. */
static void kernel_events_copy_driver(char *ret, size_t size, const char *driver)
{
	nv_strcopy(ret, size, driver);
	for (; *ret; ret++) {
		if (*ret == ' ' || *ret == '\t')
			*ret = '_';
	}
}

static int kernel_events_remember(struct nv_kernel_events *announce, const struct nv_uevent *uevent,
	struct device **ret_device)
{
	size_t size = strlen(uevent->devpath) + 1;
	struct device *device;
	int r;

	if (HASH_COUNT(announce->devices) >= DEVICES_MAX)
		return -E2BIG;
	device = calloc(1, sizeof(*device) + size);
	if (!device)
		return -ENOMEM;
	memcpy(device->devpath, uevent->devpath, size);
	kernel_events_copy_driver(device->driver, sizeof(device->driver), uevent->driver);
	r = kernel_events_find_unit(announce, device->driver, &device->unit);
	if (r == 0)
		HASH_ADD_STR(announce->devices, devpath, device);
	if (!device->hh.tbl) {
		free(device);
		return -ENOMEM;
	}
	*ret_device = device;
	return 0;
}

static void kernel_events_announce_attach(
	struct nv_kernel_events *announce, const struct nv_uevent *uevent)
{
	char name[NV_NAME_LEN + 16];
	struct device *device;
	int r = kernel_events_remember(announce, uevent, &device);

	if (r == 0) {
		snprintf(name, sizeof(name), "%s%u", device->driver, device->unit);
		r = nv_pnp_format(&announce->line, NV_EVENT_ATTACH, name, uevent);
	}
	if (r == 0) {
		device->line = strdup(nv_str_text(&announce->line));
		r = device->line ? 0 : -ENOMEM;
	}
	kernel_events_emit(announce, uevent->devpath, r);
}

/* Uses the line of the attach event: a device that is gone may have no attributes any more. */
static void kernel_events_announce_detach(struct nv_kernel_events *announce, struct device *device)
{
	if (device->line) {
		device->line[0] = NV_EVENT_DETACH;
		announce->emit(device->line, announce->data);
	}
	kernel_events_forget(announce, device);
}

static void kernel_events_announce_device(
	struct nv_kernel_events *announce, const struct nv_uevent *uevent)
{
	const char *action = uevent->action;
	char driver[NV_NAME_LEN];
	struct device *device;

	kernel_events_copy_driver(driver, sizeof(driver), uevent->driver);
	HASH_FIND_STR(announce->devices, uevent->devpath, device);
	if (nv_streq(action, "add") && !driver[0]) {
		kernel_events_emit(announce, uevent->devpath,
			nv_pnp_format(&announce->line, NV_EVENT_NOMATCH, NULL, uevent));
	} else if (driver[0] && (nv_streq(action, "bind") || nv_streq(action, "add"))) {
		if (device && nv_streq(device->driver, driver))
			return;
		if (device)
			kernel_events_announce_detach(announce, device);
		kernel_events_announce_attach(announce, uevent);
	} else if (device && (nv_streq(action, "unbind") || nv_streq(action, "remove"))) {
		kernel_events_announce_detach(announce, device);
	}
}

void nv_kernel_events_uevent(struct nv_kernel_events *announce, const struct nv_uevent *uevent)
{
	if (kernel_events_is_on_bus(uevent))
		kernel_events_announce_device(announce, uevent);
	if (!uevent->devname[0] || uevent->is_block)
		return;
	if (nv_streq(uevent->action, "add"))
		kernel_events_announce_node(announce, uevent->devname, "CREATE");
	else if (nv_streq(uevent->action, "remove"))
		kernel_events_announce_node(announce, uevent->devname, "DESTROY");
}
