/* SPDX-License-Identifier: BSD-2-Clause */
/* What a step says in the cases that matter; test_state_walks.c goes through all of them. */
#include "cm.h"

#include "pair/state.h"

/* A VF, 5, that can be used as hn can, of a pair with this upper. */
static struct nv_pair_facts vf_in(enum nv_mode mode)
{
	return (struct nv_pair_facts){
		.vf = 5,
		.vf_usable = true,
		.hn_usable = true,
		.hn_up = true,
		.entered = true,
		.mode = mode,
	};
}

static void traffic_leaves_the_vf_before_anything_is_told(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_LAGG);
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 4);
	assert_int_equal(commands.command[0].verb, NV_PAIR_JOIN);
	assert_int_equal(commands.command[1].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(commands.command[2].verb, NV_PAIR_RAISE_VF_UP);
	assert_int_equal(commands.command[3].verb, NV_PAIR_SET_DORMANT);
	assert_true(commands.command[3].on);

	facts.vf = 0;
	facts.vf_usable = false;
	facts.held_down = true;
	facts.override = NV_OVERRIDE_VF;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 4);
	assert_int_equal(commands.command[0].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(commands.command[0].port, NV_PORT_HN);
	assert_int_equal(commands.command[1].verb, NV_PAIR_SET_DORMANT);
	assert_false(commands.command[1].on);
	assert_int_equal(commands.command[2].verb, NV_PAIR_RAISE_VF_DOWN);
	assert_int_equal(commands.command[3].verb, NV_PAIR_REMOVE_VF);
	assert_int_equal(commands.command[3].vf, 5);
}

static void a_vf_in_place_of_another_is_a_departure_and_an_arrival(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_LAGG);
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	facts.vf = 6;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 8);
	assert_int_equal(commands.command[3].verb, NV_PAIR_REMOVE_VF);
	assert_int_equal(commands.command[3].vf, 5);
	assert_int_equal(commands.command[4].verb, NV_PAIR_JOIN);
	assert_int_equal(commands.command[4].vf, 6);
	assert_int_equal(pair.active, NV_PORT_VF);
}

static void a_vf_that_nobody_answers_for_is_used_exclusively(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_HN);
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[0].verb, NV_PAIR_JOIN);
	assert_int_equal(commands.command[0].mode, NV_MODE_VF);

	/* A lagg that exists stays the upper, whatever the rules say today. */
	pair = (struct nv_pair_state){};
	facts.mode = NV_MODE_LAGG;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[0].mode, NV_MODE_LAGG);
}

static void a_held_vf_is_neither_used_nor_announced(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_LAGG);
	struct nv_pair_commands commands;

	(void)state;
	facts.held_down = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 1);
	assert_int_equal(commands.command[0].verb, NV_PAIR_JOIN);
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 0);
	facts.hn_usable = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(pair.active, NV_PORT_VF);
	facts.hn_usable = true;
	facts.hn_dormant = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 0);
}

static void a_planned_switch_leaves_an_idle_vf_that_is_told_of(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_LAGG);
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	facts.override = NV_OVERRIDE_HN;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 2);
	assert_int_equal(commands.command[0].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(commands.command[0].port, NV_PORT_HN);
	assert_int_equal(commands.command[1].verb, NV_PAIR_SET_DORMANT);
	assert_true(pair.announced && pair.vf);
	facts.hn_usable = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(pair.active, NV_PORT_VF);
}

static void an_hn_that_is_down_is_opened_underneath(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = {
		.vf = 5, .vf_usable = true, .entered = true, .mode = NV_MODE_LAGG};
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 5);
	assert_int_equal(commands.command[3].verb, NV_PAIR_OPEN_HN);
	assert_int_equal(commands.command[4].verb, NV_PAIR_SET_DORMANT);
}

static void a_transparent_vf_waits_and_then_goes_up_and_down_with_hn(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_HN);
	struct nv_pair_commands commands;

	(void)state;
	facts.transparent = true;
	facts.waiting = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 1);
	assert_int_equal(commands.command[0].verb, NV_PAIR_JOIN);
	assert_false(commands.command[0].on); /* left alone */

	facts.waiting = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 2);
	assert_int_equal(commands.command[0].verb, NV_PAIR_READY_VF);
	assert_int_equal(commands.command[1].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(pair.active, NV_PORT_VF);
	facts.waiting = true; /* a longer wait than before, by a new rc.conf: not for this VF */
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 0);

	facts.hn_up = facts.hn_usable = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 2);
	assert_int_equal(commands.command[0].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(commands.command[1].verb, NV_PAIR_STOP_VF);
	nv_pair_step(&pair, &facts, &commands); /* the VF looks up still */
	assert_int_equal(commands.count, 0);
	assert_int_equal(pair.active, NV_PORT_HN);

	facts.hn_up = true;
	facts.waiting = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[0].verb, NV_PAIR_READY_VF);
	assert_int_equal(pair.active, NV_PORT_VF);

	/* hn was set down while no netvfd ran */
	nv_pair_adopt(&pair, 5, NV_PORT_VF, NV_MODE_HN);
	facts.hn_up = facts.hn_usable = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[0].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(commands.command[commands.count - 1].verb, NV_PAIR_STOP_VF);
}

