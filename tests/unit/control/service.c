/* SPDX-License-Identifier: BSD-2-Clause */
#include "service.h"

#include "base/str.h"
#include "loop/unix.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct service t;

json_t *text_of(size_t length)
{
	NV_AUTO(nv_free) char *text = malloc(length);

	memset(text, 'x', length);
	return json_stringn(text, length);
}

static int do_echo(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)ret_error;
	(void)data;
	*ret_result = json_deep_copy(params);
	return 0;
}

static int do_change(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)params;
	(void)ret_result;
	(void)ret_error;
	++*(int *)data;
	return 0;
}

static int do_fail(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	const char *text = json_string_value(json_object_get(params, "text"));

	(void)ret_result;
	(void)data;
	if (text)
		*ret_error = strdup(strcmp(text, "binary") == 0 ? "no \xff" : text);
	return -ENODEV;
}

static int do_long(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)ret_error;
	(void)data;
	*ret_result = text_of(json_integer_value(json_object_get(params, "length")));
	return 0;
}

static int do_subscribe(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)params;
	(void)ret_result;
	(void)ret_error;
	(void)data;
	return 0;
}

/* Publishes more than anybody's buffer holds, while its own client is being answered. */
static int do_flood(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	json_auto_t *value = text_of(65536);

	(void)params;
	(void)ret_result;
	(void)ret_error;
	(void)data;
	for (int i = 0; i < 64; i++)
		nv_control_publish(t.control, "event", value);
	return 0;
}

static int do_ring(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)params;
	(void)ret_result;
	(void)ret_error;
	(void)data;
	strcat(t.order, "r");
	return write(t.bell[1], "x", 1) == 1 ? 0 : -errno;
}

/* The pairs 10, 20, … 70, two in each part. */
static int do_pairs(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	json_int_t after = json_integer_value(json_object_get(params, "after"));
	json_t *pairs = json_array();

	(void)ret_error;
	(void)data;
	for (json_int_t hn = after + 10; hn <= after + 20 && hn <= 70; hn += 10)
		json_array_append_new(pairs, json_integer(hn));
	*ret_result = json_pack("{so}", "pairs", pairs);
	if (after + 20 < 70)
		json_object_set_new(*ret_result, "next", json_integer(after + 20));
	return 0;
}

const struct nv_control_method methods[] = {
	{"echo", false, do_echo, NULL},
	{"change", true, do_change, NULL},
	{"fail", false, do_fail, NULL},
	{"long", false, do_long, NULL},
	{"events", false, do_subscribe, "event"},
	{"watch", false, do_subscribe, "status"},
	{"flood", false, do_flood, NULL},
	{"ring", false, do_ring, NULL},
	{"pairs", false, do_pairs, NULL},
	{NULL},
};

int setup(void **state)
{
	(void)state;
	alarm(60);
	memset(&t, 0, sizeof(t));
	nv_strcopy(t.dir, sizeof(t.dir), "/tmp/test-control.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	assert_int_equal(chmod(t.dir, 0755), 0);
	snprintf(t.path, sizeof(t.path), "%s/%s", t.dir, NV_CONTROL_SOCKET);
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &t.loop), 0);
	assert_int_equal(nv_budget_new(t.loop, &t.budget), 0);
	return nv_control_new(t.loop, t.budget, t.path, methods, &t.changed, &t.control);
}

int teardown(void **state)
{
	(void)state;
	t.control = nv_control_free(t.control);
	t.budget = nv_budget_free(t.budget);
	t.loop = nv_loop_free(t.loop);
	unlink(t.path);
	return rmdir(t.dir);
}

void settle(void)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(nv_loop_run_once(t.loop, 0), 0);
}

int connected(void)
{
	int fd = -1;

	assert_int_equal(nv_unix_connect(t.path, SOCK_STREAM | SOCK_NONBLOCK, &fd), 0);
	return fd;
}

int connected_as(uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = connected();
	assert_int_equal(seteuid(0), 0);
	settle();
	return fd;
}

void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	settle();
}

const char *heard(int fd)
{
	static char text[2 * NV_CONTROL_BUFFER_MAX];
	size_t length = 0;
	ssize_t more;

	do {
		settle();
		more = recv(fd, text + length, sizeof(text) - length - 6, 0);
		length += more > 0 ? more : 0;
	} while (more > 0);
	text[length] = '\0';
	if (more == 0 || errno != EAGAIN)
		nv_strcopy(text + length, sizeof(text) - length, "(end)");
	return text;
}

void expect(int fd, const char *request, const char *answer)
{
	say(fd, request);
	assert_string_equal(heard(fd), answer);
}

static void on_child(pid_t pid, int status, void *data)
{
	(void)pid;
	(void)data;
	t.child_status = status;
	nv_loop_quit(t.loop);
}

void serve(int (*client)(void), uid_t uid)
{
	struct nv_watch *watch = NULL;
	pid_t pid = fork();

	if (pid == 0) {
		if (uid && (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0))
			_exit(1);
		_exit(client() != 0);
	}
	assert_true(pid > 0);
	assert_int_equal(nv_loop_watch_child(t.loop, pid, on_child, NULL, &watch), 0);
	assert_int_equal(nv_loop_run(t.loop), 0);
	nv_watch_free(watch);
	assert_int_equal(t.child_status, 0);
}
