/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks whether the programs are still attached. */
#pragma once

#include "datapath/datapath.h"

#define NV_DP_INTERFACES 3 /* of a pair, at most */

/*
 * Finds the interfaces of a pair that exist and lack our program, because somebody has removed it.
 * Returns their number, or -ENOENT: this hn has no pair.
 */
int nv_datapath_missing(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES]);
