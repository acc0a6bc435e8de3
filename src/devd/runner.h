/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How netvfd, which has few capabilities, has an action run by netvf_actions, which has those that
 * actions need: one connection for each command, on a SOCK_SEQPACKET socket that only root can use.
 *
 *   netvfd          "TIME\nEVENT\nCOMMAND": the event's time and line, the command of a rule
 *   netvf_actions   "started PID", then "ended STATUS" as of wait(2)
 *                   or "refused ERRNO" and the end
 *
 * netvf_actions has read the rules itself, and runs only commands that one of them makes of the
 * event. While the connection exists, the process group PID belongs to the command.
 */
#pragma once

#include <sys/types.h>

#define NV_ACTIONS_SOCKET "actions.sock" /* in the run directory */

#define NV_RUNNER_REQUEST_MAX (80 * 1024) /* NV_RULES_ACTION_MAX, and an event */

enum nv_runner_says {
	NV_RUNNER_STARTED,
	NV_RUNNER_ENDED,
	NV_RUNNER_REFUSED,
};

struct nv_runner_answer {
	enum nv_runner_says says;
	int value; /* the pid, the status, or a positive errno */
};

/*
 * Sends the request; the answers arrive on *ret_fd, which is non-blocking. @time may be NULL.
 * Returns 0, -EMSGSIZE, -ENOMEM, or -errno of connect(2) and send(2): -ENOENT and -ECONNREFUSED
 * (netvf_actions does not run), -EAGAIN (it is busy).
 */
int nv_runner_ask(
	const char *path, const char *time, const char *event, const char *command, int *ret_fd);

/* Reads one answer. Returns 0, -EAGAIN (none yet), -ECONNRESET (the end), -EPROTO, -errno. */
int nv_runner_answer(int fd, struct nv_runner_answer *ret_answer);

/* Sends one answer. Returns 0 or -errno of send(2). */
int nv_runner_say(int fd, enum nv_runner_says says, int value);

/* Splits a request into its three parts, in place. Returns 0 or -EPROTO. */
int nv_runner_split(char *request, char **ret_time, char **ret_event, char **ret_command);
