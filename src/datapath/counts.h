/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters in a per-CPU map, which may be another version's: what both versions know is read. */
#pragma once

#include "datapath/shared.h"

/* The sum over all CPUs. Returns 0 or -errno. */
int nv_counts_get(int counts, __u32 slot, enum nv_port port, struct nv_counts *ret_sum);

/* Makes @sum the sum. What programs count meanwhile may be lost. */
int nv_counts_put(int counts, __u32 slot, enum nv_port port, const struct nv_counts *sum);
