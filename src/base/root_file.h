/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that nobody but root can have written. What root runs, and what it believes because of
 * where it is written, is such a file.
 */
#pragma once

/*
 * Opens the regular file @path (absolute) for reading. Never follows a symbolic link, in no part of
 * the path, and never waits, as for the writer of a FIFO. The file and each directory above it must
 * be owned by root and not be writable by group or others.
 * *ret_fd: the caller closes it.
 * Returns 0; -EINVAL: the path is relative or has "." or ".." in it; -EPERM: somebody else may
 * write the file or one of its directories, or it is not a regular file; -ELOOP or -ENOTDIR: a
 * symbolic link; -ENAMETOOLONG; -errno of openat(2).
 */
int nv_root_file_open(const char *path, int *ret_fd);

/* Whether @path is such a file: 0, or the error of nv_root_file_open(). */
int nv_root_file_check(const char *path);
