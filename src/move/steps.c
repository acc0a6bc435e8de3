/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/steps.h"

#include <errno.h>

struct lister {
	const struct nv_plan *plan;
	struct nv_steps steps;
	enum nv_step_stage stage;
	int error; /* the first error; nothing is listed after it */
};

const char *nv_step_verb_name(enum nv_step_verb verb)
{
	switch (verb) {
	case NV_STEP_MAKE:
		return "make";
	case NV_STEP_COPY:
		return "copy";
	case NV_STEP_ADD:
		return "add";
	case NV_STEP_REPLACE:
		return "replace";
	case NV_STEP_WAIT:
		return "wait";
	case NV_STEP_SWITCH:
		return "switch";
	case NV_STEP_CLOSE:
		return "close";
	case NV_STEP_REMOVE:
		return "remove";
	case NV_STEP_LEAVE:
		return "leave";
	case NV_STEP_SETTLE:
		return "settle";
	}
	return "";
}

static void steps_put(struct lister *lister, const struct nv_step *step)
{
	struct nv_steps *steps = &lister->steps;
	size_t size = steps->size ? 2 * steps->size : 64;
	struct nv_step *more;

	if (lister->error)
		return;
	if (steps->count == steps->size) {
		more = reallocarray(steps->step, size, sizeof(*more));
		if (!more) {
			lister->error = -ENOMEM;
			return;
		}
		steps->step = more;
		steps->size = size;
	}
	steps->step[steps->count] = *step;
	steps->step[steps->count++].stage = lister->stage;
}

static void steps_list(
	struct lister *lister, enum nv_step_verb verb, enum nv_step_object object, size_t move)
{
	steps_put(lister, &(struct nv_step){.verb = verb, .object = object, .move = move});
}

/*
 * The kernel appends an IPv4 address to the list of its link, and inserts an IPv6 address before
 * older ones of the same scope (ipv6_link_dev_addr()). So IPv6 addresses are added in reverse
 * order.
 */
static void steps_list_addrs(struct lister *lister, size_t index)
{
	const struct nv_addrs *addrs = &lister->plan->move[index].addrs;
	struct nv_step step = {.verb = NV_STEP_ADD, .object = NV_STEP_ADDR, .move = index};

	for (step.index = 0; step.index < addrs->count; step.index++)
		if (addrs->addr[step.index].local.family == AF_INET)
			steps_put(lister, &step);
	for (step.index = addrs->count; step.index-- > 0;)
		if (addrs->addr[step.index].local.family == AF_INET6)
			steps_put(lister, &step);
}

static void steps_list_routes(struct lister *lister, size_t index)
{
	const struct nv_move *move = &lister->plan->move[index];
	struct nv_step step = {.verb = NV_STEP_ADD, .object = NV_STEP_ROUTE, .move = index};

	for (; step.index < move->routes.count && move->up; step.index++)
		steps_put(lister, &step);
}

static void steps_list_content(struct lister *lister, size_t index)
{
	steps_list_addrs(lister, index);
	steps_list_routes(lister, index);
}

static void steps_list_link(struct lister *lister, size_t index)
{
	steps_list(lister, NV_STEP_MAKE, NV_STEP_LINK, index);
	if (lister->plan->move[index].port.count)
		steps_list(lister, NV_STEP_COPY, NV_STEP_PORT, index);
	steps_list(lister, NV_STEP_COPY, NV_STEP_SETTINGS, index);
}

static void steps_list_new_interfaces(struct lister *lister)
{
	const struct nv_plan *plan = lister->plan;

	for (size_t i = 0; i < plan->count; i++) {
		if (nv_plan_is_late(plan, &plan->move[i]))
			continue;
		steps_list_link(lister, i);
	}
	for (size_t i = 0; i < plan->count; i++)
		if (!nv_plan_is_late(plan, &plan->move[i]))
			steps_list_content(lister, i);
	/* Before there are many routes, because the kernel would walk all of them. */
	for (size_t i = 0; i < plan->count; i++)
		if (!nv_plan_is_late(plan, &plan->move[i]) && plan->move[i].up)
			steps_list(lister, NV_STEP_WAIT, NV_STEP_ADDRS6, i);
	for (size_t i = 0; i < plan->count; i++)
		if (!nv_plan_is_late(plan, &plan->move[i]) && plan->move[i].was)
			steps_list(lister, NV_STEP_COPY, NV_STEP_NAMES, i);
}

