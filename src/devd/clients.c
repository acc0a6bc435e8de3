/* SPDX-License-Identifier: BSD-2-Clause */
#include "devd/clients.h"

#include "base/log.h"
#include "loop/unix.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/uio.h>

LIST_HEAD(client_list, client);

struct client {
	struct nv_clients *clients;
	int fd;
	struct ucred peer;
	struct nv_watch *hangup;
	LIST_ENTRY(client) link;
};

struct nv_clients {
	struct nv_loop *loop;
	struct nv_budget *budget;
	struct nv_listener *seqpacket;
	struct nv_listener *stream;
	struct client_list list;
	size_t count;
	size_t limit;
};

static void clients_enable(struct nv_clients *clients)
{
	bool room = clients->count < clients->limit;

	if (clients->seqpacket)
		nv_listener_enable(clients->seqpacket, room);
	if (clients->stream)
		nv_listener_enable(clients->stream, room);
}

static void clients_drop(struct client *client)
{
	struct nv_clients *clients = client->clients;

	LIST_REMOVE(client, link);
	nv_watch_free(client->hangup);
	close(client->fd);
	free(client);
	clients->count--;
	clients_enable(clients);
}

static void clients_on_hangup(int fd, int events, void *data)
{
	struct client *client = data;
	struct nv_budget *budget = client->clients->budget;
	uid_t uid = client->peer.uid;

	(void)fd;
	(void)events;
	nv_budget_begin(budget);
	clients_drop(client);
	nv_budget_end(budget, uid);
}

static bool clients_has_place(const struct nv_clients *clients, uid_t uid)
{
	const struct client *client;
	size_t of_uid = 0;

	if (nv_budget_is_exempt(uid))
		return true;
	LIST_FOREACH (client, &clients->list, link)
		of_uid += client->peer.uid == uid;
	return of_uid < NV_CLIENTS_UID(clients->limit) &&
	       clients->count < clients->limit - NV_CLIENTS_ROOT(clients->limit);
}

static int clients_take(struct nv_clients *clients, int fd, const struct ucred *peer)
{
	NV_AUTO(nv_free) struct client *client = calloc(1, sizeof(*client));
	const int size = NV_CLIENTS_SEND_BUFFER;
	int r;

	if (!client)
		return -ENOMEM;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		return -errno;
	/* shutdown() fails if the client is gone already. The watch then reports the hang-up. */
	shutdown(fd, SHUT_RD);
	r = nv_loop_watch_fd(
		clients->loop, fd, NV_LOOP_HANGUP, clients_on_hangup, client, &client->hangup);
	if (r < 0)
		return r;
	client->clients = clients;
	client->fd = fd;
	client->peer = *peer;
	LIST_INSERT_HEAD(&clients->list, client, link);
	client = NULL;
	clients->count++;
	clients_enable(clients);
	if (clients->count == clients->limit)
		nv_notice("the limit of devd clients (%zu) is reached; further ones wait",
			clients->limit);
	return 0;
}

static void clients_on_connect(int fd, const struct ucred *peer, void *data)
{
	struct nv_clients *clients = data;
	int r;

	if (!clients_has_place(clients, peer->uid)) {
		nv_debug("a devd client of uid %u is disconnected: its places are taken",
			(unsigned int)peer->uid);
		close(fd);
		return;
	}
	r = clients_take(clients, fd, peer);
	if (r < 0) {
		nv_warn("cannot serve a new devd client: %s", nv_strerror(r));
		close(fd);
	}
}

int nv_clients_new(struct nv_loop *loop, const char *seqpacket_path, const char *stream_path,
	unsigned int limit, struct nv_budget *budget, struct nv_clients **ret_clients)
{
	NV_AUTO(nv_clients) struct nv_clients *clients = calloc(1, sizeof(*clients));
	int r = 0;

	if (!clients)
		return -ENOMEM;
	clients->loop = loop;
	clients->budget = budget;
	clients->limit = limit;
	LIST_INIT(&clients->list);
	if (seqpacket_path)
		r = nv_listener_new(loop, budget, seqpacket_path, SOCK_SEQPACKET, limit,
			clients_on_connect, clients, &clients->seqpacket);
	if (r == 0 && stream_path)
		r = nv_listener_new(loop, budget, stream_path, SOCK_STREAM, limit,
			clients_on_connect, clients, &clients->stream);
	if (r < 0)
		return r;
	*ret_clients = TAKE_PTR(clients);
	return 0;
}

struct nv_clients *nv_clients_free(struct nv_clients *clients)
{
	if (!clients)
		return NULL;
	clients->seqpacket = nv_listener_free(clients->seqpacket);
	clients->stream = nv_listener_free(clients->stream);
	while (!LIST_EMPTY(&clients->list))
		clients_drop(LIST_FIRST(&clients->list));
	free(clients);
	return NULL;
}

/* Sends the whole line at once, or fails; of a stream a part may be sent, and the client is
 * dropped. */
static int clients_send_line(const struct client *client, const char *line, size_t length)
{
	struct iovec parts[] = {{(char *)line, length}, {(char *)"\n", 1}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = NV_ARRAY_SIZE(parts)};
	ssize_t sent = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR);

	if (sent < 0)
		return -errno;
	return (size_t)sent == length + 1 ? 0 : -EAGAIN;
}

void nv_clients_send(struct nv_clients *clients, const char *line)
{
	size_t length = strlen(line);
	struct client *client;
	struct client *next;
	int r;

	if (clients->seqpacket)
		nv_listener_accept(clients->seqpacket);
	if (clients->stream)
		nv_listener_accept(clients->stream);
	for (client = LIST_FIRST(&clients->list); client; client = next) {
		next = LIST_NEXT(client, link);
		r = clients_send_line(client, line, length);
		if (r == 0)
			continue;
		if (r == -EAGAIN)
			nv_warn("disconnecting devd client (pid %d): it reads too slowly",
				client->peer.pid);
		else
			nv_debug("disconnecting devd client (pid %d): %s", client->peer.pid,
				nv_strerror(r));
		clients_drop(client);
	}
}

size_t nv_clients_count(const struct nv_clients *clients)
{
	return clients->count;
}
