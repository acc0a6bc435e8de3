/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a plan that is carried as the kernel told of it: routes, rules, neighbours, next
 * hops. Many requests go to the kernel at once. Every step may be repeated. Functions here log what
 * fails.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/steps.h"

/*
 * How many of the steps from @first on are done to things, of one stage and either all to make them
 * or all to take them off: they go to the kernel together. 0: @first is done to something else.
 */
size_t nv_replay_run(const struct nv_steps *steps, size_t first);

/*
 * Carries out such a run. What stays one thing (next hops, routes with several) names the new
 * interface from then on. False: one could not be made, although rc.conf says nothing that may have
 * made it impossible.
 */
bool nv_replay(struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_step *steps,
	size_t count, int priority);

/*
 * Takes back what was carried: what is on the new interfaces only if these are not to be deleted.
 */
void nv_replay_undo(struct nv_kernel *kernel, const struct nv_plan *plan);

/*
 * Takes off an old interface whatever there still is of routes, rules and neighbours, also the
 * kernel's own networks, and what nobody knew of when the plan was made.
 */
void nv_replay_strip(struct nv_kernel *kernel, const struct nv_move *move);

/* How many of the plan's routes are by the new interface of @move. */
size_t nv_replay_count_routes(const struct nv_plan *plan, const struct nv_move *move);
