/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "control/client.h"
#include "control/server.h"
#include "control/text.h"
#include "loop/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NV_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define NV_SANITIZED
#endif

#define NOBODY	 65534
#define SOMEBODY 65533
#define ECHO	 "{\"method\": \"echo\"}\n"
#define TRUE	 "{\"result\":true}\n"

static struct {
	char dir[32];
	char path[64];
	struct nv_loop *loop;
	struct nv_budget *budget;
	struct nv_control *control;
	int changed;
	int child_status;
	int bell[2]; /* what "ring" rings */
	char order[16];
} t;

static json_t *text_of(size_t length)
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

static void on_bell(int fd, int events, void *data)
{
	char x;

	(void)events;
	(void)data;
	assert_int_equal(read(fd, &x, 1), 1);
	strcat(t.order, "B");
}

static const struct nv_control_method methods[] = {
	{"echo", false, do_echo, NULL},
	{"change", true, do_change, NULL},
	{"fail", false, do_fail, NULL},
	{"long", false, do_long, NULL},
	{"events", false, do_subscribe, "event"},
	{"watch", false, do_subscribe, "status"},
	{"flood", false, do_flood, NULL},
	{"ring", false, do_ring, NULL},
	{NULL},
};

static int setup(void **state)
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

static int teardown(void **state)
{
	(void)state;
	t.control = nv_control_free(t.control);
	t.budget = nv_budget_free(t.budget);
	t.loop = nv_loop_free(t.loop);
	unlink(t.path);
	return rmdir(t.dir);
}

static void settle(void)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(nv_loop_run_once(t.loop, 0), 0);
}

static int connected(void)
{
	int fd = -1;

	assert_int_equal(nv_unix_connect(t.path, SOCK_STREAM | SOCK_NONBLOCK, &fd), 0);
	return fd;
}

/* As the server sees it: by the uid at the time of connect(2). */
static int connected_as(uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = connected();
	assert_int_equal(seteuid(0), 0);
	settle();
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	settle();
}

/* What has come until now; ends with "(end)" if the server closed the connection. */
static const char *heard(int fd)
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

static void expect(int fd, const char *request, const char *answer)
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

/* Serves what @client does in a process of its own, which ends with the line that went wrong. */
static void serve(int (*client)(void), uid_t uid)
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

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			return -1;                                                      \
		}                                                                       \
	} while (0)

static void request_is_a_line_however_it_arrives(void **state)
{
	int fd = connected();

	(void)state;
	expect(fd, "{\"method\": \"echo\", \"params\": {\"a\": [1, \"\\u00e9\"]}}\n",
		"{\"result\":{\"a\":[1,\"\xc3\xa9\"]}}\n");
	expect(fd, "{\"method\": \"echo\"}\n{\"method\": \"change\"}\n{\"met",
		"{\"result\":true}\n{\"result\":true}\n");
	expect(fd, "hod\":\"echo\",", "");
	expect(fd, "\"params\":{}}\n", "{\"result\":{}}\n");
	assert_int_equal(t.changed, 1);
	close(fd);
}

