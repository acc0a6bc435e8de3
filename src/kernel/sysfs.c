/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/str.h"
#include "kernel/real.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEVICES_MAX 65536

/* Directories with a symbolic link to each device of a subsystem. */
static const struct {
	const char *dir;
	const char *subsystem;
} places[] = {
	{"bus/pci/devices", "pci"},
	{"bus/vmbus/devices", "vmbus"},
	{"class/misc", "misc"},
};

struct device {
	char *devpath;
	const char *subsystem;
};

struct devices {
	struct device *device;
	size_t count;
};

static void devices_auto(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		free(devices->device[i].devpath);
	free(devices->device);
}

static int add_device(struct devices *devices, const char *devpath, const char *subsystem)
{
	struct device *grown;

	if (devices->count == DEVICES_MAX)
		return -E2BIG;
	grown = reallocarray(devices->device, devices->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	devices->device = grown;
	grown[devices->count].subsystem = subsystem;
	grown[devices->count].devpath = strdup(devpath);
	if (!grown[devices->count].devpath)
		return -ENOMEM;
	devices->count++;
	return 0;
}

/* @sys has no symbolic link in it. */
static int find_device(const char *sys, const char *dir, const char *name, const char *subsystem,
	struct devices *devices)
{
	NV_AUTO(nv_free) char *path = NULL;
	char target[PATH_MAX];

	if (asprintf(&path, "%s/%s/%s", sys, dir, name) < 0)
		return -ENOMEM;
	/* One that has vanished meanwhile tells of it by a uevent of its own. */
	if (!realpath(path, target) || strncmp(target, sys, strlen(sys)) != 0)
		return 0;
	return add_device(devices, target + strlen(sys), subsystem);
}

static int find_devices(
	const char *sys, const char *dir, const char *subsystem, struct devices *devices)
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
			r = find_device(sys, dir, entry->d_name, subsystem, devices);
	}
	return r;
}

static int by_devpath(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->devpath, ((const struct device *)b)->devpath);
}

/*
 * The device's own file "uevent" has all keys but those that are put before them here, a line each.
 * A device that has a driver is told as bound to it. One that cannot be read has just vanished.
 */
static void report(const char *sys, const struct device *device, const struct nv_feed_sink *sink)
{
	NV_AUTO(nv_str) struct nv_str keys = {};
	NV_AUTO(nv_file) FILE *file = NULL;
	struct nv_uevent_text text;
	struct nv_uevent uevent;
	NV_AUTO(nv_free) char *path = NULL;
	char line[NV_UEVENT_TEXT_MAX];

	if (asprintf(&path, "%s%s/uevent", sys, device->devpath) < 0)
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	nv_str_printf(&keys, "ACTION=add%cDEVPATH=%s%cSUBSYSTEM=%s%c", 0, device->devpath, 0,
		device->subsystem, 0);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		nv_str_append(&keys, line, strlen(line) + 1);
	}
	if (keys.error || nv_uevent_decode(keys.text, keys.length, &text, &uevent) < 0)
		return;
	if (uevent.driver[0]) {
		text.key[0] = "ACTION=bind";
		uevent.action = nv_uevent_get(&uevent, "ACTION");
	}
	sink->uevent(&uevent, sink->data);
}

int nv_sysfs_devices(const char *sys, const struct nv_feed_sink *sink)
{
	NV_AUTO(devices) struct devices devices = {};
	char root[PATH_MAX];
	int r = 0;

	if (!realpath(sys, root))
		return -errno;
	for (size_t i = 0; i < NV_ARRAY_SIZE(places) && r == 0; i++)
		r = find_devices(root, places[i].dir, places[i].subsystem, &devices);
	if (r < 0)
		return r;
	if (devices.count)
		qsort(devices.device, devices.count, sizeof(devices.device[0]), by_devpath);
	for (size_t i = 0; i < devices.count; i++)
		report(root, &devices.device[i], sink);
	return 0;
}
