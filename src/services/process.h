/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other processes, and what can be trusted about them. Every user can change a process's command
 * line and give a program any name. And a process id may belong to another process a moment later.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

struct nv_process {
	pid_t pid;
	int dir; /* /proc/PID: what is read through it belongs to this process, or the read fails */
	int pidfd;
};

#define NV_PROCESS_NONE ((struct nv_process){.dir = -1, .pidfd = -1})

void nv_process_auto(struct nv_process *process);

/* Opens a process. Returns 0 or -errno; -ESRCH or -ENOENT: there is none. */
int nv_process_open(pid_t pid, struct nv_process *ret_process);

/*
 * Whether the process belongs to this system's root: all of its user ids are 0, and its network,
 * user and process namespaces are ours. Root in a container does not count, even without a user
 * namespace or with a shared network. Reads nothing that the process can delay.
 */
bool nv_process_is_roots(const struct nv_process *process);

/*
 * Its command line, one argument a word, at most 16 KiB. A user's process can put anything there
 * and can delay the read: call nv_process_is_roots() first. Returns 0, -ENOENT (it has none),
 * -ENOMEM or -errno.
 */
int nv_process_args(const struct nv_process *process, struct nv_words *ret_args);

/*
 * The path of its program; the caller frees it. Only root can write the file, and it is the file
 * that runs: in another mount namespace the path may lead to another file. If the file was replaced
 * while it runs, as by an upgrade, it is the new one.
 * Returns 0; -EPERM and others of nv_root_file_open(); -ESTALE: another file is there; -ENOMEM;
 * -errno of readlink(2).
 */
int nv_process_program(const struct nv_process *process, char **ret_program);

/* Whether it runs the program that has the path @program in our mount namespace. */
bool nv_process_runs(const struct nv_process *process, const char *program);

/* Its parent process. Returns 0 or -errno. */
int nv_process_parent(const struct nv_process *process, pid_t *ret_parent);

/*
 * Calls @look for every process in /proc until it returns true. A process may have ended by then.
 * Returns 0 or -errno of /proc.
 */
int nv_process_each(bool (*look)(pid_t pid, void *data), void *data);

/*
 * The name (comm) of a process that has the socket with this inode; @ret_name: at most 16 bytes
 * are needed. Reads the descriptors of all processes; those of other users only as root. Returns 0,
 * -ENOENT: no process shows it; or -errno of /proc.
 */
int nv_process_of_socket(uint32_t inode, char *ret_name, size_t size);
