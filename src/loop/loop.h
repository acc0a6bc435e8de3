/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: libevent behind one small header, and a virtual clock for tests.
 *
 * A watch is freed with nv_watch_free() by who asked for it, at any time, also inside its own
 * callback. The callback's `data` belongs to the caller.
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
	NV_LOOP_VIRTUAL, /* starts at 1 s; moves only by nv_loop_advance(); timers fire in order */
};

/* Returns 0, -ENOMEM, or -errno of epoll_create(2). Watches are freed before their loop. */
int nv_loop_new(enum nv_loop_clock clock, struct nv_loop **ret_loop);
struct nv_loop *nv_loop_free(struct nv_loop *loop);
NV_DEFINE_AUTO(nv_loop, struct nv_loop *, nv_loop_free);

/* Runs until nv_loop_quit(). Returns 0 or -errno of epoll_wait(2). */
int nv_loop_run(struct nv_loop *loop);

/*
 * Handles what is ready now; with @wait, blocks until at least one thing was. Timers of the virtual
 * clock that are due now are handled too.
 */
int nv_loop_run_once(struct nv_loop *loop, int wait);

/* Ends nv_loop_run() after the callback that runs now, or before the first. */
void nv_loop_quit(struct nv_loop *loop);

/* CLOCK_MONOTONIC in microseconds, or the virtual clock. */
uint64_t nv_loop_now(const struct nv_loop *loop);

/*
 * Virtual clock only: moves on by @usec, and calls each timer that falls due at its own time, in
 * order of time, then of arming.
 */
void nv_loop_advance(struct nv_loop *loop, uint64_t usec);

enum {
	NV_LOOP_READ = 1,
	NV_LOOP_WRITE = 2,
	NV_LOOP_HANGUP = 4, /* on its own: only when the other side has hung up, or an error */
};

typedef void (*nv_loop_fd_fn)(int fd, int events, void *data);
typedef void (*nv_loop_timer_fn)(void *data);
typedef void (*nv_loop_signal_fn)(int signal, void *data);
typedef void (*nv_loop_child_fn)(pid_t pid, int status, void *data);

/*
 * @events: NV_LOOP_READ, NV_LOOP_WRITE or both: called in each turn in which the descriptor is
 * ready. Or NV_LOOP_HANGUP, then without any other watch of the same descriptor. The descriptor
 * stays the caller's, who frees the watch before closing it.
 * Returns 0, -ENOMEM, or -errno of epoll_ctl(2).
 */
int nv_loop_watch_fd(struct nv_loop *loop, int fd, int events, nv_loop_fd_fn callback, void *data,
	struct nv_watch **ret_watch);

/*
 * From now on this watch of a descriptor comes before all others that are ready, and need not wait
 * for more than the callback that runs. Not to be called while its own callback runs.
 */
void nv_watch_urgent(struct nv_watch *watch);

/* A timer, not armed yet. */
int nv_loop_watch_timer(
	struct nv_loop *loop, nv_loop_timer_fn callback, void *data, struct nv_watch **ret_watch);

/* Arms (again) a timer to fire once, @usec from now; 0 = at the next turn of the loop. */
int nv_watch_arm(struct nv_watch *timer, uint64_t usec);
void nv_watch_disarm(struct nv_watch *timer);

/* For one loop in a process only. Returns 0, -ENOMEM, or -errno of sigaction(2). */
int nv_loop_watch_signal(struct nv_loop *loop, int signal, nv_loop_signal_fn callback, void *data,
	struct nv_watch **ret_watch);

/*
 * Reaps the child @pid by a pidfd (Linux 5.3) when it ends and calls @callback once with the status
 * of wait(2); -1 when something else reaped it first (SIGCHLD ignored). Freeing the watch earlier
 * leaves the child running (and later a zombie of ours).
 * Returns 0, -ENOMEM, or -errno of pidfd_open(2).
 */
int nv_loop_watch_child(struct nv_loop *loop, pid_t pid, nv_loop_child_fn callback, void *data,
	struct nv_watch **ret_watch);

struct nv_watch *nv_watch_free(struct nv_watch *watch);
NV_DEFINE_AUTO(nv_watch, struct nv_watch *, nv_watch_free);
