/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pair's machine is explored exhaustively: every reachable combination of machine, datapath
 * and world is visited, and from each every thing that may happen next is tried. Three walks, each
 * with other things that happen: all that concerns one pair; a lagg that is a bond; a data path
 * that another process has locked.
 */
#include "cm.h"

#include "base/cleanup.h"
#include "pair/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION HASH_FNV /* the default one falls through, which clang warns of */
#include <uthash.h>

/* Everything that decides what happens next; compared as bytes, so always zeroed first. */
struct world {
	struct nv_pair_state state;
	int vf; /* in the kernel: 0, or one of two */
	bool vf_up, vf_carrier, hn_up, hn_carrier;
	bool hn_dormant;
	enum nv_override override;
	bool held;
	bool waiting;
	bool transparent;
	bool answered; /* whether a rule matches VF_UP */
	bool vfup_pending;
	bool giving_back;
	bool bond_wanted, bond_there,
		vf_bonded; /* there: is the lagg, which may not be the upper */
	bool bond_fails, port_fails; /* what the kernel will say */
	bool no_bond, refused; /* what it has said */
	bool locked; /* another process has the data path's lock */
	bool entered;
	bool lagg_gone; /* and the data path names it still */
	/* the datapath, as the commands leave it */
	int dp_vf;
	enum nv_port dp_active;
	enum nv_mode dp_form;
	bool told_up; /* what devd last heard */
};

#define WORLDS_MAX 100000

static struct visited {
	struct world world;
	UT_hash_handle hh;
} * seen, *by_world;
static size_t n_seen;
static bool remembers_exclusive;
static unsigned int n_phases[NV_PHASE_RELEASED + 1]; /* how often each was come to */

static enum nv_mode mode_of(const struct world *world)
{
	return world->lagg_gone && world->dp_form == NV_MODE_LAGG ? NV_MODE_HN : world->dp_form;
}

static enum nv_pair_bond bond_of(const struct world *world)
{
	if (!world->vf || world->vf_bonded || world->refused)
		return NV_BOND_NONE;
	if (world->bond_there)
		return NV_BOND_TAKE;
	return world->bond_wanted && !world->no_bond && mode_of(world) != NV_MODE_LAGG
		       ? NV_BOND_MAKE
		       : NV_BOND_NONE;
}

static struct nv_pair_facts facts_of(const struct world *world)
{
	return (struct nv_pair_facts){
		.vf = world->vf,
		.vf_usable = world->vf && world->vf_up && world->vf_carrier,
		.hn_usable = world->hn_up && world->hn_carrier,
		.hn_up = world->hn_up,
		.hn_dormant = world->hn_dormant,
		.override = world->override,
		.held_down = world->held,
		.transparent = world->transparent,
		.waiting = world->transparent && world->waiting,
		.answered = world->answered,
		.entered = world->entered,
		.mode = mode_of(world),
		.lagg_gone = world->lagg_gone,
		.vf_up = world->vf_up,
		.bond = bond_of(world),
		.giving_back = world->giving_back && mode_of(world) == NV_MODE_LAGG,
	};
}

static bool is_transparent(const struct world *world)
{
	return world->transparent && world->dp_form != NV_MODE_LAGG;
}

static bool needs_lock(enum nv_pair_verb verb)
{
	return verb == NV_PAIR_ENTER || verb == NV_PAIR_DROP_LAGG || verb == NV_PAIR_REMOVE_VF ||
	       verb == NV_PAIR_MAKE_BOND || verb == NV_PAIR_JOIN || verb == NV_PAIR_SET_MODE;
}

/* A VF that carries traffic is not closed for a bond. */
static void enter_bond(struct world *world, const struct nv_pair_command *command)
{
	assert_int_equal(command->vf, world->vf);
	assert_int_equal(world->dp_active, NV_PORT_HN);
	if (!world->bond_there)
		return;
	world->refused = world->port_fails;
	world->vf_bonded = !world->port_fails;
	world->vf_up = world->vf_up || world->vf_bonded;
}

static void carry_out_lagg(struct world *world, const struct nv_pair_command *command)
{
	switch ((int)command->verb) {
	case NV_PAIR_ENTER:
		assert_false(world->entered);
		world->entered = true;
		break;
	case NV_PAIR_DROP_LAGG:
		assert_true(world->lagg_gone);
		world->lagg_gone = false;
		if (world->dp_form == NV_MODE_LAGG)
			world->dp_form = NV_MODE_HN;
		break;
	case NV_PAIR_MAKE_BOND:
		assert_true(world->bond_wanted && !world->bond_there && world->answered);
		assert_int_equal(world->dp_form, NV_MODE_HN);
		world->no_bond = world->bond_fails;
		world->bond_there = !world->bond_fails;
		break;
	case NV_PAIR_BOND_VF:
		enter_bond(world, command);
		break;
	}
}

