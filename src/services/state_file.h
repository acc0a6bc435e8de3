/* SPDX-License-Identifier: BSD-2-Clause */
/* The files below /run in which network managers and udev keep their state. */
#pragma once

#include <stddef.h>

/*
 * Reads the beginning of a regular file, which may belong to another user, such as
 * systemd-networkd's. Never follows a symbolic link in the last part of @path, and never blocks, as
 * on a FIFO without a writer.
 * @ret_text: at most @size - 1 bytes and a NUL; "" on failure. Returns 0, -EPERM (not a regular
 *          file), or -errno of open(2) or read(2).
 */
int nv_state_file_read(const char *path, char *ret_text, size_t size);
