/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket, server side: one JSON object a line.
 *
 *   {"method": "status"}          ->  {"result": …} or {"error": "text", "errno": N}
 *   {"method": "events"}          ->  {"result": true}, then {"event": …} lines until closed
 *
 * Reading is for anyone, changing for root: who asks is told by SO_PEERCRED and nothing else. What
 * is done for a client is paid by its uid; one whose budget is used up is heard later.
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
#define NV_CONTROL_CLIENTS_UID	16 /* for each other uid */
#define NV_CONTROL_METHODS_MAX	64
/* Bytes that a slow reader may leave, then it is dropped. */
#define NV_CONTROL_BUFFER_MAX NV_STR_LIMIT
/* Bytes of an answer, without its newline. A longer one is an error, found before it is whole. */
#define NV_CONTROL_ANSWER_MAX (NV_CONTROL_BUFFER_MAX / 2)

struct nv_control;

struct nv_control_method {
	const char *name;
	bool changes; /* only root may call it */
	/*
	 * Answers: @params is the request's "params" object or NULL; *ret_result is the server's
	 * to free, NULL stands for true. Returns 0 or -errno; *ret_error may be set to a text
	 * (freed by the server). It may publish, and must not free the server.
	 */
	int (*call)(const json_t *params, json_t **ret_result, char **ret_error, void *data);
	/* Streams: the client is subscribed to this topic after the answer; NULL: no stream. */
	const char *topic;
};

/*
 * Listens on @path. A socket that nobody listens on any more is replaced.
 *
 * @budget: lives as long; may be NULL.
 * @methods: at most NV_CONTROL_METHODS_MAX, ends with a row whose name is NULL; must live as long.
 * Returns 0, -EADDRINUSE (another process listens there, or @path is no socket), -ENOMEM,
 * -ENAMETOOLONG, or -errno of socket(2), bind(2).
 */
int nv_control_new(struct nv_loop *loop, struct nv_budget *budget, const char *path,
	const struct nv_control_method *methods, void *data, struct nv_control **ret_control);
/* Ends all connections; the path stays. */
struct nv_control *nv_control_free(struct nv_control *control);
NV_DEFINE_AUTO(nv_control, struct nv_control *, nv_control_free);

/* Sends {"TOPIC": @value} to those subscribed; does not take the reference. */
void nv_control_publish(struct nv_control *control, const char *topic, json_t *value);

/* Whether anybody is subscribed, to save making a value that nobody reads. */
bool nv_control_has_subscriber(const struct nv_control *control, const char *topic);

/* Those connected now. */
size_t nv_control_count(const struct nv_control *control);