static void hear(struct world *world, const struct nv_pair_command *command)
{
	switch ((int)command->verb) {
	case NV_PAIR_RAISE_VF_UP:
		assert_false(is_transparent(world));
		world->told_up = true;
		world->vfup_pending = world->answered;
		assert_true(world->answered || world->dp_form != NV_MODE_HN);
		break;
	case NV_PAIR_RAISE_VF_DOWN:
		assert_true(world->told_up);
		assert_true(world->dp_active == NV_PORT_HN || is_transparent(world));
		world->told_up = false;
		break;
	}
}

static void carry_out_one(struct world *world, const struct nv_pair_command *command)
{
	switch (command->verb) {
	case NV_PAIR_ENTER:
	case NV_PAIR_DROP_LAGG:
	case NV_PAIR_MAKE_BOND:
	case NV_PAIR_BOND_VF:
		carry_out_lagg(world, command);
		break;
	case NV_PAIR_JOIN:
		assert_int_equal(command->vf, world->vf);
		world->dp_vf = command->vf;
		world->dp_form = command->mode;
		break;
	case NV_PAIR_REMOVE_VF:
		assert_int_equal(command->vf, world->dp_vf);
		assert_int_equal(world->dp_active, NV_PORT_HN);
		world->dp_vf = 0;
		break;
	case NV_PAIR_ACTIVATE:
		assert_true(command->port == NV_PORT_HN || world->dp_vf == world->vf);
		world->dp_active = command->port;
		break;
	case NV_PAIR_SET_MODE:
		world->dp_form = command->mode;
		if (command->mode == NV_MODE_VF) /* made for it in vain */
			world->bond_there = world->vf_bonded = false;
		break;
	case NV_PAIR_READY_VF:
		assert_true(world->transparent && !world->waiting);
		assert_true(world->hn_up || !is_transparent(world));
		assert_int_equal(command->vf, world->vf);
		assert_int_equal(world->dp_vf, world->vf);
		world->vf_up = true;
		break;
	case NV_PAIR_STOP_VF:
		assert_true(is_transparent(world) && !world->hn_up);
		assert_int_equal(command->vf, world->vf);
		assert_int_equal(world->dp_active, NV_PORT_HN);
		world->vf_up = false;
		break;
	case NV_PAIR_RAISE_VF_UP:
	case NV_PAIR_RAISE_VF_DOWN:
		hear(world, command);
		break;
	case NV_PAIR_OPEN_HN:
		assert_false(world->hn_up);
		world->hn_up = true;
		break;
	case NV_PAIR_SET_DORMANT:
		assert_true(command->on || world->dp_active == NV_PORT_HN ||
			    world->dp_form == NV_MODE_HN);
		world->hn_dormant = command->on;
		break;
	}
}

/* What has to wait for a lock is decided again. */
static void carry_out(struct world *world, const struct nv_pair_commands *commands)
{
	for (size_t i = 0; i < commands->count; i++) {
		const struct nv_pair_command *command = &commands->command[i];

		if (world->locked && needs_lock(command->verb)) {
			world->state = command->before;
			return;
		}
		carry_out_one(world, command);
	}
}

