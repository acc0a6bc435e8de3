/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts a shell command as a process of its own, quickly: what is the same for all commands is
 * prepared once.
 */
#pragma once

#include "base/cleanup.h"

#include <sys/types.h>

struct nv_shell;

/*
 * @path: the shell. @env: NAME=VALUE strings to set in addition to this process's environment,
 *        NULL-terminated, or NULL. All are copied. Returns 0 or -ENOMEM.
 */
int nv_shell_new(const char *path, const char *const *env, struct nv_shell **ret_shell);
struct nv_shell *nv_shell_free(struct nv_shell *shell);
NV_DEFINE_AUTO(nv_shell, struct nv_shell *, nv_shell_free);

/*
 * Starts PATH -c @command with descriptors 0-2 only (0 is /dev/null, 1 and 2 are this process's),
 * in /, as leader of a process group of its own, with default signals and none blocked. A command
 * that is only a program's absolute path and words, bare or in '…', is started without the shell:
 * the effect is the same and it takes half the time. Returns 0 or -errno of posix_spawn(3): -ENOENT
 * (no such shell), -EAGAIN, -ENOMEM, -E2BIG.
 */
int nv_shell_run(const struct nv_shell *shell, const char *command, pid_t *ret_pid);
