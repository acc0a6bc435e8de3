/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define RUN_DIR_MAX 80 /* bytes; sun_path has 108 */

/*
 * The namespace of process 1 is the first one. If that process may not be inspected, a socket
 * tells: the kernel's first network namespace has the cookie 1 (Linux 5.14). Otherwise it is not
 * known.
 */
static int rundir_is_first(const struct stat *own, bool *ret_first)
{
	NV_AUTO(nv_fd) int fd = -1;
	struct stat first;
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	*ret_first = false;
	if (stat("/proc/1/ns/net", &first) == 0) {
		*ret_first = own->st_ino == first.st_ino;
		return 0;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return -ENODATA;
	*ret_first = cookie == 1;
	return *ret_first ? 0 : -ENODATA;
}

/*
 * If it is not known, root gets a directory of its own, because taking that of the first namespace
 * would lock that namespace. Other users only read, and most of them are in the first namespace.
 */
static void rundir_of_namespace(struct nv_str *dir)
{
	struct stat own;
	bool first;
	int r;

	nv_str_add(dir, NV_RUN_DIR);
	if (stat("/proc/self/ns/net", &own) < 0)
		return;
	r = rundir_is_first(&own, &first);
	if (first)
		return;
	nv_str_printf(dir, "/netns-%llu", (unsigned long long)own.st_ino);
	if (r < 0 && geteuid() != 0 && access(nv_str_text(dir), F_OK) < 0) {
		nv_str_clear(dir);
		nv_str_add(dir, NV_RUN_DIR);
	}
}

int nv_run_dir_of_namespace(char **ret_dir)
{
	NV_AUTO(nv_str) struct nv_str dir = {};

	rundir_of_namespace(&dir);
	return nv_str_take(&dir, ret_dir);
}

int nv_run_dir_find(const char *option, char **ret_dir)
{
	NV_AUTO(nv_str) struct nv_str dir = {};
	const char *chosen = option ? option : getenv(NV_RUN_DIR_ENV);

	if (chosen && chosen[0] != '/')
		return -EINVAL;
	if (chosen)
		nv_str_add(&dir, chosen);
	else
		rundir_of_namespace(&dir);
	while (dir.length > 1 && dir.text[dir.length - 1] == '/')
		dir.text[--dir.length] = '\0';
	if (dir.length > RUN_DIR_MAX)
		return -ENAMETOOLONG;
	return nv_str_take(&dir, ret_dir);
}

bool nv_run_dir_is_first(const char *dir)
{
	return nv_streq(dir, NV_RUN_DIR);
}

const char *nv_state_dir(const char *run_dir)
{
	return nv_run_dir_is_first(run_dir) ? NV_STATE_DIR : run_dir;
}

int nv_lock_open(const char *dir, const char *name, const char *instead)
{
	NV_AUTO(nv_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (at < 0)
		return -errno;
	fd = openat(at, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && (errno == EROFS || errno == ENOSPC || errno == EDQUOT))
		fd = openat(at, instead, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int nv_lock_within(int fd, unsigned int ms)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (unsigned int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == ms)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}
