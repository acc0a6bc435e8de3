/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/str.h"
#include "devd/clients.h"
#include "loop/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LIMIT	3
#define USER	12345
#define CREATE	"!system=DEVFS subsystem=CDEV type=CREATE cdev=md5"
#define DESTROY "!system=DEVFS subsystem=CDEV type=DESTROY cdev=md5"

static struct {
	char dir[32];
	char seqpacket[64];
	char stream[64];
	struct nv_loop *loop;
	struct nv_clients *clients;
} t;

static int setup(void **state)
{
	(void)state;
	alarm(60);
	memset(&t, 0, sizeof(t));
	nv_strcopy(t.dir, sizeof(t.dir), "/tmp/test-clients.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	assert_int_equal(chmod(t.dir, 0755), 0);
	snprintf(t.seqpacket, sizeof(t.seqpacket), "%s/seqpacket", t.dir);
	snprintf(t.stream, sizeof(t.stream), "%s/stream", t.dir);
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &t.loop), 0);
	return nv_clients_new(t.loop, t.seqpacket, t.stream, LIMIT, NULL, &t.clients);
}

static int teardown(void **state)
{
	(void)state;
	t.clients = nv_clients_free(t.clients);
	t.loop = nv_loop_free(t.loop);
	assert_int_equal(unlink(t.seqpacket), 0);
	assert_int_equal(unlink(t.stream), 0);
	return rmdir(t.dir);
}

static int connected(const char *path)
{
	int type = path == t.stream ? SOCK_STREAM : SOCK_SEQPACKET;
	int fd = -1;

	assert_int_equal(nv_unix_connect(path, type | SOCK_NONBLOCK, &fd), 0);
	return fd;
}

static void turn(void)
{
	assert_int_equal(nv_loop_run_once(t.loop, 0), 0);
}

static void expect_record(int fd, const char *line)
{
	char record[1024];
	ssize_t length = recv(fd, record, sizeof(record), 0);

	assert_int_equal(length, strlen(line) + 1);
	assert_memory_equal(record, line, length - 1);
	assert_int_equal(record[length - 1], '\n');
}

static void expect_nothing(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void expect_end(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, 0), 0);
	close(fd);
}

/* As FreeBSD's own test of devd has it: a record begins with the text; each event is one. */
static void seqpacket_has_an_event_a_record(void **state)
{
	int fd = connected(t.seqpacket);

	(void)state;
	nv_clients_send(t.clients, CREATE);
	nv_clients_send(t.clients, "!system=IFNET subsystem=md5 type=ATTACH");
	nv_clients_send(t.clients, DESTROY);
	expect_record(fd, CREATE);
	expect_record(fd, "!system=IFNET subsystem=md5 type=ATTACH");
	expect_record(fd, DESTROY);
	expect_nothing(fd);
	close(fd);
}

/* As FreeBSD's own test of devd has it: the stream contains both texts. */
static void stream_has_lines(void **state)
{
	char text[1024] = "";
	int fd = connected(t.stream);

	(void)state;
	nv_clients_send(t.clients, CREATE);
	nv_clients_send(t.clients, DESTROY);
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, CREATE "\n" DESTROY "\n");
	expect_nothing(fd);
	close(fd);
}

/* The loop has had no turn between the connection and the event. */
static void client_before_the_event_does_not_miss_it(void **state)
{
	int fds[] = {connected(t.seqpacket), connected(t.stream)};

	(void)state;
	assert_int_equal(nv_clients_count(t.clients), 0);
	nv_clients_send(t.clients, CREATE);
	assert_int_equal(nv_clients_count(t.clients), 2);
	expect_record(fds[0], CREATE);
	expect_record(fds[1], CREATE);
	close(fds[0]);
	close(fds[1]);
}

static void client_after_the_event_has_no_history(void **state)
{
	int fd;

	(void)state;
	nv_clients_send(t.clients, CREATE);
	fd = connected(t.seqpacket);
	turn();
	assert_int_equal(nv_clients_count(t.clients), 1);
	expect_nothing(fd);
	close(fd);
}

static void client_cannot_send(void **state)
{
	int fds[] = {connected(t.seqpacket), connected(t.stream)};

	(void)state;
	turn();
	assert_int_equal(nv_clients_count(t.clients), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send(fds[i], "x", 1, MSG_NOSIGNAL), -1);
		assert_int_equal(errno, EPIPE);
		close(fds[i]);
	}
}

static void client_that_closes_is_noticed_without_an_event(void **state)
{
	int fds[] = {connected(t.seqpacket), connected(t.stream), connected(t.stream)};

	(void)state;
	turn();
	assert_int_equal(nv_clients_count(t.clients), 3);
	for (int i = 0; i < 3; i++) {
		close(fds[i]);
		assert_int_equal(nv_loop_run_once(t.loop, 1), 0);
		assert_int_equal(nv_clients_count(t.clients), 2 - i);
	}
}

