/* SPDX-License-Identifier: BSD-2-Clause */
/* netvf plan and netvf release: run hyperv_vfup -n, -f and -r. */
#include "netvf/command.h"

#include "base/log.h"
#include "base/rundir.h"
#include "base/str.h"

#include <errno.h>

#define PROGRAM NETVF_LIBEXECDIR "/hyperv_vfup"

static int vfup_command_run(
	const struct nv_command_context *context, const char *command, const char *option)
{
	const char *hn = context->args[0];

	if (hn ? context->args[1] != NULL : !nv_streq(command, "release")) {
		fprintf(stderr, "usage: netvf %s hn\n", command);
		return EXIT_FAILURE;
	}
	if (context->run_dir)
		setenv(NV_RUN_DIR_ENV, context->run_dir, 1);
	execl(PROGRAM, PROGRAM, option, "--", hn, NULL);
	fprintf(stderr, "netvf: cannot run %s: %s\n", PROGRAM, nv_strerror(errno));
	return EXIT_FAILURE;
}

int nv_command_plan(struct nv_command_context *context)
{
	const char *option = context->force ? "-f" : context->json ? "-nj" : "-n";

	return vfup_command_run(context, "plan", option);
}

int nv_command_release(struct nv_command_context *context)
{
	return vfup_command_run(context, "release", "-r");
}
