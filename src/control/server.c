/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/server.h"

#include "base/log.h"
#include "loop/unix.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#define BACKLOG 16

LIST_HEAD(client_list, client);

struct client {
	struct nv_control *control;
	int fd;
	struct ucred peer;
	struct nv_watch *reader; /* NULL: nothing more is read, and it ends when all is sent */
	struct nv_watch *writer; /* NULL: nothing waits to be sent */
	struct nv_str in; /* the beginning of a request */
	struct nv_str out; /* what the client has not taken yet */
	uint64_t topics; /* subscribed to; a bit for each row of the methods */
	bool gone; /* nothing is read from it or sent to it any more; freed by on_reap() */
	LIST_ENTRY(client) link; /* among the control's clients, or those gone */
};

struct nv_control {
	struct nv_loop *loop;
	struct nv_listener *listener;
	const struct nv_control_method *methods;
	void *data;
	struct client_list clients;
	size_t n_clients;
	struct client_list gone;
	struct nv_watch *reaper;
};

/*
 * The only place where a client ends. The loop calls it, so that whoever lets a client go, however
 * often and from however deep, may go on with it until it returns to the loop.
 */
static void on_reap(void *data)
{
	struct nv_control *control = data;
	struct client *client;

	while ((client = LIST_FIRST(&control->gone))) {
		LIST_REMOVE(client, link);
		close(client->fd);
		nv_str_auto(&client->in);
		nv_str_auto(&client->out);
		free(client);
	}
}

static void let_go(struct client *client)
{
	struct nv_control *control = client->control;

	if (client->gone)
		return;
	client->gone = true;
	client->reader = nv_watch_free(client->reader);
	client->writer = nv_watch_free(client->writer);
	LIST_REMOVE(client, link);
	LIST_INSERT_HEAD(&control->gone, client, link);
	control->n_clients--;
	nv_watch_arm(control->reaper, 0);
}

/* Takes the first @length bytes out of @str. */
static void consume(struct nv_str *str, size_t length)
{
	str->length -= length;
	memmove(str->text, str->text + length, str->length + 1);
}

static void on_writable(int fd, int events, void *data);

/* Sends what it takes now; the rest when the client has read some. */
static void flush(struct client *client)
{
	ssize_t sent = 0;
	int r;

	while (client->out.length && sent >= 0) {
		sent = send(client->fd, client->out.text, client->out.length,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0)
			consume(&client->out, sent);
		else if (errno != EAGAIN)
			return let_go(client);
	}
	if (!client->out.length) {
		client->writer = nv_watch_free(client->writer);
		if (!client->reader)
			let_go(client);
	} else if (!client->writer) {
		r = nv_loop_watch_fd(client->control->loop, client->fd, NV_LOOP_WRITE, on_writable,
			client, &client->writer);
		if (r < 0)
			let_go(client);
	}
}

static void on_writable(int fd, int events, void *data)
{
	(void)fd;
	(void)events;
	flush(data);
}

static void send_line(struct client *client, const char *line)
{
	if (client->gone)
		return;
	nv_str_add(&client->out, line);
	nv_str_addc(&client->out, '\n');
	if (client->out.error) {
		nv_warn("dropping control client (pid %d, uid %u): it reads too slowly",
			client->peer.pid, client->peer.uid);
		return let_go(client);
	}
	flush(client);
}

/* Answers nothing more, and ends when all is sent. */
static void end(struct client *client)
{
	client->reader = nv_watch_free(client->reader);
	if (!client->gone)
		flush(client);
}

static char *error_line(int error, const char *text)
{
	json_auto_t *answer = json_pack("{s:s, s:i}", "error", text, "errno", -error);

	return answer ? json_dumps(answer, JSON_COMPACT) : NULL;
}

static void answer_error(struct client *client, int error, const char *text)
{
	NV_AUTO(nv_free) char *line = error_line(error, text);

	/* JSON takes UTF-8 only, and the text may hold a name that is not. */
	if (!line)
		line = error_line(error, nv_strerror(error));
	if (line)
		send_line(client, line);
	else
		let_go(client);
}

static void answer_result(struct client *client, json_t *result)
{
	json_auto_t *answer = json_pack("{s:O}", "result", result);
	NV_AUTO(nv_free) char *line = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (!line)
		answer_error(client, -ENOMEM, "out of memory");
	else if (strlen(line) > NV_CONTROL_BUFFER_MAX / 2)
		answer_error(client, -EMSGSIZE, "the answer is too long to be sent");
	else
		send_line(client, line);
}

static void call(struct client *client, const struct nv_control_method *method, json_t *params)
{
	struct nv_control *control = client->control;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *result = NULL;
	int r;

	if (method->changes && client->peer.uid != 0)
		return answer_error(
			client, -EPERM, "only root may ask for this: it changes things");
	r = method->call(params, &result, &error, control->data);
	if (r < 0)
		return answer_error(client, r, error ? error : nv_strerror(r));
	if (!result)
		result = json_true();
	answer_result(client, result);
	if (method->topic)
		client->topics |= UINT64_C(1) << (method - control->methods);
}