static void steps_list_late_interfaces(struct lister *lister)
{
	const struct nv_plan *plan = lister->plan;

	for (size_t i = 0; i < plan->count; i++) {
		if (!nv_plan_is_late(plan, &plan->move[i]))
			continue;
		if (plan->move[i].was)
			steps_list(lister, NV_STEP_REMOVE, NV_STEP_LINK, i);
		steps_list_link(lister, i);
		steps_list_content(lister, i);
		if (plan->move[i].port.count)
			steps_list(lister, NV_STEP_SETTLE, NV_STEP_PORT, i);
	}
}

/* The first move whose old interface the object names, among those for which @late is the same. */
static bool steps_find_move(
	const struct nv_plan *plan, const struct nv_rtobj *obj, bool late, size_t *ret_index)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct nv_move *move = &plan->move[i];
		const struct nv_link_map was = {
			move->was, move->was, move->from_name, move->from_name};

		if (!move->was || (late && !nv_plan_is_late(plan, move)) ||
			!nv_rtobj_refers(obj, &(struct nv_link_maps){&was, 1}))
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

static void steps_list_objs(struct lister *lister, bool late)
{
	nv_each_rtobj (obj, &lister->plan->objs) {
		struct nv_step step = {.object = NV_STEP_RTOBJ, .obj = obj};

		if (steps_find_move(lister->plan, obj, true, &step.move) != late)
			continue;
		step.verb = nv_rtobj_is_replaced(obj) ? NV_STEP_REPLACE : NV_STEP_ADD;
		if (!late)
			steps_find_move(lister->plan, obj, false, &step.move);
		steps_put(lister, &step);
	}
}

static bool steps_is_dropped_in(const struct nv_rtobj *obj, enum nv_step_stage stage)
{
	struct nv_addr addr;
	bool is_ipv4 = nv_rtobj_addr(obj, &addr) == 0 && addr.local.family == AF_INET;

	return is_ipv4 == (stage == NV_STAGE_STRIP);
}

static void steps_list_dropped(struct lister *lister)
{
	const struct nv_plan *plan = lister->plan;
	struct nv_step step = {.verb = NV_STEP_LEAVE, .object = NV_STEP_RTOBJ};

	nv_each_rtobj (obj, &plan->dropped) {
		struct nv_addr addr;

		if (!steps_is_dropped_in(obj, lister->stage))
			continue;
		step.obj = obj;
		step.move = 0;
		if (nv_rtobj_addr(obj, &addr) < 0)
			steps_find_move(plan, obj, false, &step.move);
		else
			while (step.move < plan->count - 1 &&
				plan->move[step.move].was != addr.ifindex)
				step.move++;
		steps_put(lister, &step);
	}
}

/* In reverse order: rules before their routes. Learnt entries expire. */
static void steps_list_removals(struct lister *lister)
{
	const struct nv_rtobjs *objs = &lister->plan->objs;
	struct nv_step step = {.verb = NV_STEP_REMOVE, .object = NV_STEP_RTOBJ};

	for (unsigned int kind = NV_RTOBJ_KINDS; kind-- > 0;)
		nv_each_rtobj (obj, objs) {
			if (nv_rtobj_kind(obj) != kind || nv_rtobj_is_replaced(obj) ||
				nv_rtobj_is_learnt(obj))
				continue;
			step.obj = obj;
			if (steps_find_move(lister->plan, obj, false, &step.move))
				steps_put(lister, &step);
		}
}

