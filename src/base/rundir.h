/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a running netvfd keeps its things, so that several can run side by side. */
#pragma once

#include "base/str.h"

#define NV_RUN_DIR     "/run/netvf"
#define NV_RUN_DIR_ENV "NETVF_RUN_DIR" /* netvfd sets it for the actions that it starts */

/*
 * The run directory that applies to this process: @option when not NULL, else the environment's
 * NETVF_RUN_DIR, else /run/netvf in the first network namespace and /run/netvf/netns-INODE in any
 * other. The first is the one of process 1, or, for who may not look at that one, the kernel's own
 * first. Where neither tells that this is it, root takes it for another, and others do so where the
 * other directory exists. @ret_dir is the
 * caller's to free. Returns 0, -ENOMEM, -ENAMETOOLONG (a UNIX socket below it must fit in
 * sun_path), or -EINVAL for a path that is not absolute.
 */
int nv_run_dir_find(const char *option, char **ret_dir);

/*
 * The run directory of this network namespace, whatever anybody has chosen: the default of the
 * above. @ret_dir is the caller's to free. Returns 0 or -ENOMEM.
 */
int nv_run_dir_of_namespace(char **ret_dir);

/*
 * True if @dir is the run directory of the first network namespace, the one whose devd sockets are
 * /run/devd.seqpacket.pipe and /run/devd.pipe. Others have theirs inside the run directory.
 */
bool nv_run_dir_is_first(const char *dir);
