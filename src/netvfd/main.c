/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvfd: devd's rules, hn(4)'s pairs, one data path. Data flows one way:
 *
 *   monitor -> kernel_events -> events -> rules -> actions
 *           \-> failover -> pair's state machine -> datapath
 */
#include "base/log.h"
#include "base/rundir.h"
#include "base/service.h"
#include "datapath/hooks.h"
#include "failover/notify_peers.h"
#include "netvfd/daemon.h"

#include <errno.h>
#include <signal.h>
#include <sysexits.h>

#define N_SIGNAL_WATCHES 4

static int netvfd_check_files(struct nv_daemon *daemon)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	int r = nv_daemon_reload(daemon, &faults);

	nv_faults_print(&faults, stderr);
	if (r < 0 && !faults.errors)
		fprintf(stderr, "netvfd: cannot check: %s\n", nv_strerror(r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int netvfd_read_configuration(struct nv_daemon *daemon)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	int r = nv_daemon_reload(daemon, &faults);

	nv_faults_log(&faults);
	if (r < 0)
		nv_err("the configuration has errors (%s and %s); 'netvfd --check' lists them",
			daemon->options->rules_path, daemon->options->rcconf_path);
	return r;
}

/* Runs with capabilities that netvfd itself may lack. */
static int netvfd_repin(const struct nv_daemon *daemon)
{
	NV_AUTO(nv_free) char *run_dir = NULL;
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	int r = nv_run_dir_find(daemon->options->run_dir, &run_dir);

	if (r == 0)
		r = nv_kernel_open(&kernel);
	if (r == 0)
		r = nv_datapath_repin(kernel, run_dir);
	if (r < 0)
		nv_err("cannot check the pins in %s: %s", run_dir ? run_dir : NV_RUN_DIR,
			nv_strerror(r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int netvfd_try_hooks(void)
{
	int r = nv_hooks_exercise();

	if (r < 0)
		nv_warn("cannot try the hooks on a device of their own: %s; a hook counts its runs when links close",
			nv_strerror(r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void netvfd_on_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	struct nv_daemon *daemon = data;

	nv_failover_note_link(daemon->failover, old, new);
	if (!old && !daemon->watching && nv_failover_left_down(daemon->failover, new))
		nv_kernel_events_known_link(daemon->announce, new);
	else
		nv_kernel_events_link(daemon->announce, old, new);
}

static void netvfd_on_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	struct nv_daemon *daemon = data;

	nv_failover_note_addr(daemon->failover, (new ? new : old)->ifindex);
	nv_kernel_events_addr(daemon->announce, nv_monitor_links(daemon->monitor), old, new);
}

static void netvfd_on_uevent(const struct nv_uevent *uevent, void *data)
{
	struct nv_daemon *daemon = data;

	nv_kernel_events_uevent(daemon->announce, uevent);
}

static void netvfd_on_notify_peers(const struct nv_link *link, void *data)
{
	struct nv_daemon *daemon = data;

	nv_notify_arrival(daemon->failover, link->ifindex);
	nv_priority_yield(daemon);
}

/* Traffic first: pairs are settled before events are sent. */
static void netvfd_on_settled(void *data)
{
	struct nv_daemon *daemon = data;

	/* the first call comes from inside the monitor's start */
	daemon->failover->monitor = daemon->monitor;
	nv_failover_settle(daemon->failover);
	nv_priority_need(daemon, nv_failover_is_urgent(daemon->failover));
	nv_watchdog_resume(daemon);
	nv_events_flush(daemon);
}

static int netvfd_watch_kernel(struct nv_daemon *daemon)
{
	static const struct nv_monitor_ops ops = {
		.link = netvfd_on_link,
		.addr = netvfd_on_addr,
		.uevent = netvfd_on_uevent,
		.notify_peers = netvfd_on_notify_peers,
		.settled = netvfd_on_settled,
	};
	int r = nv_monitor_new(daemon->loop, daemon->kernel, &ops, daemon, &daemon->monitor);

	daemon->watching = true;
	if (r == 0)
		r = nv_monitor_coldplug_devices(daemon->monitor);
	/* From now on traffic waits for this thread. */
	nv_kernel_set_patient(daemon->kernel, false);
	if (r < 0)
		nv_err("cannot watch the kernel's links: %s", nv_strerror(r));
	return r;
}

static void netvfd_reload(struct nv_daemon *daemon)
{
	if (netvfd_read_configuration(daemon) < 0) {
		nv_err("the configuration in force stays");
		return;
	}
	nv_actions_limit(daemon->actions, daemon->settings->action_timeout * NV_USEC_PER_SEC);
	nv_notice("read the configuration again: %zu rules", nv_rules_count(daemon->rules));
}

static void netvfd_on_signal(int signal, void *data)
{
	struct nv_daemon *daemon = data;

	if (signal == SIGHUP) {
		nv_service_notify("RELOADING=1");
		netvfd_reload(daemon);
		nv_failover_look_again(daemon->failover);
		nv_service_notify("READY=1");
	} else if (signal == SIGUSR1) {
		nv_notice("%lu events so far", daemon->events);
	} else {
		nv_loop_quit(daemon->loop);
	}
}

static int netvfd_watch_signals(struct nv_daemon *daemon, struct nv_watch *watch[N_SIGNAL_WATCHES])
{
	static const int signals[N_SIGNAL_WATCHES] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
	int r = 0;

	for (size_t i = 0; i < N_SIGNAL_WATCHES && r == 0; i++)
		r = nv_loop_watch_signal(
			daemon->loop, signals[i], netvfd_on_signal, daemon, &watch[i]);
	return r;
}

/* Returns the exit status if it fails. */
static int netvfd_start(struct nv_daemon *daemon)
{
	int r = nv_run_dir_make(daemon);

	if (r == 0 && netvfd_read_configuration(daemon) < 0)
		return EX_CONFIG;
	nv_privileges_check();
	if (r == 0)
		r = nv_daemonize_enter(daemon);
	if (r == 0)
		r = nv_startup(daemon);
	if (r < 0)
		return EXIT_FAILURE;
	if (nv_priority_start(daemon) < 0)
		return EXIT_FAILURE;
	return netvfd_watch_kernel(daemon) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int netvfd_run(struct nv_daemon *daemon)
{
	struct nv_watch *watch[N_SIGNAL_WATCHES] = {};
	int r = netvfd_watch_signals(daemon, watch);

	if (r == 0)
		r = nv_watchdog_start(daemon);
	if (r == 0) {
		nv_notice("ready: %zu rules, %zu pairs, run directory %s",
			nv_rules_count(daemon->rules), daemon->failover->n_managed,
			daemon->run_dir);
		nv_service_notify("READY=1");
		if (!nv_actions_running(daemon->actions) && !nv_actions_waiting(daemon->actions))
			nv_daemonize_idle(daemon);
		r = nv_loop_run(daemon->loop);
	}
	nv_service_notify("STOPPING=1");
	for (size_t i = 0; i < N_SIGNAL_WATCHES; i++)
		nv_watch_free(watch[i]);
	nv_watchdog_stop(daemon);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct nv_options options;
	struct nv_daemon daemon = {
		.options = &options, .run_dir_fd = -1, .netns_fd = -1, .ready_fd = -1};
	int status;

	if (nv_options_parse(argc, argv, &options) < 0)
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	/* if SIGCHLD was ignored by the parent process, the end of actions would not be seen */
	signal(SIGCHLD, SIG_DFL);
	nv_log_open("netvfd", NV_LOG_STDERR, options.quiet ? LOG_WARNING : LOG_DEBUG);
	if (options.check)
		status = netvfd_check_files(&daemon);
	else if (options.repin)
		status = netvfd_repin(&daemon);
	else if (options.try_hooks)
		status = netvfd_try_hooks();
	else
		status = netvfd_start(&daemon);
	if (!status && !options.check && !options.repin && !options.try_hooks)
		status = netvfd_run(&daemon);
	/* Everything in the kernel stays: traffic does not notice the end of the daemon. */
	nv_daemonize_leave(&daemon);
	nv_shutdown(&daemon);
	return status;
}
