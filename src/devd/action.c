/* SPDX-License-Identifier: BSD-2-Clause */
#include "devd/action.h"

#include "base/log.h"
#include "devd/runner.h"
#include "devd/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION	  HASH_FNV /* the default one uses fallthrough, which clang warns about */
#include <uthash.h>

#define GRACE (5 * NV_USEC_PER_SEC) /* time from SIGTERM to SIGKILL */

STAILQ_HEAD(jobs, job);
STAILQ_HEAD(ready, queue);

/* One command. */
struct job {
	struct queue *queue;
	char *command;
	char *event;
	char *time; /* of the event; or NULL */
	void *cookie;
	uint64_t queued_at;
	uint64_t tried_at; /* when it was first to be started; 0: not yet */
	STAILQ_ENTRY(job) link; /* while it waits */

	/* While it runs: */
	pid_t pid; /* also the process group */
	uint64_t started_at;
	int status;
	int killed_by; /* at the time limit SIGTERM, then SIGKILL; 0 before that */
	bool ended; /* the shell has ended; other processes of its group live on */
	struct nv_watch *child;
	int answers; /* descriptor for the answers of netvf_actions if it runs there; else -1 */
	struct nv_watch *answer;
	struct nv_watch *timer;
};

/* The commands of one subject. It exists while it has a command. */
struct queue {
	struct nv_actions *actions;
	char *subject;
	struct jobs waiting;
	size_t n_waiting;
	struct job *running;
	STAILQ_ENTRY(queue) link; /* in the list of ready queues: a command waits and none runs */
	UT_hash_handle hh;
};

struct nv_actions {
	struct nv_loop *loop;
	struct nv_shell *shell;
	char *runner; /* or NULL */
	uint64_t time_limit;
	nv_action_done_fn done;
	void *data;
	struct queue *queues; /* hash table by subject */
	struct ready ready;
	struct nv_watch *starter; /* timer: starts what is ready */
	uint64_t rest; /* time until the next attempt after a command could not be started */
	size_t n_waiting;
	size_t n_running;
	bool closing;
};

static void action_close_answers(struct job *job)
{
	nv_fd_auto(&job->answers);
	job->answers = -1;
}

static struct job *action_free_job(struct job *job)
{
	if (!job)
		return NULL;
	nv_watch_free(job->child);
	nv_watch_free(job->answer);
	nv_watch_free(job->timer);
	action_close_answers(job);
	free(job->time);
	free(job->command);
	free(job->event);
	free(job);
	return NULL;
}

NV_DEFINE_AUTO(action_free_job, struct job *, action_free_job);

static void action_remove_queue(struct queue *queue)
{
	HASH_DEL(queue->actions->queues, queue);
	free(queue->subject);
	free(queue);
}

static void action_tell(const struct job *job, int error)
{
	struct nv_actions *actions = job->queue->actions;
	struct nv_action_result result = {
		.subject = job->queue->subject,
		.command = job->command,
		.event = job->event,
		.status = job->status,
		.error = error,
		.queued_at = job->queued_at,
		.started_at = job->started_at,
		.ended_at = nv_loop_now(actions->loop),
		.cookie = job->cookie,
	};

	actions->done(&result, actions->data);
}

/* Ends the queue's running job. During the callback the queue still counts as running. */
static void action_finish(struct queue *queue, int error)
{
	struct nv_actions *actions = queue->actions;

	action_tell(queue->running, error);
	queue->running = action_free_job(queue->running);
	actions->n_running--;
	if (queue->n_waiting)
		STAILQ_INSERT_TAIL(&actions->ready, queue, link);
	else
		action_remove_queue(queue);
}

static void action_start_ready(void *data);

static void action_on_time(void *data)
{
	struct job *job = data;
	struct nv_actions *actions = job->queue->actions;

	job->killed_by = job->killed_by ? SIGKILL : SIGTERM;
	if (job->pid)
		kill(-job->pid, job->killed_by);
	if (job->killed_by == SIGTERM) {
		nv_watch_arm(job->timer, GRACE);
		/* there is no process to wait for: netvf_actions does not answer */
	} else if (job->ended || !job->pid) {
		action_finish(job->queue, -ETIME);
		action_start_ready(actions);
	}
}

static void action_end(struct job *job, pid_t pid, int status)
{
	struct nv_actions *actions = job->queue->actions;

	job->status = status;
	job->ended = true;
	/* A shell ends at once on SIGTERM; its children get the whole grace period. */
	if (job->killed_by == SIGTERM && kill(-pid, 0) == 0)
		return;
	action_finish(job->queue, job->killed_by ? -ETIME : 0);
	action_start_ready(actions);
}

static void action_on_end(pid_t pid, int status, void *data)
{
	struct job *job = data;

	job->child = nv_watch_free(job->child);
	action_end(job, pid, status);
}

static void action_job_not_started(struct job *job, int error);

