/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The location and the identification of a device, from a uevent, in the words of FreeBSD's PCI and
 * VMBus. Pure.
 */
#pragma once

#include "event/event.h"
#include "kernel/uevent.h"

/*
 * Writes the line of an attach, detach or nomatch event (nv_event_format_device()) of @device to
 * @line. PCI: on pciB, location "slot=S function=F dbsf=pciD:B:S:F" in decimal, then "vendor=0x…
 * device=0x… subvendor=0x… subdevice=0x… class=0x…". VMBus: on vmbus0, no location, "classid=…
 * deviceid=…". Values that the uevent does not have are left out. Returns as
 * nv_event_format_device().
 */
int nv_pnp_format(struct nv_str *line, enum nv_event_kind kind, const char *device,
	const struct nv_uevent *uevent);
