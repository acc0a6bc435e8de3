/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int nv_program_find(const char *program, char *ret_path, size_t size)
{
	static const char *const places[] = {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/",
		"/usr/local/sbin/", "/usr/local/bin/"};
	int r = -ENOENT;

	if (strchr(program, '/')) {
		if (access(program, X_OK) < 0)
			return -errno;
		snprintf(ret_path, size, "%s", program);
		return 0;
	}
	for (size_t i = 0; i < NV_ARRAY_SIZE(places); i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s%s", places[i], program);
		if (access(path, X_OK) == 0) {
			snprintf(ret_path, size, "%s", path);
			return 0;
		}
		if (errno == EACCES)
			r = -EACCES;
	}
	return r;
}

static int run_spawn(const char *path, const char *const argv[], int output, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return -error;
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawn(ret_pid, path, &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static int64_t run_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Reads to the end of the output. */
static int run_read_all(int fd, struct nv_str *output)
{
	int64_t end = run_now_ms() + NV_RUN_PATIENCE;

	for (;;) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		int64_t left = end - run_now_ms();
		char bytes[4096];
		ssize_t length;

		if (left <= 0 || poll(&readable, 1, (int)left) == 0)
			return -ETIME;
		length = read(fd, bytes, sizeof(bytes));
		if (length < 0 && errno != EINTR)
			return -errno;
		if (length == 0)
			return output->error;
		if (length > 0)
			nv_str_append(output, bytes, (size_t)length);
		if (output->error)
			return output->error;
	}
}

int nv_run(const char *const argv[], struct nv_str *output)
{
	NV_AUTO(nv_fd) int mine = -1;
	char path[4096];
	int ends[2];
	int status;
	pid_t pid;
	int r = nv_program_find(argv[0], path, sizeof(path));

	nv_str_clear(output);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	mine = ends[0];
	r = run_spawn(path, argv, ends[1], &pid);
	close(ends[1]);
	if (r < 0)
		return r;
	r = run_read_all(mine, output);
	/* A program that has closed its output may run for ever too. */
	kill(pid, r < 0 ? SIGKILL : 0);
	if (waitpid(pid, &status, 0) < 0 || r < 0)
		return r < 0 ? r : -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPROTO;
}
