/* SPDX-License-Identifier: BSD-2-Clause */
/* An hn whose configuration is on a lagg has none of its own. */
#pragma once

#include "failover/observe.h"

/*
 * If somebody has given hn an address, a route or a bridge since its configuration moved, raises
 * VF_UP again, so that hyperv_vfup moves that too. Logs this once for each pair. If it is repeated,
 * at a bounded rate (pair/reclaim.h). While there is no usable VF, and while hyperv_vfup runs, it
 * is left. Traffic does not depend on this: see bypass_of() in datapath/bpf/netvf.bpf.c.
 */
void nv_hn_guard(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_dp_pair *path);

/* Why the pair's hn is left as it is; false: netvfd moves what somebody gives it. */
bool nv_hn_guard_has_given_up(const struct nv_failover *failover, const struct nv_managed *managed);
