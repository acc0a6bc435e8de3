/* SPDX-License-Identifier: BSD-2-Clause */
/* What hn shows while the VF transmits. */
#pragma once

#include "failover/failover.h"

/* Opens an hn that somebody has set down. Says so once. Returns 0 or -errno. */
int nv_dormant_open(struct nv_failover *failover, struct nv_managed *managed);

/*
 * Has hn show that it has no link: dormant, so that programs see it not running, while its driver
 * goes on receiving. Or its true state again. What it refuses is told once.
 */
void nv_dormant_set(struct nv_failover *failover, struct nv_managed *managed, bool on);
