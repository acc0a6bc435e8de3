/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/state_file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int nv_state_file_read(const char *path, char *ret_text, size_t size)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	NV_AUTO(nv_fd) int fd = open(path, flags);
	struct stat about;
	ssize_t length;

	ret_text[0] = '\0';
	if (fd < 0 || fstat(fd, &about) < 0)
		return -errno;
	if (!S_ISREG(about.st_mode))
		return -EPERM;
	length = read(fd, ret_text, size - 1);
	if (length < 0)
		return -errno;
	ret_text[length] = '\0';
	return 0;
}
