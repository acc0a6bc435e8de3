/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop/loop.h"

#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>

#define VIRTUAL_START NV_USEC_PER_SEC

/* libevent's priorities; a watch begins with ORDINARY. */
enum {
	URGENT,
	ORDINARY,
	PRIORITIES,
};

TAILQ_HEAD(timers, nv_watch);

struct nv_loop {
	struct event_base *base;
	enum nv_loop_clock clock;
	bool quit;
	uint64_t now; /* time of the virtual clock */
	uint64_t turn; /* number of nv_loop_run_once() calls */
	/* armed timers of the virtual clock, in the order in which they fire */
	struct timers timers;
};

struct nv_watch {
	struct nv_loop *loop;
	struct event event;
	union {
		nv_loop_fd_fn fd;
		nv_loop_timer_fn timer;
		nv_loop_signal_fn signal;
		nv_loop_child_fn child;
	} callback;
	void *data;

	/* For a timer of the virtual clock. */
	bool armed;
	uint64_t due;
	uint64_t turn; /* the turn in which it was armed */
	TAILQ_ENTRY(nv_watch) link;

	/* For a child. */
	pid_t pid;
	int pidfd;
};

/* Errors of libevent's calls are returned too, so its own messages are only details. */
static void loop_log_libevent(int severity, const char *message)
{
	nv_log(severity == EVENT_LOG_ERR ? LOG_ERR : LOG_DEBUG, "libevent: %s", message);
}

static struct event_base *loop_new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	/* Without the first flag, a timer that is armed late in a long turn would fire early. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	/* After each ordinary callback libevent checks for urgent events. */
	event_config_set_max_dispatch_interval(config, NULL, 1, ORDINARY);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (!base || event_base_priority_init(base, PRIORITIES) == 0)
		return base;
	event_base_free(base);
	return NULL;
}

int nv_loop_new(enum nv_loop_clock clock, struct nv_loop **ret_loop)
{
	NV_AUTO(nv_free) struct nv_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	event_set_log_callback(loop_log_libevent);
	errno = 0;
	loop->base = loop_new_base();
	if (!loop->base)
		return errno ? -errno : -ENOMEM;
	loop->clock = clock;
	loop->now = VIRTUAL_START;
	TAILQ_INIT(&loop->timers);
	*ret_loop = TAKE_PTR(loop);
	return 0;
}

struct nv_loop *nv_loop_free(struct nv_loop *loop)
{
	if (!loop)
		return NULL;
	event_base_free(loop->base);
	free(loop);
	return NULL;
}

int nv_loop_run(struct nv_loop *loop)
{
	int r = 0;

	while (!loop->quit && r == 0)
		r = nv_loop_run_once(loop, 1);
	loop->quit = false;
	return r;
}

void nv_loop_quit(struct nv_loop *loop)
{
	loop->quit = true;
	event_base_loopbreak(loop->base);
}