static void check(const struct world *world)
{
	struct nv_pair_facts facts = facts_of(world);
	bool on_vf = world->dp_active == NV_PORT_VF;
	bool held = facts.held_down || (facts.waiting && !world->state.ready);

	/* A transparent hn that is down has no VF: its down is the VF's. */
	if (is_transparent(world) && !facts.hn_up)
		facts.vf_usable = false;
	/* Whenever a port is usable, the active one is; and it is the VF unless something holds it.
	 */
	assert_true(on_vf ? facts.vf_usable : facts.hn_usable || !facts.vf_usable);
	if (facts.vf_usable && (facts.override == NV_OVERRIDE_VF || (!facts.override && !held)))
		assert_true(on_vf);
	if (facts.hn_usable && facts.override == NV_OVERRIDE_HN)
		assert_false(on_vf);
	assert_int_equal(world->state.active, world->dp_active);
	assert_int_equal(world->state.mode, world->dp_form);
	assert_int_equal(world->state.vf, world->vf);
	/* A VF is heard as soon as it is there. */
	assert_int_equal(world->dp_vf, world->vf);
	assert_true(world->dp_form != NV_MODE_VF || world->dp_vf != 0);
	assert_true(!world->told_up || facts.vf_usable);
	assert_true(!on_vf || is_transparent(world) || world->told_up || world->state.released);
	assert_true(!is_transparent(world) || (!world->told_up && world->dp_form == NV_MODE_HN));
	/* Whoever can make a lagg of a VF in use has been asked to. */
	assert_true(!world->told_up || !world->answered || world->state.answered ||
		    world->dp_form == NV_MODE_LAGG);
	assert_true(!world->state.ready || (world->transparent && world->vf));
	if (world->transparent && world->vf && !world->waiting)
		assert_true(world->state.ready == (facts.hn_up || !is_transparent(world)));
	assert_true(!world->state.released || world->vf);
	/* hn hides exactly while the VF transmits for another upper, and is open then; while it is
	 * given back, it is not made to. */
	if (on_vf && facts.giving_back)
		return;
	assert_int_equal(world->hn_dormant, on_vf && world->dp_form != NV_MODE_HN);
	assert_int_equal(world->state.dormant, world->hn_dormant);
	assert_true(world->hn_up || !world->hn_dormant);
}

/* The table in state.h. */
static void check_phase(const struct world *world)
{
	struct nv_pair_facts facts = facts_of(world);
	bool usable = facts.vf_usable && (facts.hn_up || !is_transparent(world));
	bool on_vf = world->dp_active == NV_PORT_VF;

	n_phases[world->state.phase]++;
	switch (world->state.phase) {
	case NV_PHASE_ABSENT:
		assert_true(!world->vf && !on_vf && !world->told_up);
		assert_int_not_equal(world->dp_form, NV_MODE_VF);
		break;
	case NV_PHASE_JOINED:
		assert_true(world->vf && !usable && !on_vf && !world->told_up);
		break;
	case NV_PHASE_HELD:
		assert_true(usable && !on_vf && !world->told_up);
		break;
	case NV_PHASE_ANNOUNCED:
		assert_true(usable && world->told_up && !is_transparent(world));
		assert_int_equal(world->dp_form, NV_MODE_HN);
		break;
	case NV_PHASE_LAGG:
		assert_true(usable && (world->told_up || world->state.released));
		assert_int_equal(world->dp_form, NV_MODE_LAGG);
		break;
	case NV_PHASE_TRANSPARENT:
		assert_true(usable && !world->told_up && is_transparent(world));
		assert_int_equal(world->dp_form, NV_MODE_HN);
		break;
	case NV_PHASE_EXCLUSIVE:
		assert_true(usable && (world->told_up || world->state.released));
		assert_int_equal(world->dp_form, NV_MODE_VF);
		assert_false(nv_pair_vf_is_port(&world->state, &facts));
		break;
	case NV_PHASE_RELEASED:
		assert_true(usable && world->state.released);
		assert_int_equal(world->dp_form, NV_MODE_HN);
		break;
	}
	assert_true(!nv_pair_vf_is_port(&world->state, &facts) || world->vf);
}

/* Nothing is right yet but where traffic goes. */
static void check_locked(const struct world *world)
{
	bool usable = world->vf && world->vf_up && world->vf_carrier && world->dp_vf == world->vf;

	assert_true(world->dp_active == NV_PORT_HN || usable);
	assert_int_equal(world->state.active, world->dp_active);
	assert_int_equal(world->state.vf, world->dp_vf);
	assert_int_equal(world->state.announced, world->told_up);
}

static void settle(struct world *world)
{
	struct nv_pair_commands commands;
	struct nv_pair_state before;
	struct nv_pair_facts facts;
	struct world was;

	/* An hn that is open may be what is wished for, a VF that is up is of use, and one that
	 * nobody knows of any more may enter a bond. */
	for (int i = 0; i == 0 || world->hn_up != was.hn_up || world->vf_up != was.vf_up ||
			world->no_bond != was.no_bond || world->refused != was.refused ||
			world->vf_bonded != was.vf_bonded || world->told_up != was.told_up;
		i++) {
		assert_true(i < 5);
		was = *world;
		facts = facts_of(world);
		nv_pair_step(&world->state, &facts, &commands);
		carry_out(world, &commands);
	}
	if (world->locked) {
		check_locked(world);
		return;
	}
	check(world);
	check_phase(world);
	/* Half as many worlds, where what was used exclusively before is not what is looked at. */
	if (!remembers_exclusive)
		world->state.was_exclusive = world->dp_form == NV_MODE_VF;

	/* A step without news does nothing. */
	facts = facts_of(world);
	before = world->state;
	nv_pair_step(&world->state, &facts, &commands);
	assert_int_equal(commands.count, 0);
	assert_memory_equal(&before, &world->state, sizeof(before));
}