static void steps_list_strip_paths(struct lister *lister)
{
	const struct nv_plan *plan = lister->plan;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].port.count && !nv_plan_is_late(plan, &plan->move[i]))
			steps_list(lister, NV_STEP_REMOVE, NV_STEP_PORT, i);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].was)
			steps_list(lister, NV_STEP_CLOSE, NV_STEP_SETTINGS, i);
	steps_list_dropped(lister);
	steps_list_removals(lister);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].was)
			steps_list(lister, NV_STEP_REMOVE, NV_STEP_REST, i);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].was)
			steps_list(lister, NV_STEP_REMOVE, NV_STEP_ADDRS6, i);
	steps_list_late_interfaces(lister);
	steps_list_objs(lister, true);
}

static void steps_list_strip(struct lister *lister)
{
	const struct nv_plan *plan = lister->plan;

	for (size_t i = 0; i < plan->count; i++)
		steps_list(lister, NV_STEP_SETTLE, NV_STEP_SETTINGS, i);
	steps_list_dropped(lister);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].was && !plan->move[i].vlan_id)
			steps_list(lister, NV_STEP_REMOVE, NV_STEP_NAMES, i);
	for (size_t i = plan->count; i-- > 0;) {
		const struct nv_move *move = &plan->move[i];

		if (move->was && !nv_plan_is_late(plan, move))
			steps_list(lister, NV_STEP_REMOVE,
				move->vlan_id ? NV_STEP_LINK : NV_STEP_ADDRS4, i);
	}
}

static void steps_list_clients(struct lister *lister)
{
	const struct nv_plan *plan = lister->plan;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].client != NV_CLIENT_STOP)
			steps_list(lister, NV_STEP_ADD, NV_STEP_CLIENT, i);
}

static void steps_list_stage(struct lister *lister, enum nv_step_stage stage)
{
	lister->stage = stage;
	switch (stage) {
	case NV_STAGE_FILL:
		steps_list_new_interfaces(lister);
		steps_list_objs(lister, false);
		break;
	case NV_STAGE_SWITCH:
		steps_list(lister, NV_STEP_SWITCH, NV_STEP_FRAMES, 0);
		break;
	case NV_STAGE_STRIP_PATHS:
		steps_list_strip_paths(lister);
		break;
	case NV_STAGE_CLIENTS:
		steps_list_clients(lister);
		break;
	case NV_STAGE_STRIP:
		steps_list_strip(lister);
		break;
	}
}

static int steps_take(struct lister *lister, struct nv_steps *ret_steps)
{
	if (lister->error < 0)
		nv_steps_auto(&lister->steps);
	else
		*ret_steps = lister->steps;
	return lister->error;
}

int nv_steps_list_stage(
	const struct nv_plan *plan, enum nv_step_stage stage, struct nv_steps *ret_steps)
{
	struct lister lister = {.plan = plan};

	steps_list_stage(&lister, stage);
	return steps_take(&lister, ret_steps);
}

int nv_steps_list(const struct nv_plan *plan, struct nv_steps *ret_steps)
{
	struct lister lister = {.plan = plan};

	for (enum nv_step_stage stage = NV_STAGE_FILL; stage <= NV_STAGE_STRIP; stage++)
		steps_list_stage(&lister, stage);
	return steps_take(&lister, ret_steps);
}

void nv_steps_auto(struct nv_steps *steps)
{
	free(steps->step);
	*steps = (struct nv_steps){};
}

const char *nv_step_ifname(const struct nv_plan *plan, const struct nv_step *step)
{
	const struct nv_move *move = &plan->move[step->move];

	switch (step->verb) {
	case NV_STEP_MAKE:
	case NV_STEP_COPY:
	case NV_STEP_ADD:
	case NV_STEP_REPLACE:
	case NV_STEP_WAIT:
	case NV_STEP_SWITCH:
	case NV_STEP_SETTLE:
		return move->to_name;
	case NV_STEP_CLOSE:
	case NV_STEP_REMOVE:
	case NV_STEP_LEAVE:
		return move->from_name;
	}
	return "";
}

