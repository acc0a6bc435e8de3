/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/replay.h"

#include "base/log.h"

#include <errno.h>

/* The moves of a plan that have a new interface, as link maps. */
static bool list_moves(const struct nv_plan *plan, struct nv_link_maps *ret_list)
{
	struct nv_link_map *list = calloc(plan->count, sizeof(*list));
	size_t count = 0;

	if (!list) {
		nv_err("cannot list the objects that move: %s", nv_strerror(-ENOMEM));
		return false;
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct nv_move *move = &plan->move[i];

		if (move->was && move->to)
			list[count++] = (struct nv_link_map){
				move->was, move->to, move->from_name, move->to_name};
	}
	*ret_list = (struct nv_link_maps){list, count};
	return true;
}

static void maps_auto(struct nv_link_maps *list)
{
	free((void *)list->map);
}

/* Whether the result of a request is the one wanted: the object is there, or gone. */
static bool replay_is_fine(enum nv_rtobj_verb verb, const struct nv_rtobj *obj, int error)
{
	if (error == 0)
		return true;
	switch (verb) {
	case NV_RTOBJ_ADD:
		return error == -EEXIST || nv_rtobj_is_learnt(obj);
	case NV_RTOBJ_REPLACE:
		return false;
	case NV_RTOBJ_DELETE:
		return error == -ESRCH || error == -ENOENT || error == -ENODEV ||
		       error == -EADDRNOTAVAIL;
	}
	return false;
}

/* Sends one request for each object. Requests that replace may be among those that add. */
static bool replay_carry_out(
	struct nv_kernel *kernel, struct nv_rtobjs *requests, enum nv_rtobj_verb verb, int priority)
{
	NV_AUTO(nv_free) int *errors = calloc(requests->count ? requests->count : 1, sizeof(int));
	const char *what = verb == NV_RTOBJ_DELETE ? "take off" : "move";
	const struct nv_rtobj *obj = NULL;
	bool fine = true;
	int r = errors ? nv_kernel_batch(kernel, requests, errors) : -ENOMEM;

	if (r < 0) {
		nv_err("cannot %s routes and the like: %s", what, nv_strerror(r));
		return false;
	}
	for (size_t i = 0; i < requests->count; i++) {
		NV_AUTO(nv_str) struct nv_str text = {};

		obj = nv_rtobjs_next(requests, obj);
		if (replay_is_fine(verb, obj, errors[i]))
			continue;
		fine = false;
		nv_rtobj_text(obj, &text);
		nv_log(priority, "cannot %s the %s: %s", what, nv_str_text(&text),
			nv_strerror(errors[i]));
	}
	return fine;
}

static enum nv_rtobj_verb replay_verb_of(const struct nv_step *step)
{
	switch (step->verb) {
	case NV_STEP_ADD:
		return NV_RTOBJ_ADD;
	case NV_STEP_REPLACE:
		return NV_RTOBJ_REPLACE;
	case NV_STEP_MAKE:
	case NV_STEP_COPY:
	case NV_STEP_WAIT:
	case NV_STEP_SWITCH:
	case NV_STEP_CLOSE:
	case NV_STEP_REMOVE:
	case NV_STEP_LEAVE:
	case NV_STEP_SETTLE:
		break;
	}
	return NV_RTOBJ_DELETE;
}

size_t nv_replay_run(const struct nv_steps *steps, size_t first)
{
	const struct nv_step *step = &steps->step[first];
	bool deletes = replay_verb_of(step) == NV_RTOBJ_DELETE;
	size_t count = 0;

	while (first + count < steps->count && step[count].object == NV_STEP_RTOBJ &&
		step[count].stage == step->stage &&
		(replay_verb_of(&step[count]) == NV_RTOBJ_DELETE) == deletes)
		count++;
	return count;
}

bool nv_replay(struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_step *steps,
	size_t count, int priority)
{
	bool deletes = replay_verb_of(steps) == NV_RTOBJ_DELETE;
	NV_AUTO(maps) struct nv_link_maps ready = {};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs requests = {};
	int r = list_moves(plan, &ready) ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++)
		r = nv_rtobjs_request(&requests, steps[i].obj, replay_verb_of(&steps[i]),
			deletes ? NULL : &ready);
	if (r < 0) {
		nv_err("cannot move routes and the like: %s", nv_strerror(r));
		return false;
	}
	return replay_carry_out(
		       kernel, &requests, deletes ? NV_RTOBJ_DELETE : NV_RTOBJ_ADD, priority) ||
	       deletes || plan->is_configured;
}

