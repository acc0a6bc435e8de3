/* SPDX-License-Identifier: BSD-2-Clause */
#include "netvf/command.h"

#include "base/log.h"
#include "base/rundir.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(struct nv_command_context *context);
	const char *usage;
	const char *what;
	bool alone; /* it is useful without netvfd too */
	bool offline; /* it does not use netvfd at all */
} commands[] = {
	{"status", nv_command_status, "status", "the pairs: the active port, since when"},
	{"metrics", nv_command_metrics, "metrics", "the same for Prometheus"},
	{"events", nv_command_events, "events", "devd's events as they happen"},
	{"history", nv_command_history, "history [count]", "switches and actions, oldest first"},
	{"switch", nv_command_switch, "switch hn hn|vf|auto",
		"where to transmit; auto: the VF while usable"},
	{"plan", nv_command_plan, "plan [--force] hn",
		"what would move to the lagg, step by step; or move it", .offline = true},
	{"release", nv_command_release, "release [hn]",
		"give hn its configuration back, or every hn", .offline = true},
	{"doctor", nv_command_doctor, "doctor", "what is wrong, and what to do", .alone = true},
	{"sysctl", nv_command_sysctl, "sysctl [-n] [name ...]", "hn(4)'s names, as on FreeBSD"},
};

static int netvf_usage(void)
{
	fprintf(stderr, "usage: netvf [--json] [--run-dir directory] command\n\n");
	for (size_t i = 0; i < NV_ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  %-24s %s\n", commands[i].usage, commands[i].what);
	return EXIT_FAILURE;
}

static json_t *netvf_take_answer(const char *method, int r, json_t *result, char *error)
{
	if (error)
		nv_str_printable(error);
	if (r < 0)
		fprintf(stderr, "netvf: %s: %s\n", method, error ? error : nv_strerror(r));
	return r < 0 ? NULL : result;
}

json_t *nv_command_ask(struct nv_command_context *context, const char *method, json_t *params)
{
	NV_AUTO(nv_free) char *error = NULL;
	json_t *result = NULL;
	int r = nv_client_call(context->client, method, params, &result, &error);

	json_decref(params);
	return netvf_take_answer(method, r, result, error);
}

json_t *nv_command_ask_pairs(struct nv_command_context *context, const char *method)
{
	NV_AUTO(nv_free) char *error = NULL;
	json_t *result = NULL;
	int r = nv_client_call_pairs(context->client, method, &result, &error);

	return netvf_take_answer(method, r, result, error);
}

void nv_command_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

static int netvf_open_client(const char *run_dir_option, struct nv_client **ret_client)
{
	NV_AUTO(nv_free) char *run_dir = NULL;
	int r = nv_run_dir_find(run_dir_option, &run_dir);

	if (r == 0)
		r = nv_client_open(run_dir, ret_client);
	if (r == -ENOENT || r == -ECONNREFUSED)
		fprintf(stderr,
			"netvf: no netvfd runs with %s: start it (systemctl start netvfd), or name its run directory with --run-dir\n",
			run_dir);
	else if (r < 0)
		fprintf(stderr, "netvf: cannot connect to netvfd in %s: %s\n",
			run_dir ? run_dir : run_dir_option, nv_strerror(r));
	return r;
}

static int netvf_run_command(
	struct nv_command_context *context, const char *run_dir, const char *name)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(commands); i++) {
		NV_AUTO(nv_client) struct nv_client *client = NULL;

		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (!commands[i].offline && netvf_open_client(run_dir, &client) < 0 &&
			!commands[i].alone)
			return EXIT_FAILURE;
		context->run_dir = run_dir;
		context->client = client;
		return commands[i].run(context);
	}
	fprintf(stderr, "netvf: no command is named '%s'\n", name);
	return netvf_usage();
}

int main(int argc, char **argv)
{
	enum { OPT_JSON = 256, OPT_RUN_DIR, OPT_FORCE };
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"run-dir", required_argument, NULL, OPT_RUN_DIR},
		{"force", no_argument, NULL, OPT_FORCE},
		{},
	};
	struct nv_command_context context = {};
	const char *run_dir = NULL;
	int status;
	int opt;

	/* systemd's services ignore it, and a shell in them cannot change that. */
	signal(SIGPIPE, SIG_DFL);
	/* getopt moves options to the front, so `netvf status --json` works too. */
	while ((opt = getopt_long(argc, argv, "n", longs, NULL)) != -1) {
		if (opt == OPT_JSON)
			context.json = true;
		else if (opt == OPT_RUN_DIR)
			run_dir = optarg;
		else if (opt == OPT_FORCE)
			context.force = true;
		else if (opt == 'n')
			context.quiet = true;
		else
			return netvf_usage();
	}
	if (optind >= argc)
		return netvf_usage();
	context.args = argv + optind + 1;
	status = netvf_run_command(&context, run_dir, argv[optind]);
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "netvf: %s: cannot write all of it: %s\n", argv[optind],
		nv_strerror(errno ? -errno : -EIO));
	return EXIT_FAILURE;
}
