/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pairs a change concerns: only these are settled, however many there are. What a pair's step
 * reads is known here:
 *
 *  - its match (pair/match.h), found again when a link changes in what that depends on;
 *  - hn, the VF, the lagg, and what is stacked on these;
 *  - addresses of hn and the VF;
 *  - its entry in the data path, which hyperv_vfup changes: its action ends then, and it makes,
 *    changes or deletes a lagg or an address of hn;
 *  - the settings and rc.conf, which are everybody's;
 *  - times, each of which the step itself names (nv_failover_look_in()).
 *
 * A step that failed, or whose hn nobody may have configured yet, is done again at the next change
 * of any link, except those of containers.
 */
#pragma once

#include "failover/managed.h"

/* A link or an address has changed; the links are as they are after it. */
void nv_concern_link(
	struct nv_failover *failover, const struct nv_link *old, const struct nv_link *new);
void nv_concern_addr(struct nv_failover *failover, int ifindex);

/* Something may have changed the pair that has or had this interface; if none has, any pair. */
void nv_concern_name(struct nv_failover *failover, const char *ifname);

/* The pair is settled when the loop has its turn. */
void nv_concern_soon(struct nv_failover *failover, int hn);