static void client_that_went_before_it_was_accepted_is_dropped(void **state)
{
	(void)state;
	close(connected(t.seqpacket));
	close(connected(t.stream));
	turn();
	turn();
	assert_int_equal(nv_clients_count(t.clients), 0);
	nv_clients_send(t.clients, CREATE);
}

/* One that does not read loses its place; what it was sent arrives whole; others lose nothing. */
static void drop_slow_client(const char *path)
{
	int slow = connected(path);
	int quick = connected(t.seqpacket);
	char line[1001];
	ssize_t length;
	int sent;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	nv_clients_send(t.clients, line);
	expect_record(quick, line);
	for (sent = 1; nv_clients_count(t.clients) == 2; sent++) {
		assert_true(sent < 10000);
		nv_clients_send(t.clients, line);
		expect_record(quick, line);
	}
	assert_uint_in_range(sent, 64, 1000);
	for (int i = 0; (length = recv(slow, line, sizeof(line), 0)) > 0; i++)
		assert_true(path == t.stream || (length == sizeof(line) && i < sent));
	assert_int_equal(length, 0);
	close(slow);
	close(quick);
}

static void slow_record_client_is_dropped(void **state)
{
	(void)state;
	drop_slow_client(t.seqpacket);
}

static void slow_stream_client_is_dropped(void **state)
{
	(void)state;
	drop_slow_client(t.stream);
}

static void limit_is_over_both_and_the_rest_wait(void **state)
{
	int fds[] = {connected(t.seqpacket), connected(t.stream), connected(t.stream),
		connected(t.seqpacket), connected(t.stream)};

	(void)state;
	for (int i = 0; i < 3; i++)
		turn();
	assert_int_equal(nv_clients_count(t.clients), LIMIT);
	nv_clients_send(t.clients, CREATE);
	assert_int_equal(nv_clients_count(t.clients), LIMIT);

	/* Full: nothing that happens at the door wakes the loop. Each who goes lets one in. */
	for (int i = 0; i < 5; i++) {
		char c;

		if (recv(fds[i], &c, 1, MSG_PEEK) != 1)
			continue;
		close(fds[i]);
		fds[i] = -1;
		turn();
		turn();
		assert_uint_in_range(nv_clients_count(t.clients), 2, LIMIT);
	}
	nv_clients_send(t.clients, DESTROY);
	assert_int_equal(nv_clients_count(t.clients), 2);
	for (int i = 0; i < 5; i++) {
		if (fds[i] < 0)
			continue;
		expect_record(fds[i], DESTROY);
		close(fds[i]);
	}
}

/* As the daemon sees it: by the uid at the time of connect(2). */
static int connected_as(const char *path, uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = connected(path);
	assert_int_equal(seteuid(0), 0);
	turn();
	return fd;
}

static bool hears(int fd, const char *line)
{
	char record[1024] = "";
	ssize_t length = recv(fd, record, sizeof(record) - 1, 0);

	return length > 0 && strncmp(record, line, strlen(line)) == 0;
}

/* However many of one user come: others have places, and root has some when nobody else has. */
static void users_do_not_keep_others_or_root_out(void **state)
{
	enum { PLACES = 10 };
	int fds[4 * PLACES];
	int n = 0;

	(void)state;
	if (getuid() != 0)
		skip();
	nv_clients_free(t.clients);
	assert_int_equal(
		nv_clients_new(t.loop, t.seqpacket, t.stream, PLACES, NULL, &t.clients), 0);
	for (int i = 0; i < 2 * PLACES; i++)
		fds[n++] = connected_as(i % 2 ? t.stream : t.seqpacket, USER);
	assert_int_equal(nv_clients_count(t.clients), NV_CLIENTS_UID(PLACES));
	for (int i = 0; i < PLACES; i++)
		fds[n++] = connected_as(t.seqpacket, USER + 1 + i);
	assert_int_equal(nv_clients_count(t.clients), PLACES - NV_CLIENTS_ROOT(PLACES));
	for (int i = 0; i < NV_CLIENTS_ROOT(PLACES); i++)
		fds[n++] = connected_as(i % 2 ? t.stream : t.seqpacket, 0);
	nv_clients_send(t.clients, CREATE);
	assert_true(hears(fds[0], CREATE));
	assert_true(hears(fds[2 * PLACES], CREATE));
	assert_true(hears(fds[n - 2], CREATE));
	assert_true(hears(fds[n - 1], CREATE));
	/* One for whom there is no place is told so, and does not wait. */
	expect_end(fds[2 * PLACES - 1]);
	fds[2 * PLACES - 1] = -1;
	while (n-- > 0)
		if (fds[n] >= 0)
			close(fds[n]);
}

