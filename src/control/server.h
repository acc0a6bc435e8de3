/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket, server side: one JSON object a line. The protocol is in doc/control.md.
 *
 *   {"method": "status"}          ->  {"result": …} or {"error": "text", "errno": N}
 *   {"method": "events"}          ->  {"result": true}, then {"event": …} lines until closed
 *
 * Every user may read; only root may change anything. SO_PEERCRED tells who the client is. What is
 * done for a client is charged to its uid; if the uid's budget is used up, the request waits.
 */
#pragma once

#include "base/str.h"
#include "loop/budget.h"
#include "loop/loop.h"

#include <jansson.h>
#include <stdbool.h>

#define NV_CONTROL_SOCKET	"netvfd.sock" /* in the run directory */
#define NV_CONTROL_LINE_MAX	65536 /* bytes of a request; a longer one ends the connection */
#define NV_CONTROL_CLIENTS_MAX	64
#define NV_CONTROL_CLIENTS_ROOT 8 /* of these, for root (or the daemon's own uid) only */
#define NV_CONTROL_CLIENTS_UID	16 /* of these, for root (or the daemon's own uid) only */
#define NV_CONTROL_METHODS_MAX	64
/* Bytes that a slow client may leave unread; then it is disconnected. */
#define NV_CONTROL_BUFFER_MAX NV_STR_LIMIT
/*
 * Bytes of an answer, without its newline. A longer answer is an error, which is detected before it
 * is complete.
 */
#define NV_CONTROL_ANSWER_MAX (NV_CONTROL_BUFFER_MAX / 2)

struct nv_control;

struct nv_control_method {
	const char *name;
	bool changes; /* only root may call it */
	/*
	 * Answers a request. @params is its "params" object or NULL. The server frees *ret_result;
	 * NULL means true. Returns 0 or -errno; *ret_error may be set to a text, which the server
	 * frees. It may publish, and must not free the server.
	 */
	int (*call)(const json_t *params, json_t **ret_result, char **ret_error, void *data);
	/*
	 * For a stream: after the answer the client is subscribed to this topic. NULL: no stream.
	 */
	const char *topic;
};

/*
 * Listens on @path. A socket there on which nobody listens is replaced.
 *
 * @budget: lives as long; may be NULL
 * @methods: at most NV_CONTROL_METHODS_MAX; ends with a row whose name is NULL; must live as long
 * Returns 0, -EADDRINUSE (another process listens there, or @path is not a socket), -ENOMEM,
 * -ENAMETOOLONG, or -errno of socket(2), bind(2).
 */
int nv_control_new(struct nv_loop *loop, struct nv_budget *budget, const char *path,
	const struct nv_control_method *methods, void *data, struct nv_control **ret_control);
/* Closes all connections; the path remains. */
struct nv_control *nv_control_free(struct nv_control *control);
NV_DEFINE_AUTO(nv_control, struct nv_control *, nv_control_free);

/* Sends {"TOPIC": @value} to the subscribed clients; does not take the reference. */
void nv_control_publish(struct nv_control *control, const char *topic, json_t *value);

/* Whether any client is subscribed. If not, the value need not be made. */
bool nv_control_has_subscriber(const struct nv_control *control, const char *topic);

/* The number of clients. */
size_t nv_control_count(const struct nv_control *control);
