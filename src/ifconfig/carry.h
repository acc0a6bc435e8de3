/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a plan that is carried as the kernel told of it: routes, rules, neighbours, next
 * hops. Many requests go to the kernel at once. Every step may be repeated. Functions here log what
 * fails.
 */
#pragma once

#include "ifconfig/plan.h"
#include "kernel/kernel.h"

/*
 * Makes the plan's things on the new interfaces; those that stay one thing (next hops, routes with
 * several) name the new interface from then on. @late: those, and only those, that name an
 * interface that had to wait; without it those are left out. False: one could not be made, although
 * rc.conf says nothing that may have made it impossible.
 */
bool nv_carry_fill(struct nv_kernel *kernel, const struct nv_plan *plan, bool late, int priority);

/*
 * Takes back what nv_carry_fill() did: what is on the new interfaces only if these are not to be
 * deleted.
 */
void nv_carry_undo(struct nv_kernel *kernel, const struct nv_plan *plan);

/* Takes everything of the kind off the old interfaces, also the kernel's own networks. */
void nv_carry_strip(struct nv_kernel *kernel, const struct nv_plan *plan);

/* How many of the plan's routes are by the new interface of @move. */
size_t nv_carry_count_routes(const struct nv_plan *plan, const struct nv_move *move);
