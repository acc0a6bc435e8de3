/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/root_file.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 16

struct root_file_walk {
	int at; /* the directory reached so far */
	/* everybody may create files in it, and nobody may replace another user's: as in /tmp */
	bool shared;
	char rest[PATH_MAX]; /* the rest of the path */
	unsigned int links; /* symbolic links followed so far */
};

static void root_file_walk_auto(struct root_file_walk *walk)
{
	nv_fd_auto(&walk->at);
}

/* An access control list that lets others write shows in the group's bits (acl(5)). */
static bool root_file_is_owned(const struct stat *about)
{
	bool shared = S_ISDIR(about->st_mode) && about->st_mode & S_ISVTX;

	return about->st_uid == 0 &&
	       (S_ISLNK(about->st_mode) || shared || !(about->st_mode & (S_IWGRP | S_IWOTH)));
}

static int root_file_enter(struct root_file_walk *walk, int directory)
{
	struct stat about;

	nv_fd_auto(&walk->at);
	walk->at = directory;
	if (directory < 0 || fstat(directory, &about) < 0)
		return -errno;
	walk->shared = about.st_mode & S_ISVTX && about.st_mode & (S_IWGRP | S_IWOTH);
	return root_file_is_owned(&about) ? 0 : -EPERM;
}

static int root_file_begin(struct root_file_walk *walk)
{
	return root_file_enter(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Only root can have created the link @name there. */
static int root_file_follow(struct root_file_walk *walk, const char *name, const char *after)
{
	char target[PATH_MAX];
	char rest[PATH_MAX];
	ssize_t length = readlinkat(walk->at, name, target, sizeof(target) - 1);

	if (length < 0)
		return -errno;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	target[length] = '\0';
	if (snprintf(rest, sizeof(rest), "%s/%s", target, after) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	nv_strcopy(walk->rest, sizeof(walk->rest), rest);
	return target[0] == '/' ? root_file_begin(walk) : 0;
}

/* Returns 1: *ret_fd is the file; 0: the path has further parts. */
static int root_file_step(struct root_file_walk *walk, int *ret_fd)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW;
	char *name = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(name, "/");
	char *after = name + length + strspn(name + length, "/");
	struct stat about;

	if (!length)
		return walk->shared ? -EPERM : -EISDIR;
	name[length] = '\0';
	if (fstatat(walk->at, name, &about, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* In a shared directory every user may create a hard link to a file of root's. */
	if (!root_file_is_owned(&about) || (walk->shared && !S_ISDIR(about.st_mode)))
		return -EPERM;
	if (S_ISLNK(about.st_mode))
		return root_file_follow(walk, name, after);
	if (S_ISDIR(about.st_mode)) {
		int r = root_file_enter(walk, openat(walk->at, name, flags | O_PATH | O_DIRECTORY));

		memmove(walk->rest, after, strlen(after) + 1);
		return r;
	}
	if (*after)
		return -ENOTDIR;
	if (!S_ISREG(about.st_mode))
		return -EPERM;
	*ret_fd = openat(walk->at, name, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY);
	return *ret_fd < 0 ? -errno : 1;
}

int nv_root_file_open(const char *path, int *ret_fd)
{
	NV_AUTO(root_file_walk) struct root_file_walk walk = {.at = -1};
	int r;

	if (path[0] != '/')
		return -EINVAL;
	if (!nv_strcopy(walk.rest, sizeof(walk.rest), path))
		return -ENAMETOOLONG;
	r = root_file_begin(&walk);
	while (r == 0)
		r = root_file_step(&walk, ret_fd);
	return r < 0 ? r : 0;
}

int nv_root_file_check(const char *path)
{
	NV_AUTO(nv_fd) int fd = -1;

	return nv_root_file_open(path, &fd);
}

int nv_root_dir_check(const char *path)
{
	NV_AUTO(nv_fd) int fd = -1;
	int r = nv_root_file_open(path, &fd);

	return r == -EISDIR ? 0 : r < 0 ? r : -ENOTDIR;
}
