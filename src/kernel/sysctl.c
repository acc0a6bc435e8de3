/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads, writes and lists files below /proc/sys. */
#include "base/str.h"
#include "kernel/kernel.h"
#include "kernel/netlink_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SYSCTL_DIR "/proc/sys/"

static int open_sysctl(const char *path, int flags)
{
	char whole[sizeof(SYSCTL_DIR) + NV_SYSCTL_PATH_MAX];
	int fd;

	snprintf(whole, sizeof(whole), SYSCTL_DIR "%s", path);
	fd = open(whole, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int nv_sysctl_file_read(const char *path, char *ret_value, size_t size)
{
	NV_AUTO(nv_fd) int fd = open_sysctl(path, O_RDONLY);
	char value[4096];
	ssize_t length;

	if (fd < 0)
		return fd;
	length = read(fd, value, sizeof(value) - 1);
	if (length < 0)
		return -errno;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	if (strlen(value) >= size)
		return -ENAMETOOLONG;
	nv_strcopy(ret_value, size, value);
	return 0;
}

int nv_sysctl_file_write(const char *path, const char *value)
{
	NV_AUTO(nv_fd) int fd = open_sysctl(path, O_WRONLY);
	size_t length = strlen(value);
	ssize_t written;

	if (fd < 0)
		return fd;
	/* The kernel accepts the whole value or nothing. */
	written = write(fd, value, length);
	if (written < 0)
		return -errno;
	return (size_t)written == length ? 0 : -ENAMETOOLONG;
}

static int sysctl_is_file(const struct dirent *entry)
{
	return entry->d_type == DT_REG;
}

int nv_sysctl_dir_list(const char *path, struct nv_words *ret_names)
{
	char whole[sizeof(SYSCTL_DIR) + NV_SYSCTL_PATH_MAX];
	struct nv_words names = {};
	struct dirent **entries;
	int count;

	snprintf(whole, sizeof(whole), SYSCTL_DIR "%s", path);
	count = scandir(whole, &entries, sysctl_is_file, alphasort);
	if (count < 0)
		return -errno;
	names.word = calloc((size_t)count + 1, sizeof(*names.word));
	for (int i = 0; i < count; i++) {
		if (names.word && (names.word[names.count] = strdup(entries[i]->d_name)))
			names.count++;
		free(entries[i]);
	}
	free(entries);
	if (names.count < (size_t)count || !names.word) {
		nv_words_auto(&names);
		return -ENOMEM;
	}
	*ret_names = names;
	return 0;
}