static void a_new_listener_is_told_that_the_vf_is_up(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_HN);
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	facts.mode = pair.mode;
	assert_int_equal(facts.mode, NV_MODE_VF);
	facts.hn_dormant = true;
	facts.answered = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 1);
	assert_int_equal(commands.command[0].verb, NV_PAIR_RAISE_VF_UP);
	assert_int_equal(pair.mode, NV_MODE_VF); /* until there is a lagg */

	facts.transparent = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[0].verb, NV_PAIR_SET_MODE);
	assert_int_equal(pair.mode, NV_MODE_HN);
	assert_int_equal(pair.active, NV_PORT_VF);
	assert_false(pair.announced);
}

static void what_was_released_stays_so_until_another_vf_comes(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_LAGG);
	struct nv_pair_commands commands;

	(void)state;
	facts.answered = true;
	nv_pair_step(&pair, &facts, &commands);
	facts.hn_dormant = true;
	facts.mode = NV_MODE_HN;
	nv_pair_step(&pair, &facts, &commands);
	facts.hn_dormant = false;
	facts.vf_usable = false; /* as a bond that goes leaves it */
	nv_pair_step(&pair, &facts, &commands);
	facts.vf_usable = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 1);
	assert_int_equal(commands.command[0].verb, NV_PAIR_ACTIVATE);
	assert_int_equal(pair.active, NV_PORT_VF);

	facts.vf = 6;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[commands.count - 1].verb, NV_PAIR_RAISE_VF_UP);
}

static void what_was_released_without_a_vf_is_made_anew_for_the_next(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = {.hn_usable = true,
		.hn_up = true,
		.entered = true,
		.answered = true,
		.mode = NV_MODE_LAGG};
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	facts.mode = NV_MODE_HN;
	nv_pair_step(&pair, &facts, &commands);

	facts.vf = 5;
	facts.vf_usable = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.command[commands.count - 1].verb, NV_PAIR_RAISE_VF_UP);
}

static void an_hn_that_is_given_back_shows_what_it_is_made_to(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_LAGG);
	struct nv_pair_commands commands;

	(void)state;
	facts.answered = true;
	nv_pair_step(&pair, &facts, &commands);
	facts.hn_dormant = true;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 0);
	facts.giving_back = true;
	facts.hn_dormant = false;
	facts.hn_up = false;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 0);
	facts.giving_back = false; /* it could not be */
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(commands.count, 2);
	assert_int_equal(commands.command[0].verb, NV_PAIR_OPEN_HN);
	assert_int_equal(commands.command[1].verb, NV_PAIR_SET_DORMANT);
	assert_true(commands.command[1].on);
}

static void a_vf_for_itself_is_no_port_also_when_it_is_none_any_more(void **state)
{
	struct nv_pair_state pair = {};
	struct nv_pair_facts facts = vf_in(NV_MODE_HN);
	struct nv_pair_commands commands;

	(void)state;
	nv_pair_step(&pair, &facts, &commands);
	assert_int_equal(pair.mode, NV_MODE_VF);
	assert_false(nv_pair_vf_is_port(&pair, &facts));
	/* Addresses that it got meanwhile are for whoever gave them to take off. */
	facts.answered = true;
	facts.mode = NV_MODE_LAGG;
	nv_pair_step(&pair, &facts, &commands);
	assert_false(nv_pair_vf_is_port(&pair, &facts));
	facts.vf = 6;
	nv_pair_step(&pair, &facts, &commands);
	assert_true(nv_pair_vf_is_port(&pair, &facts));
}

static void names_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_string_equal(nv_port_name(NV_PORT_HN), "hn");
	assert_string_equal(nv_port_name(NV_PORT_VF), "vf");
	assert_string_equal(nv_override_name(NV_OVERRIDE_AUTO), "auto");
	assert_string_equal(nv_override_name(NV_OVERRIDE_HN), "hn");
	assert_string_equal(nv_override_name(NV_OVERRIDE_VF), "vf");
	assert_string_equal(nv_mode_name(NV_MODE_HN), "transparent");
	assert_string_equal(nv_mode_name(NV_MODE_LAGG), "lagg");
	assert_string_equal(nv_mode_name(NV_MODE_VF), "exclusive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traffic_leaves_the_vf_before_anything_is_told),
		cmocka_unit_test(a_vf_in_place_of_another_is_a_departure_and_an_arrival),
		cmocka_unit_test(a_vf_that_nobody_answers_for_is_used_exclusively),
		cmocka_unit_test(a_held_vf_is_neither_used_nor_announced),
		cmocka_unit_test(a_planned_switch_leaves_an_idle_vf_that_is_told_of),
		cmocka_unit_test(an_hn_that_is_down_is_opened_underneath),
		cmocka_unit_test(a_transparent_vf_waits_and_then_goes_up_and_down_with_hn),
		cmocka_unit_test(a_new_listener_is_told_that_the_vf_is_up),
		cmocka_unit_test(what_was_released_stays_so_until_another_vf_comes),
		cmocka_unit_test(what_was_released_without_a_vf_is_made_anew_for_the_next),
		cmocka_unit_test(an_hn_that_is_given_back_shows_what_it_is_made_to),
		cmocka_unit_test(a_vf_for_itself_is_no_port_also_when_it_is_none_any_more),
		cmocka_unit_test(names_are_those_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
