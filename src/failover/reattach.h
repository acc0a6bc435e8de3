/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaches netvf's programs again when somebody has removed them from an interface of a pair, as
 * `bpftool net detach` and `tc qdisc del … clsact` do.
 */
#pragma once

#include "failover/managed.h"

/* Returns 0 or -ENOMEM. */
int nv_reattach_open(struct nv_failover *failover);
void nv_reattach_close(struct nv_failover *failover);

/*
 * Begins to look, if the pair has something to look at: a VF or a lagg. An hn alone works without
 * programs. Call it after the pair has changed.
 */
void nv_reattach_watch(struct nv_failover *failover, const struct nv_managed *managed);