/* Who asks and asks again does not keep the daemon from what is urgent. */
static void requests_that_pile_up_let_others_pass(void **state)
{
	const char *const ring = "{\"method\": \"ring\"}\n{\"method\": \"ring\"}\n";
	NV_AUTO(nv_watch) struct nv_watch *bell = NULL;
	int fds[] = {connected(), connected()};

	(void)state;
	settle();
	assert_int_equal(pipe2(t.bell, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(
		nv_loop_watch_fd(t.loop, t.bell[0], NV_LOOP_READ, on_bell, NULL, &bell), 0);
	nv_watch_urgent(bell);
	for (size_t i = 0; i < NV_ARRAY_SIZE(fds); i++)
		assert_int_equal(send(fds[i], ring, strlen(ring), 0), strlen(ring));
	settle();
	assert_string_equal(t.order, "rBrBrBrB");
	for (size_t i = 0; i < NV_ARRAY_SIZE(fds); i++) {
		assert_string_equal(heard(fds[i]), "{\"result\":true}\n{\"result\":true}\n");
		close(fds[i]);
		close(t.bell[i]);
	}
}

static void malformed_request_is_an_error_and_no_end(void **state)
{
	const char *const malformed[] = {"\n", "{\n", "[]\n", "\"method\"\n", "{}\n",
		"{\"method\": 1}\n", "{\"method\": \"echo\", \"params\": []}\n",
		"{\"method\": \"echo\"} {}\n", "{\"method\": \"echo\", \"method\": \"echo\"}\n",
		"{\"method\": \"\xff\"}\n", "{\"method\": \"echo\", \"params\": {\"a\": 1e999}}\n"};
	int fd = connected();

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(malformed); i++) {
		const char *answer;

		say(fd, malformed[i]);
		answer = heard(fd);
		assert_memory_equal(answer, "{\"error\":\"", 10);
		assert_non_null(strstr(answer, "\"errno\":22}\n"));
	}
	assert_int_equal(send(fd, "{\0}\n", 4, MSG_NOSIGNAL), 4);
	assert_non_null(strstr(heard(fd), "\"errno\":22}\n"));
	expect(fd, "{\"method\": \"nothing\"}\n",
		"{\"error\":\"there is no such method\",\"errno\":95}\n");
	expect(fd, "{\"method\": \"echo\"}\n", "{\"result\":true}\n");
	close(fd);
}

static void deeply_nested_request_is_refused(void **state)
{
	char text[NV_CONTROL_LINE_MAX / 2];
	int fd = connected();

	(void)state;
	memset(text, '[', sizeof(text));
	nv_strcopy(text + sizeof(text) - 2, 2, "\n");
	say(fd, text);
	assert_non_null(strstr(heard(fd), "depth"));
	expect(fd, "{\"method\": \"echo\"}\n", "{\"result\":true}\n");
	close(fd);
}

static void request_that_is_too_long_ends_the_connection(void **state)
{
	char text[NV_CONTROL_LINE_MAX + 2];
	int fd = connected();

	(void)state;
	memset(text, ' ', sizeof(text));
	nv_strcopy(text + NV_CONTROL_LINE_MAX - 19, 20, "{\"method\": \"echo\"}\n");
	expect(fd, text, "{\"result\":true}\n");
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	say(fd, text);
	assert_string_equal(
		heard(fd), "{\"error\":\"the request is too long\",\"errno\":90}\n(end)");
	close(fd);
}

/* Who asks too much and takes no answer ends once, of the two reasons that there are. */
static void request_that_is_too_long_from_one_who_does_not_read(void **state)
{
	char text[NV_CONTROL_LINE_MAX + 2];

	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 3 * NV_CONTROL_CLIENTS_MAX; i++) {
		int fd = connected();

		assert_int_equal(shutdown(fd, SHUT_RD), 0);
		say(fd, text);
		close(fd);
		fd = connected();
		assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
		close(fd);
		settle();
	}
	request_that_is_too_long_ends_the_connection(state);
}

static void method_that_fails_says_why(void **state)
{
	int fd = connected();

	(void)state;
	expect(fd, "{\"method\": \"fail\"}\n", "{\"error\":\"No such device\",\"errno\":19}\n");
	expect(fd, "{\"method\": \"fail\", \"params\": {\"text\": \"hn7 is not there\"}}\n",
		"{\"error\":\"hn7 is not there\",\"errno\":19}\n");
	expect(fd, "{\"method\": \"fail\", \"params\": {\"text\": \"binary\"}}\n",
		"{\"error\":\"No such device\",\"errno\":19}\n");
	close(fd);
}

static void answer_that_is_too_long_is_an_error(void **state)
{
	int fd = connected();

	(void)state;
	expect(fd, "{\"method\": \"long\", \"params\": {\"length\": 1000000}}\n",
		"{\"error\":\"the answer is too long to be sent\",\"errno\":90}\n");
	say(fd, "{\"method\": \"long\", \"params\": {\"length\": 500000}}\n");
	assert_int_equal(strlen(heard(fd)), 500000 + strlen("{\"result\":\"\"}\n"));
	close(fd);
}

static void answer_outlives_the_end_of_the_requests(void **state)
{
	int fd = connected();

	(void)state;
	say(fd, "{\"method\": \"long\", \"params\": {\"length\": 500000}}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(strlen(heard(fd)), 500000 + strlen("{\"result\":\"\"}\n(end)"));
	close(fd);
}

