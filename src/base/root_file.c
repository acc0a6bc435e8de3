/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/root_file.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* An access control list that lets others write shows in the group's bits (acl(5)). */
static bool root_file_is_roots(int fd, mode_t type)
{
	struct stat about;

	return fstat(fd, &about) == 0 && (about.st_mode & S_IFMT) == type && about.st_uid == 0 &&
	       !(about.st_mode & (S_IWGRP | S_IWOTH));
}

static int root_file_step(int *directory, const char *name, bool last)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW |
			  (last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY);
	int next = openat(*directory, name, flags);

	if (next < 0)
		return -errno;
	close(*directory);
	*directory = next;
	return root_file_is_roots(next, last ? S_IFREG : S_IFDIR) ? 0 : -EPERM;
}

int nv_root_file_open(const char *path, int *ret_fd)
{
	NV_AUTO(nv_fd) int fd = -1;
	char copy[PATH_MAX];
	char *part = copy;

	if (path[0] != '/')
		return -EINVAL;
	if (!nv_strcopy(copy, sizeof(copy), path + 1))
		return -ENAMETOOLONG;
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!root_file_is_roots(fd, S_IFDIR))
		return -EPERM;
	while (part) {
		char *slash = strchr(part, '/');
		int r;

		if (slash)
			*slash = '\0';
		if (!part[0] || nv_streq(part, ".") || nv_streq(part, ".."))
			return -EINVAL;
		r = root_file_step(&fd, part, !slash);
		if (r < 0)
			return r;
		part = slash ? slash + 1 : NULL;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int nv_root_file_check(const char *path)
{
	NV_AUTO(nv_fd) int fd = -1;

	return nv_root_file_open(path, &fd);
}
