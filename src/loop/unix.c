/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop/unix.h"

#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define REST	   NV_USEC_PER_SEC
#define REST_LEAST (20 * NV_USEC_PER_MSEC) /* so that it is not woken for each connection */

struct nv_listener {
	struct nv_loop *loop;
	struct nv_budget *budget;
	char *path;
	int fd;
	int backlog;
	nv_listener_fn callback;
	void *data;
	bool enabled;
	bool resting;
	bool failed; /* it pauses because accept(2) failed */
	uint64_t accepted; /* when nv_listener_accept() last did, by nv_loop_now() */
	struct nv_watch *watch; /* NULL while it is disabled or pauses */
	struct nv_watch *timer; /* ends the pause */
};

static int unix_set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	return nv_strcopy(address->sun_path, sizeof(address->sun_path), path) ? 0 : -ENAMETOOLONG;
}

int nv_unix_connect(const char *path, int type, int *ret_fd)
{
	const struct timeval limit = {.tv_sec = NV_UNIX_CONNECT_WITHIN};
	NV_AUTO(nv_fd) int fd = -1;
	struct sockaddr_un address;
	int r;

	r = unix_set_address(&address, path);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN && !(type & SOCK_NONBLOCK) ? -ETIMEDOUT : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int nv_unix_peer(int fd, struct ucred *ret_peer)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	*ret_peer = peer;
	return 0;
}

static int unix_bind_and_listen(const char *path, int type, int backlog, int *ret_fd)
{
	NV_AUTO(nv_fd) int fd = -1;
	struct sockaddr_un address;
	struct stat status;
	int r;

	r = unix_set_address(&address, path);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0 ||
		listen(fd, backlog) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void unix_rest(struct nv_listener *listener, bool failed, uint64_t usec)
{
	listener->resting = true;
	listener->failed = failed;
	listener->watch = nv_watch_free(listener->watch);
	nv_watch_arm(listener->timer, usec);
}

/* Returns whether there may be more. */
static bool unix_accept_one(struct nv_listener *listener)
{
	struct ucred peer = {.uid = (uid_t)-1};
	int fd;

	nv_budget_begin(listener->budget);
	fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && errno == EAGAIN)
		return false;
	if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
		return true;
	if (fd < 0) {
		nv_warn("cannot accept a connection to %s: %s; trying again in a second",
			listener->path, nv_strerror(errno));
		unix_rest(listener, true, REST);
		return false;
	}
	if (nv_unix_peer(fd, &peer) < 0)
		close(fd);
	else
		listener->callback(fd, &peer, listener->data);
	nv_budget_end(listener->budget, peer.uid);
	return true;
}

/* One in each turn, so that urgent watches need not wait for more. */
static void unix_on_connection(int fd, int events, void *data)
{
	struct nv_listener *listener = data;
	uint64_t wait = nv_budget_wait_any(listener->budget);

	(void)fd;
	(void)events;
	if (wait)
		unix_rest(listener, false, wait > REST_LEAST ? wait : REST_LEAST);
	else
		unix_accept_one(listener);
}

static void unix_look(struct nv_listener *listener)
{
	int r;

	if (!listener->enabled)
		listener->watch = nv_watch_free(listener->watch);
	if (!listener->enabled || listener->resting || listener->watch)
		return;
	r = nv_loop_watch_fd(listener->loop, listener->fd, NV_LOOP_READ, unix_on_connection,
		listener, &listener->watch);
	if (r < 0) {
		nv_warn("cannot wait for connections to %s: %s; trying again in a second",
			listener->path, nv_strerror(r));
		unix_rest(listener, true, REST);
	}
}

static void unix_on_rested(void *data)
{
	struct nv_listener *listener = data;

	listener->resting = false;
	listener->failed = false;
	unix_look(listener);
}

void nv_listener_accept(struct nv_listener *listener)
{
	uint64_t now = nv_loop_now(listener->loop);

	if (nv_budget_wait_any(listener->budget) && now - listener->accepted < NV_LISTENER_REST)
		return;
	listener->accepted = now;
	/*
	 * The kernel lets one more connection wait. Those that arrive meanwhile are accepted next
	 * time.
	 */
	for (int waiting = listener->backlog + 1; waiting > 0; waiting--)
		if (!listener->enabled || listener->failed || !unix_accept_one(listener))
			return;
}

void nv_listener_enable(struct nv_listener *listener, bool enabled)
{
	listener->enabled = enabled;
	unix_look(listener);
}

int nv_listener_new(struct nv_loop *loop, struct nv_budget *budget, const char *path, int type,
	int backlog, nv_listener_fn callback, void *data, struct nv_listener **ret_listener)
{
	NV_AUTO(nv_listener) struct nv_listener *listener = calloc(1, sizeof(*listener));
	int r;

	if (!listener)
		return -ENOMEM;
	listener->loop = loop;
	listener->budget = budget;
	listener->fd = -1;
	listener->backlog = backlog;
	listener->callback = callback;
	listener->data = data;
	listener->path = strdup(path);
	if (!listener->path)
		return -ENOMEM;
	r = nv_loop_watch_timer(loop, unix_on_rested, listener, &listener->timer);
	if (r == 0)
		r = unix_bind_and_listen(path, type, backlog, &listener->fd);
	if (r < 0)
		return r;
	nv_listener_enable(listener, true);
	*ret_listener = TAKE_PTR(listener);
	return 0;
}

struct nv_listener *nv_listener_free(struct nv_listener *listener)
{
	if (!listener)
		return NULL;
	nv_watch_free(listener->watch);
	nv_watch_free(listener->timer);
	if (listener->fd >= 0)
		close(listener->fd);
	free(listener->path);
	free(listener);
	return NULL;
}