static void steps_text_link(
	const struct nv_plan *plan, const struct nv_step *step, struct nv_str *text)
{
	const struct nv_move *move = &plan->move[step->move];

	if (step->verb == NV_STEP_REMOVE && nv_plan_is_late(plan, move))
		nv_str_add(text,
			"the VLAN, so that its replacement can have the name: it receives nothing until then");
	else if (step->verb == NV_STEP_REMOVE)
		nv_str_add(text, "the VLAN");
	else if (move->vlan_id)
		nv_str_printf(
			text, "VLAN %u on %s", move->vlan_id, plan->move[move->lower].to_name);
	else
		nv_str_printf(text, "the lagg of %s", move->from_name);
}

static void steps_text_settings(
	const struct nv_move *move, const struct nv_step *step, struct nv_str *text)
{
	if (step->verb == NV_STEP_CLOSE) {
		nv_str_add(text, "to router advertisements and to automatic IPv6 addresses");
		return;
	}
	if (step->verb == NV_STEP_SETTLE) {
		nv_str_add(text, "reverse path filtering and duplicate address detection");
		return;
	}
	if (move->was)
		nv_str_printf(text, "the settings of %s; ", move->from_name);
	nv_str_printf(
		text, "MTU %u%s%s", move->mtu, move->description[0] ? "; " : "", move->description);
}

static void steps_text_addr(
	const struct nv_move *move, const struct nv_step *step, struct nv_str *text)
{
	const struct nv_addr *addr = &move->addrs.addr[step->index];
	char ip[NV_IP_TEXT];

	nv_str_printf(text, "address %s/%u%s", nv_ip_text(&addr->local, ip), addr->prefix_len,
		step->index < move->n_configured_addrs ? " of rc.conf" : "");
}

static void steps_text_route(
	const struct nv_move *move, const struct nv_step *step, struct nv_str *text)
{
	NV_AUTO(nv_rtobjs) struct nv_rtobjs objs = {};

	if (nv_rtobjs_add_route(&objs, &move->routes.route[step->index]) == 0)
		nv_rtobj_text(nv_rtobjs_next(&objs, NULL), text);
	nv_str_add(text, " of rc.conf");
}

void nv_step_text(const struct nv_plan *plan, const struct nv_step *step, struct nv_str *text)
{
	const struct nv_move *move = &plan->move[step->move];

	switch (step->object) {
	case NV_STEP_LINK:
		steps_text_link(plan, step, text);
		break;
	case NV_STEP_SETTINGS:
		steps_text_settings(move, step, text);
		break;
	case NV_STEP_PORT:
		nv_str_printf(text, "%s bridge port of %s%s",
			step->verb == NV_STEP_COPY ? "the" : "its", move->bridge,
			step->verb == NV_STEP_COPY ? ", isolated and without flooding for now"
						   : "");
		break;
	case NV_STEP_ADDR:
		steps_text_addr(move, step, text);
		break;
	case NV_STEP_ROUTE:
		steps_text_route(move, step, text);
		break;
	case NV_STEP_RTOBJ:
		nv_rtobj_text(step->obj, text);
		break;
	case NV_STEP_REST:
		nv_str_add(text, "routes to its own networks, and what was added to it meanwhile");
		break;
	case NV_STEP_ADDRS4:
		nv_str_add(text, "IPv4 addresses");
		break;
	case NV_STEP_ADDRS6:
		nv_str_add(text, step->verb == NV_STEP_WAIT ? "until IPv6 addresses can be used"
							    : "IPv6 addresses");
		break;
	case NV_STEP_NAMES:
		nv_str_printf(text, "the settings of %s in systemd-resolved, if that runs",
			move->from_name);
		break;
	case NV_STEP_FRAMES:
		nv_str_add(text, "frames arrive here from now on");
		break;
	case NV_STEP_CLIENT:
		nv_str_add(text, move->client == NV_CLIENT_START
					 ? "a DHCP client, as rc.conf says"
					 : "a DHCP client, if one runs now");
		break;
	}
}
