/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon holds, for the files of this room. Wiring only: the work is done in the rooms. */
#pragma once

#include "control/server.h"
#include "datapath/datapath.h"
#include "devd/action.h"
#include "devd/clients.h"
#include "devd/kernel_events.h"
#include "devd/rules.h"
#include "kernel/monitor.h"
#include "loop/loop.h"
#include "netvfd/history.h"
#include "pair/attach_delay.h"
#include "pair/holddown.h"
#include "pair/match.h"
#include "pair/notify.h"
#include "rcconf/settings.h"

/* As the command line gave them; the strings are argv's. */
struct nv_options {
	const char *rules_path;
	const char *rcconf_path;
	const char *run_dir; /* NULL: by nv_run_dir_find() */
	unsigned int clients_max;
	bool foreground; /* -d */
	bool background_at_once; /* -n */
	bool quiet; /* -q */
	bool check;
};

/* A pair that is looked after: its machine, and what status says of it. */
struct nv_managed {
	int hn; /* ifindex */
	char hn_name[IFNAMSIZ];
	char vf_name[IFNAMSIZ]; /* the last known; "" when there was none */
	struct nv_pair_state state;
	struct nv_holddown holddown;
	struct nv_attach_delay attwait;
	struct nv_notify notify;
	enum nv_override override;
	enum nv_match_result match;
	char why[160];
	const char *manager; /* who configures hn: nv_manager_of() */
	bool undecided; /* whether a manager will, is not known yet: taken for transparent */
	uint64_t since; /* nv_loop_now() of the last switch */
	unsigned long switches;
	int lagg; /* ifindex of the lagg whose carrier was set; 0: none */
	bool carrier; /* as it was set */
	int refused; /* a port that the lagg, a bond, did not take in; 0: none */
	bool no_bond; /* it could not be made */
	int exclusive_vf; /* one that was used exclusively, and may have addresses; 0: none */
	int repaired_vf; /* a VF from which an address was taken; 0: none */
	uint64_t repaired; /* nv_loop_now() of the last look for DHCP clients on it; 0: never */
	bool promiscuous; /* hn was set so */
	uint32_t refused_mtu; /* of the upper, that a port does not take; 0: none */
	bool told; /* that hn is opened underneath, or does not take its disguise */
	bool seen; /* in the walk over today's pairs */
	bool lost; /* an interface of it went, perhaps to be back under its index */
};

struct nv_daemon {
	const struct nv_options *options;
	char *run_dir;
	int netns_fd; /* holds the lock of the network namespace's own run directory */
	int run_dir_fd; /* holds the lock of run_dir, where that is another */
	struct nv_loop *loop;
	struct nv_budget *budget; /* of those who connect to the sockets */
	struct nv_rules *rules;
	struct nv_rcconf *rcconf;
	struct nv_settings *settings;
	struct nv_actions *actions;
	struct nv_clients *clients;
	struct nv_control *control;
	struct nv_kernel *kernel;
	struct nv_datapath *datapath;
	struct nv_kernel_events *announce;
	struct nv_monitor *monitor;
	struct nv_history *history;
	struct nv_managed *managed; /* ascending by hn */
	size_t n_managed;
	struct nv_watch *hold; /* fires when the first hold-down ends */
	struct nv_watch *tell; /* fires when peers are to be told next */
	struct nv_words pending; /* lines that wait for the batch to settle */
	bool links_changed;
	bool watching; /* the links that there were at the start have been told */
	unsigned long resyncs; /* of the monitor, after which all filters were looked at */
	unsigned long events;
	uint64_t started; /* nv_loop_now() */
	int ready_fd; /* lets the parent in the foreground go; -1: there is none */
	struct pidfh *pid_file;
};

/* reload.c: the two files */

/* Parses both files; on success puts them in place of the present ones. Faults are added. */
int nv_daemon_reload(struct nv_daemon *daemon, struct nv_faults *faults);
/* Hooks in the kernel, as configured. That it refuses them is told, and no failure. */
void nv_daemon_hook(struct nv_daemon *daemon);

/* events.c: every event passes here, in order */

/* Keeps a line until nv_events_flush(); an announcer's callback. */
void nv_events_queue(const char *line, void *daemon);
void nv_events_flush(struct nv_daemon *daemon);
/* Clients, subscribers, the history, and the first rule that matches. */
void nv_events_dispatch(struct nv_daemon *daemon, const char *line);
/* VF_UP or VF_DOWN of an hn, into the queue. */
void nv_events_raise_vf(struct nv_daemon *daemon, const char *hn, const char *type);
/* Whether a rule answers VF_UP of this hn. */
bool nv_events_answered(struct nv_daemon *daemon, const char *hn);
/* Why no rule answers IFATTACH of this VF: the nearest rule's place and the condition that fails,
 * for people, in @why. False: one does. */
bool nv_events_unattached(struct nv_daemon *daemon, const char *vf, struct nv_str *why);
void nv_events_action_done(const struct nv_action_result *result, void *daemon);

/* failover/failover.c: links -> pairs -> machine -> datapath */

/* Looks at all pairs and does what their machines say; what they raise waits in the queue. */
void nv_failover_settle(struct nv_daemon *daemon);
/* A link is gone, before nv_failover_settle() says what became of its pair. */
void nv_failover_lose(struct nv_daemon *daemon, int ifindex);
/*
 * Whether a link is the VF of a pair and down, but has been set up since it joined: an
 * administrator has set it down.
 */
