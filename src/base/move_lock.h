/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only one process at a time moves the configuration of an hn. The lock is a file in the run
 * directory, so it ends with the process that holds it, however that ends.
 */
#pragma once

#include <stdbool.h>

enum nv_move_direction {
	NV_MOVE_TO_LAGG, /* from hn to its lagg */
	NV_MOVE_TO_HN, /* back to hn */
};

/*
 * Waits until nobody else holds the lock for @hn, and takes it. *ret_fd holds it until it is
 * closed, here and in every child that inherits it. Returns 0 or -errno of the file
 * (fcntl_locking(2)).
 */
int nv_move_lock_take(
	const char *run_dir, const char *hn, enum nv_move_direction turn, int *ret_fd);

/* Whether somebody holds the lock for @hn now. False also if that is not known. */
bool nv_move_lock_is_taken(const char *run_dir, const char *hn);

/* Whether a configuration is being moved back to @hn now. False also if that is not known. */
bool nv_move_lock_is_to_hn(const char *run_dir, const char *hn);
