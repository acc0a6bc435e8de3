/* SPDX-License-Identifier: BSD-2-Clause */
#include "libexec/context.h"

#include "base/log.h"
#include "base/root_file.h"
#include "base/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* @needed: nothing is done without it. */
static bool context_read_rcconf(struct nv_context *context, bool needed)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	const char *own = getenv(NV_RCCONF_ENV);
	const char *path = own ? own : NV_RCCONF_PATH;
	int r = needed ? nv_rcconf_load(path, &faults, &context->rcconf)
		       : nv_rcconf_load_or_empty(path, &faults, &context->rcconf);

	context->settings = calloc(1, sizeof(*context->settings));
	if (!context->settings)
		r = -ENOMEM;
	if (r >= 0)
		nv_settings_read(context->rcconf, &faults, context->settings);
	nv_faults_log(&faults);
	if (r < 0)
		nv_err("rc.conf cannot be used (%s), so nothing is done; netvfd --check shows its errors: correct them",
			nv_strerror(r));
	else if (r > 0)
		nv_warn("rc.conf cannot be used and counts as empty; netvfd --check shows its errors: correct them");
	return r >= 0;
}

static bool context_open(struct nv_context *context, bool needs_rcconf)
{
	int r;

	if (geteuid() != 0) {
		nv_err("must be run by root: it changes network interfaces");
		return false;
	}
	r = nv_run_dir_find(NULL, &context->run_dir);
	if (r < 0) {
		nv_err("no usable run directory: %s; %s must be a short absolute path",
			nv_strerror(r), NV_RUN_DIR_ENV);
		return false;
	}
	r = nv_root_dir_check(context->run_dir);
	if (r < 0 && r != -ENOENT) {
		nv_err("%s is not trusted: %s; only root may be able to write it and the directories above it",
			context->run_dir, nv_strerror(r));
		return false;
	}
	if (!context_read_rcconf(context, needs_rcconf))
		return false;
	r = nv_kernel_open(&context->kernel);
	if (r < 0)
		nv_err("cannot open a netlink socket: %s", nv_strerror(r));
	return r == 0;
}

bool nv_context_open(struct nv_context *context)
{
	return context_open(context, true);
}

bool nv_context_open_anyway(struct nv_context *context)
{
	return context_open(context, false);
}

void nv_context_auto(struct nv_context *context)
{
	free(context->run_dir);
	nv_rcconf_free(context->rcconf);
	free(context->settings);
	nv_kernel_free(context->kernel);
	nv_links_auto(&context->links);
	nv_pairs_auto(&context->pairs);
	*context = (struct nv_context){};
}

bool nv_context_look(struct nv_context *context)
{
	int r;

	nv_links_auto(&context->links);
	nv_pairs_auto(&context->pairs);
	r = nv_kernel_links(context->kernel, &context->links);
	if (r == 0)
		r = nv_pairs_find(&context->links, &context->settings->hn, &context->pairs);
	if (r < 0)
		nv_err("cannot list the network interfaces: %s", nv_strerror(r));
	return r == 0;
}

bool nv_context_background(const char *ident)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = null < 0 ? -1 : fork();

	if (pid < 0) {
		nv_err("cannot go to the background: %s", nv_strerror(errno));
		if (null >= 0)
			close(null);
		return false;
	}
	if (pid > 0)
		_exit(0);
	setsid();
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	nv_log_open(ident, NV_LOG_SYSLOG, LOG_INFO);
	return true;
}
