/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/server.h"

#include "base/log.h"
#include "loop/unix.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/queue.h>

#define BACKLOG	  16
#define TRIM_FROM (64 * 1024) /* buffers of this size in bytes are given back to the kernel */
/* so that waiting clients do not wake the loop for nothing */
#define WAIT_LEAST (100 * NV_USEC_PER_MSEC)

TAILQ_HEAD(client_list, client);

struct client {
	struct nv_control *control;
	int fd;
	struct ucred peer;
	struct nv_watch *reader; /* NULL while it waits for its budget, and while it is ending */
	struct nv_watch *writer; /* NULL: nothing waits to be sent */
	struct nv_str in; /* the beginning of a request */
	struct nv_str out; /* what the client has not read yet */
	uint64_t topics; /* subscribed topics; a bit for each row of the methods */
	bool waiting; /* it waits for its budget */
	bool ending; /* nothing more is read from it; it is freed when everything is sent */
	bool gone; /* nothing is read from it or sent to it any more; server_on_reap() frees it */
	TAILQ_ENTRY(client) link; /* in the list of the control's clients, or of those gone */
};

struct nv_control {
	struct nv_loop *loop;
	struct nv_budget *budget;
	struct nv_listener *listener;
	const struct nv_control_method *methods;
	void *data;
	/* clients that wait for their budget, in the order of their arrival */
	struct client_list clients;
	size_t n_clients;
	struct client_list gone;
	struct nv_watch *reaper;
	struct nv_watch *waker; /* armed while a client waits */
	bool waker_armed;
};

/*
 * The only place where a client is freed. The loop calls it. So a caller that disconnects a client,
 * from any depth, may use the client until it returns to the loop.
 */
static void server_on_reap(void *data)
{
	struct nv_control *control = data;
	struct client *client;

	while ((client = TAILQ_FIRST(&control->gone))) {
		uid_t uid = client->peer.uid;
		bool had_much = client->out.size >= TRIM_FROM;

		nv_budget_begin(control->budget);
		TAILQ_REMOVE(&control->gone, client, link);
		close(client->fd);
		nv_str_auto(&client->in);
		nv_str_auto(&client->out);
		free(client);
		/* Free memory inside the heap is not given back otherwise. */
		if (had_much || TAILQ_EMPTY(&control->clients))
			malloc_trim(0);
		nv_budget_end(control->budget, uid);
	}
}

static void server_let_go(struct client *client)
{
	struct nv_control *control = client->control;

	if (client->gone)
		return;
	client->gone = true;
	client->reader = nv_watch_free(client->reader);
	client->writer = nv_watch_free(client->writer);
	TAILQ_REMOVE(&control->clients, client, link);
	TAILQ_INSERT_TAIL(&control->gone, client, link);
	control->n_clients--;
	nv_watch_arm(control->reaper, 0);
}

/* Removes the first @length bytes from @str. */
static void server_consume(struct nv_str *str, size_t length)
{
	str->length -= length;
	memmove(str->text, str->text + length, str->length + 1);
}

static void server_on_writable(int fd, int events, void *data);

/* Sends what the client accepts now; the rest follows when it has read some. */
static void server_flush(struct client *client)
{
	ssize_t sent = 0;
	int r;

	while (client->out.length && sent >= 0) {
		sent = send(client->fd, client->out.text, client->out.length,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0)
			server_consume(&client->out, sent);
		else if (errno != EAGAIN)
			return server_let_go(client);
	}
	if (!client->out.length) {
		client->writer = nv_watch_free(client->writer);
		nv_str_auto(&client->out);
		if (client->ending)
			server_let_go(client);
	} else if (!client->writer) {
		r = nv_loop_watch_fd(client->control->loop, client->fd, NV_LOOP_WRITE,
			server_on_writable, client, &client->writer);
		if (r < 0)
			server_let_go(client);
	}
}

static void server_on_writable(int fd, int events, void *data)
{
	struct client *client = data;

	(void)fd;
	(void)events;
	nv_budget_begin(client->control->budget);
	server_flush(client);
	nv_budget_end(client->control->budget, client->peer.uid);
}

static void server_send_line(struct client *client, const char *line)
{
	if (client->gone)
		return;
	nv_str_add(&client->out, line);
	nv_str_addc(&client->out, '\n');
	if (client->out.error) {
		nv_warn("disconnecting control client (pid %d, uid %u): it reads too slowly",
			client->peer.pid, client->peer.uid);
		return server_let_go(client);
	}
	server_flush(client);
}

/* Answers nothing more, and disconnects when everything is sent. */
static void server_end(struct client *client)
{
	client->ending = true;
	client->reader = nv_watch_free(client->reader);
	if (!client->gone)
		server_flush(client);
}

