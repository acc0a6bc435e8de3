/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/move_lock.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

/* Bytes of the lock file, each of which is locked by itself. */
enum {
	BYTE_TURN,
	BYTE_BACK,
};

static int move_lock_open(const char *run_dir, const char *hn, int flags, int *ret_fd)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/vfup.%s.lock", run_dir, hn) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static struct flock move_lock_byte(short start)
{
	return (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};
}

static int move_lock_wait(int fd, short start)
{
	struct flock what = move_lock_byte(start);
	int r;

	do
		r = fcntl(fd, F_OFD_SETLKW, &what);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int nv_move_lock_take(const char *run_dir, const char *hn, enum nv_move_direction turn, int *ret_fd)
{
	NV_AUTO(nv_fd) int fd = -1;
	int r = move_lock_open(run_dir, hn, O_CREAT, &fd);

	if (r == 0)
		r = move_lock_wait(fd, BYTE_TURN);
	if (r == 0 && turn == NV_MOVE_TO_HN)
		r = move_lock_wait(fd, BYTE_BACK);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool move_lock_is_held(const char *run_dir, const char *hn, short byte)
{
	struct flock what = move_lock_byte(byte);
	NV_AUTO(nv_fd) int fd = -1;

	return move_lock_open(run_dir, hn, 0, &fd) == 0 && fcntl(fd, F_OFD_GETLK, &what) == 0 &&
	       what.l_type != F_UNLCK;
}

bool nv_move_lock_is_taken(const char *run_dir, const char *hn)
{
	return move_lock_is_held(run_dir, hn, BYTE_TURN);
}

bool nv_move_lock_is_to_hn(const char *run_dir, const char *hn)
{
	return move_lock_is_held(run_dir, hn, BYTE_BACK);
}
