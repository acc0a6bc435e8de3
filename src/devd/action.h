/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs actions: one queue a subject (an interface's or device's name), in the order of the events,
 * each queue one command at a time, the queues side by side. Unlike FreeBSD's devd, which blocks
 * on each action, the daemon goes on meanwhile.
 */
#pragma once

#include "base/cleanup.h"
#include "loop/loop.h"

#define NV_ACTIONS_QUEUE_MAX   1024 /* commands waiting in one queue; further ones are refused */
#define NV_ACTIONS_WAITING_MAX 16384 /* in all queues */
#define NV_ACTIONS_RUNNING_MAX 64 /* at once, over all queues */
/*
 * A command that cannot be started for want of memory, descriptors or processes is tried again
 * after a tenth of a second, then twice that and so on, and is given up after five minutes.
 */
#define NV_ACTIONS_RETRY_MIN (NV_USEC_PER_SEC / 10)
#define NV_ACTIONS_RETRY_MAX (10 * NV_USEC_PER_SEC)
#define NV_ACTIONS_RETRY_FOR (300 * NV_USEC_PER_SEC)

struct nv_actions;

struct nv_action_result {
	const char *subject;
	const char *command;
	const char *event; /* the event's line */
	int status; /* of wait(2); meaningless when error is set */
	/*
	 * 0; -ETIME: was killed at the time limit; -ECANCELED: the queues were freed while it
	 * waited or ran; any other -errno: could not be started.
	 */
	int error;
	uint64_t queued_at; /* microseconds of nv_loop_now() */
	uint64_t started_at; /* 0: it never was */
	uint64_t ended_at;
	void *cookie;
};

/*
 * Told once for every command that nv_actions_add() took, also when the queues are freed; never
 * from inside nv_actions_add(). It may add further commands (not while they are freed), and must
 * not free the queues.
 */
typedef void (*nv_action_done_fn)(const struct nv_action_result *result, void *data);

struct nv_actions_config {
	const char *shell; /* NULL: /bin/sh; run as SHELL -c -- COMMAND */
	const char *const *env; /* NAME=VALUE to add to the environment, NULL-terminated; or NULL */
	const char *
		runner; /* the socket of netvf_actions, which runs them then; NULL: they run here */
	/*
	 * Microseconds for one command, 0 for ever. Then its process group gets SIGTERM, and
	 * SIGKILL 5 s later; the next command of the subject waits until the group is gone.
	 */
	uint64_t time_limit;
	nv_action_done_fn done;
	void *data;
};

/* @config is copied (its strings too). Returns 0 or -ENOMEM. */
int nv_actions_new(struct nv_loop *loop, const struct nv_actions_config *config,
	struct nv_actions **ret_actions);

/* Forgets what waits; what runs goes on running, unattended. */
struct nv_actions *nv_actions_free(struct nv_actions *actions);
NV_DEFINE_AUTO(nv_actions, struct nv_actions *, nv_actions_free);

/*
 * Queues a command. It runs with only descriptors 0–2 (0 is /dev/null, 1 and 2 the daemon's), in /,
 * in a process group of its own, with default signals; or as netvf_actions runs it.
 * @time: the event's, where a rule has made the command of it; it may be NULL.
 * Returns 0, -ENOBUFS (a limit above is reached), -ECANCELED (being freed), -ENOMEM.
 */
int nv_actions_add(struct nv_actions *actions, const char *subject, const char *command,
	const char *event, const char *time, void *cookie);

/* As in the configuration, for the commands that start from now on. */
void nv_actions_limit(struct nv_actions *actions, uint64_t time_limit);

/* How many commands there are now, to look at. */
size_t nv_actions_waiting(const struct nv_actions *actions);
size_t nv_actions_running(const struct nv_actions *actions);
