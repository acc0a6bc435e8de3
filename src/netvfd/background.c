/* SPDX-License-Identifier: BSD-2-Clause */
#include "netvfd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void wait_for_child(int fd)
{
	char ready;

	_exit(read(fd, &ready, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int nv_background_enter(bool at_once, int *ret_fd)
{
	int pipe_fd[2];
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int error = errno;

		close(pipe_fd[0]);
		close(pipe_fd[1]);
		return -error;
	}
	if (pid > 0) {
		close(pipe_fd[1]);
		if (at_once)
			_exit(EXIT_SUCCESS);
		wait_for_child(pipe_fd[0]);
	}
	close(pipe_fd[0]);
	setsid();
	*ret_fd = pipe_fd[1];
	return 0;
}

void nv_background_ready(int fd)
{
	NV_AUTO(nv_fd) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t written;

	if (chdir("/") < 0 || null < 0)
		return;
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		dup2(null, standard);
	/* A parent that was killed meanwhile is no reason to end: SIGPIPE is ignored. */
	written = write(fd, "", 1);
	(void)written;
	close(fd);
}
