/* SPDX-License-Identifier: BSD-2-Clause */
/* What is stacked on an interface. Pure. */
#pragma once

#include "kernel/types.h"

#define NV_UPPERS_MAX 64 /* interfaces; others are left out */

/*
 * The upper and all that is up and stacked on it, over one another: VLANs, macvlans and their like,
 * a bridge that it is a port of. What was moved to another network namespace is not seen. Returns
 * how many; the upper is the first.
 */
size_t nv_uppers_find(const struct nv_links *links, int upper, int ret_ifindex[NV_UPPERS_MAX]);

/* How the VLAN interface is called that is on a VF only to register the VLAN with it. */
void nv_vf_vlan_name(int vf, uint16_t id, char ret_name[IFNAMSIZ]);
