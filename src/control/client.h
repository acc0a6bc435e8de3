/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket, client side. Blocking. The protocol is in doc/control.md. */
#pragma once

#include "base/cleanup.h"

#include <jansson.h>

#define NV_CLIENT_PATIENCE 10 /* seconds to wait for an answer */

struct nv_client;

/*
 * Connects to the socket in @run_dir. Returns 0 or -errno; -ENOENT or -ECONNREFUSED: no netvfd runs
 * there.
 */
int nv_client_open(const char *run_dir, struct nv_client **ret_client);
struct nv_client *nv_client_free(struct nv_client *client);
NV_DEFINE_AUTO(nv_client, struct nv_client *, nv_client_free);

/*
 * Sends a request and waits for the answer. @params may be NULL; its reference is not taken. On
 * success *ret_result belongs to the caller. Returns 0 or the server's -errno; *ret_error is the
 * server's text then, and the caller frees it. *ret_error is NULL if there was no answer: -EPIPE
 * (the server closed the connection), -ETIMEDOUT, -EPROTO (not an answer), -EMSGSIZE (the request
 * is longer than NV_CONTROL_LINE_MAX), -ENOMEM, or -errno of send(2), read(2).
 */
int nv_client_call(struct nv_client *client, const char *method, json_t *params,
	json_t **ret_result, char **ret_error);

/*
 * The same for an answer that has "pairs", of which there may be more than fit a line: asks for
 * them in parts ("after", doc/control.md) and returns all in one answer.
 */
int nv_client_call_pairs(
	struct nv_client *client, const char *method, json_t **ret_result, char **ret_error);

/*
 * Waits for the next line of a stream. A call must have begun it, and no other call may follow.
 * Returns 0, -EPIPE (the server closed the connection), -EPROTO, or -errno of read(2).
 */
int nv_client_next(struct nv_client *client, json_t **ret_line);
