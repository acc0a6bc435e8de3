/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/process.h"

#include "base/root_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#define COMMAND_LINE_MAX 16384 /* bytes */
#define STATUS_MAX	 8192
#define DELETED		 " (deleted)" /* the kernel appends it to the path of a deleted file */

void nv_process_auto(struct nv_process *process)
{
	nv_fd_auto(&process->dir);
	nv_fd_auto(&process->pidfd);
	*process = NV_PROCESS_NONE;
}

int nv_process_open(pid_t pid, struct nv_process *ret_process)
{
	NV_AUTO(nv_process) struct nv_process process = NV_PROCESS_NONE;
	char path[32];

	process.pid = pid;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	process.dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process.dir < 0)
		return -errno;
	process.pidfd = pidfd_open(pid, 0);
	/*
	 * If the process ended before pidfd_open(), the number may belong to another one: then the
	 * directory of the first one is void.
	 */
	if (process.pidfd < 0 || faccessat(process.dir, "status", F_OK, 0) < 0)
		return -errno;
	*ret_process = TAKE(process, NV_PROCESS_NONE);
	return 0;
}

static ssize_t process_read(
	const struct nv_process *process, const char *name, char *ret_text, size_t size)
{
	NV_AUTO(nv_fd) int fd = openat(process->dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, ret_text, size - 1);

	if (length < 0)
		return -errno;
	ret_text[length] = '\0';
	return length;
}

static bool process_shares(const struct nv_process *process, const char *namespace)
{
	struct stat ours, its;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/%s", namespace);
	return fstatat(process->dir, namespace, &its, 0) == 0 && stat(path, &ours) == 0 &&
	       its.st_ino == ours.st_ino && its.st_dev == ours.st_dev;
}

bool nv_process_is_roots(const struct nv_process *process)
{
	unsigned int real, effective, saved, of_files;
	char status[STATUS_MAX];
	const char *at;

	if (process_read(process, "status", status, sizeof(status)) <= 0)
		return false;
	/* The name comes before it and cannot contain a newline: the kernel escapes it. */
	at = strstr(status, "\nUid:");
	return at && sscanf(at, "\nUid: %u %u %u %u", &real, &effective, &saved, &of_files) == 4 &&
	       !real && !effective && !saved && !of_files && process_shares(process, "ns/net") &&
	       process_shares(process, "ns/user") && process_shares(process, "ns/pid");
}

int nv_process_args(const struct nv_process *process, struct nv_words *ret_args)
{
	NV_AUTO(nv_words) struct nv_words args = {};
	char line[COMMAND_LINE_MAX];
	ssize_t length = process_read(process, "cmdline", line, sizeof(line));

	if (length <= 0)
		return length < 0 ? (int)length : -ENOENT;
	for (const char *at = line; at < line + length; at += strlen(at) + 1) {
		int r = nv_words_add(&args, "%s", at);

		if (r < 0)
			return r;
	}
	*ret_args = TAKE_STRUCT(args);
	return 0;
}

bool nv_process_runs(const struct nv_process *process, const char *program)
{
	struct stat runs, there;

	return fstatat(process->dir, "exe", &runs, 0) == 0 && stat(program, &there) == 0 &&
	       runs.st_ino == there.st_ino && runs.st_dev == there.st_dev;
}

int nv_process_program(const struct nv_process *process, char **ret_program)
{
	const size_t mark = strlen(DELETED);
	char program[PATH_MAX];
	ssize_t length = readlinkat(process->dir, "exe", program, sizeof(program) - 1);
	bool replaced;
	int r;

	if (length < 0)
		return -errno;
	program[length] = '\0';
	replaced = (size_t)length > mark && nv_streq(program + length - mark, DELETED);
	if (replaced)
		program[length - mark] = '\0';
	r = nv_root_file_check(program);
	if (r < 0)
		return r;
	if (!replaced && !nv_process_runs(process, program))
		return -ESTALE;
	*ret_program = strdup(program);
	return *ret_program ? 0 : -ENOMEM;
}

int nv_process_parent(const struct nv_process *process, pid_t *ret_parent)
{
	char status[STATUS_MAX];
	const char *at;
	ssize_t r = process_read(process, "status", status, sizeof(status));

	if (r < 0)
		return (int)r;
	at = strstr(status, "\nPPid:");
	return at && sscanf(at, "\nPPid: %d", ret_parent) == 1 ? 0 : -EPROTO;
}

int nv_process_each(bool (*look)(pid_t pid, void *data), void *data)
{
	NV_AUTO(nv_dir) DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		unsigned int pid;

		if (nv_parse_u32(entry->d_name, INT32_MAX, &pid) == 0 && look((pid_t)pid, data))
			break;
	}
	return 0;
}

struct process_search {
	char socket[32]; /* what its descriptor links to */
	char *name;
	size_t size;
	bool found;
};

static bool process_has_socket(pid_t pid, const char *socket)
{
	char path[64];
	NV_AUTO(nv_dir) DIR *fds = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds))) {
		char target[32];
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		if (length <= 0)
			continue;
		target[length] = '\0';
		if (nv_streq(target, socket))
			return true;
	}
	return false;
}

static bool process_look_for_socket(pid_t pid, void *data)
{
	NV_AUTO(nv_process) struct nv_process process = NV_PROCESS_NONE;
	struct process_search *search = data;

	if (!process_has_socket(pid, search->socket) || nv_process_open(pid, &process) < 0 ||
		process_read(&process, "comm", search->name, search->size) <= 0)
		return false;
	search->name[strcspn(search->name, "\n")] = '\0';
	search->found = true;
	return true;
}

int nv_process_of_socket(uint32_t inode, char *ret_name, size_t size)
{
	struct process_search search = {.name = ret_name, .size = size};
	int r;

	snprintf(search.socket, sizeof(search.socket), "socket:[%u]", inode);
	r = nv_process_each(process_look_for_socket, &search);
	return r < 0 ? r : search.found ? 0 : -ENOENT;
}
