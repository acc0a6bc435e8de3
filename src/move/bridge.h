/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a move that is a place in a bridge. Both interfaces are the bridge's ports for a
 * while, and lead to the same wire: so that no frame goes back to where it came from, they are
 * isolated from each other, and only one of them sends what goes to all ports. Every step may be
 * repeated. Functions here log what fails, and do nothing for a move without such a place.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/* Before the new interface is set up. False: it is no such port. */
bool nv_bridge_enter(struct nv_kernel *kernel, const struct nv_move *move);

/* Frames arrive on the new interface: it has the place alone from here on. */
void nv_bridge_leave(struct nv_kernel *kernel, const struct nv_move *move);

/* Instead of nv_bridge_leave(): the old one has it alone, and as before. */
void nv_bridge_undo(struct nv_kernel *kernel, const struct nv_move *move);
