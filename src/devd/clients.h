/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devd's client sockets: whoever connects gets every event's line, and can send nothing.
 * A client that does not take a whole event at once is dropped (devd.cc; the spec's part A.9).
 */
#pragma once

#include "base/cleanup.h"
#include "loop/budget.h"
#include "loop/loop.h"

#define NV_CLIENTS_SEND_BUFFER 262144 /* bytes, each client */

/* Of @limit places, those that only root, or the uid that the daemon runs as, may have. */
#define NV_CLIENTS_ROOT(limit) ((limit) / 5)
/* Of the rest, those that one uid may have; at least one. */
#define NV_CLIENTS_UID(limit) (((limit)-NV_CLIENTS_ROOT(limit) + 1) / 2)

struct nv_clients;

/*
 * Listens on both sockets; a path that exists is replaced. Mode 0666, owner as the process.
 *
 * @seqpacket_path: one event a record. @stream_path: events as lines. Either may be NULL.
 * @limit: clients at once over both, at least 1; more of them wait in the backlog. A part of the
 * places is root's: one without a right to any other is closed at once.
 * @budget: who connects, and goes, pays from it; lives as long; may be NULL.
 * Returns 0 or -errno of socket(2), bind(2), listen(2).
 */
int nv_clients_new(struct nv_loop *loop, const char *seqpacket_path, const char *stream_path,
	unsigned int limit, struct nv_budget *budget, struct nv_clients **ret_clients);

/* Closes all; the paths stay, as devd leaves them. */
struct nv_clients *nv_clients_free(struct nv_clients *clients);
NV_DEFINE_AUTO(nv_clients, struct nv_clients *, nv_clients_free);

/*
 * Sends one event's line (without newline; one is added) to every client. Those that are waiting
 * to be accepted are accepted first, so that one who connected before the event cannot miss it.
 */
void nv_clients_send(struct nv_clients *clients, const char *line);

/* Those connected now, over both sockets. */
size_t nv_clients_count(const struct nv_clients *clients);
