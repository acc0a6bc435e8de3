/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries out a plan, make before break: the new interfaces get everything while the old ones
 * still have it, and only when frames arrive at the new ones is anything taken off the old.
 * Every step may be repeated: what is there already is left as it is.
 *
 * These functions log what fails; they return whether the work may go on.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/steps.h"

/*
 * Takes what a plan for @hn is made of: links, addresses, and the things that name @hn or what is
 * stacked on it. Returns 0 or -errno.
 */
int nv_snapshot_take(struct nv_kernel *kernel, int hn, struct nv_snapshot *ret_snapshot);

/*
 * Carries out one stage of the plan's steps (steps.h), in their order. plan->move[0].to is the lagg
 * and exists.
 *
 * NV_STAGE_FILL ends at the first step that fails, and is then for nv_apply_undo(): an interface
 * that cannot be made, an address, and what is carried (carry.h) unless rc.conf says anything that
 * may have made it impossible. A route of rc.conf's that cannot be is only told. Routes go behind
 * the old ones; neighbours that the old interface knows come along, so that nobody has to be asked
 * again. Strict reverse path filtering (rp_filter 1) would drop what arrives on the one while the
 * route back is by the other: it is loose (2) on both until NV_STAGE_STRIP.
 *
 * NV_STAGE_STRIP_PATHS takes off the old interfaces whatever might still lead traffic by them: a
 * place in a bridge, routes, also the kernel's own, rules, and all of IPv6. The IPv4 addresses
 * stay, so that a DHCP client may be started on the new interface, which may flush it, with the
 * address never absent. A VLAN that has the name of the one it replaces is made here, for the two
 * cannot exist side by side. NV_STAGE_STRIP takes off the rest; the bare port stays up. Both go on
 * after a failure.
 *
 * NV_STAGE_SWITCH and NV_STAGE_CLIENTS are the caller's: nothing is done.
 */
bool nv_apply(struct nv_kernel *kernel, struct nv_plan *plan, enum nv_step_stage stage);

/*
 * Before anything was stripped, and before the new interfaces are deleted: what NV_STAGE_FILL
 * changed beyond those goes back.
 */
void nv_apply_undo(struct nv_kernel *kernel, const struct nv_plan *plan);

/* Puts one new interface in force again if somebody (udhcpc's script) has flushed it. */
void nv_apply_keep(
	struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move);

/*
 * After a DHCP client got its lease on the new interface of @move: if that is for another address,
 * the inherited IPv4 addresses are removed. If it is for the same, all is put in force again, and
 * where the client did not refresh the address's lifetime (ISC's script cannot while the address is
 * there) it is made to last until the client says otherwise.
 */
void nv_apply_leased(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move);