bool nv_failover_left_down(struct nv_daemon *daemon, const struct nv_link *link);
/* Whether an address on it concerns nv_failover_settle(): it is a VF, or an hn that is undecided.
 */
bool nv_failover_cares(const struct nv_daemon *daemon, int ifindex);
/* Settles and flushes, for whoever is not the monitor; also the hold-down's timer's callback. */
void nv_failover_look_again(void *daemon);
/* `netvf switch`: -ENOENT: no such hn is looked after; -EOPNOTSUPP: the VF is used exclusively. */
int nv_failover_override(struct nv_daemon *daemon, const char *hn, enum nv_override override);

/* failover/bond_ports.c: hn and VF as ports of a lagg that is a bond; nothing to do for another */

/*
 * Takes a VF that does not carry traffic into the bond; makes the bond first, where it is wanted
 * and the VF is to be used so. True: the VF was up, and has been closed for it.
 */
bool nv_bond_ports_take_vf(struct nv_daemon *daemon, struct nv_managed *managed,
	const struct nv_link *hn, const struct nv_link *vf);
/* After somebody has deleted the bond, with which the kernel closes its ports. */
void nv_bond_ports_reopen(struct nv_daemon *daemon, const struct nv_dp_pair *path);
/* After a step: takes hn in, if @may, and tells the data path and the bond how things are. */
void nv_bond_ports_settle(struct nv_daemon *daemon, struct nv_managed *managed,
	const struct nv_link *hn, const struct nv_link *vf, bool may);

/* failover/dormant.c: what hn shows while the VF transmits */

/* Opens an hn that somebody has set down. Says so once. Returns 0 or -errno. */
int nv_dormant_open(struct nv_daemon *daemon, struct nv_managed *managed);
/*
 * Has hn show that it has no link: dormant, so that programs see it not running, while its driver
 * goes on receiving. Or its true state again. What it refuses is told once.
 */
void nv_dormant_set(struct nv_daemon *daemon, struct nv_managed *managed, bool on);

/* failover/mode.c: hn keeps its configuration and drives the VF */

/*
 * Whether it is to, as configured and by whoever configures hn; sets managed->manager and
 * managed->undecided, and lowers @soonest to the end of that. Needs facts->answered and ->form.
 */
bool nv_mode_decide(struct nv_daemon *daemon, struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest);
/* The same, as it was decided last. */
bool nv_mode_is_transparent(const struct nv_daemon *daemon, const struct nv_managed *managed);
/* Sets facts->waiting, and lowers @soonest to the end of that. */
void nv_mode_wait(struct nv_daemon *daemon, struct nv_managed *managed, struct nv_pair_facts *facts,
	uint64_t *soonest);
/* The VF gets MTU and flags of hn and is set up. A failure is logged; the VF is not used then. */
void nv_mode_ready_vf(struct nv_daemon *daemon, const struct nv_managed *managed, int vf);
/* hn was set down: its VF is, too. */
void nv_mode_stop_vf(struct nv_daemon *daemon, const struct nv_managed *managed, int vf);

/* failover/port_sync.c: ports and data path become what upper and configuration are */

/* Compares, and changes only what differs. A failure is logged; the next change tries again. */
void nv_port_sync(struct nv_daemon *daemon, struct nv_managed *managed);

/* failover/vf_guard.c: the VF stays bare */

/* Takes addresses off, and ends DHCP clients, that somebody has put on a VF. Says so once. */
void nv_vf_guard(struct nv_daemon *daemon, struct nv_managed *managed, int vf);

/* failover/notify_peers.c: peers are told where the upper is */

/* Tells those of all pairs whose time has come; also the timer's callback. */
void nv_notify_peers(void *daemon);

/* The pairs that an earlier process left in the datapath. */
int nv_failover_adopt(struct nv_daemon *daemon);

/* methods.c: what the control socket answers */
extern const struct nv_control_method nv_daemon_methods[];

/* doctor.c: one of its methods */
int nv_doctor_call(const json_t *params, json_t **ret_result, char **ret_error, void *daemon);

/* options.c */

/* Tells the usage on stderr where they are wrong, and returns -EINVAL. */
int nv_options_parse(int argc, char **argv, struct nv_options *ret_options);

/* startup.c: each room is opened, in the order in which they need each other */

/* Makes the run directory and what is above it, and takes it: one netvfd has one. A failure is
 * logged, as in nv_startup(). */
int nv_run_dir_make(struct nv_daemon *daemon);
/* Loop, queues, sockets, data path; what an earlier netvfd left is adopted. */
int nv_startup(struct nv_daemon *daemon);
/* Closes and frees all, also what was opened in part. */
void nv_shutdown(struct nv_daemon *daemon);

/* daemonize.c: devd's way into the background */

/*
 * Unless it is to stay in the foreground: takes the pid file and forks. The parent waits until
 * nv_daemonize_idle(), that is, until what had happened before the start has been acted on, and
 * exits 0 then, or 1 if the child ended before. With -n it does not wait.
 */
int nv_daemonize_enter(struct nv_daemon *daemon);
/* Nothing is left to do: lets the parent go, and takes the standard descriptors to /dev/null. */
void nv_daemonize_idle(struct nv_daemon *daemon);
/* Removes the pid file. */
void nv_daemonize_leave(struct nv_daemon *daemon);
