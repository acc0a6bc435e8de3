/* SPDX-License-Identifier: BSD-2-Clause */
/* UNIX sockets with a path, as unix(7). All descriptors are close-on-exec. */
#pragma once

#include "loop/budget.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <sys/socket.h>

#define NV_UNIX_CONNECT_WITHIN 30
#define NV_LISTENER_REST       (NV_USEC_PER_SEC / 10)

/*
 * Connects to @path. @type: SOCK_STREAM or SOCK_SEQPACKET, optionally with SOCK_NONBLOCK. Returns
 * 0, -ENAMETOOLONG, or -errno of connect(2): -ENOENT, -ECONNREFUSED (nobody listens); the backlog
 * is full: -EAGAIN with SOCK_NONBLOCK, else -ETIMEDOUT after NV_UNIX_CONNECT_WITHIN seconds.
 */
int nv_unix_connect(const char *path, int type, int *ret_fd);

/* The process that connected, by SO_PEERCRED, as it was then. *ret_peer is untouched on failure. */
int nv_unix_peer(int fd, struct ucred *ret_peer);

struct nv_listener;

/*
 * @fd is non-blocking; the callback closes it. @peer is the process that connected, as from
 * nv_unix_peer(); the callback's time is charged to its uid. It must not free the listener.
 */
typedef void (*nv_listener_fn)(int fd, const struct ucred *peer, void *data);

/*
 * Listens on @path, for every user (mode 0666), and accepts connections in the loop. Replaces a
 * socket that exists there, whether or not anybody listens on it. If descriptors or memory are
 * short, this is logged and it pauses for a second; if @budget is used up, until it is not.
 *
 * @type: SOCK_STREAM or SOCK_SEQPACKET
 * @backlog: how many connections may wait to be accepted
 * @budget: lives as long; may be NULL
 * Returns 0, -ENAMETOOLONG, -EADDRINUSE (@path is not a socket), -ENOMEM, or -errno of socket(2),
 * bind(2), chmod(2).
 */
int nv_listener_new(struct nv_loop *loop, struct nv_budget *budget, const char *path, int type,
	int backlog, nv_listener_fn callback, void *data, struct nv_listener **ret_listener);

/* Closes the listener; the path remains. */
struct nv_listener *nv_listener_free(struct nv_listener *listener);
NV_DEFINE_AUTO(nv_listener, struct nv_listener *, nv_listener_free);

/*
 * Accepts the connections that wait now, without waiting for the loop's turn. If the budget is used
 * up, it does so only NV_LISTENER_REST after the last time.
 */
void nv_listener_accept(struct nv_listener *listener);

/*
 * Stops accepting (new connections wait in the backlog), or continues. May be called from the
 * callback.
 */
void nv_listener_enable(struct nv_listener *listener, bool enabled);
