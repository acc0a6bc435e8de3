/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hns nobody has configured while their VFs are used by themselves, kept from one boot to the
 * next. At each return of such a VF, udev's rules do not mark it, and nothing sets it up or takes
 * its address before netvfd has judged it (nv_mode_is_vfs_own()). For each hn there is an empty
 * file, named by its MAC address, since its interface may have no name yet.
 */
#pragma once

#include "kernel/types.h"

/* How many may be kept. */
#define NV_UNUSED_HNS_MAX 256

/*
 * Whether that is kept of this hn, in nv_state_dir() of the run directory; false also if it cannot
 * be looked up.
 */
bool nv_unused_hn_is_kept(const char *run_dir, const struct nv_link *hn);

/*
 * Keeps it, or keeps it no longer. Makes the directory if it is missing, but none above it. Returns
 * 0, -ENOMEM, -ENOSPC (also where NV_UNUSED_HNS_MAX are kept), or another -errno of mkdir(2),
 * opendir(3), open(2) or unlink(2).
 */
int nv_unused_hn_keep(const char *run_dir, const struct nv_link *hn, bool keep);
