/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/str.h"
#include "devd/action.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LIMIT (300 * NV_USEC_PER_SEC)

static struct {
	char dir[32];
	char out[64];
	char fifo[64];
	struct nv_loop *loop;
	struct nv_actions *actions;
	struct nv_str told; /* SUBJECT:STATUS or SUBJECT!ERROR of each, in order */
	size_t n_told;
	uint64_t last_end;
	bool in_add;
	const char *add_when_told;
} t;

static void on_done(const struct nv_action_result *result, void *data)
{
	assert_ptr_equal(data, &t);
	assert_false(t.in_add);
	if (result->error)
		nv_str_printf(&t.told, "%s!%d ", result->subject, -result->error);
	else if (WIFSIGNALED(result->status))
		nv_str_printf(&t.told, "%s:SIG%d ", result->subject, WTERMSIG(result->status));
	else
		nv_str_printf(&t.told, "%s:%d ", result->subject, WEXITSTATUS(result->status));
	assert_string_equal(result->event, "!event");
	assert_ptr_equal(result->cookie, &t.out);
	assert_true(result->queued_at && result->ended_at >= result->started_at);
	t.n_told++;
	if (t.add_when_told) {
		const char *command = t.add_when_told;
		int r;

		t.add_when_told = NULL;
		r = nv_actions_add(t.actions, result->subject, command, "!event", NULL, t.out);
		assert_int_equal(r, 0);
	}
}

