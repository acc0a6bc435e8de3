/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvf_actions [-f devd.conf] [-c rc.conf] [--run-dir DIR]: runs the actions of rules for a netvfd
 * that has too few capabilities for them. The protocol is in devd/runner.h; see also netvfd(8),
 * PRIVILEGES.
 *
 * Each connection has a process of its own, which does not trust netvfd: it reads the rules, and
 * runs the command only if one of them makes it of the event.
 */
#include "base/log.h"
#include "base/rundir.h"
#include "base/service.h"
#include "devd/rules.h"
#include "devd/runner.h"
#include "devd/shell.h"
#include "loop/unix.h"
#include "rcconf/settings.h"
#include "services/vm_guest.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PROGRAM	   "netvf_actions"
#define RULES_PATH "/etc/netvf/devd.conf"
#define BACKLOG	   128
#define PATIENCE   10 /* seconds in which a client must send its request after it has connected */

struct options {
	const char *rules;
	const char *rcconf;
	const char *run_dir;
};

static int actions_usage(void)
{
	fprintf(stderr, "usage: " PROGRAM " [-f devd.conf] [-c rc.conf] [--run-dir directory]\n");
	return -EINVAL;
}

static int actions_parse_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {{"run-dir", required_argument, NULL, 'r'}, {}};
	int opt;

	*options = (struct options){.rules = RULES_PATH, .rcconf = NV_RCCONF_PATH};
	while ((opt = getopt_long(argc, argv, "f:c:", longs, NULL)) != -1) {
		if (opt == 'f')
			options->rules = optarg;
		else if (opt == 'c')
			options->rcconf = optarg;
		else if (opt == 'r')
			options->run_dir = optarg;
		else
			return actions_usage();
	}
	return optind == argc ? 0 : actions_usage();
}

static int actions_parse_event(const char *time, const char *line, struct nv_event **ret_event)
{
	struct timespec when = {};
	unsigned long usec = 0;
	long sec = 0;

	if (sscanf(time, "%ld.%lu", &sec, &usec) >= 1)
		when = (struct timespec){.tv_sec = sec, .tv_nsec = (long)(usec % 1000000) * 1000};
	return nv_event_parse(line, strlen(line), &when, ret_event);
}

/* A nv_rules_guest_fn: the same value as netvfd's, from the same files. */
static const char *actions_vm_guest(void *data)
{
	static struct nv_settings settings;
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	const struct options *options = data;

	if (nv_rcconf_load(options->rcconf, &faults, &rcconf) == 0)
		nv_settings_read(rcconf, &faults, &settings);
	return settings.vm_guest ? settings.vm_guest : nv_vm_guest();
}

/* Returns 0, -EACCES (no rule makes this command of the event), or an error. */
static int actions_check(
	struct options *options, const char *time, const char *line, const char *command)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	int r = nv_rules_load(options->rules, actions_vm_guest, options, &faults, &rules);

	if (r == 0)
		r = actions_parse_event(time, line, &event);
	if (r == 0 && !nv_rules_make(rules, event, command))
		r = -EACCES;
	if (r == -EACCES)
		nv_err("no rule in %s makes this command of the event '%s': %s; it is not run; if the rules have changed, reload netvfd",
			options->rules, line, command);
	else if (r < 0)
		nv_err("cannot check an action against %s: %s", options->rules, nv_strerror(r));
	return r;
}

static int actions_wait_status(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return (info->si_status & 0xff) << 8;
	return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

/* The process group's number is not reused before netvfd has closed the connection. */
static void actions_attend(int fd, pid_t pid)
{
	siginfo_t info = {};
	char byte;

	nv_runner_say(fd, NV_RUNNER_STARTED, pid);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
	}
	if (nv_runner_say(fd, NV_RUNNER_ENDED, actions_wait_status(&info)) == 0)
		recv(fd, &byte, sizeof(byte), 0);
	waitpid(pid, NULL, 0);
}

static int actions_take_request(int fd, char *request, size_t size)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	const struct timeval forever = {};
	struct ucred peer;
	ssize_t length;
	int r = nv_unix_peer(fd, &peer);

	if (r < 0)
		return r;
	if (peer.uid != 0)
		return -EPERM;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	length = recv(fd, request, size - 1, 0);
	if (length <= 0)
		return length < 0 ? -errno : -ECONNRESET;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	request[length] = '\0';
	return 0;
}

static void actions_serve(int fd, struct options *options)
{
	static char request[NV_RUNNER_REQUEST_MAX + 1];
	NV_AUTO(nv_shell) struct nv_shell *shell = NULL;
	char *time, *event, *command;
	pid_t pid;
	int r = actions_take_request(fd, request, sizeof(request));

	if (r == 0)
		r = nv_runner_split(request, &time, &event, &command);
	if (r == 0)
		r = actions_check(options, time, event, command);
	if (r == 0)
		r = nv_shell_new("/bin/sh", NULL, &shell);
	if (r == 0)
		r = nv_shell_run(shell, command, &pid);
	if (r == 0)
		actions_attend(fd, pid);
	else
		nv_runner_say(fd, NV_RUNNER_REFUSED, -r);
}

static int actions_listen_at(const char *run_dir, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	NV_AUTO(nv_fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/" NV_ACTIONS_SOCKET,
		    run_dir) >= (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (unlink(address.sun_path) < 0 && errno != ENOENT)
		return -errno;
	umask(0177); /* only root may use the socket */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	umask(022);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int actions_serve_all(int listener, struct options *options)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pid_t pid = fd < 0 ? -1 : fork();

		if (pid == 0) {
			signal(SIGCHLD, SIG_DFL);
			close(listener);
			actions_serve(fd, options);
			_exit(0);
		}
		/* netvfd sees the end of the connection, and tries again. */
		if (pid < 0 && errno != EINTR && errno != ECONNABORTED) {
			nv_warn("cannot take an action: %s", nv_strerror(-errno));
			sleep(1);
		}
		if (fd >= 0)
			close(fd);
	}
}

int main(int argc, char **argv)
{
	NV_AUTO(nv_free) char *run_dir = NULL;
	struct options options;
	int listener = -1;
	int r;

	nv_log_open(PROGRAM, NV_LOG_STDERR, LOG_INFO);
	if (actions_parse_options(argc, argv, &options) < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* the processes of the connections are reaped by the kernel */
	r = nv_run_dir_find(options.run_dir, &run_dir);
	if (r == 0)
		r = actions_listen_at(run_dir, &listener);
	if (r < 0) {
		nv_err("cannot listen on %s/" NV_ACTIONS_SOCKET ": %s",
			run_dir ? run_dir : options.run_dir, nv_strerror(r));
		return 1;
	}
	setenv(NV_RUN_DIR_ENV, run_dir, 1);
	setenv(NV_RCCONF_ENV, options.rcconf, 1);
	nv_service_notify("READY=1");
	/* it is not for the actions */
	unsetenv("NOTIFY_SOCKET");
	return actions_serve_all(listener, &options);
}