static void action_on_answer(int fd, int events, void *data)
{
	struct job *job = data;
	struct nv_actions *actions = job->queue->actions;
	struct nv_runner_answer answer;
	int r = nv_runner_answer(fd, &answer);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r == 0 && answer.says == NV_RUNNER_STARTED && answer.value > 1) {
		job->pid = answer.value;
		if (job->killed_by) /* before it began to run */
			kill(-job->pid, job->killed_by);
		return;
	}
	job->answer = nv_watch_free(job->answer);
	if (r == 0 && answer.says == NV_RUNNER_ENDED && job->pid)
		return action_end(job, job->pid, answer.value);
	if (r == 0)
		r = answer.says == NV_RUNNER_REFUSED ? -answer.value : -EPROTO;
	if (!job->pid)
		return action_job_not_started(job, r);
	action_finish(job->queue, r);
	action_start_ready(actions);
}

/* Whether a file descriptor is available: without one, nobody could wait for the child's end. */
static int action_spare_descriptor(void)
{
	NV_AUTO(nv_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

/* Its answer may arrive later and say that it could not start the command. */
static int action_run_there(struct job *job)
{
	struct nv_actions *actions = job->queue->actions;
	int r = nv_runner_ask(actions->runner, job->time, job->event, job->command, &job->answers);

	if (r == 0)
		r = nv_loop_watch_fd(actions->loop, job->answers, NV_LOOP_READ, action_on_answer,
			job, &job->answer);
	if (r < 0)
		action_close_answers(job);
	return r;
}

static int action_run_here(struct job *job)
{
	struct nv_actions *actions = job->queue->actions;
	int r = action_spare_descriptor();

	if (r == 0)
		r = nv_shell_run(actions->shell, job->command, &job->pid);
	if (r == 0)
		r = nv_loop_watch_child(actions->loop, job->pid, action_on_end, job, &job->child);
	if (r < 0 && job->pid) {
		/* Nothing may run that nobody waits for. */
		kill(-job->pid, SIGKILL);
		waitpid(job->pid, NULL, 0);
	}
	return r;
}

static int action_run(struct job *job)
{
	struct nv_actions *actions = job->queue->actions;
	int r = nv_loop_watch_timer(actions->loop, action_on_time, job, &job->timer);

	if (r == 0 && actions->time_limit)
		r = nv_watch_arm(job->timer, actions->time_limit);
	if (r == 0)
		r = actions->runner ? action_run_there(job) : action_run_here(job);
	if (r < 0)
		job->timer = nv_watch_free(job->timer);
	return r;
}

/* Whether the error may go away. The command must not have begun to run. */
static bool action_may_be_retried(const struct job *job, int error)
{
	uint64_t tried_for = nv_loop_now(job->queue->actions->loop) - job->tried_at;
	bool passes = error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE;

	/* netvf_actions may be restarted. */
	if (job->queue->actions->runner)
		passes |= error == -ENOENT || error == -ECONNREFUSED || error == -ECONNRESET;

	return passes && !job->pid && tried_for < NV_ACTIONS_RETRY_FOR;
}

/* The running job waits again, as the first one. */
static void action_put_back(struct queue *queue)
{
	struct nv_actions *actions = queue->actions;
	struct job *job = queue->running;

	job->started_at = 0;
	queue->running = NULL;
	actions->n_running--;
	STAILQ_INSERT_HEAD(&queue->waiting, job, link);
	queue->n_waiting++;
	actions->n_waiting++;
}

/* The first job of the queue runs after this. */
static int action_run_first(struct queue *queue)
{
	struct nv_actions *actions = queue->actions;
	struct job *job = STAILQ_FIRST(&queue->waiting);
	int r;

	STAILQ_REMOVE_HEAD(&queue->waiting, link);
	queue->n_waiting--;
	actions->n_waiting--;
	queue->running = job;
	actions->n_running++;
	job->started_at = nv_loop_now(actions->loop);
	if (!job->tried_at)
		job->tried_at = job->started_at;
	r = action_run(job);
	if (r == 0 || !action_may_be_retried(job, r)) {
		if (r < 0)
			action_finish(queue, r);
		return 0;
	}
	action_put_back(queue);
	return r;
}

/* If one command lacks a resource, others lack it too: all wait. */
static void action_take_rest(struct nv_actions *actions, int error)
{
	if (!actions->rest)
		nv_warn("cannot start an action now: %s; netvfd tries again for %d minutes",
			nv_strerror(error), (int)(NV_ACTIONS_RETRY_FOR / NV_USEC_PER_SEC / 60));
	actions->rest = actions->rest ? 2 * actions->rest : NV_ACTIONS_RETRY_MIN;
	if (actions->rest > NV_ACTIONS_RETRY_MAX)
		actions->rest = NV_ACTIONS_RETRY_MAX;
	nv_watch_arm(actions->starter, actions->rest);
}

/* netvf_actions reports that it did not start the command. */
static void action_job_not_started(struct job *job, int error)
{
	struct queue *queue = job->queue;
	struct nv_actions *actions = queue->actions;

	action_close_answers(job);
	job->timer = nv_watch_free(job->timer);
	if (!job->killed_by && action_may_be_retried(job, error)) {
		action_put_back(queue);
		STAILQ_INSERT_HEAD(&actions->ready, queue, link);
		return action_take_rest(actions, error);
	}
	action_finish(queue, job->killed_by ? -ETIME : error);
	action_start_ready(actions);
}

static void action_start_ready(void *data)
{
	struct nv_actions *actions = data;
	struct queue *queue;
	int r;

	while (actions->n_running < NV_ACTIONS_RUNNING_MAX &&
		(queue = STAILQ_FIRST(&actions->ready))) {
		STAILQ_REMOVE_HEAD(&actions->ready, link);
		r = action_run_first(queue);
		if (r < 0) {
			STAILQ_INSERT_HEAD(&actions->ready, queue, link);
			return action_take_rest(actions, r);
		}
		actions->rest = 0;
	}
}

int nv_actions_new(struct nv_loop *loop, const struct nv_actions_config *config,
	struct nv_actions **ret_actions)
{
	NV_AUTO(nv_actions) struct nv_actions *actions = calloc(1, sizeof(*actions));
	int r;

	if (!actions)
		return -ENOMEM;
	actions->loop = loop;
	actions->time_limit = config->time_limit;
	actions->done = config->done;
	actions->data = config->data;
	STAILQ_INIT(&actions->ready);
	if (config->runner && !(actions->runner = strdup(config->runner)))
		return -ENOMEM;
	r = nv_shell_new(config->shell ? config->shell : "/bin/sh", config->env, &actions->shell);
	if (r == 0)
		r = nv_loop_watch_timer(loop, action_start_ready, actions, &actions->starter);
	if (r < 0)
		return r;
	*ret_actions = TAKE_PTR(actions);
	return 0;
}

static void action_cancel(struct queue *queue)
{
	struct job *job;

	if (queue->running) {
		action_tell(queue->running, -ECANCELED);
		action_free_job(queue->running);
	}
	while ((job = STAILQ_FIRST(&queue->waiting))) {
		STAILQ_REMOVE_HEAD(&queue->waiting, link);
		action_tell(job, -ECANCELED);
		action_free_job(job);
	}
	action_remove_queue(queue);
}

struct nv_actions *nv_actions_free(struct nv_actions *actions)
{
	struct queue *queue;
	struct queue *next;

	if (!actions)
		return NULL;
	actions->closing = true;
	HASH_ITER (hh, actions->queues, queue, next)
		action_cancel(queue);
	nv_watch_free(actions->starter);
	nv_shell_free(actions->shell);
	free(actions->runner);
	free(actions);
	return NULL;
}

static struct queue *action_new_queue(struct nv_actions *actions, const char *subject)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->actions = actions;
	queue->subject = strdup(subject);
	STAILQ_INIT(&queue->waiting);
	if (queue->subject)
		HASH_ADD_KEYPTR(hh, actions->queues, queue->subject, strlen(queue->subject), queue);
	if (!queue->hh.tbl) {
		free(queue->subject);
		free(queue);
		return NULL;
	}
	STAILQ_INSERT_TAIL(&actions->ready, queue, link);
	return queue;
}

static struct job *action_new_job(const char *command, const char *event, const char *time)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->answers = -1;
	job->command = strdup(command);
	job->event = strdup(event);
	job->time = time ? strdup(time) : NULL;
	return job->command && job->event && (!time || job->time) ? job : action_free_job(job);
}

