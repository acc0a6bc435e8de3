/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of netvfd. */
#include "netvfd/daemon.h"

#include <errno.h>
#include <getopt.h>

#define RULES_PATH	"/etc/netvf/devd.conf"
#define CLIENTS_DEFAULT 50
#define CLIENTS_CEILING 1000

static int options_usage(void)
{
	fprintf(stderr, "usage: netvfd [-dnq] [-f devd.conf] [-l clients] [-c rc.conf]\n"
			"              [--run-dir directory] [--actions socket]\n"
			"              [--check | --repin | --try-hooks]\n");
	return -EINVAL;
}

int nv_options_parse(int argc, char **argv, struct nv_options *ret_options)
{
	enum { OPT_ACTIONS = 256, OPT_CHECK, OPT_REPIN, OPT_RUN_DIR, OPT_TRY_HOOKS };
	static const struct option longs[] = {
		{"actions", required_argument, NULL, OPT_ACTIONS},
		{"check", no_argument, NULL, OPT_CHECK},
		{"repin", no_argument, NULL, OPT_REPIN},
		{"run-dir", required_argument, NULL, OPT_RUN_DIR},
		{"try-hooks", no_argument, NULL, OPT_TRY_HOOKS},
		{},
	};
	struct nv_options options = {
		.rules_path = RULES_PATH,
		.rcconf_path = NV_RCCONF_PATH,
		.clients_max = CLIENTS_DEFAULT,
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "df:l:nqc:", longs, NULL)) != -1) {
		if (opt == 'd')
			options.foreground = true;
		else if (opt == 'f')
			options.rules_path = optarg;
		else if (opt == 'l')
			options.clients_max = strtoul(optarg, NULL, 0);
		else if (opt == 'n')
			options.background_at_once = true;
		else if (opt == 'q')
			options.quiet = true;
		else if (opt == 'c')
			options.rcconf_path = optarg;
		else if (opt == OPT_ACTIONS)
			options.actions = optarg;
		else if (opt == OPT_CHECK)
			options.check = true;
		else if (opt == OPT_REPIN)
			options.repin = true;
		else if (opt == OPT_RUN_DIR)
			options.run_dir = optarg;
		else if (opt == OPT_TRY_HOOKS)
			options.try_hooks = true;
		else
			return options_usage();
	}
	if (options.clients_max < 1)
		options.clients_max = 1;
	if (options.clients_max > CLIENTS_CEILING)
		options.clients_max = CLIENTS_CEILING;
	if (optind != argc)
		return options_usage();
	*ret_options = options;
	return 0;
}
