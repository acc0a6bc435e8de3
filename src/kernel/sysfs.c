/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists the devices in sysfs as uevents. */
#include "base/str.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEVICES_MAX 65536

/*
 * Directories with a symbolic link to each device of a bus, or to each device with a character
 * device node.
 */
static const char *const places[] = {"bus/pci/devices", "bus/vmbus/devices", "dev/char"};

struct devices {
	char **devpath;
	size_t count;
};

static void devices_auto(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		free(devices->devpath[i]);
	free(devices->devpath);
}

static int sysfs_add_device(struct devices *devices, const char *devpath)
{
	char **grown;

	if (devices->count == DEVICES_MAX)
		return -E2BIG;
	grown = reallocarray(devices->devpath, devices->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	devices->devpath = grown;
	grown[devices->count] = strdup(devpath);
	if (!grown[devices->count])
		return -ENOMEM;
	devices->count++;
	return 0;
}

/* @sys has no symbolic link in its path. */
static int sysfs_find_device(
	const char *sys, const char *dir, const char *name, struct devices *devices)
{
	NV_AUTO(nv_free) char *path = NULL;
	char target[PATH_MAX];

	if (asprintf(&path, "%s/%s/%s", sys, dir, name) < 0)
		return -ENOMEM;
	/* A uevent reports a device that has vanished meanwhile. */
	if (!realpath(path, target) || strncmp(target, sys, strlen(sys)) != 0)
		return 0;
	return sysfs_add_device(devices, target + strlen(sys));
}

static int sysfs_find_devices(const char *sys, const char *dir, struct devices *devices)
{
	NV_AUTO(nv_free) char *path = NULL;
	NV_AUTO(nv_dir) DIR *listing = NULL;
	int r = 0;

	if (asprintf(&path, "%s/%s", sys, dir) < 0)
		return -ENOMEM;
	listing = opendir(path);
	if (!listing)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry = readdir(listing); entry && r == 0; entry = readdir(listing)) {
		if (entry->d_name[0] != '.')
			r = sysfs_find_device(sys, dir, entry->d_name, devices);
	}
	return r;
}

static int sysfs_by_devpath(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The last part of the target of the device's link "subsystem". Returns 0 or -errno. */
static int sysfs_read_subsystem(const char *sys, const char *devpath, char *ret, size_t size)
{
	NV_AUTO(nv_free) char *path = NULL;
	char target[PATH_MAX];
	ssize_t length;

	if (asprintf(&path, "%s%s/subsystem", sys, devpath) < 0)
		return -ENOMEM;
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	nv_strcopy(ret, size, basename(target));
	return 0;
}

/*
 * The device's file "uevent" has one key a line. The other keys are added before them here. A
 * device with a driver is reported as bound, unless it has a node to report. A device that cannot
 * be read has just vanished.
 */
static void sysfs_report(const char *sys, const char *devpath, const struct nv_subscribe_sink *sink)
{
	NV_AUTO(nv_str) struct nv_str keys = {};
	NV_AUTO(nv_file) FILE *file = NULL;
	struct nv_uevent_text text;
	struct nv_uevent uevent;
	NV_AUTO(nv_free) char *path = NULL;
	char line[NV_UEVENT_TEXT_MAX];
	char subsystem[NV_NAME_LEN];

	if (sysfs_read_subsystem(sys, devpath, subsystem, sizeof(subsystem)) < 0 ||
		asprintf(&path, "%s%s/uevent", sys, devpath) < 0)
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	nv_str_printf(&keys, "ACTION=add%cDEVPATH=%s%cSUBSYSTEM=%s%c", 0, devpath, 0, subsystem, 0);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		nv_str_append(&keys, line, strlen(line) + 1);
	}
	if (keys.error || nv_uevent_decode(keys.text, keys.length, &text, &uevent) < 0)
		return;
	if (uevent.driver[0] && !uevent.devname[0]) {
		text.key[0] = "ACTION=bind";
		uevent.action = nv_uevent_get(&uevent, "ACTION");
	}
	sink->uevent(&uevent, sink->data);
}

int nv_sysfs_devices(const char *sys, const struct nv_subscribe_sink *sink)
{
	NV_AUTO(devices) struct devices devices = {};
	char root[PATH_MAX];
	int r = 0;

	if (!realpath(sys, root))
		return -errno;
	for (size_t i = 0; i < NV_ARRAY_SIZE(places) && r == 0; i++)
		r = sysfs_find_devices(root, places[i], &devices);
	if (r < 0)
		return r;
	if (devices.count)
		qsort(devices.devpath, devices.count, sizeof(devices.devpath[0]), sysfs_by_devpath);
	for (size_t i = 0; i < devices.count; i++)
		sysfs_report(root, devices.devpath[i], sink);
	return 0;
}
