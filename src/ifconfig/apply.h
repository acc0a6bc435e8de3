/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries out a plan, make before break: the new interfaces get everything while the old ones
 * still have it, and only when frames arrive at the new ones is anything taken off the old.
 * Every step may be repeated: what is there already is left as it is.
 *
 * These functions log what fails; they return whether the work may go on.
 */
#pragma once

#include "ifconfig/plan.h"
#include "kernel/kernel.h"

/*
 * Takes what a plan for @hn is made of: links, addresses, and the things that name @hn or what is
 * stacked on it. Returns 0 or -errno.
 */
int nv_snapshot_take(struct nv_kernel *kernel, int hn, struct nv_snapshot *ret_snapshot);

/*
 * Makes the VLANs, gives each new interface the MTU, description and per-interface sysctls of the
 * old one, and sets it up. plan->move[0].to is the lagg and exists. A VLAN that has the name of the
 * one it replaces cannot exist beside it; it keeps `to` 0 and waits for nv_apply_late_vlans().
 *
 * Strict reverse path filtering (rp_filter 1) would drop what arrives on the one while the route
 * back is by the other: it is loose (2) on both until nv_apply_strip().
 */
bool nv_apply_prepare(struct nv_kernel *kernel, struct nv_plan *plan);

/*
 * Adds the addresses (false if one cannot be), the routes that rc.conf says, and what is carried
 * (see carry.h): the routes behind the old ones, the neighbours that the old interface knows, so
 * that nobody has to be asked again.
 */
bool nv_apply_fill(struct nv_kernel *kernel, const struct nv_plan *plan);

/*
 * Before anything was stripped, and before the new interfaces are deleted: what nv_apply_prepare()
 * and nv_apply_fill() changed beyond those goes back.
 */
void nv_apply_undo(struct nv_kernel *kernel, const struct nv_plan *plan);

/* Deletes each VLAN whose successor needs its name, and makes and fills the successor. */
bool nv_apply_late_vlans(struct nv_kernel *kernel, struct nv_plan *plan);

/*
 * Takes off the old interfaces whatever might still carry traffic: routes, also the kernel's own,
 * rules, and all of IPv6. The IPv4 addresses stay, so that a DHCP client may be started on the
 * new interface, which may flush it, with the address never absent.
 */
void nv_apply_strip_paths(struct nv_kernel *kernel, const struct nv_plan *plan);

/*
 * Where link @ifindex has an IPv6 address without duplicate address detection, and @planned has it
 * with: it is said no more. Detection is not made up for.
 */
void nv_apply_settle_addrs(struct nv_kernel *kernel, int ifindex, const struct nv_addrs *planned);

/* Takes the rest off too: IPv4 addresses, VLANs. The bare port stays up. */
void nv_apply_strip(struct nv_kernel *kernel, const struct nv_plan *plan);

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
