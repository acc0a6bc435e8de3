/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that only root can have written. What root runs, and what it believes because of where it
 * is written, must be such a file.
 */
#pragma once

/*
 * Opens the regular file @path (absolute) for reading, and never blocks, as on a FIFO without a
 * writer. The file, each directory above it, and each symbolic link on the way must be owned by
 * root. Files and directories must not be writable by group or others. The exception is a directory
 * with the sticky bit, such as /tmp, if the next part of the path is a directory of root's. So no
 * link is followed that another user can have made.
 * *ret_fd: the caller closes it; untouched on failure.
 * Returns 0; -EPERM: another user can write the file or change its path, or it is not a regular
 * file; -EINVAL: the path is relative; -EISDIR; -ENOTDIR; -ELOOP: more than 16 links;
 * -ENAMETOOLONG; -ENOENT and others of openat(2).
 */
int nv_root_file_open(const char *path, int *ret_fd);

/* Whether @path is such a file: 0, or the error of nv_root_file_open(). */
int nv_root_file_check(const char *path);

/*
 * Whether only root can create files in the directory @path (absolute), or replace it: 0, -ENOTDIR,
 * or the error of nv_root_file_open().
 */
int nv_root_dir_check(const char *path);
