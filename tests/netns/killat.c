/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program, kills it just before its Nth step that others can see: a netlink
 * request (sendto), a write to a file (a setting below /proc/sys, the record), a file's new name or
 * its end; as SIGKILL from outside might at any such moment. N is in KILL_AT. With KILL_AT_FILES
 * only the last two count.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static void step(void)
{
	static int count;
	const char *at = getenv("KILL_AT");

	if (at && ++count == (int)strtol(at, NULL, 10))
		raise(SIGKILL);
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to,
	socklen_t to_length)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	if (!getenv("KILL_AT_FILES"))
		step();
	return real(fd, bytes, length, flags, to, to_length);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	if (fd > STDERR_FILENO && !getenv("KILL_AT_FILES"))
		step();
	return real(fd, bytes, length);
}

int rename(const char *from, const char *to)
{
	static int (*real)(const char *, const char *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "rename");
	step();
	return real(from, to);
}

int unlink(const char *path)
{
	static int (*real)(const char *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "unlink");
	step();
	return real(path);
}