static int setup_with(enum nv_loop_clock clock, const char *shell)
{
	static const char *const env[] = {"NV_TEST=new", "NV_OTHER=a=b", NULL};
	const struct nv_actions_config config = {
		.shell = shell, .env = env, .time_limit = LIMIT, .done = on_done, .data = &t};

	alarm(60);
	memset(&t, 0, sizeof(t));
	nv_strcopy(t.dir, sizeof(t.dir), "/tmp/test-action.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.out, sizeof(t.out), "%s/out", t.dir);
	snprintf(t.fifo, sizeof(t.fifo), "%s/fifo", t.dir);
	assert_int_equal(mkfifo(t.fifo, 0600), 0);
	assert_int_equal(setenv("NV_TEST", "old", 1), 0);
	assert_int_equal(setenv("OUT", t.out, 1), 0);
	assert_int_equal(setenv("FIFO", t.fifo, 1), 0);
	assert_int_equal(nv_loop_new(clock, &t.loop), 0);
	return nv_actions_new(t.loop, &config, &t.actions);
}

static int setup(void **state)
{
	(void)state;
	return setup_with(NV_LOOP_MONOTONIC, NULL);
}

static int setup_virtual(void **state)
{
	(void)state;
	return setup_with(NV_LOOP_VIRTUAL, NULL);
}

static int setup_no_shell(void **state)
{
	(void)state;
	return setup_with(NV_LOOP_MONOTONIC, "/nonexistent/sh");
}

static int teardown(void **state)
{
	(void)state;
	t.actions = nv_actions_free(t.actions);
	t.loop = nv_loop_free(t.loop);
	nv_str_auto(&t.told);
	unlink(t.out);
	unlink(t.fifo);
	assert_int_equal(rmdir(t.dir), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return 0;
}

static int add(const char *subject, const char *command)
{
	int r;

	t.in_add = true;
	r = nv_actions_add(t.actions, subject, command, "!event", NULL, t.out);
	t.in_add = false;
	return r;
}

static void turn(void)
{
	assert_int_equal(nv_loop_run_once(t.loop, 1), 0);
}

static void wait_until_told(size_t n)
{
	while (t.n_told < n)
		turn();
	assert_int_equal(t.n_told, n);
}

static char *written(void)
{
	static char text[65536];
	FILE *file = fopen(t.out, "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static int open_fifo(int flags)
{
	int fd = open(t.fifo, flags | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void expect_line(int fd, const char *line)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	for (; *line; line++) {
		char c = 0;

		assert_int_equal(poll(&poll_fd, 1, 10000), 1);
		assert_int_equal(read(fd, &c, 1), 1);
		assert_int_equal(c, *line);
	}
}

static void assert_no_writer(int fd)
{
	char c;

	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
}

static void commands_of_a_subject_run_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		char command[64];

		snprintf(command, sizeof(command), "echo begin %d >>$OUT; echo end >>$OUT; exit %d",
			i, i);
		assert_int_equal(add("a", command), 0);
	}
	assert_int_equal(nv_actions_waiting(t.actions), 20);
	assert_int_equal(nv_actions_running(t.actions), 0);
	turn();
	assert_int_equal(nv_actions_waiting(t.actions), 19);
	assert_int_equal(nv_actions_running(t.actions), 1);
	wait_until_told(20);
	assert_string_equal(nv_str_text(&t.told),
		"a:0 a:1 a:2 a:3 a:4 a:5 a:6 a:7 a:8 a:9 a:10 a:11 a:12 a:13 a:14 a:15 a:16 a:17 "
		"a:18 a:19 ");
	for (int i = 0; i < 20; i++) {
		static char *at;
		char expected[32];
		int length;

		at = i ? at : written();
		length = snprintf(expected, sizeof(expected), "begin %d\nend\n", i);
		assert_int_equal(strncmp(at, expected, length), 0);
		at += length;
	}
	assert_int_equal(nv_actions_waiting(t.actions), 0);
	assert_int_equal(nv_actions_running(t.actions), 0);
}

/* Each of the two needs the other to be running. */
static void subjects_run_side_by_side(void **state)
{
	(void)state;
	assert_int_equal(add("a", "read x <$FIFO; exit $x"), 0);
	assert_int_equal(add("a", "exit 4"), 0);
	assert_int_equal(add("b", "echo 3 >$FIFO"), 0);
	wait_until_told(3);
	assert_non_null(strstr(nv_str_text(&t.told), "a:3 "));
	assert_non_null(strstr(nv_str_text(&t.told), "a:4 "));
	assert_non_null(strstr(nv_str_text(&t.told), "b:0 "));
}

static void no_more_than_the_limit_run_at_once(void **state)
{
	char subject[16];
	int fd;

	(void)state;
	for (int i = 0; i < NV_ACTIONS_RUNNING_MAX + 2; i++) {
		snprintf(subject, sizeof(subject), "if%d", i);
		assert_int_equal(add(subject, "read x <$FIFO"), 0);
	}
	turn();
	assert_int_equal(nv_actions_running(t.actions), NV_ACTIONS_RUNNING_MAX);
	assert_int_equal(nv_actions_waiting(t.actions), 2);
	fd = open_fifo(O_RDWR);
	for (int i = 0; i < NV_ACTIONS_RUNNING_MAX + 2; i++)
		assert_int_equal(write(fd, "\n", 1), 1);
	wait_until_told(NV_ACTIONS_RUNNING_MAX + 2);
	close(fd);
}

static void full_queue_refuses(void **state)
{
	char subject[16];

	(void)state;
	for (int i = 0; i < NV_ACTIONS_QUEUE_MAX; i++)
		assert_int_equal(add("if0", "false"), 0);
	assert_int_equal(add("if0", "false"), -ENOBUFS);
	for (int i = NV_ACTIONS_QUEUE_MAX; i < NV_ACTIONS_WAITING_MAX; i++) {
		snprintf(subject, sizeof(subject), "if%d", i / NV_ACTIONS_QUEUE_MAX);
		assert_int_equal(add(subject, "false"), 0);
	}
	assert_int_equal(add("new", "false"), -ENOBUFS);
	assert_int_equal(t.n_told, 0);
	t.actions = nv_actions_free(t.actions);
	assert_int_equal(t.n_told, NV_ACTIONS_WAITING_MAX);
	assert_memory_equal(nv_str_text(&t.told), "if0!125 if0!125 ", 16);
}

static void late_command_is_terminated_with_its_group(void **state)
{
	int fd = open_fifo(O_RDONLY | O_NONBLOCK);

	(void)state;
	assert_int_equal(add("a", "exec 3>$FIFO; sleep 1000 & echo up >&3; wait"), 0);
	assert_int_equal(add("a", "exit 1"), 0);
	turn();
	expect_line(fd, "up\n");
	nv_loop_advance(t.loop, LIMIT - 1);
	assert_int_equal(nv_actions_running(t.actions), 1);
	nv_loop_advance(t.loop, 1);
	/* What the shell left behind may need a moment to die: then the grace ends the wait. */
	while (t.n_told < 1) {
		turn();
		if (t.n_told < 1)
			nv_loop_advance(t.loop, 5 * NV_USEC_PER_SEC);
	}
	assert_no_writer(fd);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a!62 a:1 ");
}

static void late_command_that_ignores_sigterm_is_killed(void **state)
{
	int fd = open_fifo(O_RDONLY | O_NONBLOCK);

	(void)state;
	assert_int_equal(
		add("a", "trap '' TERM; exec 3>$FIFO; sleep 1000 & echo up >&3; sleep 1000"), 0);
	turn();
	expect_line(fd, "up\n");
	nv_loop_advance(t.loop, LIMIT + 5 * NV_USEC_PER_SEC - 1);
	assert_int_equal(nv_loop_run_once(t.loop, 0), 0);
	assert_int_equal(t.n_told, 0);
	nv_loop_advance(t.loop, 1);
	wait_until_told(1);
	assert_no_writer(fd);
	assert_string_equal(nv_str_text(&t.told), "a!62 ");
}

/* The shell is gone after SIGTERM, what it started is not: the next command still waits for it. */
static void group_that_outlives_its_shell_has_its_grace(void **state)
{
	int fd = open_fifo(O_RDONLY | O_NONBLOCK);

	(void)state;
	assert_int_equal(
		add("a", "exec 3>$FIFO; (trap '' TERM; echo up >&3; sleep 1000; :) & wait"), 0);
	assert_int_equal(add("a", "exit 1"), 0);
	turn();
	expect_line(fd, "up\n");
	nv_loop_advance(t.loop, LIMIT);
	turn();
	nv_loop_advance(t.loop, 5 * NV_USEC_PER_SEC - 1);
	assert_int_equal(t.n_told, 0);
	assert_int_equal(nv_actions_waiting(t.actions), 1);
	nv_loop_advance(t.loop, 1);
	assert_int_equal(t.n_told, 1);
	assert_no_writer(fd);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a!62 a:1 ");
}

/* A daemon that an action leaves in the background is nobody's business. */
static void background_of_a_timely_command_lives_on(void **state)
{
	int in = open_fifo(O_RDWR);
	int out;

	(void)state;
	assert_int_equal(mkfifo(t.out, 0600), 0);
	out = open(t.out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(add("a", "(read x <$FIFO; echo $x >$OUT) & :"), 0);
	wait_until_told(1);
	assert_string_equal(nv_str_text(&t.told), "a:0 ");
	nv_loop_advance(t.loop, 2 * LIMIT);
	assert_int_equal(write(in, "alive\n", 6), 6);
	expect_line(out, "alive\n");
	close(in);
	close(out);
}

static void command_that_cannot_start_is_told(void **state)
{
	(void)state;
	assert_int_equal(add("a", "true"), 0);
	assert_int_equal(add("a", "true"), 0);
	assert_int_equal(add("b", "true"), 0);
	wait_until_told(3);
	assert_string_equal(nv_str_text(&t.told), "a!2 b!2 a!2 ");
	assert_int_equal(nv_actions_running(t.actions), 0);
}

/* There is no shell here: what runs had none. */
static void plain_words_need_no_shell(void **state)
{
	static const char *const needs_shell[] = {"/bin/true; /bin/true", "/bin/echo $OUT",
		"/bin/echo *", "/bin/echo \"a\"", "/bin/echo 'open", "/bin/echo a\\b",
		"/bin/echo ~", "/bin/echo #a", "/bin/true >x", "/bin/true\n/bin/true", "true",
		"X=1 /bin/true"};
	char command[256];

	(void)state;
	snprintf(command, sizeof(command),
		"/bin/sh -c 'printf \"%%s|\" \"$@\" >>%s' sh  one 'two  words' '' a'b c'd "
		"'$(x);*' ",
		t.out);
	assert_int_equal(add("a", command), 0);
	assert_int_equal(add("a", "/bin/false"), 0);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a:0 a:1 ");
	assert_string_equal(written(), "one|two  words||ab cd|$(x);*|");
	for (size_t i = 0; i < NV_ARRAY_SIZE(needs_shell); i++) {
		nv_str_clear(&t.told);
		assert_int_equal(add("b", needs_shell[i]), 0);
		wait_until_told(3 + i);
		assert_string_equal(nv_str_text(&t.told), "b!2 ");
	}
}

static void status_is_that_of_wait(void **state)
{
	(void)state;
	assert_int_equal(add("a", "kill -KILL $$"), 0);
	assert_int_equal(add("a", "exit 255"), 0);
	assert_int_equal(add("a", "-x is no option"), 0);
	wait_until_told(3);
	assert_string_equal(nv_str_text(&t.told), "a:SIG9 a:255 a:127 ");
}

/* Ignored signals: the lowest 28, for the C library leaves two of its own ignored, 32 and 33. */
static void child_starts_clean(void **state)
{
	sigset_t set;
	sigset_t old;
	char expected[256];
	int leak = dup(STDOUT_FILENO);

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	assert_int_equal(fcntl(leak, F_GETFD), 0);
	/* Before the shell starts anything: it clears the mask for its own children. */
	assert_int_equal(add("a", "exec >$OUT; while read name mask; do case $name in "
				  "SigBlk:) echo $mask;; SigIgn:) echo ${mask#?????????};; esac; "
				  "done </proc/$$/status; pwd; readlink /proc/self/fd/0; "
				  "ls /proc/$$/fd; read pid x x x group x </proc/$$/stat; "
				  "[ $pid = $group ]; echo $?; echo $NV_TEST $NV_OTHER $FIFO"),
		0);
	wait_until_told(1);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(leak);
	snprintf(expected, sizeof(expected),
		"0000000000000000\n0000000\n/\n/dev/null\n0\n1\n2\n0\nnew a=b %s\n", t.fifo);
	assert_string_equal(written(), expected);
}

static void environment_has_each_name_once(void **state)
{
	(void)state;
	assert_int_equal(add("a", "exec >$OUT; tr '\\0' '\\n' </proc/$$/environ | grep ^NV_"), 0);
	wait_until_told(1);
	assert_string_equal(written(), "NV_TEST=new\nNV_OTHER=a=b\n");
}

static void burst_is_worked_off(void **state)
{
	char subject[16];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(subject, sizeof(subject), "if%d", i % 100);
		assert_int_equal(add(subject, "echo x >>$OUT"), 0);
	}
	wait_until_told(500);
	assert_int_equal(strlen(written()), 1000);
	assert_int_equal(nv_actions_waiting(t.actions), 0);
	assert_int_equal(nv_actions_running(t.actions), 0);
}

/* As where other programs, or this one's clients, hold all descriptors. */
static void take_descriptors(struct rlimit *old)
{
	struct rlimit none;
	int next = dup(STDOUT_FILENO);

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
	none = (struct rlimit){.rlim_cur = next, .rlim_max = old->rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* Each once, in their order, however often it was tried. */
static void command_that_cannot_start_for_a_while_is_tried_again(void **state)
{
	struct rlimit old;

	(void)state;
	take_descriptors(&old);
	assert_int_equal(add("a", "echo 1 >>$OUT"), 0);
	assert_int_equal(add("a", "echo 2 >>$OUT"), 0);
	nv_loop_advance(t.loop, 10 * NV_USEC_PER_SEC);
	assert_int_equal(t.n_told, 0);
	assert_int_equal(nv_actions_waiting(t.actions), 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	nv_loop_advance(t.loop, NV_ACTIONS_RETRY_MAX);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a:0 a:0 ");
	assert_string_equal(written(), "1\n2\n");
}

/* The retries come to an end, and those of one do not take the time of the next. */
static void command_that_cannot_start_for_long_is_given_up(void **state)
{
	struct rlimit old;

	(void)state;
	take_descriptors(&old);
	assert_int_equal(add("a", "echo 1 >>$OUT"), 0);
	nv_loop_advance(t.loop, NV_ACTIONS_RETRY_FOR - NV_ACTIONS_RETRY_MAX);
	assert_int_equal(add("a", "echo 2 >>$OUT"), 0);
	assert_int_equal(t.n_told, 0);
	nv_loop_advance(t.loop, 3 * NV_ACTIONS_RETRY_MAX);
	assert_string_equal(nv_str_text(&t.told), "a!24 ");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	nv_loop_advance(t.loop, NV_ACTIONS_RETRY_MAX);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a!24 a:0 ");
	assert_string_equal(written(), "2\n");
}

static void subject_is_served_again_after_it_was_idle(void **state)
{
	(void)state;
	assert_int_equal(add("a", "exit 1"), 0);
	wait_until_told(1);
	assert_int_equal(add("a", "exit 2"), 0);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a:1 a:2 ");
}

static void whoever_is_told_may_add(void **state)
{
	(void)state;
	t.add_when_told = "exit 2";
	assert_int_equal(add("a", "exit 1"), 0);
	wait_until_told(2);
	assert_string_equal(nv_str_text(&t.told), "a:1 a:2 ");
}

static void running_command_goes_on_unattended(void **state)
{
	int fd = open_fifo(O_RDWR);

	(void)state;
	assert_int_equal(add("a", "read x <$FIFO; echo $x >$OUT"), 0);
	assert_int_equal(add("a", "exit 1"), 0);
	turn();
	t.actions = nv_actions_free(t.actions);
	assert_string_equal(nv_str_text(&t.told), "a!125 a!125 ");
	assert_int_equal(write(fd, "alive\n", 6), 6);
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_string_equal(written(), "alive\n");
	close(fd);
}

#define REAL(test)    cmocka_unit_test_setup_teardown(test, setup, teardown)
#define VIRTUAL(test) cmocka_unit_test_setup_teardown(test, setup_virtual, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REAL(commands_of_a_subject_run_in_order),
		REAL(subjects_run_side_by_side),
		REAL(no_more_than_the_limit_run_at_once),
		REAL(full_queue_refuses),
		VIRTUAL(late_command_is_terminated_with_its_group),
		VIRTUAL(late_command_that_ignores_sigterm_is_killed),
		VIRTUAL(group_that_outlives_its_shell_has_its_grace),
		VIRTUAL(background_of_a_timely_command_lives_on),
		cmocka_unit_test_setup_teardown(
			command_that_cannot_start_is_told, setup_no_shell, teardown),
		cmocka_unit_test_setup_teardown(
			plain_words_need_no_shell, setup_no_shell, teardown),
		REAL(status_is_that_of_wait),
		REAL(child_starts_clean),
		REAL(environment_has_each_name_once),
		REAL(burst_is_worked_off),
		VIRTUAL(command_that_cannot_start_for_a_while_is_tried_again),
		VIRTUAL(command_that_cannot_start_for_long_is_given_up),
		REAL(subject_is_served_again_after_it_was_idle),
		REAL(whoever_is_told_may_add),
		REAL(running_command_goes_on_unattended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
