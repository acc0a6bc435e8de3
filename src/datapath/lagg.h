/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface laggN, behind one small table: a device for the eBPF data path now, a bond later.
 */
#pragma once

#include "datapath/datapath.h"

/*
 * Makes the lagg of an hn: a dummy device, where the kernel has none an ifb, else one end of a
 * veth; with hn's MAC and MTU, ARP and multicast on, down, no IPv6 address generation, no duplicate
 * address detection (accept_dad 0, dad_transmits 0), and known to the data path, so that what is
 * sent on it once it is up goes out of the active port.
 *
 * @name: "lagg0". -EEXIST: a link has the name, or this hn has a lagg already, under this or
 * another name: then @ret_ifindex is set to it. -EOPNOTSUPP: the kernel has none of the three.
 */
int nv_lagg_create(
	struct nv_datapath *datapath, const struct nv_link *hn, const char *name, int *ret_ifindex);

/* Takes it out of the data path (the pair becomes transparent) and deletes the device. */
int nv_lagg_destroy(struct nv_datapath *datapath, int hn);

/*
 * Shows on the lagg whether any of its ports is usable: by its carrier (dummy), by its peer (veth)
 * or by its operational state (ifb, which has no carrier to set).
 */
int nv_lagg_set_carrier(struct nv_datapath *datapath, int lagg, bool carrier);
