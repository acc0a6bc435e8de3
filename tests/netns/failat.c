/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program, makes its Nth call of a function fail once: FAIL_CALL is the function
 * (sendmsg, recvmsg, bpf, posix_spawn, open, malloc or timerfd), FAIL_AT is N, FAIL_ERRNO the
 * error, FAIL_IN the program's short name. Each process counts for itself. At its end FAIL_COUNT, a
 * file, gets a line for each function: the program's name, the function, how many calls there were.
 */
/* Both names of open(2) are defined here. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum call { SENDMSG, RECVMSG, BPF, POSIX_SPAWN, OPEN, MALLOC, TIMERFD, NONE };

static const char *const names[] = {
	"sendmsg", "recvmsg", "bpf", "posix_spawn", "open", "malloc", "timerfd"};

static enum call wanted = NONE;
static long count[NONE];
static long at;
static int error;
static bool ready;

static void begin(void)
{
	const char *call = getenv("FAIL_CALL");
	const char *in = getenv("FAIL_IN");
	const char *number = getenv("FAIL_AT");
	const char *code = getenv("FAIL_ERRNO");

	ready = true;
	at = number ? strtol(number, NULL, 10) : 0;
	error = code ? (int)strtol(code, NULL, 10) : EIO;
	if (!call || !in || strcmp(in, program_invocation_short_name) != 0)
		return;
	for (enum call i = SENDMSG; i < NONE; i++)
		if (strcmp(call, names[i]) == 0)
			wanted = i;
}

static bool fails(enum call call)
{
	long number = __atomic_add_fetch(&count[call], 1, __ATOMIC_RELAXED);

	if (!ready)
		begin();
	if (call != wanted || number != at)
		return false;
	errno = error;
	return true;
}

/* What opens no file that it may have to make does not fail for want of space. */
static bool open_fails(int flags)
{
	bool failed = fails(OPEN);

	if (failed && error == ENOSPC && !(flags & O_CREAT))
		errno = EMFILE;
	return failed;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	char line[128];
	int fd;

	if (!path)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	for (enum call i = SENDMSG; fd >= 0 && i < NONE; i++) {
		snprintf(line, sizeof(line), "%s %s %ld\n", program_invocation_short_name, names[i],
			count[i]);
		if (write(fd, line, strlen(line)) < 0)
			break;
	}
	close(fd);
}

#define REAL(name)                     \
	static __typeof__(&name) real; \
	if (!real)                     \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(sendmsg);
	return fails(SENDMSG) ? -1 : real(fd, message, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to,
	socklen_t to_length)
{
	REAL(sendto);
	return fails(SENDMSG) ? -1 : real(fd, bytes, length, flags, to, to_length);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
	REAL(send);
	return fails(SENDMSG) ? -1 : real(fd, bytes, length, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	REAL(recvmsg);
	return fails(RECVMSG) ? -1 : real(fd, message, flags);
}

ssize_t recvfrom(int fd, void *bytes, size_t length, int flags, struct sockaddr *from,
	socklen_t *from_length)
{
	REAL(recvfrom);
	return fails(RECVMSG) ? -1 : real(fd, bytes, length, flags, from, from_length);
}

ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
	REAL(recv);
	return fails(RECVMSG) ? -1 : real(fd, bytes, length, flags);
}

long syscall(long number, ...)
{
	long a[6];
	va_list args;
	REAL(syscall);

	va_start(args, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && fails(BPF))
		return -1;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
	REAL(posix_spawn);
	return fails(POSIX_SPAWN) ? error : real(pid, path, actions, attributes, argv, environment);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	REAL(open);

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_fails(flags) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	REAL(open);

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_fails(flags) ? -1 : real(path, flags | O_LARGEFILE, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	REAL(openat);

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_fails(flags) ? -1 : real(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	REAL(openat);

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_fails(flags) ? -1 : real(directory, path, flags | O_LARGEFILE, mode);
}

int timerfd_create(clockid_t clock, int flags)
{
	REAL(timerfd_create);
	return fails(TIMERFD) ? -1 : real(clock, flags);
}

int timerfd_settime(
	int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
	REAL(timerfd_settime);
	return fails(TIMERFD) ? -1 : real(fd, flags, new_value, old_value);
}

/* dlsym(3) may ask for memory itself: these are called by the names that glibc keeps for it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	return fails(MALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	return fails(MALLOC) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
	return fails(MALLOC) ? NULL : __libc_realloc(memory, size);
}