static void handle(struct client *client, const char *line, size_t length)
{
	const struct nv_control_method *method = client->control->methods;
	json_error_t error;
	json_auto_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	json_t *params = json_object_get(request, "params");
	const char *name = json_string_value(json_object_get(request, "method"));

	if (!request)
		return answer_error(client, -EINVAL, error.text);
	if (!name)
		return answer_error(
			client, -EINVAL, "a request is an object with the name of a \"method\"");
	if (params && !json_is_object(params))
		return answer_error(client, -EINVAL, "\"params\" must be an object");
	while (method->name && strcmp(method->name, name) != 0)
		method++;
	if (!method->name)
		return answer_error(client, -EOPNOTSUPP, "there is no such method");
	call(client, method, params);
}

/* One request a turn: what is behind it stays in the socket, so that others have theirs. */
static void on_readable(int fd, int events, void *data)
{
	struct client *client = data;
	char chunk[4096];
	ssize_t length = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_PEEK);
	const char *newline = length > 0 ? memchr(chunk, '\n', length) : NULL;

	(void)events;
	if (newline)
		length = newline + 1 - chunk;
	if (length > 0)
		length = recv(fd, chunk, length, MSG_DONTWAIT);
	if (length < 0 && errno == EAGAIN)
		return;
	if (length < 0)
		return let_go(client);
	if (length == 0)
		return end(client);
	nv_str_append(&client->in, chunk, length);
	if (client->in.error)
		return let_go(client);
	if (newline) {
		handle(client, client->in.text, client->in.length - 1);
		nv_str_clear(&client->in);
	} else if (client->in.length > NV_CONTROL_LINE_MAX) {
		answer_error(client, -EMSGSIZE, "the request is too long");
		end(client);
	}
}

static int take(struct nv_control *control, int fd, struct client **ret_client)
{
	NV_AUTO(nv_free) struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	r = nv_unix_peer(fd, &client->peer);
	if (r == 0)
		r = nv_loop_watch_fd(
			control->loop, fd, NV_LOOP_READ, on_readable, client, &client->reader);
	if (r < 0)
		return r;
	client->control = control;
	client->fd = fd;
	LIST_INSERT_HEAD(&control->clients, client, link);
	control->n_clients++;
	*ret_client = TAKE_PTR(client);
	return 0;
}

static void on_client(int fd, void *data)
{
	struct nv_control *control = data;
	size_t limit = NV_CONTROL_CLIENTS_MAX;
	struct client *client;
	int r;

	r = take(control, fd, &client);
	if (r < 0) {
		nv_warn("cannot serve a new control client: %s", nv_strerror(r));
		close(fd);
		return;
	}
	/* Some places are root's, or anybody could keep root out. */
	if (client->peer.uid != 0)
		limit -= NV_CONTROL_CLIENTS_ROOT;
	if (control->n_clients > limit) {
		answer_error(client, -EBUSY, "too many clients are connected");
		end(client);
		let_go(client);
	}
}

int nv_control_new(struct nv_loop *loop, const char *path, const struct nv_control_method *methods,
	void *data, struct nv_control **ret_control)
{
	NV_AUTO(nv_control) struct nv_control *control = calloc(1, sizeof(*control));
	NV_AUTO(nv_fd) int probe = -1;
	int r;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->methods = methods;
	control->data = data;
	LIST_INIT(&control->clients);
	LIST_INIT(&control->gone);
	r = nv_loop_watch_timer(loop, on_reap, control, &control->reaper);
	if (r < 0)
		return r;
	r = nv_unix_connect(path, SOCK_STREAM | SOCK_NONBLOCK, &probe);
	if (r == 0 || r == -EAGAIN)
		return -EADDRINUSE;
	r = nv_listener_new(
		loop, path, SOCK_STREAM, BACKLOG, on_client, control, &control->listener);
	if (r < 0)
		return r;
	*ret_control = TAKE_PTR(control);
	return 0;
}

struct nv_control *nv_control_free(struct nv_control *control)
{
	if (!control)
		return NULL;
	nv_listener_free(control->listener);
	while (!LIST_EMPTY(&control->clients))
		let_go(LIST_FIRST(&control->clients));
	on_reap(control);
	nv_watch_free(control->reaper);
	free(control);
	return NULL;
}

static bool is_subscribed(const struct client *client, const char *topic)
{
	const struct nv_control_method *method = client->control->methods;

	for (uint64_t topics = client->topics; topics; topics >>= 1, method++)
		if (topics & 1 && strcmp(method->topic, topic) == 0)
			return true;
	return false;
}

void nv_control_publish(struct nv_control *control, const char *topic, json_t *value)
{
	json_auto_t *message = NULL;
	NV_AUTO(nv_free) char *line = NULL;
	struct client *client;
	struct client *next;

	if (!nv_control_has_subscriber(control, topic))
		return;
	message = json_pack("{s:O}", topic, value);
	line = message ? json_dumps(message, JSON_COMPACT) : NULL;
	if (!line) {
		nv_err("out of memory: an event was not sent to the control clients");
		return;
	}
	for (client = LIST_FIRST(&control->clients); client; client = next) {
		next = LIST_NEXT(client, link);
		if (is_subscribed(client, topic))
			send_line(client, line);
	}
}

bool nv_control_has_subscriber(const struct nv_control *control, const char *topic)
{
	const struct client *client;

	LIST_FOREACH (client, &control->clients, link)
		if (is_subscribed(client, topic))
			return true;
	return false;
}
