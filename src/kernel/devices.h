/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which devices were told of, so that each is told of once: the kernel's own events, the look at
 * sysfs at start and after a loss, and udev's replay (`udevadm trigger`) overlap. Pure.
 */
#pragma once

#include "base/cleanup.h"
#include "kernel/monitor.h"

#define NV_DEVICES_MAX 65536 /* more are told of again and again, not when they go */

struct nv_devices;

/* Returns 0 or -ENOMEM. */
int nv_devices_new(struct nv_devices **ret_devices);
struct nv_devices *nv_devices_free(struct nv_devices *devices);
NV_DEFINE_AUTO(nv_devices, struct nv_devices *, nv_devices_free);

/*
 * Takes note of a uevent. True if it is news: not a second "add" or "bind" of the same, nor a
 * "remove" or "unbind" of what is not there. Events that neither add nor take away are always news,
 * and so are those of devices that have no char node and are on neither PCI nor VMBus.
 */
bool nv_devices_note(struct nv_devices *devices, const struct nv_uevent *uevent);

typedef void (*nv_devices_fn)(const struct nv_uevent *uevent, void *data);

/*
 * A look at all PCI and VMBus devices and all that have a char node: begin, give each device found
 * as an "add" or "bind", end. @each gets what is news, and at the end a "remove" for those that
 * were not found.
 */
void nv_devices_scan_begin(struct nv_devices *devices);
void nv_devices_scan_found(
	struct nv_devices *devices, const struct nv_uevent *found, nv_devices_fn each, void *data);
void nv_devices_scan_end(struct nv_devices *devices, nv_devices_fn each, void *data);
