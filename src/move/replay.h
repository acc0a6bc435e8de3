/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a plan that consists of rtobjects: routes, rules, neighbours, next hops. They are
 * added on the new interfaces as the kernel described them. Many requests go to the kernel at once.
 * Every step may be repeated. Functions here log what fails.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/steps.h"

/*
 * The number of steps from @first on that concern rtobjects, belong to one stage, and all add or
 * all remove: they go to the kernel together. 0: @first concerns something else.
 */
size_t nv_replay_run(const struct nv_steps *steps, size_t first);

/*
 * Carries out such steps. An object that is replaced in place (a next hop with an id, a route with
 * several) names the new interface from then on. Returns false if an object could not be added
 * although rc.conf does not mention the interface.
 */
bool nv_replay(struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_step *steps,
	size_t count, int priority);

/*
 * Undoes nv_replay(). Objects on the new interfaces are removed only if these will not be deleted.
 */
void nv_replay_undo(struct nv_kernel *kernel, const struct nv_plan *plan);

/*
 * Removes all remaining routes, rules and neighbours from an old interface, including the kernel's
 * own network routes. What was added after the plan was made is added to the new interface before.
 */
void nv_replay_strip(
	struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move);

/* How many of the plan's routes use the new interface of @move, and count (plan.h). */
size_t nv_replay_count_routes(const struct nv_plan *plan, const struct nv_move *move);
