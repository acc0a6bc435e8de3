/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs programs and reads their output: found in fixed directories, without a shell, with limits.
 */
#pragma once

#include "base/str.h"

#define NV_RUN_PATIENCE 5000 /* milliseconds; then the program is killed */

/*
 * Finds a program: a path is used as it is, a name is searched in the system's directories. Returns
 * 0, -ENOENT, or -EACCES (it cannot be run).
 */
int nv_program_find(const char *program, char *ret_path, size_t size);

/*
 * Runs argv[0], found as above, to its end, with no input; its error output is dropped. @output is
 * cleared first and gets at most NV_STR_LIMIT bytes.
 * Returns 0; errors of nv_program_find(); -ETIME; -E2BIG: there is more output; -EPROTO: it ended
 * with a status other than 0; or -errno.
 */
int nv_run(const char *const argv[], struct nv_str *output);
