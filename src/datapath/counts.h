/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters in a per-CPU map. The map may have been made by another version; what both versions have
 * is read.
 */
#pragma once

#include "datapath/shared.h"

/* Sums a port's counters over all CPUs. Returns 0 or -errno. */
int nv_counts_get(int counts, __u32 slot, enum nv_port port, struct nv_counts *ret_sum);

/* Sets the sum to @sum. What the programs count meanwhile may be lost. Returns 0 or -errno. */
int nv_counts_put(int counts, __u32 slot, enum nv_port port, const struct nv_counts *sum);
