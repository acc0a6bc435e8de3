/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of an interface that takes another's place. Functions log what fails. */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/*
 * Gives the new interface of @move one of its addresses; one that is there stays. Of IPv6 it comes
 * without duplicate address detection, which would find the old interface's, and with the longest
 * lifetime instead of for ever: see nv_addresses_settle(). Returns whether it is there.
 */
bool nv_addresses_fill(
	struct nv_kernel *kernel, const struct nv_move *move, const struct nv_addr *planned);

/*
 * An IPv6 address without detection is in force when a kernel's worker has seen to it, a moment
 * later (addrconf_dad_work()); to take it off the old interface before would make it deaf. Waits
 * for that, a second at most.
 */
void nv_addresses_wait(struct nv_kernel *kernel, const struct nv_move *move);

/*
 * What link @ifindex got from nv_addresses_fill() is as @planned from now on: with detection,
 * which is not made up for, and for ever. An address that was not for ever leaves the routes to its
 * network alone when it is changed; of one that was, the kernel would take the first route to its
 * network, whosever it is (modify_prefix_route()).
 */
void nv_addresses_settle(struct nv_kernel *kernel, int ifindex, const struct nv_addrs *planned);

/* Takes those of a family off the old interface. */
void nv_addresses_strip(struct nv_kernel *kernel, const struct nv_move *move, int family);

/* Takes those that were planned off the new interface. */
void nv_addresses_undo(struct nv_kernel *kernel, const struct nv_move *move);

/* NULL: none. Owned by @addrs. */
const struct nv_addr *nv_addresses_find(const struct nv_addrs *addrs, const struct nv_ip *ip);

/*
 * Whether among @routes, those of its link, there is no route to the network of an IPv4 address
 * that brings one: somebody has flushed the routes after it came.
 */
bool nv_addresses_lacks_network(const struct nv_addr *addr, const struct nv_routes *routes);
