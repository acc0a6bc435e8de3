/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine of one pair: state + facts -> state + commands. Pure.
 *
 * Invariant: after the commands of a step, if any port is usable, the active port is usable. If
 * both are usable, the VF is active unless an override or a hold-down says otherwise, or the VF
 * passes no frames although it has a carrier.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum nv_port {
	NV_PORT_HN,
	NV_PORT_VF,
};

/* Which interface is the upper. Every pair begins with NV_MODE_HN. */
enum nv_mode {
	NV_MODE_HN, /* transparent: hn */
	NV_MODE_LAGG, /* lagg: laggN */
	NV_MODE_VF, /* exclusive: the VF */
};

const char *nv_port_name(enum nv_port port); /* "hn", "vf" */
const char *nv_mode_name(enum nv_mode mode); /* "transparent", "lagg", "exclusive" */

/*
 * What the administrator asked for. A port that is not usable is not used while the other one is.
 */
enum nv_override {
	NV_OVERRIDE_AUTO,
	NV_OVERRIDE_HN,
	NV_OVERRIDE_VF, /* ignores a hold-down */
};

const char *nv_override_name(enum nv_override override); /* "auto", "hn", "vf" */

/*
 * The state of a pair after a step. In the column "VF transmits", "yes" means: unless an override,
 * a hold-down that began later, or a VF that passes no frames, keeps traffic on hn.
 *
 *   state        VF             upper          VF transmits  VF_UP raised  hn is dormant
 *   absent       none           hn or laggN    no            no            no
 *   joined       not usable     any            no            no            no
 *   held         usable         any            no            no            no
 *   announced    usable         hn             yes           yes           no
 *   lagg         usable         laggN          yes           yes           while it transmits
 *   transparent  usable         hn             yes           no            no
 *   exclusive    usable         the VF         yes           yes           while it transmits
 *   released     usable         hn             yes           as before     no
 *
 * When a VF becomes usable, the pair goes from joined to one of the last five states, through held
 * if a hold-down or the attach delay applies, or the VF passes no frames. When the VF is not usable
 * any more, the pair is joined again; when the VF goes, it is absent. The upper in the data path
 * and the configuration decide which of the five it is. announced -> lagg: hyperv_vfup has made a
 * lagg. lagg -> released: hyperv_vfup has released it. transparent: it is configured. exclusive: no
 * rule answers VF_UP. If a lagg was released before its VF could transmit, the pair counts as
 * announced without VF_UP.
 */
enum nv_pair_phase {
	NV_PHASE_ABSENT,
	NV_PHASE_JOINED, /* the VF is in the data path and receives */
	NV_PHASE_HELD,
	NV_PHASE_ANNOUNCED, /* VF_UP was raised, so that hyperv_vfup makes a lagg */
	NV_PHASE_LAGG,
	NV_PHASE_TRANSPARENT,
	NV_PHASE_EXCLUSIVE,
	NV_PHASE_RELEASED, /* its lagg was released: no new one until another VF comes */
};

struct nv_pair_state {
	enum nv_pair_phase phase;
	int vf; /* ifindex of the VF that is in the data path; 0: none */
	enum nv_port active; /* the port on which the upper transmits */
	enum nv_mode mode;
	bool announced; /* VF_UP was raised for this VF, and VF_DOWN was not yet */
	bool answered; /* a rule answered VF_UP */
	bool released; /* its lagg was released: VF_UP is not raised again until another VF comes */
	bool ready; /* transparent: the VF was set up, and not set down since */
	bool dormant; /* hn was set dormant */
	bool was_exclusive; /* the VF was used exclusively, so it may have addresses */
};

/* What can be done with a VF that is not a port of the bond yet. */
enum nv_pair_bond {
	NV_BOND_NONE, /* nothing: no bond is wanted or possible, or the bond has refused the VF */
	NV_BOND_MAKE, /* there is no lagg, and it would be a bond */
	NV_BOND_TAKE, /* the lagg is a bond and can take the VF */
};

