/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves the DHCP clients of a plan from the old interfaces to the new ones, and logs it. */
#pragma once

#include "move/apply.h"
#include "services/dhcp.h"

/*
 * Chooses the client for each move for which rc.conf wants DHCP and names no program: of the kind
 * that serves the old interface, else the one that is installed. dhclient_flags without
 * dhclient_program are given to dhclient only. Call this before anything is changed. Returns 0, or
 * -ENOENT, which is logged: no client is installed.
 */
int nv_dhcp_clients_choose(struct nv_plan *plan);

/*
 * Writes the kind of the client that serves the old interface and that nv_dhcp_clients_move() will
 * end without another one in its place: because rc.conf has addresses. "": there is none.
 */
void nv_dhcp_clients_ended(const struct nv_move *move, char *ret_kind, size_t size);

/*
 * The way back of that: a client of this kind is to be started on the new interface, unless one
 * serves the old one. @kind "": none is. Does nothing if no client is installed.
 */
void nv_dhcp_clients_restore(struct nv_move *move, const char *kind);

/* Whether a client is to be started, and rc.conf wants to wait for none of them (SYNCDHCP). */
bool nv_dhcp_clients_are_slow(const struct nv_plan *plan);

/*
 * For each move: starts the client on the new interface; waits until all have their leases or a
 * minute has passed, and keeps the moved addresses in force meanwhile; then stops those on the old
 * interfaces.
 */
void nv_dhcp_clients_move(struct nv_kernel *kernel, struct nv_plan *plan);
