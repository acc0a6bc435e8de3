/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/move_lock.h"
#include "base/rundir.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void str_grows_and_keeps_nul_bytes_out(void **state)
{
	NV_AUTO(nv_str) struct nv_str str = {};

	(void)state;
	assert_string_equal(nv_str_text(&str), "");
	for (int i = 0; i < 1000; i++)
		nv_str_printf(&str, "%d,", i);
	assert_int_equal(str.length, strlen(str.text));
	assert_int_equal(strncmp(str.text, "0,1,2,", 6), 0);
	assert_int_equal(str.error, 0);
}

static void str_error_sticks_at_the_limit(void **state)
{
	NV_AUTO(nv_str) struct nv_str str = {};
	char *text = (char *)"untouched";

	(void)state;
	for (int i = 0; i < NV_STR_LIMIT / 16 + 1; i++)
		nv_str_add(&str, "0123456789abcdef");
	assert_int_equal(str.error, -E2BIG);
	assert_int_equal(nv_str_take(&str, &text), -E2BIG);
	assert_string_equal(text, "untouched");
	nv_str_clear(&str);
	nv_str_add(&str, "again");
	assert_string_equal(nv_str_text(&str), "again");
}

static void words_split_at_any_white_space(void **state)
{
	NV_AUTO(nv_words) struct nv_words words = {};

	(void)state;
	assert_int_equal(nv_words_split("  inet\t192.0.2.1/24\n\nup ", &words), 0);
	assert_int_equal(words.count, 3);
	assert_string_equal(words.word[0], "inet");
	assert_string_equal(words.word[2], "up");
}

static void numbers_are_whole_or_refused(void **state)
{
	unsigned int value = 7;

	(void)state;
	assert_int_equal(nv_parse_u32("4095", 4095, &value), 0);
	assert_int_equal(value, 4095);
	assert_int_equal(nv_parse_u32("4096", 4095, &value), -ERANGE);
	assert_int_equal(nv_parse_u32("99999999999999999999999", 4095, &value), -ERANGE);
	assert_int_equal(nv_parse_u32("-1", 4095, &value), -EINVAL);
	assert_int_equal(nv_parse_u32("12x", 4095, &value), -EINVAL);
	assert_int_equal(nv_parse_u32("", 4095, &value), -EINVAL);
	assert_int_equal(value, 4095);
}

static void faults_are_counted_past_their_limit(void **state)
{
	struct nv_faults faults = {};

	(void)state;
	for (int i = 0; i < NV_FAULTS_MAX + 5; i++)
		nv_faults_add(&faults, NV_FAULT_ERROR, "f", i + 1, 1, "fault %d", i);
	assert_int_equal(faults.count, NV_FAULTS_MAX);
	assert_int_equal(faults.dropped, 5);
	assert_int_equal(faults.errors, NV_FAULTS_MAX + 5);
	nv_faults_auto(&faults);
}

static void a_text_is_made_printable(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{"", ""},
		{"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
			"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\x1b[1m\n\t\x7f"
		 "b",
			"a [1m   b"},
		{"c1 \xc2\x9b"
		 "1m \xc2\xa0",
			"c1   1m \xc2\xa0"},
		{"raw \x9b"
		 "1m \xff",
			"raw ?1m ?"},
		{"over \xc0\x9b \xe0\x82\x9b \xed\xa0\x80", "over ?? ??? ???"},
		{"cut \xe2\x82", "cut ??"},
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++) {
		NV_AUTO(nv_free) char *text = strdup(cases[i].text);

		nv_str_printable(text);
		assert_string_equal(text, cases[i].expected);
	}
}

static void run_dir_option_is_checked(void **state)
{
	NV_AUTO(nv_free) char *dir = NULL;

	(void)state;
	assert_int_equal(nv_run_dir_find("relative", &dir), -EINVAL);
	assert_null(dir);
	assert_int_equal(nv_run_dir_find("/run/x//", &dir), 0);
	assert_string_equal(dir, "/run/x");
	assert_true(nv_run_dir_is_first("/run/netvf"));
	assert_false(nv_run_dir_is_first("/run/netvf/netns-1"));
}

