/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hns nobody has configured while their VFs are used by themselves, kept from one boot to the
 * next: udev leaves such a VF to whoever configures it, and netvfd to whoever will. For each there
 * is an empty file, named by the hn's MAC address, since its interface may have no name yet.
 */
#pragma once

#include "kernel/types.h"

/* How many may be kept. */
#define NV_UNUSED_HNS_MAX 256

/* @dir: from nv_state_dir(). @mac: nv_match_mac() of the hn. */
bool nv_unused_hn_is_kept(const char *dir, const uint8_t mac[NV_MAC_LEN]);

/*
 * Keeps it, or keeps it no longer. Makes @dir if it is missing, but no directory above it. Returns
 * 0, -ENOSPC (also where NV_UNUSED_HNS_MAX are kept), or another -errno of mkdir(2), opendir(3),
 * open(2) or unlink(2).
 */
int nv_unused_hn_keep(const char *dir, const uint8_t mac[NV_MAC_LEN], bool keep);
