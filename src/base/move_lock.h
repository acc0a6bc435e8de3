/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One at a time moves the configuration of an hn. A turn is a lock in the directory of the runtime
 * state, so it ends with the process that has it, however that ends.
 */
#pragma once

#include <stdbool.h>

enum nv_move_direction {
	NV_MOVE_TO_LAGG, /* to its lagg */
	NV_MOVE_TO_HN, /* to hn again */
};

/*
 * Waits until nobody else has a turn for @hn, and takes one. *ret_fd holds it until it is closed,
 * here and in every child that inherits it. Returns 0 or -errno of the file (fcntl_locking(2)).
 */
int nv_move_lock_take(
	const char *run_dir, const char *hn, enum nv_move_direction turn, int *ret_fd);

/* Whether @hn is being given back just now. False also where that cannot be found out. */
bool nv_move_lock_is_to_hn(const char *run_dir, const char *hn);