static void a_turn_is_one_processs_and_ends_with_it(void **state)
{
	char dir[] = "/tmp/netvf-turn-XXXXXX";
	NV_AUTO(nv_str) struct nv_str path = {};
	int ready[2];
	int fd = -1;
	int status;
	pid_t child;
	char byte;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_false(nv_move_lock_is_to_hn(dir, "hn0"));
	assert_int_equal(nv_move_lock_take(dir, "hn0", NV_MOVE_TO_LAGG, &fd), 0);
	assert_false(nv_move_lock_is_to_hn(dir, "hn0"));
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		close(fd); /* as exec would */
		_exit(nv_move_lock_take(dir, "hn0", NV_MOVE_TO_HN, &fd) < 0 ||
			write(ready[1], "", 1) != 1 || pause());
	}
	assert_true(child > 0);
	assert_int_equal(fcntl(ready[0], F_SETFL, O_NONBLOCK), 0);
	assert_false(nv_move_lock_is_to_hn(dir, "hn0"));
	assert_int_equal(read(ready[0], &byte, 1), -1);
	assert_int_equal(fcntl(ready[0], F_SETFL, 0), 0);
	close(fd);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(nv_move_lock_is_to_hn(dir, "hn0"));
	assert_false(nv_move_lock_is_to_hn(dir, "hn1"));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(nv_move_lock_is_to_hn(dir, "hn0"));

	close(ready[0]);
	close(ready[1]);
	nv_str_printf(&path, "%s/vfup.hn0.lock", dir);
	assert_int_equal(unlink(nv_str_text(&path)), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(nv_move_lock_take(dir, "hn0", NV_MOVE_TO_LAGG, &fd), -ENOENT);
}

/* What nv_log() writes of @message while stderr is the pipe @to and JOURNAL_STREAM is @stream. */
static void log_to(
	const int to[2], const char *stream, const char *message, char *text, size_t size)
{
	int saved = dup(STDERR_FILENO);
	ssize_t length;

	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_true(dup2(to[1], STDERR_FILENO) >= 0);
	nv_log(LOG_INFO, "%s", message);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	length = read(to[0], text, size - 1);
	assert_true(length > 0);
	text[length] = '\0';
}

static void the_journals_prefix_is_for_the_journal_alone(void **state)
{
	char stream[64];
	char text[64];
	struct stat st;
	int to[2];

	(void)state;
	assert_int_equal(pipe(to), 0);
	assert_int_equal(fstat(to[1], &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	log_to(to, stream, "a message", text, sizeof(text));
	assert_string_equal(text, "<6>a message\n");
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
	log_to(to, stream, "a message", text, sizeof(text));
	assert_string_equal(text, "netvf: a message\n");
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	close(to[0]);
	close(to[1]);
}

/* In a pipe of packets, a read returns what one write wrote (pipe(2), O_DIRECT). */
static void a_message_is_one_write(void **state)
{
	static char small[128]; /* bytes, as stderr has them in glibc 2.37 and later */
	char message[4096], text[4096];
	int to[2];

	(void)state;
	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	assert_int_equal(setvbuf(stderr, small, _IOFBF, sizeof(small)), 0);
	assert_int_equal(pipe2(to, O_DIRECT), 0);
	log_to(to, "", message, text, sizeof(text));
	assert_int_equal(strlen(text), strlen("netvf: ") + 2047 + strlen("\n"));
	assert_string_equal(text + strlen("netvf: ") + 2047, "\n");
	log_to(to, "", "a message", text, sizeof(text));
	assert_string_equal(text, "netvf: a message\n");
	assert_int_equal(setvbuf(stderr, NULL, _IONBF, 0), 0);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	close(to[0]);
	close(to[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(str_grows_and_keeps_nul_bytes_out),
		cmocka_unit_test(str_error_sticks_at_the_limit),
		cmocka_unit_test(words_split_at_any_white_space),
		cmocka_unit_test(numbers_are_whole_or_refused),
		cmocka_unit_test(faults_are_counted_past_their_limit),
		cmocka_unit_test(a_text_is_made_printable),
		cmocka_unit_test(run_dir_option_is_checked),
		cmocka_unit_test(a_turn_is_one_processs_and_ends_with_it),
		cmocka_unit_test(the_journals_prefix_is_for_the_journal_alone),
		cmocka_unit_test(a_message_is_one_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
