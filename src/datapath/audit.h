/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks whether the programs are still attached. */
#pragma once

#include "datapath/pins.h"

/* The kernel's ids of our programs; 0: unknown. */
struct nv_audit {
	uint32_t id[NV_OBJECTS];
};

/* To be called when the objects have been opened. */
void nv_audit_begin(const struct nv_objects *objects, struct nv_audit *ret_audit);

/*
 * Finds the interfaces of a pair that exist and lack one of these programs. Fills @ret_ifindex and
 * returns their number. A tcx program whose name may not be read counts as somebody else's.
 */
int nv_audit_missing(const struct nv_audit *audit, const struct nv_objects *objects,
	const struct nv_dp_pair *pair, int ret_ifindex[NV_DP_INTERFACES]);

/* Whether such a program is at the egress of the pair's upper, or is not needed there. */
bool nv_audit_is_led(const struct nv_audit *audit, const struct nv_objects *objects,
	const struct nv_dp_pair *pair);
