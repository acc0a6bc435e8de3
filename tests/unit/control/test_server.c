/* SPDX-License-Identifier: BSD-2-Clause */
/* control/server.c: requests, answers and topics. */
#include "service.h"

#include "control/client.h"
#include "loop/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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

static void on_bell(int fd, int events, void *data)
{
	char x;

	(void)events;
	(void)data;
	assert_int_equal(read(fd, &x, 1), 1);
	strcat(t.order, "B");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_a_line_however_it_arrives),
		TEST(requests_that_pile_up_let_others_pass),
		TEST(malformed_request_is_an_error_and_no_end),
		TEST(deeply_nested_request_is_refused),
		TEST(method_that_fails_says_why),
		TEST(answer_outlives_the_end_of_the_requests),
		TEST(topic_is_sent_to_those_subscribed),
		TEST(server_that_lives_keeps_its_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
