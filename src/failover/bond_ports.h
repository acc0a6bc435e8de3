/* SPDX-License-Identifier: BSD-2-Clause */
/* hn and VF as ports of a lagg that is a bond. Does nothing for another type of lagg. */
#pragma once

#include "failover/observe.h"

/*
 * Makes the lagg of @hn, a bond. Returns 0, -EAGAIN (the data path is locked), or another -errno,
 * which is logged; it is not tried again.
 */
int nv_bond_ports_make(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, int *ret_bond);

/*
 * Makes a VF that carries no traffic a port of @bond (0: there is none). A VF that is up is set
 * down for that. A bond that refuses the VF is not asked again.
 */
void nv_bond_ports_take_vf(struct nv_failover *failover, struct nv_managed *managed, int bond,
	const struct nv_link *vf);

/*
 * Sets the ports up again after somebody has deleted the bond: the kernel sets a bond's ports down
 * then.
 */
void nv_bond_ports_reopen(struct nv_failover *failover, const struct nv_dp_pair *path);

/*
 * Runs after a step: makes hn a bond port when it is bare, and updates the data path and the bond.
 * @path: the pair as it is in the data path now. Returns 0, or -EAGAIN: the data path is locked.
 */
int nv_bond_ports_update(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_dp_pair *path);