enum {
	ODD_CLIENTS = 10000,
	ODD_AT_ONCE = 8,
};

/* Whatever they do, in whatever order: each is let go once, and the next one hears. */
static void odd_clients_come_and_go(void **state)
{
	int fds[ODD_AT_ONCE];
	unsigned int seed = 1;
	int left = ODD_CLIENTS;
	char text[4096];

	(void)state;
	memset(fds, -1, sizeof(fds));
	while (left > 0) {
		int i = rand_r(&seed) % ODD_AT_ONCE;
		int what = rand_r(&seed) % 8;

		if (fds[i] < 0) {
			int type = i % 2 ? SOCK_STREAM : SOCK_SEQPACKET;

			if (nv_unix_connect(i % 2 ? t.stream : t.seqpacket, type | SOCK_NONBLOCK,
				    &fds[i]) == 0)
				left--;
		} else if (what < 3) {
			close(fds[i]);
			fds[i] = -1;
		} else if (what < 5) {
			shutdown(fds[i], what == 3 ? SHUT_RD : SHUT_WR);
		} else if (what == 5) {
			recv(fds[i], text, sizeof(text), 0);
		} else {
			send(fds[i], text, 1, MSG_NOSIGNAL);
		}
		if (rand_r(&seed) % 4 == 0)
			nv_clients_send(t.clients, CREATE);
		if (rand_r(&seed) % 2)
			turn();
	}
	for (int i = 0; i < ODD_AT_ONCE; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (int i = 0; i < 4 * ODD_AT_ONCE; i++)
		turn();
	assert_int_equal(nv_clients_count(t.clients), 0);
	fds[0] = connected(t.seqpacket);
	nv_clients_send(t.clients, CREATE);
	expect_record(fds[0], CREATE);
	close(fds[0]);
}

static void accept_that_fails_is_tried_again(void **state)
{
	struct rlimit old;
	struct rlimit none;
	int fd = connected(t.seqpacket);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	turn();
	turn();
	nv_clients_send(t.clients, CREATE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	turn();
	assert_int_equal(nv_clients_count(t.clients), 0);
	nv_loop_advance(t.loop, NV_USEC_PER_SEC);
	turn();
	assert_int_equal(nv_clients_count(t.clients), 1);
	nv_clients_send(t.clients, DESTROY);
	expect_record(fd, DESTROY);
	close(fd);
}

static void paths_are_for_everybody_and_replaced(void **state)
{
	struct stat status;
	int fd = connected(t.stream);

	(void)state;
	turn();
	t.clients = nv_clients_free(t.clients);
	expect_end(fd);
	assert_int_equal(stat(t.seqpacket, &status), 0);
	assert_int_equal(status.st_mode, S_IFSOCK | 0666);
	assert_int_equal(nv_clients_new(t.loop, t.seqpacket, NULL, 1, NULL, &t.clients), 0);
	fd = connected(t.seqpacket);
	nv_clients_send(t.clients, CREATE);
	expect_record(fd, CREATE);
	close(fd);
}

static void paths_that_are_no_use_are_refused(void **state)
{
	struct nv_clients *clients = NULL;
	char path[200];
	int fd;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(nv_clients_new(t.loop, path, NULL, 1, NULL, &clients), -ENAMETOOLONG);
	assert_int_equal(
		nv_clients_new(t.loop, "/nonexistent/socket", NULL, 1, NULL, &clients), -ENOENT);
	snprintf(path, sizeof(path), "%s/file", t.dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(nv_clients_new(t.loop, NULL, path, 1, NULL, &clients), -EADDRINUSE);
	assert_null(clients);
	assert_int_equal(unlink(path), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seqpacket_has_an_event_a_record),
		TEST(stream_has_lines),
		TEST(client_before_the_event_does_not_miss_it),
		TEST(client_after_the_event_has_no_history),
		TEST(client_cannot_send),
		TEST(client_that_closes_is_noticed_without_an_event),
		TEST(client_that_went_before_it_was_accepted_is_dropped),
		TEST(slow_record_client_is_dropped),
		TEST(slow_stream_client_is_dropped),
		TEST(limit_is_over_both_and_the_rest_wait),
		TEST(users_do_not_keep_others_or_root_out),
		TEST(odd_clients_come_and_go),
		TEST(accept_that_fails_is_tried_again),
		TEST(paths_are_for_everybody_and_replaced),
		TEST(paths_that_are_no_use_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
