/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remembers which devices were reported, so that each is reported once. The kernel's events, the
 * scan of sysfs at the start and after a loss, and udev's replay (`udevadm trigger`) overlap. Pure.
 */
#pragma once

#include "base/cleanup.h"
#include "kernel/uevent.h"

/* devices over the limit are reported repeatedly, and their removal is not reported */
#define NV_DEVICES_MAX 65536

struct nv_devices;

/* Returns 0 or -ENOMEM. */
int nv_devices_new(struct nv_devices **ret_devices);
struct nv_devices *nv_devices_free(struct nv_devices *devices);
NV_DEFINE_AUTO(nv_devices, struct nv_devices *, nv_devices_free);

/*
 * Records a uevent. Returns true if it is new: not a second "add" or "bind" of the same device, and
 * not a "remove" or "unbind" of an unknown one. Other actions are always new. So are events of
 * devices that have no character device node and are on neither PCI nor VMBus.
 */
bool nv_devices_note(struct nv_devices *devices, const struct nv_uevent *uevent);

typedef void (*nv_devices_fn)(const struct nv_uevent *uevent, void *data);

/*
 * A scan of all PCI and VMBus devices and all devices with a character device node: begin, pass
 * each device as an "add" or "bind", end. @each gets what is new, and at the end a "remove" for
 * each device that was not found.
 */
void nv_devices_scan_begin(struct nv_devices *devices);
void nv_devices_scan_found(
	struct nv_devices *devices, const struct nv_uevent *found, nv_devices_fn each, void *data);
void nv_devices_scan_end(struct nv_devices *devices, nv_devices_fn each, void *data);
