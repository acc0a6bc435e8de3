/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes the parts of the daemon, in the order of their dependencies. */
#include "base/log.h"
#include "base/root_file.h"
#include "base/rundir.h"
#include "netvfd/daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SEQPACKET_NAME "devd.seqpacket.pipe"
#define STREAM_NAME    "devd.pipe"
#define LOCK_NAME      "netvfd.lock"
#define LOCK_WAIT_MS   1000

/* Each function logs its own failure: only here it is known what was tried and what to do. */

static int startup_make_parents(const char *dir)
{
	NV_AUTO(nv_free) char *path = strdup(dir);

	for (char *slash = path ? strchr(path + 1, '/') : NULL;; slash = strchr(slash + 1, '/')) {
		if (!path)
			return -ENOMEM;
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/*
 * Makes the directory and locks it; the lock ends with the process. A netvfd that was killed while
 * it started an action may have a child that holds the lock until execve(2) closes it.
 */
static int startup_lock_dir(const char *dir, int *ret_fd)
{
	NV_AUTO(nv_fd) int fd = -1;
	int r = startup_make_parents(dir);

	if (r == 0)
		r = nv_root_dir_check(dir);
	if (r < 0)
		return r;
	fd = nv_lock_open(dir, LOCK_NAME, "."); /* which any user may lock: the last resort */
	if (fd < 0)
		return fd;
	r = nv_lock_within(fd, LOCK_WAIT_MS);
	if (r < 0)
		return r == -EWOULDBLOCK ? -EADDRINUSE : r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void startup_tell_failure(const char *dir, bool of_namespace, int error)
{
	if (error == -EPERM)
		nv_err("cannot use the run directory %s: users other than root can write it or a directory above it; let only root write it (chown root, chmod go-w), or name another with --run-dir",
			dir);
	else if (error != -EADDRINUSE)
		nv_err("cannot make the run directory %s: %s", dir, nv_strerror(error));
	else if (of_namespace)
		nv_err("another netvfd serves this network namespace (it holds %s): end it first",
			dir);
	else
		nv_err("another netvfd uses %s: give this one another --run-dir", dir);
}

/*
 * Two netvfd with one directory would replace each other's sockets, and two in one network
 * namespace would change the same pairs. So two directories are locked: this one, and the
 * namespace's default one, which stands for the namespace.
 */
int nv_run_dir_make(struct nv_daemon *daemon)
{
	NV_AUTO(nv_free) char *own = NULL;
	int r = nv_run_dir_find(daemon->options->run_dir, &daemon->run_dir);

	if (r == 0)
		r = nv_run_dir_of_namespace(&own);
	if (r < 0) {
		nv_err("cannot use the run directory %s: %s",
			daemon->options->run_dir ? daemon->options->run_dir : NV_RUN_DIR,
			nv_strerror(r));
		return r;
	}
	r = startup_lock_dir(own, &daemon->netns_fd);
	if (r < 0) {
		startup_tell_failure(own, true, r);
		return r;
	}
	if (nv_streq(own, daemon->run_dir))
		return 0;
	r = startup_lock_dir(daemon->run_dir, &daemon->run_dir_fd);
	if (r < 0)
		startup_tell_failure(daemon->run_dir, false, r);
	return r;
}

/* Traffic needs neither this socket nor the next: netvfd works without them too. */
static void startup_open_clients(struct nv_daemon *daemon)
{
	const char *dir = nv_run_dir_is_first(daemon->run_dir) ? "/run" : daemon->run_dir;
	NV_AUTO(nv_str) struct nv_str seqpacket = {};
	NV_AUTO(nv_str) struct nv_str stream = {};
	int r;

	nv_str_printf(&seqpacket, "%s/" SEQPACKET_NAME, dir);
	nv_str_printf(&stream, "%s/" STREAM_NAME, dir);
	r = nv_clients_new(daemon->loop, nv_str_text(&seqpacket), nv_str_text(&stream),
		daemon->options->clients_max, daemon->budget, &daemon->clients);
	if (r < 0)
		nv_err("cannot listen on %s: %s; events go to rules only; correct that and restart netvfd",
			nv_str_text(&seqpacket), nv_strerror(r));
}

static int startup_open_control(struct nv_daemon *daemon)
{
	NV_AUTO(nv_str) struct nv_str path = {};
	int r;

	nv_str_printf(&path, "%s/" NV_CONTROL_SOCKET, daemon->run_dir);
	r = nv_control_new(daemon->loop, daemon->budget, nv_str_text(&path), nv_daemon_methods,
		daemon, &daemon->control);
	if (r == -EADDRINUSE)
		startup_tell_failure(daemon->run_dir, false, r);
	else if (r < 0)
		nv_err("cannot listen on %s: %s; netvfd works, but netvf(1) cannot connect; correct that and restart netvfd",
			nv_str_text(&path), nv_strerror(r));
	return r == -EADDRINUSE ? r : 0;
}

static int startup_open_actions(struct nv_daemon *daemon)
{
	NV_AUTO(nv_str) struct nv_str run_dir = {};
	NV_AUTO(nv_str) struct nv_str rcconf = {};
	const char *env[] = {NULL, NULL, NULL};
	struct nv_actions_config config = {
		.env = env,
		.runner = daemon->options->actions,
		.time_limit = daemon->settings->action_timeout * NV_USEC_PER_SEC,
		.done = nv_events_action_done,
		.data = daemon,
	};

	nv_str_printf(&run_dir, NV_RUN_DIR_ENV "=%s", daemon->run_dir);
	nv_str_printf(&rcconf, NV_RCCONF_ENV "=%s", daemon->options->rcconf_path);
	env[0] = nv_str_text(&run_dir);
	env[1] = nv_str_text(&rcconf);
	return nv_actions_new(daemon->loop, &config, &daemon->actions);
}

static int startup_open_queues(struct nv_daemon *daemon)
{
	int r = nv_history_new(&daemon->history);

	if (r == 0)
		r = startup_open_actions(daemon);
	if (r == 0)
		r = nv_kernel_events_new(nv_events_queue, daemon, &daemon->announce);
	if (r < 0)
		nv_err("cannot start: %s", nv_strerror(r));
	return r;
}

static int startup_open_failover(struct nv_daemon *daemon)
{
	const struct nv_failover template = {
		.ops = &nv_events_failover_ops,
		.data = daemon,
		.loop = daemon->loop,
		.kernel = daemon->kernel,
		.datapath = daemon->datapath,
		.run_dir = daemon->run_dir,
		.rcconf = daemon->rcconf,
		.settings = daemon->settings,
	};

	return nv_failover_new(&template, &daemon->failover);
}

static int startup_open_datapath(struct nv_daemon *daemon)
{
	int r = nv_kernel_open(&daemon->kernel);

	if (r < 0) {
		nv_err("cannot open an rtnetlink socket: %s", nv_strerror(r));
		return r;
	}
	r = nv_datapath_open(daemon->kernel, daemon->run_dir, &daemon->datapath);
	if (r == 0)
		r = startup_open_failover(daemon);
	if (r < 0)
		nv_err("cannot open the data path in %s: %s%s", daemon->run_dir, nv_strerror(r),
			r == -EPERM || r == -EACCES
				? "; it needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and CAP_SYS_ADMIN where its pins are not there yet"
				: "");
	else if (nv_datapath_adopted(daemon->datapath))
		nv_notice("adopted the data path of an earlier netvfd: %zu pairs",
			daemon->failover->n_managed);
	return r;
}

int nv_startup(struct nv_daemon *daemon)
{
	int r = nv_loop_new(NV_LOOP_MONOTONIC, &daemon->loop);

	if (r == 0)
		r = nv_budget_new(daemon->loop, &daemon->budget);
	if (r == 0)
		r = startup_open_queues(daemon);
	if (r == 0)
		r = startup_open_control(daemon);
	if (r == 0)
		startup_open_clients(daemon);
	if (r == 0)
		r = startup_open_datapath(daemon);
	return r;
}

void nv_shutdown(struct nv_daemon *daemon)
{
	nv_priority_stop(daemon);
	nv_actions_free(daemon->actions);
	nv_failover_free(daemon->failover);
	nv_monitor_free(daemon->monitor);
	nv_kernel_events_free(daemon->announce);
	nv_clients_free(daemon->clients);
	nv_control_free(daemon->control);
	nv_budget_free(daemon->budget);
	nv_datapath_free(daemon->datapath);
	nv_kernel_free(daemon->kernel);
	nv_history_free(daemon->history);
	nv_rules_free(daemon->rules);
	nv_rcconf_free(daemon->rcconf);
	nv_words_auto(&daemon->pending);
	free(daemon->settings);
	nv_loop_free(daemon->loop);
	nv_fd_auto(&daemon->run_dir_fd);
	nv_fd_auto(&daemon->netns_fd);
	free(daemon->run_dir);
}
