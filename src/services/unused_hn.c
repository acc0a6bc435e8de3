/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/unused_hn.h"

#include "base/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX "unused-"

static int unused_path(const char *dir, const struct nv_link *hn, char **ret_path)
{
	NV_AUTO(nv_str) struct nv_str path = {};
	char text[NV_MAC_TEXT];

	nv_str_printf(&path, "%s/" PREFIX "%s", dir, nv_mac_text(nv_link_permanent_mac(hn), text));
	return nv_str_take(&path, ret_path);
}

bool nv_unused_hn_is_kept(const char *run_dir, const struct nv_link *hn)
{
	NV_AUTO(nv_free) char *path = NULL;

	return unused_path(nv_state_dir(run_dir), hn, &path) == 0 && access(path, F_OK) == 0;
}

static int unused_check_room(const char *dir)
{
	NV_AUTO(nv_dir) DIR *listing = opendir(dir);
	const struct dirent *entry;
	unsigned int count = 0;

	if (!listing)
		return -errno;
	while ((entry = readdir(listing)))
		count += strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
	return count < NV_UNUSED_HNS_MAX ? 0 : -ENOSPC;
}

static int unused_make(const char *dir, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	NV_AUTO(nv_fd) int fd = -1;
	int r;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	r = unused_check_room(dir);
	if (r < 0)
		return r;
	fd = open(path, flags, 0644);
	return fd < 0 ? -errno : 0;
}

int nv_unused_hn_keep(const char *run_dir, const struct nv_link *hn, bool keep)
{
	NV_AUTO(nv_free) char *path = NULL;
	const char *dir = nv_state_dir(run_dir);
	int r = unused_path(dir, hn, &path);

	if (r < 0)
		return r;
	if ((access(path, F_OK) == 0) == keep)
		return 0; /* also where nothing can be written */
	if (keep)
		return unused_make(dir, path);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
