/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients of the control socket that do anything: each byte of the input is what one of a few does
 * next, and a piece of text follows where it is needed. After each input nobody is left.
 */
#include "require.h"

#include "base/log.h"
#include "control/server.h"
#include "loop/unix.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CLIENTS 4

static struct {
	struct nv_loop *loop;
	struct nv_budget *budget;
	struct nv_control *control;
	char path[64];
	int fd[CLIENTS];
} t = {.fd = {-1, -1, -1, -1}};

static int do_echo(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)ret_error;
	(void)data;
	*ret_result = json_deep_copy(params);
	return 0;
}

static int do_fail(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	const char *text = json_string_value(json_object_get(params, "text"));

	(void)ret_result;
	(void)data;
	*ret_error = text ? strdup(text) : NULL;
	return -ENODEV;
}

static int do_long(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	size_t length =
		json_is_true(json_object_get(params, "much")) ? NV_CONTROL_ANSWER_MAX : 100000;
	NV_AUTO(nv_free) char *text = malloc(length);

	(void)ret_error;
	(void)data;
	memset(text, 'x', length);
	*ret_result = json_stringn(text, length);
	return 0;
}

static int do_publish(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	json_auto_t *value = NULL;

	do_long(params, &value, ret_error, data);
	(void)ret_result;
	for (int i = 0; i < 4; i++)
		nv_control_publish(t.control, "event", value);
	return 0;
}

static int do_nothing(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)params;
	(void)ret_result;
	(void)ret_error;
	(void)data;
	return 0;
}

static const struct nv_control_method methods[] = {
	{"echo", false, do_echo, NULL},
	{"fail", false, do_fail, NULL},
	{"long", false, do_long, NULL},
	{"publish", false, do_publish, NULL},
	{"change", true, do_nothing, NULL},
	{"events", false, do_nothing, "event"},
	{},
};

static void clean_up(void)
{
	nv_control_free(t.control);
	nv_budget_free(t.budget);
	nv_loop_free(t.loop);
	unlink(t.path);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	nv_log_open("fuzz", NV_LOG_STDERR, LOG_ERR);
	snprintf(t.path, sizeof(t.path), "/tmp/fuzz-control.%d", getpid());
	require(nv_loop_new(NV_LOOP_VIRTUAL, &t.loop) == 0);
	require(nv_budget_new(t.loop, &t.budget) == 0);
	require(nv_control_new(t.loop, t.budget, t.path, methods, NULL, &t.control) == 0);
	atexit(clean_up);
}

static void turns(int n)
{
	for (int i = 0; i < n; i++)
		require(nv_loop_run_once(t.loop, 0) == 0);
}

static void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void say(int fd, const uint8_t **at, const uint8_t *end, size_t most)
{
	size_t length = end - *at < (ssize_t)most ? (size_t)(end - *at) : most;

	if (send(fd, *at, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		require(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
	*at += length;
}

static void say_too_much(int fd)
{
	static char spaces[32768];

	memset(spaces, ' ', sizeof(spaces));
	for (int i = 0; i < 3; i++) {
		send(fd, spaces, sizeof(spaces), MSG_DONTWAIT | MSG_NOSIGNAL);
		turns(9);
	}
}

static void hear(int fd, size_t most)
{
	static char text[65536];

	for (size_t heard = 0; heard < most && recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0;)
		heard += sizeof(text);
}

static void do_next(uint8_t what, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *newline;
	int *fd = &t.fd[what / 16 % CLIENTS];

	if (*fd < 0)
		nv_unix_connect(t.path, SOCK_STREAM | SOCK_NONBLOCK, fd);
	switch (what % 16) {
	case 0: /* a line of the input */
	case 1:
	case 2:
		newline = memchr(*at, '\n', end - *at);
		say(*fd, at, end, newline ? (size_t)(newline + 1 - *at) : SIZE_MAX / 2);
		break;
	case 3: /* half a line, or two */
		say(*fd, at, end, what / 64 * 20 + 3);
		break;
	case 4:
		say_too_much(*fd);
		break;
	case 5:
		shutdown(*fd, SHUT_RD);
		break;
	case 6:
		shutdown(*fd, SHUT_WR);
		break;
	case 7:
		hang_up(fd);
		break;
	case 8:
		hear(*fd, 1);
		break;
	case 9:
		hear(*fd, SIZE_MAX);
		break;
	case 10:
		nv_loop_advance(t.loop, NV_USEC_PER_SEC);
		break;
	case 11: /* at once behind what comes */
		return;
	default:
		break;
	}
	turns(1 + what / 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	const uint8_t *end = data + size;

	if (!t.control)
		set_up();
	while (at < end)
		do_next(*at++, &at, end);
	for (int i = 0; i < CLIENTS; i++)
		hang_up(&t.fd[i]);
	nv_loop_advance(t.loop, 60 * NV_USEC_PER_SEC);
	turns(20 + size / 4);
	require(nv_control_count(t.control) == 0);
	return 0;
}
