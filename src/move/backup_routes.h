/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of an interface's IPv4 routes in the table `default`, which the kernel asks after `main`
 * (ip-rule(8)), and by next hop objects. They lead while a DHCP client's script flushes the
 * interface: udhcpc's does as the client starts, and takes every address and every route in `main`.
 */
#pragma once

#include "kernel/kernel.h"

#define NV_BACKUP_ROUTES_MAX 256

/*
 * Copies the unicast routes of table main, NV_BACKUP_ROUTES_MAX of them at most, in place of copies
 * that a killed process has left. On Linux before 5.3, which has no next hop objects, there are
 * none; that is logged as a debug message, as is what else fails.
 */
void nv_backup_routes_add(struct nv_kernel *kernel, int ifindex);

/* Removes the interface's copies, also those that a killed process has left. */
void nv_backup_routes_remove(struct nv_kernel *kernel, int ifindex);