static void topic_is_sent_to_those_subscribed(void **state)
{
	json_auto_t *value = json_pack("{s:s}", "line", "!system=IFNET");
	int fds[] = {connected(), connected(), connected()};

	(void)state;
	assert_false(nv_control_has_subscriber(t.control, "event"));
	expect(fds[0], "{\"method\": \"events\"}\n", "{\"result\":true}\n");
	expect(fds[1], "{\"method\": \"watch\"}\n{\"method\": \"events\"}\n",
		"{\"result\":true}\n{\"result\":true}\n");
	expect(fds[2], "{\"method\": \"watch\"}\n", "{\"result\":true}\n");
	assert_true(nv_control_has_subscriber(t.control, "event"));
	nv_control_publish(t.control, "event", value);
	nv_control_publish(t.control, "status", value);
	nv_control_publish(t.control, "nobody's", value);
	assert_string_equal(heard(fds[0]), "{\"event\":{\"line\":\"!system=IFNET\"}}\n");
	assert_string_equal(heard(fds[1]), "{\"event\":{\"line\":\"!system=IFNET\"}}\n"
					   "{\"status\":{\"line\":\"!system=IFNET\"}}\n");
	assert_string_equal(heard(fds[2]), "{\"status\":{\"line\":\"!system=IFNET\"}}\n");
	close(fds[0]);
	close(fds[1]);
	settle();
	assert_false(nv_control_has_subscriber(t.control, "event"));
	assert_true(nv_control_has_subscriber(t.control, "status"));
	close(fds[2]);
}

static void slow_reader_is_dropped(void **state)
{
	json_auto_t *value = text_of(65536);
	int slow = connected();
	int quick = connected();
	int sent;

	(void)state;
	say(slow, "{\"method\": \"events\"}\n");
	for (sent = 0; nv_control_has_subscriber(t.control, "event"); sent++) {
		assert_uint_in_range(sent, 0, 64);
		nv_control_publish(t.control, "event", value);
		settle();
	}
	assert_uint_in_range(sent, NV_CONTROL_BUFFER_MAX / 65536, 64);
	assert_non_null(strstr(heard(slow), "(end)"));
	expect(quick, "{\"method\": \"echo\"}\n", "{\"result\":true}\n");
	close(slow);
	close(quick);
}

static void late_reader_gets_it_all(void **state)
{
	json_auto_t *value = text_of(65536);
	int fd = connected();

	(void)state;
	say(fd, "{\"method\": \"events\"}\n");
	for (int i = 0; i < 15; i++)
		nv_control_publish(t.control, "event", value);
	assert_int_equal(strlen(heard(fd)),
		strlen("{\"result\":true}\n") + 15 * (65536 + strlen("{\"event\":\"\"}\n")));
	close(fd);
}

static void client_may_be_dropped_while_it_is_answered(void **state)
{
	int fd = connected();

	(void)state;
	say(fd, "{\"method\": \"events\"}\n{\"method\": \"flood\"}\n{\"method\": \"change\"}\n");
	assert_false(nv_control_has_subscriber(t.control, "event"));
	assert_int_equal(t.changed, 0);
	assert_non_null(strstr(heard(fd), "(end)"));
	close(fd);
}

static void client_that_vanishes_is_forgotten(void **state)
{
	(void)state;
	for (int i = 0; i < 3 * NV_CONTROL_CLIENTS_MAX; i++) {
		int fd = connected();

		say(fd, i % 2 ? "{\"method\": \"long\", \"params\": {\"length\": 500000}}\n"
			      : "{\"method\": \"ec");
		close(fd);
		settle();
	}
}

enum {
	ODD_CLIENTS = 10000,
	ODD_AT_ONCE = 16,
};

/* One thing that a client may do, by chance; sometimes it goes. */
static void odd_deed(int *fd, unsigned int *seed)
{
	static const char *const words[] = {"", ECHO, "{\"method\"", "[[[[", "\n", "{}\n",
		"{\"method\": \"events\"}\n",
		"{\"method\": \"long\", \"params\": {\"length\": 70000}}\n",
		"{\"method\": \"fail\", \"params\": {\"text\": \"binary\"}}\n" ECHO ECHO};
	static char heap_of_text[NV_CONTROL_LINE_MAX];
	const char *word = words[rand_r(seed) % NV_ARRAY_SIZE(words)];
	static char answer[65536];

	switch (rand_r(seed) % 8) {
	case 0:
		shutdown(*fd, SHUT_RD);
		break;
	case 1:
		shutdown(*fd, SHUT_WR);
		break;
	case 2:
		recv(*fd, answer, 1 + rand_r(seed) % sizeof(answer), 0);
		break;
	case 3:
		memset(heap_of_text, ' ', sizeof(heap_of_text));
		for (int i = rand_r(seed) % 8 ? 2 : 0; i < 2; i++)
			send(*fd, heap_of_text, sizeof(heap_of_text), MSG_NOSIGNAL);
		break;
	case 4:
		close(*fd);
		*fd = -1;
		break;
	default:
		send(*fd, word, strlen(word), MSG_NOSIGNAL);
		break;
	}
}

