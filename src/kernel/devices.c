/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/devices.h"

#include "base/str.h"
#include "kernel/types.h"

#include <errno.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1 /* on lack of memory the element is not added */
#define HASH_FUNCTION	  HASH_FNV /* the default one uses fallthrough, which clang warns about */
#include <uthash.h>

struct device {
	UT_hash_handle hh;
	unsigned int scan; /* number of the last scan that found it */
	char driver[NV_NAME_LEN]; /* "": no driver is bound */
	char subsystem[NV_NAME_LEN];
	char *devname;
	char devpath[];
};

struct nv_devices {
	struct device *table;
	unsigned int scan;
};

int nv_devices_new(struct nv_devices **ret_devices)
{
	struct nv_devices *devices = calloc(1, sizeof(*devices));

	if (!devices)
		return -ENOMEM;
	*ret_devices = devices;
	return 0;
}

static void devices_forget(struct nv_devices *devices, struct device *device)
{
	HASH_DEL(devices->table, device);
	free(device->devname);
	free(device);
}

struct nv_devices *nv_devices_free(struct nv_devices *devices)
{
	struct device *device, *next;

	if (!devices)
		return NULL;
	HASH_ITER (hh, devices->table, device, next)
		devices_forget(devices, device);
	free(devices);
	return NULL;
}

/* Whether a scan finds the device: it is on one of the two buses or has a character device node. */
static bool devices_is_remembered(const struct nv_uevent *uevent)
{
	return nv_streq(uevent->subsystem, "pci") || nv_streq(uevent->subsystem, "vmbus") ||
	       (uevent->devname[0] && !uevent->is_block);
}

static struct device *devices_find(struct nv_devices *devices, const char *devpath)
{
	struct device *device;

	HASH_FIND_STR(devices->table, devpath, device);
	return device;
}

/* If memory is short, the device may be reported again. */
static struct device *devices_remember(struct nv_devices *devices, const struct nv_uevent *uevent)
{
	size_t size = strlen(uevent->devpath) + 1;
	struct device *device;

	if (HASH_COUNT(devices->table) >= NV_DEVICES_MAX)
		return NULL;
	device = calloc(1, sizeof(*device) + size);
	if (!device)
		return NULL;
	memcpy(device->devpath, uevent->devpath, size);
	nv_strcopy(device->subsystem, sizeof(device->subsystem), uevent->subsystem);
	device->devname = strdup(uevent->devname);
	device->scan = devices->scan;
	nv_strcopy(device->driver, sizeof(device->driver), uevent->driver);
	HASH_ADD_STR(devices->table, devpath, device);
	if (device->hh.tbl)
		return device;
	free(device->devname);
	free(device);
	return NULL;
}

bool nv_devices_note(struct nv_devices *devices, const struct nv_uevent *uevent)
{
	struct device *device = devices_find(devices, uevent->devpath);
	bool was_bound;

	if (!devices_is_remembered(uevent))
		return true;
	if (nv_streq(uevent->action, "add")) {
		if (device)
			return false;
		devices_remember(devices, uevent);
		return true;
	}
	if (nv_streq(uevent->action, "bind")) {
		if (device && nv_streq(device->driver, uevent->driver))
			return false;
		if (device)
			nv_strcopy(device->driver, sizeof(device->driver), uevent->driver);
		else
			devices_remember(devices, uevent);
		return true;
	}
	if (nv_streq(uevent->action, "unbind")) {
		was_bound = device && device->driver[0];
		if (device)
			device->driver[0] = '\0';
		return was_bound;
	}
	if (nv_streq(uevent->action, "remove")) {
		if (device)
			devices_forget(devices, device);
		return device != NULL;
	}
	return true;
}

void nv_devices_scan_begin(struct nv_devices *devices)
{
	devices->scan++;
}

/* Reports a device with what is stored about it. */
static void devices_tell(
	const struct device *device, const char *action, nv_devices_fn each, void *data)
{
	static const char *const no_keys[] = {NULL};
	const struct nv_uevent uevent = {
		.action = action,
		.devpath = device->devpath,
		.subsystem = device->subsystem,
		.devname = device->devname ? device->devname : "",
		.devtype = "",
		.driver = "",
		.key = no_keys,
	};

	each(&uevent, data);
}

void nv_devices_scan_found(
	struct nv_devices *devices, const struct nv_uevent *found, nv_devices_fn each, void *data)
{
	struct device *device = devices_find(devices, found->devpath);

	if (device)
		device->scan = devices->scan;
	if (device && device->driver[0] && !found->driver[0]) {
		device->driver[0] = '\0';
		devices_tell(device, "unbind", each, data);
	} else if (nv_devices_note(devices, found)) {
		each(found, data);
	}
}

void nv_devices_scan_end(struct nv_devices *devices, nv_devices_fn each, void *data)
{
	struct device *device, *next;

	HASH_ITER (hh, devices->table, device, next) {
		if (device->scan == devices->scan)
			continue;
		devices_tell(device, "remove", each, data);
		devices_forget(devices, device);
	}
}
