/* SPDX-License-Identifier: BSD-2-Clause */
/* Tries the hooks on a device of its own, in network namespaces of a child process. */
#include "datapath/hooks.h"

#include "base/str.h"
#include "datapath/lagg.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* a guest on a busy machine may need that long; the service has a watchdog of 30 seconds */
#define SECONDS_MAX 20

static int exercise_make(struct nv_kernel *kernel, int *ret_ifindex)
{
	struct nv_link link = {.name = "hooks0"};
	int r = -EOPNOTSUPP;

	for (const char *const *kind = nv_lagg_bpf.kinds; *kind && r == -EOPNOTSUPP; kind++) {
		nv_strcopy(link.kind, sizeof(link.kind), *kind);
		r = nv_kernel_link_add(
			kernel, &link, nv_streq(*kind, "veth") ? "hooks0p" : NULL, ret_ifindex);
	}
	return r;
}

static int exercise_device(struct nv_kernel *kernel)
{
	struct nv_link link;
	int ifindex;
	int r;

	r = exercise_make(kernel, &ifindex);
	if (r == 0)
		r = nv_kernel_link(kernel, ifindex, &link);
	if (r == 0)
		r = nv_kernel_link_up(kernel, ifindex, true);
	if (r == 0)
		r = nv_lagg_bpf.set_carrier(kernel, &link, true);
	if (r == 0)
		r = nv_lagg_bpf.set_carrier(kernel, &link, false);
	if (r == 0)
		r = nv_kernel_link_up(kernel, ifindex, false);
	if (r == 0)
		r = nv_kernel_link_up(kernel, ifindex, true);
	return r < 0 ? r : nv_kernel_link_del(kernel, ifindex);
}

/* The time limit works also by itself in the child, whatever its parent does with signals. */
static int exercise_child(void)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	sigset_t alarm_set;
	int r;

	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &alarm_set, NULL);
	alarm(SECONDS_MAX);
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	r = nv_kernel_open(&kernel);
	return r < 0 ? r : exercise_device(kernel);
}

int nv_hooks_exercise(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-exercise_child() & 0xff);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ETIMEDOUT;
}
