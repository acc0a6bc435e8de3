/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other processes, and what may be believed of them. Anyone may write over his command line, and
 * run a program of his own by any name; and a number may be another process a moment later.
 */
#pragma once

#include "base/str.h"

#include <sys/types.h>

struct nv_process {
	pid_t pid;
	int dir; /* of /proc/PID: what is read by it is this process's, or fails */
	int pidfd;
};

#define NV_PROCESS_NONE ((struct nv_process){.dir = -1, .pidfd = -1})

void nv_process_auto(struct nv_process *process);

/* Takes hold of a process. Returns 0 or -errno, -ESRCH or -ENOENT when there is none. */
int nv_process_open(pid_t pid, struct nv_process *ret_process);

/*
 * Whether it is this system's root that runs it: all of its user ids are 0, and its network, user
 * and process namespaces are ours. So root in a container is somebody else, also one that has no
 * user namespace of its own or shares the network. Reads nothing that the process could delay.
 */
bool nv_process_is_roots(const struct nv_process *process);

/*
 * Its command line, one argument a word, at most 16 KiB of it. What a user's process wrote there is
 * the user's, and reading it may take as long as he likes: ask nv_process_is_roots() first.
 * Returns 0, -ENOENT (it has none), -ENOMEM or -errno.
 */
int nv_process_args(const struct nv_process *process, struct nv_words *ret_args);

/*
 * The path of its program, which the caller frees. The file is one that only root can write, and is
 * the very one that runs: a path in another mount namespace may be another file here. If the file
 * that runs was replaced meanwhile, as by an upgrade, it is the new one.
 * Returns 0; -EPERM and others of nv_root_file_open(); -ESTALE: another file is there; -ENOMEM;
 * -errno of readlink(2).
 */
int nv_process_program(const struct nv_process *process, char **ret_program);

/* Whether it runs the program whose path is @program here. */
bool nv_process_runs(const struct nv_process *process, const char *program);

/* The process that started it. Returns 0 or -errno. */
int nv_process_parent(const struct nv_process *process, pid_t *ret_parent);