static char *server_error_line(int error, const char *text)
{
	json_auto_t *answer = json_pack("{s:s, s:i}", "error", text, "errno", -error);

	return answer ? json_dumps(answer, JSON_COMPACT) : NULL;
}

static void server_answer_error(struct client *client, int error, const char *text)
{
	NV_AUTO(nv_free) char *line = server_error_line(error, text);

	/* JSON accepts UTF-8 only, and the text may have a name that is not UTF-8. */
	if (!line)
		line = server_error_line(error, nv_strerror(error));
	if (line)
		server_send_line(client, line);
	else
		server_let_go(client);
}

/* Stops the encoding of an answer that is too long, or if memory is short. */
static int server_append(const char *text, size_t length, void *data)
{
	struct nv_str *line = data;

	if (length > NV_CONTROL_ANSWER_MAX - line->length)
		line->error = -E2BIG;
	nv_str_append(line, text, length);
	return line->error;
}

static void server_answer_result(struct client *client, json_t *result)
{
	json_auto_t *answer = json_pack("{s:O}", "result", result);
	NV_AUTO(nv_str) struct nv_str line = {};

	if (answer && json_dump_callback(answer, server_append, &line, JSON_COMPACT) == 0)
		server_send_line(client, nv_str_text(&line));
	else if (line.error == -E2BIG)
		server_answer_error(client, -EMSGSIZE, "the answer is too long to be sent");
	else
		server_answer_error(client, -ENOMEM, "out of memory");
}

static void server_call(
	struct client *client, const struct nv_control_method *method, json_t *params)
{
	struct nv_control *control = client->control;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *result = NULL;
	int r;

	if (method->changes && client->peer.uid != 0)
		return server_answer_error(
			client, -EPERM, "only root may ask for this: it changes things");
	r = method->call(params, &result, &error, control->data);
	if (r < 0)
		return server_answer_error(client, r, error ? error : nv_strerror(r));
	if (!result)
		result = json_true();
	server_answer_result(client, result);
	if (method->topic)
		client->topics |= UINT64_C(1) << (method - control->methods);
}

static void server_handle(struct client *client, const char *line, size_t length)
{
	const struct nv_control_method *method = client->control->methods;
	json_error_t error;
	json_auto_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	json_t *params = json_object_get(request, "params");
	const char *name = json_string_value(json_object_get(request, "method"));

	if (!request)
		return server_answer_error(client, -EINVAL, error.text);
	if (!name)
		return server_answer_error(
			client, -EINVAL, "a request is an object with the name of a \"method\"");
	if (params && !json_is_object(params))
		return server_answer_error(client, -EINVAL, "\"params\" must be an object");
	while (method->name && strcmp(method->name, name) != 0)
		method++;
	if (!method->name)
		return server_answer_error(client, -EOPNOTSUPP, "there is no such method");
	server_call(client, method, params);
}

/* At most one request: the next one stays in the socket, so that other clients have their turn. */
static void server_read_request(struct client *client)
{
	char chunk[4096];
	ssize_t length = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_PEEK);
	const char *newline = length > 0 ? memchr(chunk, '\n', length) : NULL;

	if (newline)
		length = newline + 1 - chunk;
	if (length > 0)
		length = recv(client->fd, chunk, length, MSG_DONTWAIT);
	if (length < 0 && errno == EAGAIN)
		return;
	if (length < 0)
		return server_let_go(client);
	if (length == 0)
		return server_end(client);
	nv_str_append(&client->in, chunk, length);
	if (client->in.error)
		return server_let_go(client);
	if (newline) {
		server_handle(client, client->in.text, client->in.length - 1);
		nv_str_auto(&client->in);
	} else if (client->in.length > NV_CONTROL_LINE_MAX) {
		server_answer_error(client, -EMSGSIZE, "the request is too long");
		server_end(client);
	}
}

static void server_on_readable(int fd, int events, void *data);

static void server_arm_waker(struct nv_control *control, uint64_t wait)
{
	nv_watch_arm(control->waker, wait > WAIT_LEAST ? wait : WAIT_LEAST);
	control->waker_armed = true;
}

/* Reads from the client again when its uid has a budget. */
static void server_put_off(struct client *client, uint64_t wait)
{
	struct nv_control *control = client->control;

	client->waiting = true;
	client->reader = nv_watch_free(client->reader);
	TAILQ_REMOVE(&control->clients, client, link);
	TAILQ_INSERT_TAIL(&control->clients, client, link);
	if (!control->waker_armed)
		server_arm_waker(control, wait);
}

static void server_go_on(struct client *client)
{
	int r = nv_loop_watch_fd(client->control->loop, client->fd, NV_LOOP_READ,
		server_on_readable, client, &client->reader);

	client->waiting = false;
	if (r < 0)
		server_let_go(client);
}

