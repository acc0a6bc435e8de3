/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon holds, for the files of this room. Wiring only: the work is done in the rooms. */
#pragma once

#include "control/server.h"
#include "devd/action.h"
#include "devd/clients.h"
#include "devd/kernel_events.h"
#include "devd/rules.h"
#include "failover/failover.h"
#include "loop/loop.h"
#include "netvfd/history.h"

/* As the command line gave them; the strings are argv's. */
struct nv_options {
	const char *rules_path;
	const char *rcconf_path;
	const char *run_dir; /* NULL: by nv_run_dir_find() */
	const char *actions; /* the socket of netvf_actions; NULL: actions run here */
	unsigned int clients_max;
	bool foreground; /* -d */
	bool background_at_once; /* -n */
	bool quiet; /* -q */
	bool check;
	bool repin;
	bool try_hooks;
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
	struct nv_failover *failover;
	struct nv_history *history;
	struct nv_words pending; /* lines that wait for the batch to settle */
	bool links_changed;
	bool watching; /* the links that there were at the start have been told */
	unsigned long events;
	int ready_fd; /* lets the parent in the foreground go; -1: there is none */
	struct pidfh *pid_file;
};

/* reload.c: the two files */

/* Parses both files; on success puts them in place of the present ones. Faults are added. */
int nv_daemon_reload(struct nv_daemon *daemon, struct nv_faults *faults);

/* events.c: every event passes here, in order */

/* Keeps a line until nv_events_flush(); an announcer's callback. */
void nv_events_queue(const char *line, void *daemon);
void nv_events_flush(struct nv_daemon *daemon);
/* Clients, subscribers, the history, and the first rule that matches. */
void nv_events_dispatch(struct nv_daemon *daemon, const char *line);
/* Whether a rule answers VF_UP of this hn. */
bool nv_events_answers_vf_up(const char *hn, void *daemon);
/* VF_UP and VF_DOWN go into the queue, switches into the history; data is the daemon. */
extern const struct nv_failover_ops nv_events_failover_ops;
/* Why no rule answers IFATTACH of this VF: the nearest rule's place and the condition that fails,
 * for people, in @why. False: one does. */
bool nv_events_unattached(struct nv_daemon *daemon, const char *vf, struct nv_str *why);
void nv_events_action_done(const struct nv_action_result *result, void *daemon);

/* methods.c: what the control socket answers */
extern const struct nv_control_method nv_daemon_methods[];
/* The name of a link; JSON's null: there is none (also for 0). */
json_t *nv_methods_name(const struct nv_daemon *daemon, int ifindex);

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

/* privileges.c: logs what netvfd lacks, and what does not work without */
void nv_privileges_check(void);

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
