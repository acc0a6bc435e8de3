/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What depends on an interface itself and not on its addresses: packet filters that name it,
 * sockets that are bound to it, multicast groups that were joined there. None of them sees a frame
 * any more when the addresses are on another interface.
 */
#pragma once

#include "kernel/kernel.h"
#include "kernel/sockets.h"
#include "move/packet_filter.h"
#include "move/plan.h"

/*
 * nv_packet_filters_read(), for the functions below; adds to @why if there are filters that cannot
 * be listed. Free the result with nv_packet_filters_auto().
 */
void nv_dependents_read(struct nv_packet_filters *ret_filters, struct nv_str *why);

/*
 * Adds to @why what depends on @link: "a packet filter names hn0 (nftables, 1 place, the first a
 * rule of inet f); sockets are bound to hn0 (UDP port 514 of rsyslogd)"; nothing if there is none.
 * A packet filter that names the interface @too as well does not count. Neither do sockets of DHCP
 * clients if there is one that moves along, nor what nv_bound_depends() and nv_group_depends()
 * except. What cannot be listed may be there, and counts. Reads /proc of all processes if sockets
 * are bound. @filters: of nv_dependents_read().
 */
void nv_dependents_find(struct nv_kernel *kernel, const struct nv_packet_filters *filters,
	const struct nv_link *link, const char *too, struct nv_str *why);

/*
 * Adds to @why the MAC addresses that @hn receives for others and that no interface of @links has:
 * a macvlan of it in another network namespace, which hears nothing more when the frames are
 * another interface's. (One that has hn's own address, as an ipvlan, is not found.)
 */
void nv_dependents_find_stacked(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_link *hn, struct nv_str *why);

/*
 * Adds to @why the next hops with ids (ip-nexthop(8)) of a VLAN that is deleted before it is made
 * anew: with it the kernel deletes the routes that name them, and takes them out of their groups
 * (remove_nexthop(), net/ipv4/nexthop.c).
 */
void nv_dependents_find_nexthops(const struct nv_plan *plan, struct nv_str *why);

/*
 * Whether a socket counts, whoever has it. Not if only a link-local address binds it: servers that
 * listen on each address follow the addresses. Not TCP and UDP of a user who may log in, because
 * any user can bind such a socket (Linux 5.7) and must not decide what root does. Pure.
 */
bool nv_bound_depends(const struct nv_bound *bound);

/*
 * Whether a group counts. Not those that the kernel joins on each interface (RFC 1112, RFC 4291),
 * and those of name resolution (mDNS, LLMNR), which is told of new addresses. Others count whoever
 * has joined them, because the kernel does not tell. Pure.
 */
bool nv_group_depends(const struct nv_ip *group);

/*
 * Keeps @why, of nv_dependents_find() or nv_plan_make(), as the reason for which @hn keeps its
 * configuration, for `netvf doctor`, in the run directory; "": there is none any more. Returns
 * whether a reason is new: none was kept before. A failure is not reported, because the move does
 * not depend on it.
 */
bool nv_dependents_keep(const char *run_dir, const char *hn, const char *why);

/* The reason that was kept; "": there is none. */
void nv_dependents_kept(const char *run_dir, const char *hn, char *ret_why, size_t size);