static void visit(const struct world *world)
{
	struct visited *found = NULL;

	HASH_FIND(hh, by_world, world, sizeof(*world), found);
	if (found)
		return;
	assert_true(n_seen < WORLDS_MAX);
	seen[n_seen].world = *world;
	HASH_ADD(hh, by_world, world, sizeof(*world), &seen[n_seen]);
	n_seen++;
}

/* A netvfd killed at any moment: the next one knows only the datapath. */
static void restart(struct world *world)
{
	struct nv_pair_state adopted;

	memset(&adopted, 0, sizeof(adopted));
	nv_pair_adopt(&adopted, world->dp_vf, world->dp_active, world->dp_form);
	memset(&world->state, 0, sizeof(world->state));
	world->state.phase = adopted.phase;
	world->state.vf = adopted.vf;
	world->state.announced = adopted.announced;
	world->state.active = adopted.active;
	world->state.mode = adopted.mode;
	world->state.dormant = adopted.dormant;
	world->state.answered = adopted.answered;
	world->state.ready = adopted.ready;
	world->no_bond = world->refused = false;
	world->told_up = adopted.announced;
}

enum happening {
	VF_GONE,
	VF_ONE_COMES,
	VF_TWO_COMES,
	VF_ADMIN,
	VF_CARRIER,
	HN_ADMIN,
	HN_CARRIER,
	HN_SHOWN, /* somebody else undoes what hn shows */
	WISH_CHANGES,
	HOLD_FLIPS,
	WAIT_FLIPS,
	TRANSPARENT_FLIPS,
	VFUP_DONE,
	VFUP_FAILED,
	LAGG_DELETED,
	LAGG_RELEASED,
	GIVING_BACK_FLIPS,
	RULES_CHANGE,
	BOND_WANTED_FLIPS,
	BOND_FAILS_FLIPS,
	PORT_FAILS_FLIPS,
	LOCK_FLIPS,
	RESTART,
	N_HAPPENINGS,
};

#define ONLY(what) (1U << (what))

static const unsigned int of_one_pair = ~(ONLY(BOND_WANTED_FLIPS) | ONLY(BOND_FAILS_FLIPS) |
					  ONLY(PORT_FAILS_FLIPS) | ONLY(LOCK_FLIPS));
static const unsigned int of_a_bond = ONLY(VF_GONE) | ONLY(VF_ONE_COMES) | ONLY(VF_TWO_COMES) |
				      ONLY(VF_ADMIN) | ONLY(TRANSPARENT_FLIPS) | ONLY(VFUP_DONE) |
				      ONLY(LAGG_DELETED) | ONLY(LAGG_RELEASED) |
				      ONLY(RULES_CHANGE) | ONLY(BOND_WANTED_FLIPS) |
				      ONLY(BOND_FAILS_FLIPS) | ONLY(PORT_FAILS_FLIPS);
static const unsigned int of_a_lock =
	ONLY(VF_GONE) | ONLY(VF_ONE_COMES) | ONLY(VF_TWO_COMES) | ONLY(VF_ADMIN) | ONLY(HN_ADMIN) |
	ONLY(HN_CARRIER) | ONLY(TRANSPARENT_FLIPS) | ONLY(VFUP_DONE) | ONLY(LAGG_DELETED) |
	ONLY(LAGG_RELEASED) | ONLY(RULES_CHANGE) | ONLY(LOCK_FLIPS);

static bool flip(bool *what)
{
	*what = !*what;
	return true;
}

/* A lagg that somebody has deleted is none that was released. Ports of a bond are closed by both.
 */
static bool lose_lagg(struct world *world, bool released)
{
	if ((world->dp_form != NV_MODE_LAGG && !world->bond_there) || world->lagg_gone ||
		(released && (world->locked || world->dp_form != NV_MODE_LAGG)))
		return false;
	world->vf_up &= !world->vf_bonded;
	world->bond_there = world->vf_bonded = false;
	world->lagg_gone = !released;
	if (released)
		world->dp_form = NV_MODE_HN;
	return true;
}

