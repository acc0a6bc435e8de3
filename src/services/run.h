/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs whose output is read: found in fixed places, run without a shell, within bounds. */
#pragma once

#include "base/str.h"

#define NV_RUN_PATIENCE 5000 /* milliseconds, then it is killed */

/*
 * Where a program is: a path is taken as it is, a name is looked for in the system's directories.
 * Returns 0, -ENOENT, -EACCES (cannot be run).
 */
int nv_program_find(const char *program, char *ret_path, size_t size);

/*
 * Runs argv[0], found as above, to its end, with nothing to read and its errors dropped. @output is
 * cleared first and has at most NV_STR_LIMIT bytes.
 * Returns 0, as nv_program_find(), -ETIME, -E2BIG (it said more), -EPROTO (it ended with a failure:
 * not for us, mostly), or -errno.
 */
int nv_run(const char *const argv[], struct nv_str *output);
