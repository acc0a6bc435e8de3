/* SPDX-License-Identifier: BSD-2-Clause */
/* hn and VF as ports of a lagg that is a bond; nothing to do for another. */
#pragma once

#include "failover/failover.h"

/*
 * Takes a VF that does not carry traffic into the bond; makes the bond first, where it is wanted
 * and the VF is to be used so. True: the VF was up, and has been closed for it.
 */
bool nv_bond_ports_take_vf(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, const struct nv_link *vf);

/* After somebody has deleted the bond, with which the kernel closes its ports. */
void nv_bond_ports_reopen(struct nv_failover *failover, const struct nv_dp_pair *path);

/* After a step: takes hn in, if @may, and tells the data path and the bond how things are. */
void nv_bond_ports_settle(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, const struct nv_link *vf, bool may);
