/* SPDX-License-Identifier: BSD-2-Clause */
/* The DHCP clients of a plan: from the old interfaces to the new. Logs what it does. */
#pragma once

#include "move/apply.h"
#include "services/dhcp.h"

/*
 * Chooses the client of each move for which rc.conf wants DHCP and names no program: of the kind
 * that serves the old interface, else what the system has. dhclient_flags without dhclient_program
 * are dhclient's, and no other gets them. To be called before anything is changed. Returns 0;
 * -ENOENT: the system has no client; said.
 */
int nv_dhcp_clients_choose(struct nv_plan *plan);

/* Whether a client is to be started, and none that rc.conf wants waited for (SYNCDHCP). */
bool nv_dhcp_clients_are_slow(const struct nv_plan *plan);

/*
 * For each move: starts the client on the new interface, waits until all have their leases or a
 * minute has passed, keeping the addresses that were moved in force, and only then stops those on
 * the old interfaces.
 */
void nv_dhcp_clients_move(struct nv_kernel *kernel, struct nv_plan *plan);
