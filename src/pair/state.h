/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine of one pair: state + observation -> state + commands. Pure.
 *
 * Invariant: once the commands of a step are done, if any port is usable, the active one is; and
 * with nothing that speaks against it (a wish, a hold-down), that is the VF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum nv_port {
	NV_PORT_HN,
	NV_PORT_VF,
};

/* Which interface is the upper. */
enum nv_mode {
	NV_MODE_HN, /* transparent, and the start of every pair: hn itself */
	NV_MODE_LAGG, /* the seed's: laggN */
	NV_MODE_VF, /* exclusive: the VF */
};

const char *nv_port_name(enum nv_port port); /* "hn", "vf" */
const char *nv_mode_name(enum nv_mode mode); /* "transparent", "lagg", "exclusive" */

/* What an administrator asked for; it yields where the port wished for is not usable. */
enum nv_override {
	NV_OVERRIDE_AUTO,
	NV_OVERRIDE_HN,
	NV_OVERRIDE_VF, /* a hold-down does not count */
};

const char *nv_override_name(enum nv_override override); /* "auto", "hn", "vf" */

/*
 * Where a pair stands after a step. "yes" under transmits: the VF does, unless an override, or a
 * hold-down that began later, keeps traffic on hn.
 *
 *   state        VF             upper          VF transmits  VF_UP told   hn is dormant
 *   absent       none           hn or laggN    no            no           no
 *   joined       not usable     any            no            no           no
 *   held         usable         any            no            no           no
 *   announced    usable         hn             yes           yes          no
 *   lagg         usable         laggN          yes           yes          while it transmits
 *   transparent  usable         hn             yes           no           no
 *   exclusive    usable         the VF         yes           yes          while it transmits
 *   released     usable         hn             yes           as before    no
 *
 * A VF goes from joined to one of the last five as soon as it is usable, by way of held where a
 * hold-down or the attach delay keeps traffic off it; it is back in joined when it ceases to be
 * usable, and in absent when it goes. Among the five it moves by what the data path has as the
 * upper (announced -> lagg when hyperv_vfup has made one, lagg -> released when hyperv_vfup has
 * given it up) and by the configuration (transparent; exclusive: no rule answers VF_UP).
 * A lagg that was released before its VF could transmit counts as announced without VF_UP, in
 * whichever of these states the pair is.
 */
enum nv_pair_phase {
	NV_PHASE_ABSENT,
	NV_PHASE_JOINED, /* the data path receives from it */
	NV_PHASE_HELD,
	NV_PHASE_ANNOUNCED, /* hyperv_vfup has been asked for a lagg */
	NV_PHASE_LAGG,
	NV_PHASE_TRANSPARENT,
	NV_PHASE_EXCLUSIVE,
	NV_PHASE_RELEASED, /* its lagg was given up: no new one before another VF comes */
};

struct nv_pair_state {
	enum nv_pair_phase phase;
	int vf; /* ifindex of the VF that the data path has; 0: none */
	enum nv_port active; /* where the upper transmits */
	enum nv_mode mode;
	bool announced; /* VF_UP was raised for it, and VF_DOWN not yet */
	bool answered; /* a rule answered VF_UP */
	bool released; /* its lagg was given up: VF_UP is not told again before another VF comes */
	bool ready; /* transparent: the VF was readied, and has not been stopped since */
	bool dormant; /* hn was made to show that it has no link */
	bool was_exclusive; /* the VF was used exclusively, and may have addresses */
};

/* What can be done about a VF that is no port of the bond yet. */
enum nv_pair_bond {
	NV_BOND_NONE, /* nothing: no bond is wanted or possible, or it has refused the VF */
	NV_BOND_MAKE, /* there is no lagg, and it would be a bond */
	NV_BOND_TAKE, /* the lagg is a bond */
};

/* What is so now. Const once it is filled. */
struct nv_pair_facts {
	int vf; /* 0: there is none */
	bool vf_usable;
	bool vf_up; /* administratively */
	bool hn_usable;
	bool hn_up; /* administratively */
	bool hn_dormant; /* it shows that it has no link */
	enum nv_override override;
	bool held; /* hold-down: not back to the VF yet (pair/holddown.h) */
	bool transparent; /* configured so: no VF_UP, no lagg; counts once no lagg is the upper */
	bool waiting; /* transparent: the VF has come so recently that it is left alone */
	bool answered; /* a rule matches VF_UP; where none does, the VF is used exclusively */
	bool entered; /* the data path knows the pair, or is not to */
	enum nv_mode
		mode; /* as the data path has it: hyperv_vfup changes it; not LAGG if lagg_gone */
	bool lagg_gone; /* somebody has deleted the lagg that the data path names */
	enum nv_pair_bond bond;
	bool giving_back; /* hyperv_vfup does so: hn and its link are no port any more */
};

enum nv_pair_verb {
	NV_PAIR_ENTER, /* bring the pair into the data path */
	NV_PAIR_DROP_LAGG, /* take a lagg that does not exist any more out of the data path */
	NV_PAIR_LEAVE, /* take the VF `vf` out of the data path */
	NV_PAIR_MAKE_BOND, /* make a lagg that is a bond, for the next to have one */
	NV_PAIR_BOND_VF, /* make the VF `vf` a port of the bond, unless none could be made */
	NV_PAIR_JOIN, /* bring the VF `vf` into the data path, with `mode`; `on`: as a bare port */
	NV_PAIR_ACTIVATE, /* transmit on `port` */
	NV_PAIR_READY_VF, /* transparent: give the VF hn's MTU and flags, and set it up */
	NV_PAIR_STOP_VF, /* transparent: hn was set down, so set the VF down */
	NV_PAIR_RAISE_VF_UP, /* tell devd */
	NV_PAIR_RAISE_VF_DOWN, /* tell devd */
	NV_PAIR_SET_MODE, /* make `mode` the upper */
	NV_PAIR_OPEN_HN, /* set hn up: a driver that is closed hears no strays */
	NV_PAIR_SET_DORMANT, /* have hn show that it has no link (`on`), or its true state */
};

struct nv_pair_command {
	enum nv_pair_verb verb;
	int vf;
	enum nv_port port;
	enum nv_mode mode;
	bool on;
	/* The state to go back to where this command cannot be carried out yet, but those before
	 * it were: the next step then begins with this one. */
	struct nv_pair_state before;
};

#define NV_PAIR_COMMANDS_MAX 16

struct nv_pair_commands {
	struct nv_pair_command command[NV_PAIR_COMMANDS_MAX];
	size_t count;
};

/*
 * One step. @ret_commands are to be carried out in order; they fit always. A VF that is up enters a
 * bond only closed: it counts as not usable in the step that has it enter.
 */
void nv_pair_step(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *ret_commands);

/*
 * Whether the VF is to carry another's frames and nothing else, after the step by @facts. What it
 * got while it was used exclusively is for whoever gave it to take off.
 */
bool nv_pair_vf_is_port(const struct nv_pair_state *state, const struct nv_pair_facts *facts);

/*
 * The state of a pair that an earlier process left in the data path. VF_UP is taken as announced
 * where somebody acted on it; while hn is the upper it is raised again, which hyperv_vfup can bear.
 *
 * Where hn may have been made dormant, it is taken to be; a VF that transmits was readied.
 *
 * @vf: the VF that is joined there; 0: none.
 */
void nv_pair_adopt(struct nv_pair_state *state, int vf, enum nv_port active, enum nv_mode mode);
