/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/client.h"

#include "base/str.h"
#include "control/server.h"
#include "loop/unix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>

struct nv_client {
	int fd;
	FILE *in; /* the same descriptor, for reading */
	char *line;
	size_t size;
};

int nv_client_open(const char *run_dir, struct nv_client **ret_client)
{
	NV_AUTO(nv_client) struct nv_client *client = calloc(1, sizeof(*client));
	NV_AUTO(nv_str) struct nv_str path = {};
	int r;

	if (!client)
		return -ENOMEM;
	client->fd = -1;
	nv_str_printf(&path, "%s/%s", run_dir, NV_CONTROL_SOCKET);
	if (path.error)
		return path.error;
	r = nv_unix_connect(path.text, SOCK_STREAM, &client->fd);
	if (r < 0)
		return r;
	client->in = fdopen(client->fd, "r");
	if (!client->in)
		return -errno;
	*ret_client = TAKE_PTR(client);
	return 0;
}

struct nv_client *nv_client_free(struct nv_client *client)
{
	if (!client)
		return NULL;
	if (client->in)
		fclose(client->in);
	else if (client->fd >= 0)
		close(client->fd);
	free(client->line);
	free(client);
	return NULL;
}

/* The second error occurs if the server has not read everything, or has not accepted yet. */
static bool client_is_closed(int error)
{
	return error == EPIPE || error == ECONNRESET;
}

static int client_read_line(struct nv_client *client, unsigned int seconds, json_t **ret_line)
{
	const struct timeval limit = {.tv_sec = seconds};
	ssize_t length;
	json_t *line;

	if (setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	errno = 0;
	length = getline(&client->line, &client->size, client->in);
	if (length < 0) {
		if (errno == EAGAIN)
			return -ETIMEDOUT;
		return errno == 0 || client_is_closed(errno) ? -EPIPE : -errno;
	}
	line = json_loadb(client->line, length, 0, NULL);
	if (!json_is_object(line)) {
		json_decref(line);
		return -EPROTO;
	}
	*ret_line = line;
	return 0;
}

static int client_send_request(struct nv_client *client, const char *method, json_t *params)
{
	json_auto_t *request = json_pack("{s:s, s:O*}", "method", method, "params", params);
	NV_AUTO(nv_free) char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t left;

	if (!text)
		return -ENOMEM;
	left = strlen(text) + 1;
	if (left > NV_CONTROL_LINE_MAX)
		return -EMSGSIZE;
	text[left - 1] = '\n';
	for (const char *at = text; left;) {
		ssize_t sent = send(client->fd, at, left, MSG_NOSIGNAL);

		/*
		 * A server that does not read any more may have sent the reason: read its answer
		 * all the same.
		 */
		if (sent < 0 && client_is_closed(errno))
			return 0;
		if (sent < 0)
			return -errno;
		at += sent;
		left -= sent;
	}
	return 0;
}

int nv_client_call(struct nv_client *client, const char *method, json_t *params,
	json_t **ret_result, char **ret_error)
{
	json_auto_t *answer = NULL;
	const char *text;
	json_t *result;
	int r;

	*ret_error = NULL;
	r = client_send_request(client, method, params);
	if (r == 0)
		r = client_read_line(client, NV_CLIENT_PATIENCE, &answer);
	if (r < 0)
		return r;
	result = json_object_get(answer, "result");
	if (result) {
		*ret_result = json_incref(result);
		return 0;
	}
	text = json_string_value(json_object_get(answer, "error"));
	r = -json_integer_value(json_object_get(answer, "errno"));
	if (!text || r >= 0)
		return -EPROTO;
	*ret_error = strdup(text);
	return r;
}

/* "next" of an answer, without it; 0: there is no next part. */
static json_int_t client_take_next(json_t *result)
{
	json_int_t next = json_integer_value(json_object_get(result, "next"));

	json_object_del(result, "next");
	return next;
}

int nv_client_call_pairs(
	struct nv_client *client, const char *method, json_t **ret_result, char **ret_error)
{
	json_auto_t *all = NULL;
	json_int_t after = 0;
	json_int_t next = 0;

	do {
		json_auto_t *params = json_pack("{sI}", "after", next);
		json_auto_t *part = NULL;
		int r = params ? nv_client_call(client, method, params, &part, ret_error) : -ENOMEM;

		if (r < 0)
			return r;
		after = next;
		next = client_take_next(part);
		if (!all)
			all = json_incref(part);
		else if (json_array_extend(
				 json_object_get(all, "pairs"), json_object_get(part, "pairs")))
			return -EPROTO;
	} while (next > after);
	*ret_result = TAKE_PTR(all);
	return 0;
}

int nv_client_next(struct nv_client *client, json_t **ret_line)
{
	return client_read_line(client, 0, ret_line);
}
