/* SPDX-License-Identifier: BSD-2-Clause */
/* Goes into the background as devd does, with a pid file. */
#include "base/log.h"
#include "netvfd/daemon.h"

#include <bsd/libutil.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void daemonize_wait_for_child(int fd)
{
	char ready;

	_exit(read(fd, &ready, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int daemonize_detach(bool at_once, int *ret_fd)
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
		daemonize_wait_for_child(pipe_fd[0]);
	}
	close(pipe_fd[0]);
	setsid();
	*ret_fd = pipe_fd[1];
	return 0;
}

static void daemonize_let_parent_go(int fd)
{
	NV_AUTO(nv_fd) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t written;

	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO && null >= 0; standard++)
		dup2(null, standard);
	/* If the parent was killed meanwhile, the daemon continues: SIGPIPE is ignored. */
	written = write(fd, "", 1);
	(void)written;
	close(fd);
}

int nv_daemonize_enter(struct nv_daemon *daemon)
{
	const char *path = nv_rules_pid_file(daemon->rules);
	pid_t other = 0;
	int r;

	if (daemon->options->foreground)
		return 0;
	if (path)
		daemon->pid_file = pidfile_open(path, 0600, &other);
	/* This network namespace has no other netvfd: nv_run_dir_make() has locked it. */
	if (path && !daemon->pid_file && errno == EEXIST)
		nv_notice(
			"the pid file %s belongs to process %d, a netvfd of another network namespace; this one has none",
			path, (int)other);
	else if (path && !daemon->pid_file)
		nv_warn("cannot write the pid file %s: %s", path, nv_strerror(errno));
	r = daemonize_detach(daemon->options->background_at_once, &daemon->ready_fd);
	if (r < 0) {
		nv_err("cannot go into the background: %s", nv_strerror(r));
		return r;
	}
	if (daemon->pid_file)
		pidfile_write(daemon->pid_file);
	nv_log_open("netvfd", NV_LOG_SYSLOG, daemon->options->quiet ? LOG_WARNING : LOG_INFO);
	return 0;
}

void nv_daemonize_idle(struct nv_daemon *daemon)
{
	if (daemon->ready_fd >= 0)
		daemonize_let_parent_go(TAKE_FD(daemon->ready_fd));
}

void nv_daemonize_leave(struct nv_daemon *daemon)
{
	if (daemon->pid_file)
		pidfile_remove(daemon->pid_file);
	daemon->pid_file = NULL;
}
