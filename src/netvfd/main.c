/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netvfd: devd's rules, hn(4)'s pairs, one data path. What the kernel says flows one way:
 *
 *   monitor -> announce -> events -> rules -> actions
 *           \-> pairs -> machine -> datapath
 */
#include "base/log.h"
#include "base/rundir.h"
#include "netvfd/daemon.h"

#include <bsd/libutil.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define RULES_PATH	 "/etc/netvf/devd.conf"
#define SEQPACKET_NAME	 "devd.seqpacket.pipe"
#define STREAM_NAME	 "devd.pipe"
#define CLIENTS_DEFAULT	 50
#define CLIENTS_CEILING	 1000
#define N_SIGNAL_WATCHES 4

static int usage(void)
{
	fprintf(stderr, "usage: netvfd [-dnq] [-f devd.conf] [-l clients] [-c rc.conf]\n"
			"              [--run-dir directory] [--check]\n");
	return EXIT_FAILURE;
}

static int parse_options(int argc, char **argv, struct nv_options *options)
{
	enum { OPT_CHECK = 256, OPT_RUN_DIR };
	static const struct option longs[] = {
		{"check", no_argument, NULL, OPT_CHECK},
		{"run-dir", required_argument, NULL, OPT_RUN_DIR},
		{},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "df:l:nqc:", longs, NULL)) != -1) {
		if (opt == 'd')
			options->foreground = true;
		else if (opt == 'f')
			options->rules_path = optarg;
		else if (opt == 'l')
			options->clients_max = strtoul(optarg, NULL, 0);
		else if (opt == 'n')
			options->background_at_once = true;
		else if (opt == 'q')
			options->quiet = true;
		else if (opt == 'c')
			options->rcconf_path = optarg;
		else if (opt == OPT_CHECK)
			options->check = true;
		else if (opt == OPT_RUN_DIR)
			options->run_dir = optarg;
		else
			return -EINVAL;
	}
	if (options->clients_max < 1)
		options->clients_max = 1;
	if (options->clients_max > CLIENTS_CEILING)
		options->clients_max = CLIENTS_CEILING;
	return optind == argc ? 0 : -EINVAL;
}

