/* SPDX-License-Identifier: BSD-2-Clause */
#include "libexec/context.h"

#include "base/log.h"
#include "base/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static bool read_rcconf(struct nv_scene *scene)
{
	__attribute__((cleanup(nv_faults_auto))) struct nv_faults faults = {};
	const char *path = getenv(NV_RCCONF_ENV);
	int r = nv_rcconf_load(path ? path : NV_RCCONF_PATH, &faults, &scene->rcconf);

	scene->settings = calloc(1, sizeof(*scene->settings));
	if (!scene->settings)
		r = -ENOMEM;
	if (r == 0)
		nv_settings_read(scene->rcconf, &faults, scene->settings);
	nv_faults_log(&faults);
	if (r < 0)
		nv_err("rc.conf cannot be used (%s), so nothing is done: correct it; "
		       "netvfd --check shows its faults",
			nv_strerror(r));
	return r == 0;
}

bool nv_scene_open(struct nv_scene *scene)
{
	int r;

	if (geteuid() != 0) {
		nv_err("must be run by root: it changes network interfaces");
		return false;
	}
	r = nv_run_dir_find(NULL, &scene->run_dir);
	if (r < 0) {
		nv_err("no usable run directory: %s; %s must be a short absolute path",
			nv_strerror(r), NV_RUN_DIR_ENV);
		return false;
	}
	if (!read_rcconf(scene))
		return false;
	r = nv_kernel_open(&scene->kernel);
	if (r < 0)
		nv_err("cannot open a netlink socket: %s", nv_strerror(r));
	return r == 0;
}

void nv_scene_auto(struct nv_scene *scene)
{
	free(scene->run_dir);
	nv_rcconf_free(scene->rcconf);
	free(scene->settings);
	nv_kernel_free(scene->kernel);
	nv_links_auto(&scene->links);
	nv_pairs_auto(&scene->pairs);
	*scene = (struct nv_scene){};
}

bool nv_scene_look(struct nv_scene *scene)
{
	int r;

	nv_links_auto(&scene->links);
	nv_pairs_auto(&scene->pairs);
	r = nv_kernel_links(scene->kernel, &scene->links);
	if (r == 0)
		r = nv_pairs_find(&scene->links, &scene->settings->hn, &scene->pairs);
	if (r < 0)
		nv_err("cannot list the network interfaces: %s", nv_strerror(r));
	return r == 0;
}

bool nv_scene_background(const char *ident)
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
