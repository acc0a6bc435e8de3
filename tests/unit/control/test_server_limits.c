/* SPDX-License-Identifier: BSD-2-Clause */
/* control/server.c: what one client, one user and all of them may have. */
#include "service.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NV_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define NV_SANITIZED
#endif

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_that_is_too_long_ends_the_connection),
		TEST(request_that_is_too_long_from_one_who_does_not_read),
		TEST(answer_that_is_too_long_is_an_error),
		TEST(slow_reader_is_dropped),
		TEST(late_reader_gets_it_all),
		TEST(client_may_be_dropped_while_it_is_answered),
		TEST(client_that_vanishes_is_forgotten),
		TEST(odd_clients_come_and_go),
		TEST(clients_are_limited_and_root_has_places),
		TEST(uid_that_asks_without_end_is_put_off),
		TEST(those_put_off_are_heard_in_turn),
		TEST(all_uids_together_are_put_off),
#ifndef NV_SANITIZED
		TEST(memory_of_those_who_never_read_is_given_back),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
