/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run directory: sockets, locks, journals and pins of a netvfd. Each network namespace has one.
 */
#pragma once

#include "base/str.h"

#define NV_RUN_DIR     "/run/netvf"
#define NV_RUN_DIR_ENV "NETVF_RUN_DIR" /* netvfd sets it for the actions that it starts */

/*
 * The run directory of this process: @option if it is not NULL; else $NETVF_RUN_DIR; else
 * /run/netvf in the first network namespace and /run/netvf/netns-INODE in any other. The first one
 * is that of process 1, or the kernel's first one if process 1 may not be inspected. If neither is
 * known, root uses the directory of another namespace, and other users do so if it exists. The
 * caller frees *ret_dir. Returns 0, -ENOMEM, -ENAMETOOLONG (a UNIX socket in it must fit in
 * sun_path), or -EINVAL for a path that is not absolute.
 */
int nv_run_dir_find(const char *option, char **ret_dir);

/*
 * The default run directory of this network namespace, without @option and environment. The caller
 * frees *ret_dir. Returns 0 or -ENOMEM.
 */
int nv_run_dir_of_namespace(char **ret_dir);

/*
 * Whether @dir is the run directory of the first network namespace, whose devd sockets are
 * /run/devd.seqpacket.pipe and /run/devd.pipe. Others have theirs inside the run directory.
 */
bool nv_run_dir_is_first(const char *dir);

#define NV_STATE_DIR "/var/lib/netvf"

/*
 * Where the netvfd of the run directory @run_dir keeps what is to outlive a boot: NV_STATE_DIR for
 * that of the first network namespace. Others have nothing to outlive one, and it is @run_dir.
 */
const char *nv_state_dir(const char *run_dir);

/*
 * Opens a file of @dir to lock it; only root can open it, because flock(2) needs no more than that.
 * Where no file can be made (@dir is full or read-only), opens the directory @instead of @dir in
 * its place. Returns a descriptor or -errno.
 */
int nv_lock_open(const char *dir, const char *name, const char *instead);

/*
 * Locks the open file or directory @fd (flock(2)), and waits up to @ms milliseconds for another
 * process that holds it. Returns 0, -EWOULDBLOCK if that one still does, or another -errno.
 */
int nv_lock_within(int fd, unsigned int ms);
