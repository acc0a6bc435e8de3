/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs actions. There is a queue for each subject (the name of an interface or device), in the
 * order of the events. A queue runs one command at a time; queues run at the same time. Unlike
 * FreeBSD's devd, the daemon does not wait for an action.
 */
#pragma once

#include "base/cleanup.h"
#include "loop/loop.h"

#define NV_ACTIONS_QUEUE_MAX   1024 /* commands that wait in one queue; further ones are refused */
#define NV_ACTIONS_WAITING_MAX 16384 /* in all queues */
#define NV_ACTIONS_RUNNING_MAX 64 /* at once, over all queues */
/*
 * A command that cannot be started because memory, descriptors or processes are short is tried
 * again after a tenth of a second, then after twice that time and so on. After five minutes it is
 * given up.
 */
#define NV_ACTIONS_RETRY_MIN (NV_USEC_PER_SEC / 10)
#define NV_ACTIONS_RETRY_MAX (10 * NV_USEC_PER_SEC)
#define NV_ACTIONS_RETRY_FOR (300 * NV_USEC_PER_SEC)

struct nv_actions;

struct nv_action_result {
	const char *subject;
	const char *command;
	const char *event; /* the event's line */
	int status; /* from wait(2); undefined if error is set */
	/*
	 * 0; -ETIME: it was killed at the time limit; -ECANCELED: the queues were freed while it
	 * waited or ran; any other -errno: it could not be started.
	 */
	int error;
	uint64_t queued_at; /* microseconds of nv_loop_now() */
	uint64_t started_at; /* 0: it was not started */
	uint64_t ended_at;
	void *cookie;
};

/*
 * Called once for every command that nv_actions_add() accepted, also when the queues are freed;
 * never from inside nv_actions_add(). It may add commands (except while the queues are freed), and
 * must not free the queues.
 */
typedef void (*nv_action_done_fn)(const struct nv_action_result *result, void *data);

struct nv_actions_config {
	const char *shell; /* NULL: /bin/sh; called as SHELL -c -- COMMAND */
	/* NAME=VALUE strings to add to the environment, NULL-terminated; or NULL */
	const char *const *env;
	const char *
		/* the socket of netvf_actions, which runs the commands then; NULL: they run here */
		runner;
	/*
	 * Microseconds for one command; 0: no limit. At the limit its process group gets SIGTERM,
	 * and SIGKILL 5 s later. The subject's next command waits until the group is gone.
	 */
	uint64_t time_limit;
	nv_action_done_fn done;
	void *data;
};

/* @config is copied (its strings too). Returns 0 or -ENOMEM. */
int nv_actions_new(struct nv_loop *loop, const struct nv_actions_config *config,
	struct nv_actions **ret_actions);

/* Drops what waits. What runs continues. */
struct nv_actions *nv_actions_free(struct nv_actions *actions);
NV_DEFINE_AUTO(nv_actions, struct nv_actions *, nv_actions_free);

/*
 * Queues a command. It runs with descriptors 0-2 only (0 is /dev/null, 1 and 2 are the daemon's),
 * in /, in a process group of its own, with default signals; or as netvf_actions runs it. @time:
 * the event's, for a command of a rule; may be NULL. Returns 0, -ENOBUFS (a limit above is
 * reached), -ECANCELED (being freed), -ENOMEM.
 */
int nv_actions_add(struct nv_actions *actions, const char *subject, const char *command,
	const char *event, const char *time, void *cookie);

/* Sets config.time_limit for commands that start from now on. */
void nv_actions_limit(struct nv_actions *actions, uint64_t time_limit);

/* The number of commands that wait, for display. */
size_t nv_actions_waiting(const struct nv_actions *actions);
size_t nv_actions_running(const struct nv_actions *actions);
