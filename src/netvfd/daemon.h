/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's state, for the files of this directory. Wiring only: other directories do the work.
 */
#pragma once

#include "control/server.h"
#include "devd/action.h"
#include "devd/clients.h"
#include "devd/kernel_events.h"
#include "devd/rules.h"
#include "failover/failover.h"
#include "loop/loop.h"
#include "netvfd/history.h"

/* The command line's options; the strings belong to argv. */
struct nv_options {
	const char *rules_path;
	const char *rcconf_path;
	const char *run_dir; /* NULL: by nv_run_dir_find() */
	const char *actions; /* the socket of netvf_actions; NULL: netvfd runs actions itself */
	unsigned int clients_max;
	bool foreground; /* -d */
	bool background_at_once; /* -n */
	bool quiet; /* -q */
	bool check;
	bool repin;
	bool try_hooks;
};

struct nv_daemon_watchdog {
	struct nv_watch *timer; /* NULL: systemd does not ask for it */
	uint64_t limit; /* microseconds after which systemd restarts a silent netvfd */
	bool suspended; /* until there is a VF */
};

struct nv_daemon {
	const struct nv_options *options;
	char *run_dir;
	int netns_fd; /* lock on the network namespace's default run directory */
	int run_dir_fd; /* lock on run_dir, if that is another directory */
	struct nv_loop *loop;
	struct nv_budget *budget; /* for the clients of the sockets */
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
	struct nv_failover *failover;
	struct nv_history *history;
	struct nv_words pending; /* event lines that wait for the end of the batch */
	bool watching; /* the links that existed at the start have been reported */
	unsigned long events;
	struct nv_daemon_watchdog watchdog;
	struct nv_watch *priority; /* ends nv_priority_yield(); NULL: it was not allowed */
	bool urgent; /* of nv_priority_need() */
	bool yields; /* between nv_priority_yield() and its end */
	int ready_fd; /* tells the parent in the foreground to exit; -1: there is none */
	struct pidfh *pid_file;
};

/* reload.c: the two files */

/*
 * Parses both files, and replaces the current configuration if there is no error. Faults are added.
 */
int nv_daemon_reload(struct nv_daemon *daemon, struct nv_faults *faults);

/* events.c: handles every event, in order */

/* Keeps a line until nv_events_flush(). A callback of nv_kernel_events. */
void nv_events_queue(const char *line, void *daemon);
void nv_events_flush(struct nv_daemon *daemon);
/* Sends an event to devd's clients and the subscribers, and runs the first rule that matches. */
void nv_events_dispatch(struct nv_daemon *daemon, const char *line);
/* Whether a rule has an action for VF_UP of this hn. */
bool nv_events_answers_vf_up(const char *hn, void *daemon);
/* Queues VF_UP and VF_DOWN, and adds switches to the history; data is the daemon. */
extern const struct nv_failover_ops nv_events_failover_ops;
/*
 * Why no rule has an action for IFATTACH of this VF: writes the position of the nearest rule and
 * the condition that fails to @why, as text. False: a rule has one.
 */
bool nv_events_unattached(struct nv_daemon *daemon, const char *vf, struct nv_str *why);
void nv_events_action_done(const struct nv_action_result *result, void *daemon);

/* methods.c: the methods of the control socket (doc/control.md) */
extern const struct nv_control_method nv_daemon_methods[];
/*
 * What @make makes of each pair. If @params has "after", an ifindex: of those whose hn is above it,
 * and only so many that the answer is not too long; *ret_next is the "after" of the next part, or
 * 0.
 */
json_t *nv_methods_pairs(struct nv_daemon *daemon, const json_t *params,
	json_t *(*make)(struct nv_daemon *daemon, const struct nv_managed *managed),
	json_int_t *ret_next);
/* The name of a link; JSON's null: there is none (also for 0). */
json_t *nv_methods_name(const struct nv_daemon *daemon, int ifindex);

/* doctor.c: the method "doctor" */
int nv_doctor_call(const json_t *params, json_t **ret_result, char **ret_error, void *daemon);

/* options.c */

/* Prints the usage on stderr and returns -EINVAL if they are wrong. */
int nv_options_parse(int argc, char **argv, struct nv_options *ret_options);

/* startup.c: opens everything in the order of dependence */

/*
 * Makes the run directory and those above it, and locks it: only one netvfd may use it. Logs a
 * failure, like nv_startup().
 */
int nv_run_dir_make(struct nv_daemon *daemon);
/* Opens loop, queues, sockets and data path; adopts what an earlier netvfd left. */
int nv_startup(struct nv_daemon *daemon);
/* Closes and frees everything, also after a partial start. */
void nv_shutdown(struct nv_daemon *daemon);

/* priority.c: the lowest real-time priority (SCHED_RR, sched(7)) */

/* Takes it, if that is allowed; else it is logged. Returns 0 or -ENOMEM. */
int nv_priority_start(struct nv_daemon *daemon);

/*
 * Takes it, or does without it. @urgent: nv_failover_is_urgent(). Until the first call after the
 * start it is taken.
 */
void nv_priority_need(struct nv_daemon *daemon, bool urgent);

#define NV_PRIORITY_YIELD (NV_USEC_PER_SEC / 2) /* microseconds */
/*
 * Runs without it for NV_PRIORITY_YIELD. Call it when the machine has moved to another host and the
 * network has been told: nothing is cached there, and what netvfd does takes so long that frames
 * which this processor is to receive would wait.
 */
void nv_priority_yield(struct nv_daemon *daemon);
void nv_priority_stop(struct nv_daemon *daemon);

/* watchdog.c: systemd's watchdog */

/* Call it after the first settle. Returns 0 or -ENOMEM. */
int nv_watchdog_start(struct nv_daemon *daemon);
/* Call it after each settle: begins to feed the watchdog, if it was not needed before. */
void nv_watchdog_resume(struct nv_daemon *daemon);
void nv_watchdog_stop(struct nv_daemon *daemon);

/* privileges.c: logs the capabilities that netvfd lacks, and what does not work without them */
void nv_privileges_check(void);

/* daemonize.c: devd's way to the background */

/*
 * Takes the pid file and forks, unless netvfd stays in the foreground. The parent waits for
 * nv_daemonize_idle(), that is, until the events of the start have been acted on, and then exits
 * with 0, or with 1 if the child ended before. With -n it does not wait.
 */
int nv_daemonize_enter(struct nv_daemon *daemon);
/* The daemon is idle: lets the parent exit, and redirects the standard descriptors to /dev/null. */
void nv_daemonize_idle(struct nv_daemon *daemon);
/* Removes the pid file. */
void nv_daemonize_leave(struct nv_daemon *daemon);
