/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program, kills it just before its Nth netlink request (sendto) or bpf() call,
 * as SIGKILL from outside might at any such moment. N is in KILL_AT.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to,
	socklen_t to_length)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	static int count;
	const char *at = getenv("KILL_AT");

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	if (at && ++count == (int)strtol(at, NULL, 10))
		raise(SIGKILL);
	return real(fd, bytes, length, flags, to, to_length);
}
