/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LONG (3600 * NV_USEC_PER_SEC)

/* What callbacks leave behind. */
static struct {
	struct nv_loop *loop;
	struct nv_watch *watch;
	int calls;
	int events;
	int status;
	uint64_t at;
	char order[32];
} seen;

static int setup(void **state)
{
	(void)state;
	alarm(60);
	memset(&seen, 0, sizeof(seen));
	return nv_loop_new(NV_LOOP_MONOTONIC, &seen.loop);
}

static int setup_virtual(void **state)
{
	(void)state;
	alarm(60);
	memset(&seen, 0, sizeof(seen));
	return nv_loop_new(NV_LOOP_VIRTUAL, &seen.loop);
}

static int teardown(void **state)
{
	(void)state;
	seen.watch = nv_watch_free(seen.watch);
	seen.loop = nv_loop_free(seen.loop);
	return 0;
}

static void on_fd(int fd, int events, void *data)
{
	(void)fd;
	(void)data;
	seen.calls++;
	seen.events |= events;
}

static void on_fd_free(int fd, int events, void *data)
{
	on_fd(fd, events, data);
	seen.watch = nv_watch_free(seen.watch);
}

static void on_timer(void *data)
{
	seen.order[seen.calls] = *(const char *)data;
	seen.at = nv_loop_now(seen.loop);
	seen.calls++;
}

static void on_timer_free(void *data)
{
	on_timer(data);
	seen.watch = nv_watch_free(seen.watch);
}

static void on_timer_again(void *data)
{
	on_timer(data);
	if (seen.calls < 5)
		assert_int_equal(nv_watch_arm(seen.watch, 0), 0);
}

static void on_timer_quit(void *data)
{
	on_timer(data);
	nv_loop_quit(seen.loop);
}

static void on_signal(int signal, void *data)
{
	(void)data;
	assert_int_equal(signal, SIGUSR1);
	seen.calls++;
	seen.watch = nv_watch_free(seen.watch);
}

static void on_child(pid_t pid, int status, void *data)
{
	assert_int_equal(pid, *(pid_t *)data);
	seen.calls++;
	seen.status = status;
	seen.watch = nv_watch_free(seen.watch);
}

static pid_t child_that_exits(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	assert_true(pid > 0);
	return pid;
}