/*
 * What was observed of the pair. Constant after it is filled. A new reason to keep traffic off the
 * VF is a fact here: failover/observe.c fills it, state_is_vf_usable() or state_is_delayed() reads
 * it, and netvfd/doctor.c and netvf/findings.c tell it.
 */
struct nv_pair_facts {
	int vf; /* 0: there is none */
	bool vf_usable;
	bool vf_up; /* administratively */
	bool hn_usable;
	bool hn_up; /* administratively */
	bool hn_dormant; /* its link mode is dormant */
	enum nv_override override;
	bool held_down; /* a hold-down keeps traffic off the VF (pair/holddown.h) */
	bool unproved; /* the VF has not passed a frame yet, or passes none any more (pair/trial.h)
			*/
	bool transparent; /* transparent by configuration; takes effect when no lagg is the upper */
	bool waiting; /* transparent: the VF is in its attach delay */
	bool answered; /* a rule answers VF_UP; if none does, the VF is used exclusively */
	/* the data path has the pair, must not have it, or takes it as its VF joins */
	bool entered;
	enum nv_mode
		mode; /* in the data path, where hyperv_vfup changes it; not LAGG if lagg_gone */
	bool lagg_gone; /* the data path names a lagg that somebody has deleted */
	enum nv_pair_bond bond;
	/* hyperv_vfup is moving the configuration back to hn: hn's state is not changed */
	bool giving_back;
};

enum nv_pair_verb {
	NV_PAIR_ENTER, /* add the pair to the data path */
	NV_PAIR_DROP_LAGG, /* remove a lagg that does not exist any more from the data path */
	NV_PAIR_REMOVE_VF, /* remove the VF `vf` from the data path */
	NV_PAIR_MAKE_BOND, /* make a lagg that is a bond, for NV_PAIR_BOND_VF */
	NV_PAIR_BOND_VF, /* make the VF `vf` a port of the bond, if there is one */
	NV_PAIR_JOIN, /* add the VF `vf` to the data path, with `mode`; `on`: as a bare port */
	NV_PAIR_ACTIVATE, /* transmit on `port` */
	NV_PAIR_READY_VF, /* transparent: give the VF hn's MTU and flags, and set it up */
	NV_PAIR_STOP_VF, /* transparent: hn was set down, so set the VF down */
	NV_PAIR_RAISE_VF_UP, /* raise the event VF_UP */
	NV_PAIR_RAISE_VF_DOWN, /* raise the event VF_DOWN */
	NV_PAIR_SET_MODE, /* make `mode` the upper */
	NV_PAIR_OPEN_HN, /* set hn up: a driver that is down receives no strays */
	NV_PAIR_SET_DORMANT, /* set hn dormant (`on`), or show its true state */
};

struct nv_pair_command {
	enum nv_pair_verb verb;
	int vf;
	enum nv_port port;
	enum nv_mode mode;
	bool on;
	/*
	 * The state to return to if this command must be repeated later and those before it were
	 * carried out. The next step then begins with this command.
	 */
	struct nv_pair_state before;
};

#define NV_PAIR_COMMANDS_MAX 16

struct nv_pair_commands {
	struct nv_pair_command command[NV_PAIR_COMMANDS_MAX];
	size_t count;
};

/*
 * Takes one step. @ret_commands are to be carried out in their order; they always fit. A VF that is
 * up must be set down to become a bond port, so it counts as not usable in that step.
 */
void nv_pair_step(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *ret_commands);

/*
 * Whether the VF carries only another interface's frames, after the step with @facts. False for a
 * VF that still has configuration from exclusive use: whoever added that removes it.
 */
bool nv_pair_vf_is_port(const struct nv_pair_state *state, const struct nv_pair_facts *facts);

/*
 * Sets the state of a pair that an earlier process left in the data path. VF_UP counts as announced
 * if the lagg or the VF is the upper. If hn is the upper, VF_UP is raised again; hyperv_vfup can
 * bear that.
 *
 * If hn may have been set dormant, it counts as dormant. A VF that transmits counts as set up.
 * @vf: the VF in the data path; 0: none.
 */
void nv_pair_adopt(struct nv_pair_state *state, int vf, enum nv_port active, enum nv_mode mode);
