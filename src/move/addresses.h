/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves the addresses of an interface to the one that replaces it. The functions log what fails. */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/*
 * Adds one address to the new interface of @move; does nothing if it is there already. An IPv6
 * address is added without duplicate address detection, which would find the old interface's
 * address, and with the longest finite lifetime instead of an infinite one: see
 * nv_addresses_complete(). Returns whether the address is there.
 */
bool nv_addresses_fill(
	struct nv_kernel *kernel, const struct nv_move *move, const struct nv_addr *planned);

/*
 * An IPv6 address that was added without duplicate address detection is used only after a kernel
 * worker has processed it (addrconf_dad_work()). If the old interface lost the address before that,
 * nobody would receive frames for it. Waits for this, for a second at most.
 */
void nv_addresses_wait(struct nv_kernel *kernel, const struct nv_move *move);

/*
 * Gives the addresses that nv_addresses_fill() added to link @ifindex the flags and lifetimes of
 * @planned: duplicate address detection is on again for later changes, and the lifetime may be
 * infinite. It was finite until now because changing a permanent address makes the kernel delete
 * the first route to its network, whichever interface that belongs to (modify_prefix_route()).
 */
void nv_addresses_complete(struct nv_kernel *kernel, int ifindex, const struct nv_addrs *planned);

/*
 * Gives the new interface what somebody has given the old one since the plan was made: addresses
 * without an end. Those with one, and link-local ones, come by themselves.
 */
void nv_addresses_follow(struct nv_kernel *kernel, struct nv_move *move);

/* Removes the addresses of a family from the old interface. */
void nv_addresses_strip(struct nv_kernel *kernel, const struct nv_move *move, int family);

/* Removes the planned addresses from the new interface. */
void nv_addresses_undo(struct nv_kernel *kernel, const struct nv_move *move);

/*
 * Whether an IPv4 address should have a route to its network, and @routes (those of its link) has
 * none: somebody has flushed the routes after the address was added.
 */
bool nv_addresses_lacks_network(const struct nv_addr *addr, const struct nv_routes *routes);
