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

struct nv_pair_state {
	int vf; /* ifindex of the VF that the pair knows; 0: none */
	bool joined; /* the datapath has the VF */
	bool announced; /* VF_UP was raised for it, and VF_DOWN not yet */
	enum nv_port active; /* where the upper transmits */
	enum nv_mode mode;
	bool pretending; /* hn shows that it has no link */
	bool answered; /* a rule answered VF_UP */
	bool ready; /* transparent: the VF was readied, and has not been stopped since */
	bool released; /* its lagg was given up: VF_UP is not told again before another VF comes */
};

/* What is so now. */
struct nv_pair_facts {
	int vf; /* 0: there is none */
	bool vf_usable;
	bool hn_usable;
	bool hn_up; /* administratively */
	bool hn_dormant; /* it shows that it has no link */
	enum nv_override override;
	bool held; /* hold-down: not back to the VF yet (hn/holddown.h) */
	bool transparent; /* configured so: no VF_UP, no lagg; counts once no lagg is the upper */
	bool waiting; /* transparent: the VF has come so recently that it is left alone */
	bool answered; /* a rule matches VF_UP; where none does, the VF is used exclusively */
	enum nv_mode mode; /* as the datapath has it: hyperv_vfup changes it */
	bool giving_back; /* hyperv_vfup does so: hn and its link are no port any more */
};

enum nv_pair_verb {
	NV_PAIR_LEAVE, /* take the VF `vf` out of the datapath */
	NV_PAIR_JOIN, /* bring the VF `vf` into the datapath, with `form`; `on`: as a bare port */
	NV_PAIR_ACTIVATE, /* transmit on `port` */
	NV_PAIR_READY_VF, /* transparent: give the VF hn's MTU and flags, and set it up */
	NV_PAIR_STOP_VF, /* transparent: hn was set down, so set the VF down */
	NV_PAIR_RAISE_VF_UP, /* tell devd */
	NV_PAIR_RAISE_VF_DOWN, /* tell devd */
	NV_PAIR_SET_MODE, /* make `form` the upper */
	NV_PAIR_OPEN_HN, /* set hn up: a driver that is closed hears no strays */
	NV_PAIR_SET_DORMANT, /* have hn show that it has no link (`on`), or its true state */
};

struct nv_pair_command {
	enum nv_pair_verb verb;
	int vf;
	enum nv_port port;
	enum nv_mode mode;
	bool on;
};

#define NV_PAIR_COMMANDS_MAX 12

struct nv_pair_commands {
	struct nv_pair_command command[NV_PAIR_COMMANDS_MAX];
	size_t count;
};

/* One step. @ret_commands are to be carried out in order; they fit always. */
void nv_pair_step(struct nv_pair_state *state, const struct nv_pair_facts *facts,
	struct nv_pair_commands *ret_commands);

/*
 * The state of a pair that an earlier process left in the datapath. VF_UP is taken as announced
 * where somebody acted on it; in the first form it is raised again, which hyperv_vfup can bear.
 *
 * Where hn may be pretending, it is taken to; a VF that transmits was readied.
 *
 * @vf: the VF that is joined there; 0: none.
 */
void nv_pair_adopt(struct nv_pair_state *state, int vf, enum nv_port active, enum nv_mode mode);