static bool come_vf(struct world *world, int vf)
{
	world->vf = vf;
	world->vf_up = false;
	world->vf_bonded = false;
	world->refused = false;
	return true;
}

static bool end_vfup(struct world *world, bool done)
{
	if (!world->vfup_pending || world->locked || world->lagg_gone)
		return false;
	world->vfup_pending = false;
	if (done && !world->transparent)
		world->dp_form = NV_MODE_LAGG;
	return true;
}

/* Returns false where it cannot happen. */
static bool happen(struct world *world, enum happening what)
{
	switch (what) {
	case VF_GONE:
		return come_vf(world, 0);
	case VF_ONE_COMES:
	case VF_TWO_COMES:
		return come_vf(world, what == VF_ONE_COMES ? 1 : 2);
	case VF_ADMIN:
		world->vf_up = !world->vf_up;
		return world->vf != 0;
	case VF_CARRIER:
		return flip(&world->vf_carrier);
	case HN_ADMIN:
		return flip(&world->hn_up);
	case HN_CARRIER:
		return flip(&world->hn_carrier);
	case HN_SHOWN:
		world->hn_dormant = false;
		return true;
	case WISH_CHANGES:
		world->override =
			world->override == NV_OVERRIDE_VF ? NV_OVERRIDE_AUTO : world->override + 1;
		return true;
	case HOLD_FLIPS:
		return flip(&world->held);
	case WAIT_FLIPS:
		return flip(&world->waiting);
	case TRANSPARENT_FLIPS:
		return flip(&world->transparent);
	case VFUP_DONE:
	case VFUP_FAILED:
		return end_vfup(world, what == VFUP_DONE);
	case LAGG_DELETED:
	case LAGG_RELEASED:
		return lose_lagg(world, what == LAGG_RELEASED);
	case GIVING_BACK_FLIPS:
		return flip(&world->giving_back);
	case RULES_CHANGE:
		return flip(&world->answered);
	case BOND_WANTED_FLIPS:
		return flip(&world->bond_wanted);
	case BOND_FAILS_FLIPS:
		return flip(&world->bond_fails);
	case PORT_FAILS_FLIPS:
		return flip(&world->port_fails);
	case LOCK_FLIPS:
		return flip(&world->locked);
	case RESTART:
		restart(world);
		return true;
	case N_HAPPENINGS:
		break;
	}
	return false;
}

static void explore(unsigned int possible)
{
	struct world start;

	memset(&start, 0, sizeof(start));
	start.vf_carrier = true;
	start.hn_up = true;
	start.hn_carrier = true;
	settle(&start);
	HASH_CLEAR(hh, by_world);
	n_seen = 0;
	visit(&start);

	for (size_t at = 0; at < n_seen; at++) {
		for (int first = 0; first < N_HAPPENINGS; first++) {
			struct world once = seen[at].world;
			struct world twice;

			if (!(possible & ONLY(first)) || !happen(&once, first))
				continue;
			twice = once;
			settle(&once);
			visit(&once);
			/* Two things may happen before the machine is asked again. */
			for (int second = 0; second < N_HAPPENINGS; second++) {
				struct world both = twice;

				if (!(possible & ONLY(second)) || !happen(&both, second))
					continue;
				settle(&both);
				visit(&both);
			}
		}
	}
	print_message("# %zu worlds\n", n_seen);
	assert_true(n_seen > 20);
}

static void walk(unsigned int possible)
{
	memset(n_phases, 0, sizeof(n_phases));
	seen = calloc(WORLDS_MAX, sizeof(*seen));
	assert_non_null(seen);
	explore(possible);
	HASH_CLEAR(hh, by_world);
	free(seen);
	for (size_t i = 0; i < NV_ARRAY_SIZE(n_phases); i++)
		if (i != NV_PHASE_HELD) /* nothing holds in the third walk */
			assert_true(n_phases[i] > 0);
}

static void every_interleaving_keeps_the_invariants(void **state)
{
	(void)state;
	walk(of_one_pair);
	assert_true(n_phases[NV_PHASE_HELD] > 0);
}

static void every_interleaving_around_a_bond_does(void **state)
{
	(void)state;
	remembers_exclusive = true;
	walk(of_a_bond);
	remembers_exclusive = false;
}

static void every_interleaving_around_a_lock_does(void **state)
{
	(void)state;
	walk(of_a_lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_interleaving_keeps_the_invariants),
		cmocka_unit_test(every_interleaving_around_a_bond_does),
		cmocka_unit_test(every_interleaving_around_a_lock_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
