/* SPDX-License-Identifier: BSD-2-Clause */
/* hn and VF as ports of a lagg that is a bond; nothing to do for another. */
#pragma once

#include "failover/observe.h"

/*
 * Makes the lagg of @hn, which is a bond. Returns 0, -EAGAIN (the data path is locked), or -errno,
 * which is logged: it is not tried again.
 */
int nv_bond_ports_make(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_link *hn, int *ret_bond);

/*
 * Makes a VF that does not carry traffic a port of @bond (0: there is none); one that is up is
 * closed for it. A bond that refuses it is not asked again.
 */
void nv_bond_ports_take_vf(struct nv_failover *failover, struct nv_managed *managed, int bond,
	const struct nv_link *vf);

/* After somebody has deleted the bond, with which the kernel closes its ports. */
void nv_bond_ports_reopen(struct nv_failover *failover, const struct nv_dp_pair *path);

/*
 * After a step: takes hn in, and tells the data path and the bond how things are. @path: as the
 * data path has the pair now. Returns 0, or -EAGAIN: the data path is locked.
 */
int nv_bond_ports_settle(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_dp_pair *path);
