/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes in the kernel as FreeBSD's devctl events (if.c, kern_conf.c, pci.c). Pure, except for the
 * unit numbers that it assigns to devices.
 *
 *   link new        !system=IFNET subsystem=IF type=ATTACH, then for Ethernet
 *                   !system=ETHERNET subsystem=IF type=IFATTACH; then LINK_UP if the link is up
 *   link gone       !system=IFNET subsystem=IF type=DETACH
 *   name changed    !system=IFNET subsystem=OLD type=RENAME name=NEW
 *   link state      LINK_UP when it becomes RUNNING, LINK_DOWN when it is not RUNNING any more
 *   address         ADDR_ADD, ADDR_DEL with address=A; an IPv6 address when it can be used: after
 *                   duplicate address detection, or at once if it is optimistic
 *   char node       !system=DEVFS subsystem=CDEV type=CREATE (DESTROY) cdev=NAME
 *   device          + a driver is bound, - it is not bound any more, ? the device is new and has no
 *                   driver; the device's name is that of the driver and the lowest free number
 */
#pragma once

#include "base/str.h"
#include "kernel/monitor.h"

struct nv_kernel_events;

typedef void (*nv_kernel_events_fn)(const char *line, void *data);

/* @emit gets each line, without newline, in order. Returns 0 or -ENOMEM. */
int nv_kernel_events_new(
	nv_kernel_events_fn emit, void *data, struct nv_kernel_events **ret_announce);
struct nv_kernel_events *nv_kernel_events_free(struct nv_kernel_events *announce);
NV_DEFINE_AUTO(nv_kernel_events, struct nv_kernel_events *, nv_kernel_events_free);

/* The arguments are those of nv_monitor_ops. */
void nv_kernel_events_link(
	struct nv_kernel_events *announce, const struct nv_link *old, const struct nv_link *new);
/*
 * A link that exists at the start and whose IFATTACH an earlier run has raised: no IFATTACH is
 * raised.
 */
void nv_kernel_events_known_link(struct nv_kernel_events *announce, const struct nv_link *link);
void nv_kernel_events_addr(struct nv_kernel_events *announce, const struct nv_links *links,
	const struct nv_addr *old, const struct nv_addr *new);
void nv_kernel_events_uevent(struct nv_kernel_events *announce, const struct nv_uevent *uevent);
