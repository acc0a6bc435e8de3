/* SPDX-License-Identifier: BSD-2-Clause */
/* An hn that comes back, or takes the place of one that is gone in a pair with its MAC address. */
#pragma once

#include "failover/managed.h"

/*
 * Lets a new hn take the place of one that is gone, if there is such a pair. VF_UP is raised again,
 * so that hyperv_vfup moves the new hn's configuration. An hn that appeared before the other had
 * gone has a pair of its own, which has nothing; that pair ends then.
 *
 * @due: the pair is added that keeps its hn, which is gone, because the data path refused
 * @managed: in: the pair of this hn, or NULL; out: the pair that it has now, or NULL
 *
 * Returns 0, or -EAGAIN: the data path is locked, and nothing has changed.
 */
int nv_hn_replace(struct nv_failover *failover, const struct nv_pair *pair, struct nv_hns *due,
	struct nv_managed **managed);

/*
 * The hn of the pair is gone. One that can take its place may be there already, with a pair that
 * nothing else concerns: that is settled soon.
 */
void nv_hn_call_heirs(struct nv_failover *failover, const struct nv_managed *managed);

/* An hn that has come back with its ifindex, from another network namespace, is down and bare. */
void nv_hn_take_back(struct nv_failover *failover, struct nv_managed *managed);
