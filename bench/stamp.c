/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp FIFO: says when it was started, in nanoseconds of CLOCK_MONOTONIC, as a line. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fd = argc == 2 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;
	if (fd < 0 || dprintf(fd, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec) < 0)
		return EXIT_FAILURE;
	return close(fd) ? EXIT_FAILURE : EXIT_SUCCESS;
}
