/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/cleanup.h"
#include "base/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A manager's socket, at a path or, with '@' first, under an abstract name. */
static int listen_at(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at, length), 0);
	return fd;
}

static void the_manager_hears_each_state(void **state)
{
	char path[64], abstract[64];
	const char *const names[] = {path, abstract};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/netvf-test-%d", getpid());
	snprintf(abstract, sizeof(abstract), "@netvf-test-%d", getpid());
	for (size_t i = 0; i < NV_ARRAY_SIZE(names); i++) {
		NV_AUTO(nv_fd) int fd = listen_at(names[i]);
		char text[32] = "";

		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_int_equal(nv_service_notify("READY=1"), 0);
		assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), strlen("READY=1"));
		assert_string_equal(text, "READY=1");
	}
	unlink(path);
	/* nobody listens there any more */
	assert_int_equal(nv_service_notify("READY=1"), -ECONNREFUSED);
}

static void without_a_manager_nothing_is_sent(void **state)
{
	static const char *const refused[] = {"", "/", "netvf", "vsock:2:1"};
	char longest[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(nv_service_notify("READY=1"), 0);
	for (size_t i = 0; i < NV_ARRAY_SIZE(refused); i++) {
		setenv("NOTIFY_SOCKET", refused[i], 1);
		assert_int_equal(nv_service_notify("READY=1"), -EINVAL);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(nv_service_notify("READY=1"), -EINVAL);
}

static void the_watchdog_is_that_of_this_process(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", getpid());
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(nv_service_watchdog(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(nv_service_watchdog(), 30000000);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(nv_service_watchdog(), 30000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(nv_service_watchdog(), 0);
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "-3", 1);
	assert_int_equal(nv_service_watchdog(), 0);
	setenv("WATCHDOG_USEC", "30s", 1);
	assert_int_equal(nv_service_watchdog(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manager_hears_each_state),
		cmocka_unit_test(without_a_manager_nothing_is_sent),
		cmocka_unit_test(the_watchdog_is_that_of_this_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
