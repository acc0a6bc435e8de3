/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries out a plan, make before break. The new interfaces get everything while the old ones still
 * have it. Only when frames arrive at the new ones is anything removed from the old ones. Every
 * step may be repeated: what is there already stays as it is.
 *
 * These functions log what fails. They return whether the move may go on.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/steps.h"

/*
 * Reads what a plan for @hn is made of: links, addresses, and the rtobjects that name @hn or an
 * interface stacked on it. Returns 0 or -errno; *ret_snapshot is untouched on failure.
 */
int nv_snapshot_take(struct nv_kernel *kernel, int hn, struct nv_snapshot *ret_snapshot);

/*
 * Carries out one stage of the plan's steps (steps.h), in their order. plan->move[0].to is the
 * lagg, which exists.
 *
 * NV_STAGE_FILL ends at the first step that fails; call nv_apply_undo() then. Such a step is an
 * interface that cannot be made, an address, or an rtobject that cannot be replayed (replay.h),
 * unless rc.conf mentions the interface and may be the reason. A route of rc.conf that cannot be
 * added is only logged. Routes are added behind those of the old interfaces. Neighbours that the
 * old interface knows are added too, so that they need not be resolved again. Strict reverse path
 * filtering (rp_filter 1) would drop frames that arrive on one interface while the route back uses
 * the other. So it is loose (2) on both until NV_STAGE_STRIP.
 *
 * NV_STAGE_STRIP_PATHS removes from the old interfaces whatever could still lead traffic to them: a
 * bridge port, routes (including the kernel's own), rules, and all of IPv6. The IPv4 addresses
 * stay: a DHCP client that is started on the new interface may flush it, and the address must never
 * be absent. A VLAN with the name of the one that it replaces is made here, because the two cannot
 * exist at the same time. NV_STAGE_STRIP removes the rest; the bare port stays up. Both stages go
 * on after a failure.
 *
 * NV_STAGE_SWITCH and NV_STAGE_CLIENTS belong to the caller: nothing is done.
 */
bool nv_apply(struct nv_kernel *kernel, struct nv_plan *plan, enum nv_step_stage stage);

/*
 * Undoes what NV_STAGE_FILL changed, except the new interfaces themselves. Call it before anything
 * was stripped and before the new interfaces are deleted.
 */
void nv_apply_undo(struct nv_kernel *kernel, const struct nv_plan *plan);

/* Adds everything of one new interface again if somebody (udhcpc's script) has flushed it. */
void nv_apply_keep(
	struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move);

/*
 * Call this before a DHCP client is started on the new interface of @move: an address that is there
 * already is not its lease.
 */
void nv_apply_before_lease(struct nv_kernel *kernel, struct nv_move *move);

/*
 * Call this after a DHCP client of the new interface of @move has said that it is done. If it has
 * another address, the one that was leased before is removed. If it has the same address,
 * everything is added again. If the client did not refresh the address's lifetime (ISC's script
 * cannot while the address is there), the lifetime becomes infinite until the client changes it.
 * Returns false if it has no lease but a link-local address (RFC 3927): then the old lease stays.
 */
bool nv_apply_leased(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move);