uint64_t nv_loop_now(const struct nv_loop *loop)
{
	struct timespec now;

	if (loop->clock == NV_LOOP_VIRTUAL)
		return loop->now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NV_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void loop_virtual_disarm(struct nv_watch *timer)
{
	if (timer->armed)
		TAILQ_REMOVE(&timer->loop->timers, timer, link);
	timer->armed = false;
}

static void loop_virtual_arm(struct nv_watch *timer, uint64_t usec)
{
	struct nv_loop *loop = timer->loop;
	struct nv_watch *later;

	loop_virtual_disarm(timer);
	timer->armed = true;
	timer->due = loop->now + usec;
	timer->turn = loop->turn;
	TAILQ_FOREACH (later, &loop->timers, link)
		if (later->due > timer->due)
			break;
	if (later)
		TAILQ_INSERT_BEFORE(later, timer, link);
	else
		TAILQ_INSERT_TAIL(&loop->timers, timer, link);
}

static void loop_virtual_fire(struct nv_watch *timer)
{
	loop_virtual_disarm(timer);
	timer->callback.timer(timer->data);
}

void nv_loop_advance(struct nv_loop *loop, uint64_t usec)
{
	uint64_t end = loop->now + usec;
	struct nv_watch *timer;

	while ((timer = TAILQ_FIRST(&loop->timers)) && timer->due <= end) {
		if (timer->due > loop->now)
			loop->now = timer->due;
		loop_virtual_fire(timer);
	}
	loop->now = end;
}

/* Fires the timers that are due. What they arm waits for the next turn. */
static bool loop_virtual_turn(struct nv_loop *loop)
{
	struct nv_watch *timer;
	bool any = false;

	loop->turn++;
	while ((timer = TAILQ_FIRST(&loop->timers)) && timer->due <= loop->now &&
		timer->turn < loop->turn) {
		loop_virtual_fire(timer);
		any = true;
	}
	return any;
}

int nv_loop_run_once(struct nv_loop *loop, int wait)
{
	if (loop_virtual_turn(loop))
		wait = 0;
	errno = 0;
	if (event_base_loop(loop->base,
		    (wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK) | EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

static struct nv_watch *loop_new_watch(struct nv_loop *loop, void *data)
{
	struct nv_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->loop = loop;
	watch->data = data;
	watch->pidfd = -1;
	return watch;
}

void nv_watch_urgent(struct nv_watch *watch)
{
	event_priority_set(&watch->event, URGENT);
}

/* Passes a watch to libevent. Not with event_new(), which would allocate again. */
static int loop_start(struct nv_watch *watch, int fd, int events, event_callback_fn callback)
{
	if (event_assign(&watch->event, watch->loop->base, fd, events, callback, watch) < 0 ||
		event_priority_set(&watch->event, ORDINARY) < 0)
		return -EINVAL;
	errno = 0;
	if (event_add(&watch->event, NULL) < 0)
		return errno ? -errno : -ENOMEM;
	return 0;
}

/*
 * epoll(7) reports a hang-up without being asked, but libevent cannot ask for nothing else. So ask
 * for edges of readability, which a hang-up always is, and check.
 */
static short loop_flags_of(int events)
{
	if (events == NV_LOOP_HANGUP)
		return EV_PERSIST | EV_READ | EV_ET;
	return EV_PERSIST | (events & NV_LOOP_READ ? EV_READ : 0) |
	       (events & NV_LOOP_WRITE ? EV_WRITE : 0);
}

static void loop_on_fd(int fd, short what, void *data)
{
	struct nv_watch *watch = data;
	int events = (what & EV_READ ? NV_LOOP_READ : 0) | (what & EV_WRITE ? NV_LOOP_WRITE : 0);

	watch->callback.fd(fd, events, watch->data);
}

static void loop_on_hangup(int fd, short what, void *data)
{
	struct pollfd poll_fd = {.fd = fd};
	struct nv_watch *watch = data;

	(void)what;
	if (poll(&poll_fd, 1, 0) > 0)
		watch->callback.fd(fd, NV_LOOP_HANGUP, watch->data);
}

int nv_loop_watch_fd(struct nv_loop *loop, int fd, int events, nv_loop_fd_fn callback, void *data,
	struct nv_watch **ret_watch)
{
	NV_AUTO(nv_free) struct nv_watch *watch = loop_new_watch(loop, data);
	int r;

	if (!watch)
		return -ENOMEM;
	watch->callback.fd = callback;
	r = loop_start(watch, fd, loop_flags_of(events),
		events == NV_LOOP_HANGUP ? loop_on_hangup : loop_on_fd);
	if (r < 0)
		return r;
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

static void loop_on_timer(int fd, short what, void *data)
{
	struct nv_watch *watch = data;

	(void)fd;
	(void)what;
	watch->callback.timer(watch->data);
}

int nv_loop_watch_timer(
	struct nv_loop *loop, nv_loop_timer_fn callback, void *data, struct nv_watch **ret_watch)
{
	NV_AUTO(nv_free) struct nv_watch *watch = loop_new_watch(loop, data);

	if (!watch)
		return -ENOMEM;
	watch->callback.timer = callback;
	if (evtimer_assign(&watch->event, loop->base, loop_on_timer, watch) < 0)
		return -EINVAL;
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

int nv_watch_arm(struct nv_watch *timer, uint64_t usec)
{
	struct timeval tv = {usec / NV_USEC_PER_SEC, usec % NV_USEC_PER_SEC};

	if (timer->loop->clock == NV_LOOP_VIRTUAL) {
		loop_virtual_arm(timer, usec);
		return 0;
	}
	return event_add(&timer->event, &tv) < 0 ? -ENOMEM : 0;
}

void nv_watch_disarm(struct nv_watch *timer)
{
	loop_virtual_disarm(timer);
	event_del(&timer->event);
}

static void loop_on_signal(int signal, short what, void *data)
{
	struct nv_watch *watch = data;

	(void)what;
	watch->callback.signal(signal, watch->data);
}

int nv_loop_watch_signal(struct nv_loop *loop, int signal, nv_loop_signal_fn callback, void *data,
	struct nv_watch **ret_watch)
{
	NV_AUTO(nv_free) struct nv_watch *watch = loop_new_watch(loop, data);
	int r;

	if (!watch)
		return -ENOMEM;
	watch->callback.signal = callback;
	r = loop_start(watch, signal, EV_PERSIST | EV_SIGNAL, loop_on_signal);
	if (r < 0)
		return r;
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

static void loop_on_child(int fd, short what, void *data)
{
	struct nv_watch *watch = data;
	int status;

	(void)fd;
	(void)what;
	/* The pid still belongs to the child: nobody else can have it before it is reaped. */
	if (waitpid(watch->pid, &status, 0) < 0)
		status = -1;
	watch->callback.child(watch->pid, status, watch->data);
}

int nv_loop_watch_child(struct nv_loop *loop, pid_t pid, nv_loop_child_fn callback, void *data,
	struct nv_watch **ret_watch)
{
	NV_AUTO(nv_free) struct nv_watch *watch = loop_new_watch(loop, data);
	NV_AUTO(nv_fd) int pidfd = -1;
	int r;

	if (!watch)
		return -ENOMEM;
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0)
		return -errno;
	watch->callback.child = callback;
	watch->pid = pid;
	r = loop_start(watch, pidfd, EV_READ, loop_on_child);
	if (r < 0)
		return r;
	watch->pidfd = TAKE_FD(pidfd);
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

struct nv_watch *nv_watch_free(struct nv_watch *watch)
{
	if (!watch)
		return NULL;
	loop_virtual_disarm(watch);
	event_del(&watch->event);
	if (watch->pidfd >= 0)
		close(watch->pidfd);
	free(watch);
	return NULL;
}
