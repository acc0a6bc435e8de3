/* SPDX-License-Identifier: BSD-2-Clause */
#include "ifconfig/steps.h"

#include <errno.h>

struct teller {
	const struct nv_plan *plan;
	int (*each)(const struct nv_step *step, void *data);
	void *data;
	int error; /* the first; nothing is told after it */
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
	case NV_STEP_SWITCH:
		return "switch";
	case NV_STEP_REMOVE:
		return "remove";
	case NV_STEP_LEAVE:
		return "leave";
	}
	return "";
}

static void tell(struct teller *teller, enum nv_step_verb verb, const char *ifname,
	const struct nv_str *what)
{
	const struct nv_step step = {verb, ifname, nv_str_text(what)};

	if (teller->error == 0)
		teller->error = what->error;
	if (teller->error == 0)
		teller->error = teller->each(&step, teller->data);
}

static void tell_words(
	struct teller *teller, enum nv_step_verb verb, const char *ifname, const char *words)
{
	NV_AUTO(nv_str) struct nv_str what = {};

	nv_str_add(&what, words);
	tell(teller, verb, ifname, &what);
}

/* One that has the name of what it replaces is made when that is gone. */
static bool is_late(const struct nv_move *move)
{
	return move->vlan_id && nv_streq(move->from_name, move->to_name);
}

static void tell_interface(struct teller *teller, const struct nv_move *move)
{
	NV_AUTO(nv_str) struct nv_str what = {};
	NV_AUTO(nv_str) struct nv_str settings = {};

	if (move->vlan_id)
		nv_str_printf(&what, "VLAN %u on %s", move->vlan_id,
			teller->plan->move[move->lower].to_name);
	else
		nv_str_printf(&what, "the lagg of %s", move->from_name);
	tell(teller, NV_STEP_MAKE, move->to_name, &what);
	if (move->from)
		nv_str_printf(&settings, "the settings of %s; ", move->from_name);
	nv_str_printf(&settings, "MTU %u%s%s", move->mtu, move->description[0] ? "; " : "",
		move->description);
	tell(teller, NV_STEP_COPY, move->to_name, &settings);
}

static void tell_addrs(
	struct teller *teller, enum nv_step_verb verb, const struct nv_move *move, uint8_t family)
{
	for (size_t i = 0; i < move->addrs.count; i++) {
		const struct nv_addr *addr = &move->addrs.addr[i];
		NV_AUTO(nv_str) struct nv_str what = {};
		bool said = i < move->n_said_addrs;
		char ip[NV_IP_TEXT];

		if (addr->local.family != family || (verb == NV_STEP_REMOVE && said))
			continue;
		nv_str_printf(&what, "address %s/%u%s", nv_ip_text(&addr->local, ip),
			addr->prefix_len, said ? " of rc.conf" : "");
		tell(teller, verb, verb == NV_STEP_ADD ? move->to_name : move->from_name, &what);
	}
}

static void tell_said_routes(struct teller *teller, const struct nv_move *move)
{
	for (size_t i = 0; i < move->routes.count; i++) {
		NV_AUTO(nv_things) struct nv_things things = {};
		NV_AUTO(nv_str) struct nv_str what = {};

		if (nv_things_add_route(&things, &move->routes.route[i]) < 0)
			continue;
		nv_thing_text(nv_things_next(&things, NULL), &what);
		nv_str_add(&what, " of rc.conf");
		tell(teller, NV_STEP_ADD, move->to_name, &what);
	}
}

static void tell_interfaces(struct teller *teller, bool late)
{
	const struct nv_plan *plan = teller->plan;

	for (size_t i = 0; i < plan->count; i++) {
		const struct nv_move *move = &plan->move[i];

		if (is_late(move) != late)
			continue;
		if (late)
			tell_words(teller, NV_STEP_REMOVE, move->from_name,
				"it, so that another can have its name");
		tell_interface(teller, move);
		tell_addrs(teller, NV_STEP_ADD, move, AF_INET);
		tell_addrs(teller, NV_STEP_ADD, move, AF_INET6);
		tell_said_routes(teller, move);
	}
}

/* The move whose old interface the thing names. */
static const struct nv_move *move_of(const struct nv_plan *plan, const struct nv_thing *thing)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct nv_move *move = &plan->move[i];
		const struct nv_renaming from = {
			move->from, move->to, move->from_name, move->to_name};

		if (move->from && nv_thing_refers(thing, &(struct nv_renamings){&from, 1}))
			return move;
	}
	return &plan->move[0];
}

static void tell_things(
	struct teller *teller, const struct nv_things *things, enum nv_step_verb verb)
{
	nv_each_thing (thing, things) {
		const struct nv_move *move = move_of(teller->plan, thing);
		bool replaced = nv_thing_is_replaced(thing);
		NV_AUTO(nv_str) struct nv_str what = {};

		nv_thing_text(thing, &what);
		if (verb == NV_STEP_ADD)
			tell(teller, replaced ? NV_STEP_REPLACE : verb, move->to_name, &what);
		else if (verb == NV_STEP_LEAVE || (!replaced && !nv_thing_is_learnt(thing)))
			tell(teller, verb, move->from_name, &what);
	}
}

static void tell_client(struct teller *teller, const struct nv_move *move)
{
	switch (move->client) {
	case NV_CLIENT_START:
		tell_words(teller, NV_STEP_ADD, move->to_name, "a DHCP client, as rc.conf says");
		break;
	case NV_CLIENT_MOVE:
		tell_words(teller, NV_STEP_ADD, move->to_name, "a DHCP client, if one runs now");
		break;
	case NV_CLIENT_STOP:
		break;
	}
}

static void tell_strip(struct teller *teller)
{
	const struct nv_plan *plan = teller->plan;

	tell_things(teller, &plan->things, NV_STEP_REMOVE);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].from)
			tell_addrs(teller, NV_STEP_REMOVE, &plan->move[i], AF_INET6);
	tell_interfaces(teller, true);
	for (size_t i = 0; i < plan->count; i++)
		tell_client(teller, &plan->move[i]);
	for (size_t i = plan->count; i-- > 0;) {
		const struct nv_move *move = &plan->move[i];

		if (!move->from || is_late(move))
			continue;
		if (move->vlan_id)
			tell_words(teller, NV_STEP_REMOVE, move->from_name, "the VLAN");
		else
			tell_addrs(teller, NV_STEP_REMOVE, move, AF_INET);
	}
}

int nv_plan_steps(
	const struct nv_plan *plan, int (*each)(const struct nv_step *step, void *data), void *data)
{
	struct teller teller = {.plan = plan, .each = each, .data = data};

	tell_things(&teller, &plan->left, NV_STEP_LEAVE);
	tell_interfaces(&teller, false);
	tell_things(&teller, &plan->things, NV_STEP_ADD);
	tell_words(
		&teller, NV_STEP_SWITCH, plan->move[0].to_name, "frames arrive here from now on");
	tell_strip(&teller);
	return teller.error;
}