/* Whatever they do, in whatever order: each is let go once, and the next is answered. */
static void odd_clients_come_and_go(void **state)
{
	json_auto_t *value = text_of(20000);
	int fds[ODD_AT_ONCE];
	unsigned int seed = 1;
	int left = ODD_CLIENTS;

	(void)state;
	memset(fds, -1, sizeof(fds));
	while (left > 0) {
		int *fd = &fds[rand_r(&seed) % ODD_AT_ONCE];

		if (*fd < 0) {
			*fd = connected();
			left--;
		}
		odd_deed(fd, &seed);
		if (rand_r(&seed) % 128 == 0)
			nv_control_publish(t.control, "event", value);
		if (rand_r(&seed) % 3)
			assert_int_equal(nv_loop_run_once(t.loop, 0), 0);
	}
	for (int i = 0; i < ODD_AT_ONCE; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (int i = 0; nv_control_count(t.control); i++) {
		assert_uint_in_range(i, 0, 1000);
		settle();
	}
	fds[0] = connected();
	expect(fds[0], ECHO, TRUE);
	close(fds[0]);
}

static int read_only_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *params = json_pack("{s:i}", "a", 1);
	json_auto_t *result = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call(client, "echo", params, &result, &error) == 0);
	CHECK(json_equal(params, result) && !error);
	CHECK(nv_client_call(client, "change", NULL, &result, &error) == -EPERM);
	CHECK(error && strstr(error, "root"));
	return 0;
}

static int changing_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *result = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call(client, "change", NULL, &result, &error) == 0);
	CHECK(json_is_true(result));
	CHECK(nv_client_call(client, "fail", NULL, &result, &error) == -ENODEV);
	CHECK(nv_streq(error, "No such device"));
	return 0;
}

static void changing_is_for_root(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	serve(read_only_client, NOBODY);
	assert_int_equal(t.changed, 0);
	serve(changing_client, 0);
	assert_int_equal(t.changed, 1);
}

static void refused(int fd)
{
	assert_string_equal(
		heard(fd), "{\"error\":\"too many clients are connected\",\"errno\":16}\n(end)");
	close(fd);
}

/* One uid does not keep others out, all of them do not keep root out. */
static void clients_are_limited_and_root_has_places(void **state)
{
	int fds[NV_CONTROL_CLIENTS_MAX];
	int n_users = NV_CONTROL_CLIENTS_MAX - NV_CONTROL_CLIENTS_ROOT;

	(void)state;
	if (getuid() != 0)
		skip();
	for (int i = 0; i < n_users; i++) {
		uid_t uid = NOBODY - i / NV_CONTROL_CLIENTS_UID;

		if (i % NV_CONTROL_CLIENTS_UID == 0 && i > 0)
			refused(connected_as(uid + 1));
		fds[i] = connected_as(uid);
		expect(fds[i], ECHO, TRUE);
	}
	refused(connected_as(NOBODY - n_users));
	for (int i = n_users; i < NV_CONTROL_CLIENTS_MAX; i++) {
		fds[i] = connected();
		expect(fds[i], ECHO, TRUE);
	}
	refused(connected());
	close(fds[0]);
	settle();
	fds[0] = connected();
	for (int i = 0; i < NV_CONTROL_CLIENTS_MAX; i++) {
		expect(fds[i], ECHO, TRUE);
		close(fds[i]);
	}
}

/* Clock and share stand still, so what is answered is what the burst pays. */
static void uid_that_asks_without_end_is_put_off(void **state)
{
	int fds[] = {connected_as(NOBODY), connected_as(NOBODY)};
	int somebody = connected_as(SOMEBODY);
	int root = connected();
	size_t asked = 0;

	(void)state;
	if (getuid() != 0)
		skip();
	for (bool heard_all = true; heard_all; asked++) {
		assert_uint_in_range(asked, 0, NV_BUDGET_UID_BURST);
		say(fds[0], ECHO);
		heard_all = *heard(fds[0]);
	}
	expect(fds[1], ECHO, "");
	expect(somebody, ECHO, TRUE);
	expect(root, ECHO, TRUE);
	fds[1] = connected_as(NOBODY);
	expect(fds[1], ECHO, "");
	nv_loop_advance(t.loop, 10 * NV_USEC_PER_SEC);
	for (size_t i = 0; i < NV_ARRAY_SIZE(fds); i++) {
		assert_string_equal(heard(fds[i]), TRUE);
		expect(fds[i], ECHO, TRUE);
		close(fds[i]);
	}
	close(somebody);
	close(root);
}