static void fd_is_told_while_it_is_ready(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(
		nv_loop_watch_fd(seen.loop, pair[0], NV_LOOP_READ, on_fd, NULL, &seen.watch), 0);
	assert_int_equal(nv_loop_run_once(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(seen.calls, 2);
	assert_int_equal(seen.events, NV_LOOP_READ);
	seen.watch = nv_watch_free(seen.watch);
	close(pair[0]);
	close(pair[1]);
}

static void fd_watch_may_go_in_its_own_callback(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(nv_loop_watch_fd(seen.loop, pair[0], NV_LOOP_READ | NV_LOOP_WRITE,
				 on_fd_free, NULL, &seen.watch),
		0);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(nv_loop_run_once(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.events, NV_LOOP_WRITE);
	close(pair[0]);
	close(pair[1]);
}

static void fd_that_cannot_be_watched_is_refused(void **state)
{
	struct nv_watch *watch = (struct nv_watch *)&seen;

	(void)state;
	assert_int_equal(
		nv_loop_watch_fd(seen.loop, 9999, NV_LOOP_READ, on_fd, NULL, &watch), -EBADF);
	assert_ptr_equal(watch, &seen);
}

/* Also for a socket whose reading side is shut down, which is readable for ever. */
static void hangup_is_told_and_nothing_else(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(shutdown(pair[0], SHUT_RD), 0);
	assert_int_equal(
		nv_loop_watch_fd(seen.loop, pair[0], NV_LOOP_HANGUP, on_fd_free, NULL, &seen.watch),
		0);
	assert_int_equal(write(pair[0], "x", 1), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(nv_loop_run_once(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 0);
	close(pair[1]);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.events, NV_LOOP_HANGUP);
	close(pair[0]);
}

static void virtual_timers_fire_by_time_then_arming(void **state)
{
	const char *names[] = {"a", "b", "c", "d"};
	const uint64_t times[] = {30, 10, 20, 10};
	struct nv_watch *timers[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			nv_loop_watch_timer(seen.loop, on_timer, (void *)names[i], &timers[i]), 0);
		assert_int_equal(nv_watch_arm(timers[i], times[i] * NV_USEC_PER_SEC), 0);
	}
	assert_int_equal(nv_loop_now(seen.loop), NV_USEC_PER_SEC);
	nv_loop_advance(seen.loop, 20 * NV_USEC_PER_SEC - 1);
	assert_string_equal(seen.order, "bd");
	assert_int_equal(seen.at, 11 * NV_USEC_PER_SEC);
	assert_int_equal(nv_loop_now(seen.loop), 21 * NV_USEC_PER_SEC - 1);
	nv_watch_disarm(timers[2]);
	assert_int_equal(nv_watch_arm(timers[1], LONG), 0);
	nv_loop_advance(seen.loop, LONG);
	assert_string_equal(seen.order, "bdab");
	for (int i = 0; i < 4; i++)
		nv_watch_free(timers[i]);
}

static void virtual_timer_may_go_or_arm_itself_in_its_callback(void **state)
{
	(void)state;
	assert_int_equal(
		nv_loop_watch_timer(seen.loop, on_timer_again, (void *)"x", &seen.watch), 0);
	assert_int_equal(nv_watch_arm(seen.watch, 0), 0);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(seen.calls, 2);
	nv_loop_advance(seen.loop, 0);
	assert_int_equal(seen.calls, 5);
	seen.watch = nv_watch_free(seen.watch);

	assert_int_equal(
		nv_loop_watch_timer(seen.loop, on_timer_free, (void *)"y", &seen.watch), 0);
	assert_int_equal(nv_watch_arm(seen.watch, LONG), 0);
	nv_loop_advance(seen.loop, 2 * LONG);
	assert_string_equal(seen.order, "xxxxxy");
	assert_null(seen.watch);
}

static void timer_fires_once_and_not_early(void **state)
{
	uint64_t start;

	(void)state;
	assert_int_equal(
		nv_loop_watch_timer(seen.loop, on_timer_quit, (void *)"t", &seen.watch), 0);
	start = nv_loop_now(seen.loop);
	assert_int_equal(nv_watch_arm(seen.watch, LONG), 0);
	assert_int_equal(nv_watch_arm(seen.watch, 20 * NV_USEC_PER_MSEC), 0);
	assert_int_equal(nv_loop_run(seen.loop), 0);
	assert_uint_in_range(seen.at - start, 20 * NV_USEC_PER_MSEC, 10 * NV_USEC_PER_SEC);
	assert_int_equal(nv_loop_run_once(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(nv_watch_arm(seen.watch, 0), 0);
	nv_watch_disarm(seen.watch);
	assert_int_equal(nv_loop_run_once(seen.loop, 0), 0);
	assert_int_equal(seen.calls, 1);
}

static void on_slow_timer(void *data)
{
	struct nv_watch *other = data;

	poll(NULL, 0, 30);
	seen.at = nv_loop_now(seen.loop);
	assert_int_equal(nv_watch_arm(other, 20 * NV_USEC_PER_MSEC), 0);
}

static void on_late_timer(void *data)
{
	(void)data;
	seen.at = nv_loop_now(seen.loop) - seen.at;
	nv_loop_quit(seen.loop);
}

static void late_timer_counts_from_its_arming(void **state)
{
	struct nv_watch *slow;

	(void)state;
	assert_int_equal(nv_loop_watch_timer(seen.loop, on_late_timer, NULL, &seen.watch), 0);
	assert_int_equal(nv_loop_watch_timer(seen.loop, on_slow_timer, seen.watch, &slow), 0);
	assert_int_equal(nv_watch_arm(slow, 0), 0);
	assert_int_equal(nv_loop_run(seen.loop), 0);
	assert_true(seen.at >= 20 * NV_USEC_PER_MSEC);
	nv_watch_free(slow);
}

static void quit_before_run_is_not_lost(void **state)
{
	(void)state;
	nv_loop_quit(seen.loop);
	assert_int_equal(nv_loop_run(seen.loop), 0);
	assert_int_equal(
		nv_loop_watch_timer(seen.loop, on_timer_quit, (void *)"q", &seen.watch), 0);
	assert_int_equal(nv_watch_arm(seen.watch, 0), 0);
	assert_int_equal(nv_loop_run(seen.loop), 0);
	assert_int_equal(seen.calls, 1);
}

static void signal_watch_may_go_in_its_own_callback(void **state)
{
	(void)state;
	assert_int_equal(nv_loop_watch_signal(seen.loop, SIGUSR1, on_signal, NULL, &seen.watch), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_int_equal(seen.calls, 1);
}

static void child_is_reaped_with_its_status(void **state)
{
	pid_t pid = child_that_exits(7);

	(void)state;
	assert_int_equal(nv_loop_watch_child(seen.loop, pid, on_child, &pid, &seen.watch), 0);
	while (!seen.calls)
		assert_int_equal(nv_loop_run_once(seen.loop, 1), 0);
	assert_true(WIFEXITED(seen.status));
	assert_int_equal(WEXITSTATUS(seen.status), 7);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(nv_loop_watch_child(seen.loop, pid, on_child, &pid, &seen.watch), -ESRCH);
}

static void child_watch_that_goes_leaves_the_child(void **state)
{
	pid_t pid = child_that_exits(0);

	(void)state;
	assert_int_equal(nv_loop_watch_child(seen.loop, pid, on_child, &pid, &seen.watch), 0);
	seen.watch = nv_watch_free(seen.watch);
	assert_int_equal(nv_loop_run_once(seen.loop, 0), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(seen.calls, 0);
}

/* With a far timer, an idle descriptor and a signal watched, the loop must sleep, not look around.
 */
static void idle_loop_does_not_wake(void **state)
{
	struct nv_watch *watches[2];
	struct rusage before;
	struct rusage after;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
		nv_loop_watch_fd(seen.loop, pair[0], NV_LOOP_READ, on_fd, NULL, &watches[0]), 0);
	assert_int_equal(nv_loop_watch_signal(seen.loop, SIGUSR1, on_signal, NULL, &watches[1]), 0);
	assert_int_equal(
		nv_loop_watch_timer(seen.loop, on_timer_quit, (void *)"q", &seen.watch), 0);
	assert_int_equal(nv_watch_arm(seen.watch, 300 * NV_USEC_PER_MSEC), 0);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(nv_loop_run(seen.loop), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_uint_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, 3);
	nv_watch_free(watches[0]);
	nv_watch_free(watches[1]);
	close(pair[0]);
	close(pair[1]);
}

#define REAL(test)    cmocka_unit_test_setup_teardown(test, setup, teardown)
#define VIRTUAL(test) cmocka_unit_test_setup_teardown(test, setup_virtual, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REAL(fd_is_told_while_it_is_ready),
		REAL(fd_watch_may_go_in_its_own_callback),
		REAL(fd_that_cannot_be_watched_is_refused),
		REAL(hangup_is_told_and_nothing_else),
		VIRTUAL(virtual_timers_fire_by_time_then_arming),
		VIRTUAL(virtual_timer_may_go_or_arm_itself_in_its_callback),
		REAL(timer_fires_once_and_not_early),
		REAL(late_timer_counts_from_its_arming),
		REAL(quit_before_run_is_not_lost),
		REAL(signal_watch_may_go_in_its_own_callback),
		REAL(child_is_reaped_with_its_status),
		VIRTUAL(child_is_reaped_with_its_status),
		REAL(child_watch_that_goes_leaves_the_child),
		REAL(idle_loop_does_not_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
