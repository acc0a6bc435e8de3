/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: libevent behind a small header, and a virtual clock for tests.
 *
 * The caller frees a watch with nv_watch_free() at any time, also inside the watch's own callback.
 * The callback's `data` belongs to the caller.
 */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>
#include <sys/types.h>

struct nv_loop;
struct nv_watch;

#define NV_USEC_PER_MSEC 1000ULL
#define NV_USEC_PER_SEC	 1000000ULL

enum nv_loop_clock {
	NV_LOOP_MONOTONIC,
	NV_LOOP_VIRTUAL, /* begins at 1 s; only nv_loop_advance() moves it; timers fire in order */
};

/* Returns 0, -ENOMEM, or -errno of epoll_create(2). Free the watches before the loop. */
int nv_loop_new(enum nv_loop_clock clock, struct nv_loop **ret_loop);
struct nv_loop *nv_loop_free(struct nv_loop *loop);
NV_DEFINE_AUTO(nv_loop, struct nv_loop *, nv_loop_free);

/* Runs until nv_loop_quit(). Returns 0 or -errno of epoll_wait(2). */
int nv_loop_run(struct nv_loop *loop);

/*
 * Handles what is ready; with @wait, blocks until at least one event was handled. Timers of the
 * virtual clock that are due are handled too.
 */
int nv_loop_run_once(struct nv_loop *loop, int wait);

/* Ends nv_loop_run() after the current callback, or before the first one. */
void nv_loop_quit(struct nv_loop *loop);

/* CLOCK_MONOTONIC in microseconds, or the virtual clock. */
uint64_t nv_loop_now(const struct nv_loop *loop);

/*
 * For the virtual clock only: moves it by @usec, and calls each timer that falls due at its own
 * time, in the order of time, then of arming.
 */
void nv_loop_advance(struct nv_loop *loop, uint64_t usec);

enum {
	NV_LOOP_READ = 1,
	NV_LOOP_WRITE = 2,
	NV_LOOP_HANGUP = 4, /* only if the other side has hung up, or on an error */
};

typedef void (*nv_loop_fd_fn)(int fd, int events, void *data);
typedef void (*nv_loop_timer_fn)(void *data);
typedef void (*nv_loop_signal_fn)(int signal, void *data);
typedef void (*nv_loop_child_fn)(pid_t pid, int status, void *data);

/*
 * @events: NV_LOOP_READ, NV_LOOP_WRITE or both: the callback is called in each turn in which the
 *          descriptor is ready. Or NV_LOOP_HANGUP, if there is no other watch of the same
 *          descriptor. The descriptor belongs to the caller, who frees the watch before closing it.
 *          Returns 0, -ENOMEM, or -errno of epoll_ctl(2).
 */
int nv_loop_watch_fd(struct nv_loop *loop, int fd, int events, nv_loop_fd_fn callback, void *data,
	struct nv_watch **ret_watch);

/*
 * From now on this watch of a descriptor is served before all others that are ready, and waits only
 * for the callback that runs. Must not be called from its own callback.
 */
void nv_watch_urgent(struct nv_watch *watch);

/* Makes a timer, which is not armed yet. Returns 0 or -ENOMEM. */
int nv_loop_watch_timer(
	struct nv_loop *loop, nv_loop_timer_fn callback, void *data, struct nv_watch **ret_watch);

/* Arms (or re-arms) a timer to fire once, @usec from now; 0: at the next turn of the loop. */
int nv_watch_arm(struct nv_watch *timer, uint64_t usec);
void nv_watch_disarm(struct nv_watch *timer);

/* For one loop in a process. Returns 0, -ENOMEM, or -errno of sigaction(2). */
int nv_loop_watch_signal(struct nv_loop *loop, int signal, nv_loop_signal_fn callback, void *data,
	struct nv_watch **ret_watch);

/*
 * Reaps the child @pid with a pidfd (Linux 5.3) when it ends, and calls @callback once with the
 * status of wait(2); -1: something else has reaped it (SIGCHLD is ignored). If the watch is freed
 * earlier, the child continues (and becomes a zombie later). Returns 0, -ENOMEM, or -errno of
 * pidfd_open(2).
 */
int nv_loop_watch_child(struct nv_loop *loop, pid_t pid, nv_loop_child_fn callback, void *data,
	struct nv_watch **ret_watch);

struct nv_watch *nv_watch_free(struct nv_watch *watch);
NV_DEFINE_AUTO(nv_watch, struct nv_watch *, nv_watch_free);