/* All that wait are heard in turn, and one that asks again is behind those that have waited. */
static void those_put_off_are_heard_in_turn(void **state)
{
	int fds[NV_CONTROL_CLIENTS_UID];
	int left = NV_CONTROL_CLIENTS_UID;

	(void)state;
	if (getuid() != 0)
		skip();
	for (int i = 0; i < NV_CONTROL_CLIENTS_UID; i++)
		fds[i] = connected_as(NOBODY);
	nv_budget_charge(t.budget, NOBODY, NV_BUDGET_UID_BURST);
	for (int i = 0; i < NV_CONTROL_CLIENTS_UID; i++)
		say(fds[i], ECHO ECHO);
	/* What is left of each tenth of a second, somebody else of the uid uses up. */
	for (int round = 0; left; round++) {
		assert_uint_in_range(round, 0, 4 * NV_CONTROL_CLIENTS_UID);
		nv_loop_advance(t.loop, NV_USEC_PER_SEC / 10);
		settle();
		for (int i = 0; i < NV_CONTROL_CLIENTS_UID; i++)
			left -= fds[i] >= 0 && strstr(heard(fds[i]), TRUE) && close(fds[i]) == 0 &&
				(fds[i] = -1);
		if (!nv_budget_wait(t.budget, NOBODY))
			nv_budget_charge(t.budget, NOBODY, 2 * NV_USEC_PER_MSEC);
	}
}

/* Many uids together have a share, too. Root, whose connection stands, does not notice. */
static void all_uids_together_are_put_off(void **state)
{
	int root = connected();
	int late;

	(void)state;
	if (getuid() != 0)
		skip();
	settle();
	for (uid_t uid = 1000; !nv_budget_wait_any(t.budget); uid++)
		nv_budget_charge(t.budget, uid, NV_USEC_PER_MSEC);
	late = connected_as(NOBODY);
	expect(late, ECHO, "");
	expect(root, ECHO, TRUE);
	nv_loop_advance(t.loop, NV_USEC_PER_SEC);
	assert_string_equal(heard(late), TRUE);
	close(late);
	close(root);
}

#ifndef NV_SANITIZED /* which keeps what is freed for a while, to watch it */
/* Bytes of this process in memory. */
static size_t resident(void)
{
	NV_AUTO(nv_file) FILE *file = fopen("/proc/self/statm", "re");
	size_t pages = 0;

	assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
	return pages * getpagesize();
}

/* Those that subscribe and never read leave nothing behind. */
static void memory_of_those_who_never_read_is_given_back(void **state)
{
	json_auto_t *value = NULL;
	int fds[NV_CONTROL_CLIENTS_MAX];
	json_t *beside[NV_CONTROL_CLIENTS_MAX];
	size_t before = resident();

	(void)state;
	value = text_of(4000);
	for (int i = 0; i < NV_CONTROL_CLIENTS_MAX; i++) {
		fds[i] = connected();
		say(fds[i], "{\"method\": \"events\"}\n");
	}
	for (int i = 0; i < 120; i++) {
		nv_control_publish(t.control, "event", value);
		if (i < NV_CONTROL_CLIENTS_MAX)
			beside[i] = text_of(100);
	}
	for (int i = 0; i < NV_CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	settle();
	assert_uint_in_range(resident(), 0, before + 2 * 1024 * 1024);
	for (int i = 0; i < NV_CONTROL_CLIENTS_MAX; i++)
		json_decref(beside[i]);
}
#endif

static int streaming_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_client) struct nv_client *other = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *result = NULL;
	json_t *line = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call(client, "events", NULL, &result, &error) == 0);
	CHECK(nv_client_open(t.dir, &other) == 0);
	CHECK(nv_client_call(other, "flood", NULL, &result, &error) == 0);
	CHECK(nv_client_next(client, &line) == 0);
	CHECK(json_string_length(json_object_get(line, "event")) == 65536);
	json_decref(line);
	while (nv_client_next(client, &line) == 0)
		json_decref(line);
	CHECK(nv_client_next(client, &line) == -EPIPE);
	return 0;
}