static int check_files(struct nv_daemon *daemon)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	int r = nv_daemon_configure(daemon, &faults);

	nv_faults_print(&faults, stderr);
	if (r && !faults.errors)
		fprintf(stderr, "netvfd: cannot check: %s\n", nv_strerror(r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Phases of the start, in the order of main(). Each logs its own failure. */

static int read_configuration(struct nv_daemon *daemon)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	int r = nv_daemon_configure(daemon, &faults);

	nv_faults_log(&faults);
	if (r)
		nv_err("the configuration has faults (%s and %s); 'netvfd --check' lists them",
			daemon->options->rules_path, daemon->options->rcconf_path);
	return r;
}

static int make_parents(const char *dir)
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

static int make_run_dir(struct nv_daemon *daemon)
{
	int r = nv_run_dir_find(daemon->options->run_dir, &daemon->run_dir);

	if (!r)
		r = make_parents(daemon->run_dir);
	if (r)
		nv_err("cannot make the run directory %s: %s",
			daemon->run_dir ? daemon->run_dir : daemon->options->run_dir,
			nv_strerror(r));
	return r;
}

static int open_clients(struct nv_daemon *daemon)
{
	const char *dir = nv_run_dir_is_first(daemon->run_dir) ? "/run" : daemon->run_dir;
	NV_AUTO(nv_str) struct nv_str seqpacket = {};
	NV_AUTO(nv_str) struct nv_str stream = {};
	int r;

	nv_str_printf(&seqpacket, "%s/" SEQPACKET_NAME, dir);
	nv_str_printf(&stream, "%s/" STREAM_NAME, dir);
	r = nv_clients_new(daemon->loop, nv_str_text(&seqpacket), nv_str_text(&stream),
		daemon->options->clients_max, &daemon->clients);
	if (r)
		nv_err("cannot listen on %s: %s", nv_str_text(&seqpacket), nv_strerror(r));
	return r;
}

static int open_control(struct nv_daemon *daemon)
{
	NV_AUTO(nv_str) struct nv_str path = {};
	int r;

	nv_str_printf(&path, "%s/" NV_CONTROL_SOCKET, daemon->run_dir);
	r = nv_control_new(
		daemon->loop, nv_str_text(&path), nv_report_methods, daemon, &daemon->control);
	if (r == -EADDRINUSE)
		nv_err("another netvfd runs with %s: end it, or give this one a --run-dir",
			daemon->run_dir);
	else if (r)
		nv_err("cannot listen on %s: %s", nv_str_text(&path), nv_strerror(r));
	return r;
}

static int open_actions(struct nv_daemon *daemon)
{
	NV_AUTO(nv_str) struct nv_str run_dir = {};
	NV_AUTO(nv_str) struct nv_str rcconf = {};
	const char *env[] = {NULL, NULL, NULL};
	struct nv_actions_config config = {
		.env = env,
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

static int open_rooms(struct nv_daemon *daemon)
{
	int r = nv_history_new(&daemon->history);

	if (!r)
		r = open_actions(daemon);
	if (!r)
		r = nv_announce_new(nv_events_queue, daemon, &daemon->announce);
	if (r)
		nv_err("cannot start: %s", nv_strerror(r));
	if (!r)
		r = open_control(daemon);
	if (!r)
		r = open_clients(daemon);
	return r;
}

static int open_datapath(struct nv_daemon *daemon)
{
	int r = nv_kernel_open(&daemon->kernel);

	if (r) {
		nv_err("cannot talk to the kernel over rtnetlink: %s", nv_strerror(r));
		return r;
	}
	r = nv_datapath_open(daemon->kernel, daemon->run_dir, &daemon->datapath);
	if (!r)
		r = nv_pairs_adopt(daemon);
	if (r)
		nv_err("cannot open the data path in %s: %s%s", daemon->run_dir, nv_strerror(r),
			r == -EPERM ? "; it needs CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN, so "
				      "run netvfd as root"
				    : "");
	else if (nv_datapath_adopted(daemon->datapath))
		nv_notice(
			"adopted the data path of an earlier netvfd: %zu pairs", daemon->n_managed);
	return r;
}

static void on_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	struct nv_daemon *daemon = data;

	daemon->links_changed = true;
	nv_announce_link(daemon->announce, old, new);
}

static void on_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	struct nv_daemon *daemon = data;

	nv_announce_addr(daemon->announce, nv_monitor_links(daemon->monitor), old, new);
}

static void on_uevent(const struct nv_uevent *uevent, void *data)
{
	struct nv_daemon *daemon = data;

	nv_announce_uevent(daemon->announce, uevent);
}

/* Traffic first: the pairs are looked after before anybody is told. */
static void on_settled(void *data)
{
	struct nv_daemon *daemon = data;

	if (daemon->links_changed)
		nv_pairs_settle(daemon);
	daemon->links_changed = false;
	nv_events_flush(daemon);
}

static int watch_kernel(struct nv_daemon *daemon)
{
	static const struct nv_monitor_ops ops = {
		.link = on_link,
		.addr = on_addr,
		.uevent = on_uevent,
		.settled = on_settled,
	};
	int r = nv_monitor_new(daemon->loop, daemon->kernel, &ops, daemon, &daemon->monitor);

	if (!r)
		r = nv_monitor_coldplug_devices(daemon->monitor);
	if (r)
		nv_err("cannot watch the kernel's links: %s", nv_strerror(r));
	return r;
}

static void on_signal(int signal, void *data)
{
	struct nv_daemon *daemon = data;

	if (signal == SIGHUP) {
		sd_notify(0, "RELOADING=1");
		if (read_configuration(daemon) == 0)
			nv_notice("read the configuration again: %zu rules",
				nv_rules_count(daemon->rules));
		else
			nv_err("the configuration in force stays");
		nv_pairs_settle(daemon);
		nv_events_flush(daemon);
		sd_notify(0, "READY=1");
	} else if (signal == SIGUSR1) {
		nv_notice("%lu events so far", daemon->events);
	} else {
		nv_loop_quit(daemon->loop);
	}
}

static int watch_signals(struct nv_daemon *daemon, struct nv_watch *watch[N_SIGNAL_WATCHES])
{
	static const int signals[N_SIGNAL_WATCHES] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
	int r = 0;

	for (size_t i = 0; i < N_SIGNAL_WATCHES && !r; i++)
		r = nv_loop_watch_signal(daemon->loop, signals[i], on_signal, daemon, &watch[i]);
	return r;
}

/* systemd's watchdog: the only timer of an idle netvfd, and only where it is asked for. */
struct watchdog {
	struct nv_watch *timer;
	uint64_t period;
};

static void on_watchdog(void *data)
{
	struct watchdog *watchdog = data;

	sd_notify(0, "WATCHDOG=1");
	nv_watch_arm(watchdog->timer, watchdog->period);
}

static int start_watchdog(struct nv_daemon *daemon, struct watchdog *watchdog)
{
	int r;

	if (sd_watchdog_enabled(0, &watchdog->period) <= 0)
		return 0;
	watchdog->period /= 2;
	r = nv_loop_watch_timer(daemon->loop, on_watchdog, watchdog, &watchdog->timer);
	return r ? r : nv_watch_arm(watchdog->timer, watchdog->period);
}

/* devd's start: what had happened before has been acted on when the parent returns. */
static int background_fd = -1;
static struct pidfh *pid_file;

static void on_first_idle(struct nv_daemon *daemon)
{
	(void)daemon;
	nv_background_ready(TAKE_FD(background_fd));
}

static int enter_background(struct nv_daemon *daemon)
{
	const char *path = nv_rules_pid_file(daemon->rules);
	pid_t other = 0;
	int r;

	if (daemon->options->foreground)
		return 0;
	if (path)
		pid_file = pidfile_open(path, 0600, &other);
	if (path && !pid_file && errno == EEXIST) {
		nv_err("netvfd runs already, as process %d (%s)", (int)other, path);
		return -EEXIST;
	}
	if (path && !pid_file)
		nv_warn("cannot write the pid file %s: %s", path, nv_strerror(errno));
	r = nv_background_enter(daemon->options->background_at_once, &background_fd);
	if (r) {
		nv_err("cannot go into the background: %s", nv_strerror(r));
		return r;
	}
	if (pid_file)
		pidfile_write(pid_file);
	daemon->idle = on_first_idle;
	nv_log_open("netvfd", NV_LOG_SYSLOG, daemon->options->quiet ? LOG_WARNING : LOG_INFO);
	return 0;
}

static int start(struct nv_daemon *daemon)
{
	int r = make_run_dir(daemon);

	if (!r)
		r = read_configuration(daemon);
	if (!r)
		r = enter_background(daemon);
	if (!r)
		r = nv_loop_new(NV_LOOP_MONOTONIC, &daemon->loop);
	if (!r)
		r = open_rooms(daemon);
	if (!r)
		r = open_datapath(daemon);
	if (!r)
		daemon->started = nv_loop_now(daemon->loop);
	return r ? r : watch_kernel(daemon);
}

static int run(struct nv_daemon *daemon)
{
	struct nv_watch *watch[N_SIGNAL_WATCHES] = {};
	struct watchdog watchdog = {};
	int r = watch_signals(daemon, watch);

	if (!r)
		r = start_watchdog(daemon, &watchdog);
	if (!r) {
		nv_notice("ready: %zu rules, %zu pairs, run directory %s",
			nv_rules_count(daemon->rules), daemon->n_managed, daemon->run_dir);
		sd_notify(0, "READY=1");
		if (daemon->idle && !nv_actions_running(daemon->actions) &&
			!nv_actions_waiting(daemon->actions)) {
			daemon->idle(daemon);
			daemon->idle = NULL;
		}
		r = nv_loop_run(daemon->loop);
	}
	sd_notify(0, "STOPPING=1");
	for (size_t i = 0; i < N_SIGNAL_WATCHES; i++)
		nv_watch_free(watch[i]);
	nv_watch_free(watchdog.timer);
	return r;
}

/* Everything in the kernel stays: traffic does not notice that the daemon ends. */
static void stop(struct nv_daemon *daemon)
{
	if (pid_file)
		pidfile_remove(pid_file);
	nv_actions_free(daemon->actions);
	nv_monitor_free(daemon->monitor);
	nv_announce_free(daemon->announce);
	nv_clients_free(daemon->clients);
	nv_control_free(daemon->control);
	nv_datapath_free(daemon->datapath);
	nv_kernel_free(daemon->kernel);
	nv_history_free(daemon->history);
	nv_rules_free(daemon->rules);
	nv_rcconf_free(daemon->rcconf);
	nv_words_auto(&daemon->pending);
	free(daemon->settings);
	free(daemon->managed);
	nv_loop_free(daemon->loop);
	free(daemon->run_dir);
}

int main(int argc, char **argv)
{
	struct nv_options options = {
		.rules_path = RULES_PATH,
		.rcconf_path = NV_RCCONF_PATH,
		.clients_max = CLIENTS_DEFAULT,
	};
	struct nv_daemon daemon = {.options = &options};
	int r;

	if (parse_options(argc, argv, &options))
		return usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* an ignored one, inherited, would hide how actions end */
	nv_log_open("netvfd", NV_LOG_STDERR, options.quiet ? LOG_WARNING : LOG_DEBUG);
	if (options.check)
		r = check_files(&daemon);
	else
		r = start(&daemon) || run(&daemon) ? EXIT_FAILURE : EXIT_SUCCESS;
	stop(&daemon);
	return r;
}
