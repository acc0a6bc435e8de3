/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what was attached is there still. */
#pragma once

#include "datapath/datapath.h"

#define NV_DP_INTERFACES 3 /* of a pair, at most */

/*
 * The interfaces of a pair that exist and lack a filter of ours, which somebody must have removed.
 * Returns how many, or -ENOENT: this hn has no pair.
 */
int nv_datapath_missing(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES]);