static void client_reads_a_stream_to_its_end(void **state)
{
	(void)state;
	serve(streaming_client, 0);
}

static void server_that_lives_keeps_its_socket(void **state)
{
	struct nv_control *second = NULL;
	struct stat status;
	int fd = connected();

	(void)state;
	assert_int_equal(nv_control_new(t.loop, t.budget, t.path, methods, &t.changed, &second),
		-EADDRINUSE);
	assert_null(second);
	expect(fd, "{\"method\": \"echo\"}\n", "{\"result\":true}\n");
	t.control = nv_control_free(t.control);
	assert_string_equal(heard(fd), "(end)");
	close(fd);

	/* Now it is stale. */
	assert_int_equal(nv_unix_connect(t.path, SOCK_STREAM, &fd), -ECONNREFUSED);
	assert_int_equal(
		nv_control_new(t.loop, t.budget, t.path, methods, &t.changed, &t.control), 0);
	assert_int_equal(stat(t.path, &status), 0);
	assert_int_equal(status.st_mode, S_IFSOCK | 0666);
	fd = connected();
	expect(fd, "{\"method\": \"echo\"}\n", "{\"result\":true}\n");
	close(fd);
}

/* It connected, and was never accepted. */
static void server_that_ends_is_told(void **state)
{
	NV_AUTO(nv_client) struct nv_client *asking = NULL;
	NV_AUTO(nv_client) struct nv_client *listening = NULL;
	json_t *result = NULL;
	char *error = NULL;

	(void)state;
	assert_int_equal(nv_client_open(t.dir, &asking), 0);
	assert_int_equal(nv_client_open(t.dir, &listening), 0);
	t.control = nv_control_free(t.control);
	assert_int_equal(nv_client_call(asking, "echo", NULL, &result, &error), -EPIPE);
	assert_int_equal(nv_client_next(listening, &result), -EPIPE);
	assert_null(result);
	assert_null(error);
}

static void client_without_a_server_is_told(void **state)
{
	struct nv_client *client = NULL;

	(void)state;
	assert_int_equal(nv_client_open("/nonexistent", &client), -ENOENT);
	t.control = nv_control_free(t.control);
	assert_int_equal(nv_client_open(t.dir, &client), -ECONNREFUSED);
	assert_null(client);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void texts_of_any_bytes(void **state)
{
	static const char *const texts[][2] = {
		{"hn0", "hn0"},
		{"", ""},
		{"h\xc3\xb6", "h\xc3\xb6"},
		{"h\xff \xc3\xb6", "h\\xff \\xc3\\xb6"},
		{"\xc3", "\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(texts); i++) {
		json_auto_t *json = nv_json_from(texts[i][0]);

		assert_string_equal(json_string_value(json), texts[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts_of_any_bytes),
		TEST(request_is_a_line_however_it_arrives),
		TEST(requests_that_pile_up_let_others_pass),
		TEST(malformed_request_is_an_error_and_no_end),
		TEST(deeply_nested_request_is_refused),
		TEST(request_that_is_too_long_ends_the_connection),
		TEST(request_that_is_too_long_from_one_who_does_not_read),
		TEST(method_that_fails_says_why),
		TEST(answer_that_is_too_long_is_an_error),
		TEST(answer_outlives_the_end_of_the_requests),
		TEST(topic_is_sent_to_those_subscribed),
		TEST(slow_reader_is_dropped),
		TEST(late_reader_gets_it_all),
		TEST(client_may_be_dropped_while_it_is_answered),
		TEST(client_that_vanishes_is_forgotten),
		TEST(odd_clients_come_and_go),
		TEST(changing_is_for_root),
		TEST(clients_are_limited_and_root_has_places),
		TEST(uid_that_asks_without_end_is_put_off),
		TEST(those_put_off_are_heard_in_turn),
		TEST(all_uids_together_are_put_off),
#ifndef NV_SANITIZED
		TEST(memory_of_those_who_never_read_is_given_back),
#endif
		TEST(client_reads_a_stream_to_its_end),
		TEST(server_that_lives_keeps_its_socket),
		TEST(server_that_ends_is_told),
		TEST(client_without_a_server_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
