/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a move that concerns a bridge port. For a while both interfaces are ports of the
 * bridge and lead to the same wire. They are isolated from each other, so that no frame loops, and
 * only one of them sends flooded frames. Every step may be repeated. Functions here log what fails,
 * and do nothing for a move without a bridge port.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/*
 * Makes the new interface a bridge port. Call it before the interface is set up. Returns false if
 * it is not a port.
 */
bool nv_bridge_enter(struct nv_kernel *kernel, const struct nv_move *move);

/* Frames arrive on the new interface: from now on only that one is the bridge port. */
void nv_bridge_leave(struct nv_kernel *kernel, const struct nv_move *move);

/* Undoes nv_bridge_enter(): only the old interface is the bridge port, with its old settings. */
void nv_bridge_undo(struct nv_kernel *kernel, const struct nv_move *move);