int nv_actions_add(struct nv_actions *actions, const char *subject, const char *command,
	const char *event, const char *time, void *cookie)
{
	NV_AUTO(action_free_job) struct job *job = NULL;
	struct queue *queue;
	int r;

	if (actions->closing)
		return -ECANCELED;
	if (actions->n_waiting >= NV_ACTIONS_WAITING_MAX)
		return -ENOBUFS;
	job = action_new_job(command, event, time);
	if (!job)
		return -ENOMEM;
	job->cookie = cookie;
	job->queued_at = nv_loop_now(actions->loop);
	/* Through the loop: otherwise the caller could get the result before this returns. */
	r = nv_watch_arm(actions->starter, 0);
	if (r < 0)
		return r;
	HASH_FIND_STR(actions->queues, subject, queue);
	if (!queue)
		queue = action_new_queue(actions, subject);
	if (!queue)
		return -ENOMEM;
	if (queue->n_waiting >= NV_ACTIONS_QUEUE_MAX)
		return -ENOBUFS;
	job->queue = queue;
	STAILQ_INSERT_TAIL(&queue->waiting, job, link);
	job = NULL;
	queue->n_waiting++;
	actions->n_waiting++;
	return 0;
}

void nv_actions_limit(struct nv_actions *actions, uint64_t time_limit)
{
	actions->time_limit = time_limit;
}

size_t nv_actions_waiting(const struct nv_actions *actions)
{
	return actions->n_waiting;
}

size_t nv_actions_running(const struct nv_actions *actions)
{
	return actions->n_running;
}
