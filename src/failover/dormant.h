/* SPDX-License-Identifier: BSD-2-Clause */
/* The link state that hn shows while the VF transmits. */
#pragma once

#include "failover/managed.h"

/* Sets up an hn that somebody has set down; logs this once for each pair. Returns 0 or -errno. */
int nv_dormant_open(struct nv_failover *failover, struct nv_managed *managed);

/*
 * Sets hn dormant (@on), so that programs see it not running while its driver still receives; or
 * lets it show its true state. A failure is logged once for each pair.
 */
void nv_dormant_set(struct nv_failover *failover, struct nv_managed *managed, bool on);
