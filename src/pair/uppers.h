/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interfaces are stacked on an interface (the kernel's upper devices). Which of them can move
 * to a lagg is in move/plan.c. Pure.
 */
#pragma once

#include "kernel/types.h"

#define NV_UPPERS_MAX 1024 /* interfaces; those over the limit are omitted */

/*
 * Finds @upper and everything stacked on it that is up, over any number of levels: VLANs, macvlans
 * and similar, and a bridge that it is a port of. Interfaces in another network namespace are not
 * seen. Returns the number; the first is @upper.
 */
size_t nv_uppers_find(const struct nv_links *links, int upper, int ret_ifindex[NV_UPPERS_MAX]);

/*
 * Whether a VLAN's tag is the first in its frames: the VLAN is not stacked on another. That one is
 * what a card's VLAN filter compares.
 */
bool nv_vlan_is_outermost(const struct nv_links *links, const struct nv_link *vlan);

/* The name of the VLAN interface on a VF that only registers the VLAN with it. */
void nv_vf_vlan_name(int vf, uint16_t id, char ret_name[IFNAMSIZ]);