void nv_replay_undo(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	NV_AUTO(maps) struct nv_link_maps ready = {};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs gone = {};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs back = {};
	const struct nv_rtobjs *objs = &plan->objs;
	int r = list_moves(plan, &ready) ? 0 : -ENOMEM;

	nv_each_rtobj (obj, objs) {
		if (r == 0 && nv_rtobj_is_replaced(obj))
			r = nv_rtobjs_request(&back, obj, NV_RTOBJ_REPLACE, NULL);
		else if (r == 0 && (plan->move[0].keeps || nv_rtobj_is_shared(obj) ||
					   nv_rtobj_kind(obj) == NV_RTOBJ_RULE))
			r = nv_rtobjs_request(&gone, obj, NV_RTOBJ_DELETE, &ready);
	}
	if (r == 0) {
		replay_carry_out(kernel, &back, NV_RTOBJ_ADD, LOG_ERR);
		replay_carry_out(kernel, &gone, NV_RTOBJ_DELETE, LOG_ERR);
	}
}

/*
 * The plan's own have been removed before. The kernel adds networks with addresses. @gateway: of
 * those with a gateway, or of those without.
 */
static bool replay_is_new(const struct nv_rtobj *obj, bool gateway)
{
	NV_AUTO(nv_routes) struct nv_routes hops = {};
	const struct nv_route *route;

	if (nv_rtobj_route(obj, &hops) < 0 || !hops.count)
		return !gateway;
	route = &hops.route[0];
	return route->has_gateway == gateway &&
	       (!nv_route_is_network(route) || nv_plan_is_copied_network(route));
}

static bool replay_is_to_go(const struct nv_rtobj *obj)
{
	NV_AUTO(nv_routes) struct nv_routes hops = {};

	if (nv_rtobj_route(obj, &hops) < 0)
		/* Learnt entries expire. */
		return !nv_rtobj_is_learnt(obj);
	/*
	 * Deleting one next hop of an IPv4 multipath route deletes the whole route, so skip it
	 * here; it was replaced explicitly.
	 */
	if (hops.count > 1 && hops.route[0].family == AF_INET)
		return false;
	return hops.count &&
	       (nv_route_is_network(&hops.route[0]) || nv_plan_route_counts(&hops.route[0]));
}

/* Those that the new interface is to have too; routes without a gateway first. */
static int replay_request_follow(
	const struct nv_rtobjs *found, const struct nv_move *move, struct nv_rtobjs *requests)
{
	const struct nv_link_map map = {move->from, move->to, move->from_name, move->to_name};
	const struct nv_link_maps list = {&map, 1};
	int r = 0;

	for (int gateway = 0; gateway <= 1; gateway++)
		nv_each_rtobj (obj, found)
			if (r == 0 && nv_rtobj_refers(obj, &list) && replay_is_to_go(obj) &&
				replay_is_new(obj, gateway))
				r = nv_rtobjs_request(requests, obj, NV_RTOBJ_ADD, &list);
	return r;
}

/* @follow: gets requests for those that the new interface is to have too; NULL: it gets none. */
static int replay_request_strip(struct nv_kernel *kernel, const struct nv_move *move,
	enum nv_rtobj_kind kind, struct nv_rtobjs *follow, struct nv_rtobjs *requests)
{
	const struct nv_link_map from = {move->from, move->from, move->from_name, move->from_name};
	const struct nv_link_maps list = {&from, 1};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs found = {};
	int r = nv_kernel_rtobjs(kernel, kind, move->from, &found);

	if (r == 0 && follow)
		r = replay_request_follow(&found, move, follow);
	nv_each_rtobj (obj, &found)
		if (r == 0 && nv_rtobj_refers(obj, &list) && replay_is_to_go(obj))
			r = nv_rtobjs_request(requests, obj, NV_RTOBJ_DELETE, &list);
	return r;
}

void nv_replay_strip(
	struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move)
{
	static const enum nv_rtobj_kind kinds[] = {NV_RTOBJ_RULE, NV_RTOBJ_ROUTE, NV_RTOBJ_NEIGH};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs follow = {};
	NV_AUTO(nv_rtobjs) struct nv_rtobjs requests = {};
	bool follows = move->to && !plan->exclusive;

	for (size_t k = 0; k < NV_ARRAY_SIZE(kinds); k++) {
		int r = replay_request_strip(
			kernel, move, kinds[k], follows ? &follow : NULL, &requests);

		if (r < 0)
			nv_warn("cannot list the routes and the like of %s: %s", move->from_name,
				nv_strerror(r));
	}
	replay_carry_out(kernel, &follow, NV_RTOBJ_ADD, LOG_WARNING);
	replay_carry_out(kernel, &requests, NV_RTOBJ_DELETE, LOG_WARNING);
}

size_t nv_replay_count_routes(const struct nv_plan *plan, const struct nv_move *move)
{
	const struct nv_link_map from = {move->was, move->to, move->from_name, move->to_name};
	const struct nv_link_maps list = {&from, 1};
	const struct nv_rtobjs *objs = &plan->objs;
	size_t count = 0;

	nv_each_rtobj (obj, objs) {
		NV_AUTO(nv_routes) struct nv_routes hops = {};

		count += nv_rtobj_refers(obj, &list) && nv_rtobj_route(obj, &hops) == 0 &&
			 hops.count && nv_plan_route_counts(&hops.route[0]);
	}
	return count;
}