static void server_on_wake(void *data)
{
	struct nv_control *control = data;
	struct client *client;
	struct client *next;
	uint64_t soonest = UINT64_MAX;

	control->waker_armed = false;
	for (client = TAILQ_FIRST(&control->clients); client; client = next) {
		uint64_t wait = nv_budget_wait(control->budget, client->peer.uid);

		next = TAILQ_NEXT(client, link);
		if (client->waiting && !wait)
			server_go_on(client);
		else if (client->waiting && wait < soonest)
			soonest = wait;
	}
	if (soonest != UINT64_MAX)
		server_arm_waker(control, soonest);
}

static void server_on_readable(int fd, int events, void *data)
{
	struct client *client = data;
	struct nv_budget *budget = client->control->budget;
	uint64_t wait = nv_budget_wait(budget, client->peer.uid);

	(void)fd;
	(void)events;
	nv_budget_begin(budget);
	if (wait)
		server_put_off(client, wait);
	else
		server_read_request(client);
	nv_budget_end(budget, client->peer.uid);
}

static int server_take(
	struct nv_control *control, int fd, const struct ucred *peer, struct client **ret_client)
{
	NV_AUTO(nv_free) struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	r = nv_loop_watch_fd(
		control->loop, fd, NV_LOOP_READ, server_on_readable, client, &client->reader);
	if (r < 0)
		return r;
	client->control = control;
	client->fd = fd;
	client->peer = *peer;
	TAILQ_INSERT_HEAD(&control->clients, client, link);
	control->n_clients++;
	*ret_client = TAKE_PTR(client);
	return 0;
}

/*
 * Some places are for root, and each uid may have only some: otherwise one user could keep out all
 * others.
 */
static bool server_is_one_too_many(const struct nv_control *control, uid_t uid)
{
	const struct client *client;
	size_t of_uid = 0;

	if (nv_budget_is_exempt(uid))
		return control->n_clients > NV_CONTROL_CLIENTS_MAX;
	TAILQ_FOREACH (client, &control->clients, link)
		of_uid += client->peer.uid == uid;
	return of_uid > NV_CONTROL_CLIENTS_UID ||
	       control->n_clients > NV_CONTROL_CLIENTS_MAX - NV_CONTROL_CLIENTS_ROOT;
}

static void server_on_client(int fd, const struct ucred *peer, void *data)
{
	struct nv_control *control = data;
	struct client *client;
	int r = server_take(control, fd, peer, &client);

	if (r < 0) {
		nv_warn("cannot serve a new control client: %s", nv_strerror(r));
		close(fd);
	} else if (server_is_one_too_many(control, peer->uid)) {
		server_answer_error(client, -EBUSY, "too many clients are connected");
		server_end(client);
		server_let_go(client);
	}
}

int nv_control_new(struct nv_loop *loop, struct nv_budget *budget, const char *path,
	const struct nv_control_method *methods, void *data, struct nv_control **ret_control)
{
	NV_AUTO(nv_control) struct nv_control *control = calloc(1, sizeof(*control));
	NV_AUTO(nv_fd) int probe = -1;
	int r;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->budget = budget;
	control->methods = methods;
	control->data = data;
	TAILQ_INIT(&control->clients);
	TAILQ_INIT(&control->gone);
	r = nv_loop_watch_timer(loop, server_on_reap, control, &control->reaper);
	if (r == 0)
		r = nv_loop_watch_timer(loop, server_on_wake, control, &control->waker);
	if (r < 0)
		return r;
	r = nv_unix_connect(path, SOCK_STREAM | SOCK_NONBLOCK, &probe);
	if (r == 0 || r == -EAGAIN)
		return -EADDRINUSE;
	r = nv_listener_new(loop, budget, path, SOCK_STREAM, BACKLOG, server_on_client, control,
		&control->listener);
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
	while (!TAILQ_EMPTY(&control->clients))
		server_let_go(TAILQ_FIRST(&control->clients));
	server_on_reap(control);
	nv_watch_free(control->reaper);
	nv_watch_free(control->waker);
	free(control);
	return NULL;
}

static bool server_is_subscribed(const struct client *client, const char *topic)
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
	for (client = TAILQ_FIRST(&control->clients); client; client = next) {
		next = TAILQ_NEXT(client, link);
		if (server_is_subscribed(client, topic))
			server_send_line(client, line);
	}
}

bool nv_control_has_subscriber(const struct nv_control *control, const char *topic)
{
	const struct client *client;

	TAILQ_FOREACH (client, &control->clients, link)
		if (server_is_subscribed(client, topic))
			return true;
	return false;
}

size_t nv_control_count(const struct nv_control *control)
{
	return control->n_clients;
}
