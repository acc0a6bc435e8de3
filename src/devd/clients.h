/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devd's client sockets: every client gets the line of every event, and can send nothing. A client
 * that does not accept a whole event at once is disconnected (devd.cc).
 */
#pragma once

#include "base/cleanup.h"
#include "loop/budget.h"
#include "loop/loop.h"

#define NV_CLIENTS_SEND_BUFFER 262144 /* bytes, each client; at most net.core.wmem_max */

/* The places, of @limit, that only root or the daemon's own uid may have. */
#define NV_CLIENTS_ROOT(limit) ((limit) / 5)
/* Of the other places, one uid may have half, rounded up. */
#define NV_CLIENTS_UID(limit) (((limit)-NV_CLIENTS_ROOT(limit) + 1) / 2)

struct nv_clients;

/*
 * Listens on both sockets; replaces a path that exists. Mode 0666, owned by the process's user.
 *
 * @seqpacket_path: one event a record. @stream_path: events as lines. Either may be NULL.
 * @limit: clients at the same time on both, at least 1; more of them wait in the backlog. Some
 *         places are for root: a client that has no right to a free place is disconnected at once.
 * @budget: connecting and disconnecting is charged to it; lives as long; may be NULL.
 * Returns 0 or -errno of socket(2), bind(2), listen(2).
 */
int nv_clients_new(struct nv_loop *loop, const char *seqpacket_path, const char *stream_path,
	unsigned int limit, struct nv_budget *budget, struct nv_clients **ret_clients);

/* Disconnects all clients; the paths remain, as with devd. */
struct nv_clients *nv_clients_free(struct nv_clients *clients);
NV_DEFINE_AUTO(nv_clients, struct nv_clients *, nv_clients_free);

/*
 * Sends an event's line (without newline; one is added) to every client. Clients that wait to be
 * accepted are accepted first, so that a client that connected before the event gets it.
 */
void nv_clients_send(struct nv_clients *clients, const char *line);

/* The number of clients on both sockets. */
size_t nv_clients_count(const struct nv_clients *clients);
