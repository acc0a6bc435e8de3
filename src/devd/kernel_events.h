/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes in the kernel, told as FreeBSD's devctl events (if.c, kern_conf.c, pci.c). Pure but for
 * the unit numbers of devices that it hands out.
 *
 *   link new        !system=IFNET subsystem=IF type=ATTACH, then for Ethernet
 *                   !system=ETHERNET subsystem=IF type=IFATTACH; then LINK_UP where it is so
 *   link gone       !system=IFNET subsystem=IF type=DETACH
 *   name changed    !system=IFNET subsystem=OLD type=RENAME name=NEW
 *   link state      LINK_UP when it becomes RUNNING, LINK_DOWN when it ceases to be
 *   address         ADDR_ADD, ADDR_DEL with address=A; an IPv6 address once it can be used, that
 *                   is when duplicate address detection has ended well (or is optimistic)
 *   char node       !system=DEVFS subsystem=CDEV type=CREATE (DESTROY) cdev=NAME
 *   device          + when a driver is bound to it, - when no longer, ? when it is new and has
 *                   none yet; its name is the driver's and the lowest free number
 */
#pragma once

#include "base/str.h"
#include "kernel/monitor.h"

struct nv_kernel_events;

typedef void (*nv_kernel_events_fn)(const char *line, void *data);

/* @emit gets each line, without newline, in order. */
int nv_kernel_events_new(
	nv_kernel_events_fn emit, void *data, struct nv_kernel_events **ret_announce);
struct nv_kernel_events *nv_kernel_events_free(struct nv_kernel_events *announce);
NV_DEFINE_AUTO(nv_kernel_events, struct nv_kernel_events *, nv_kernel_events_free);

/* Arguments as nv_monitor_ops gets them. */
void nv_kernel_events_link(
	struct nv_kernel_events *announce, const struct nv_link *old, const struct nv_link *new);
/*
 * A link that is there at the start and whose IFATTACH an earlier run has acted on: without that,
 * and so without what its rule does.
 */
void nv_kernel_events_known_link(struct nv_kernel_events *announce, const struct nv_link *link);
void nv_kernel_events_addr(struct nv_kernel_events *announce, const struct nv_links *links,
	const struct nv_addr *old, const struct nv_addr *new);
void nv_kernel_events_uevent(struct nv_kernel_events *announce, const struct nv_uevent *uevent);
