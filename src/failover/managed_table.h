/* SPDX-License-Identifier: BSD-2-Clause */
/* The pairs that are managed, in the order of their hns. */
#pragma once

#include "failover/managed.h"

/* NULL: there is no such pair. Pointers to pairs are valid until the next of these calls. */
struct nv_managed *nv_managed_find(struct nv_failover *failover, int hn);
/* Adds a pair. NULL: no memory. */
struct nv_managed *nv_managed_add(struct nv_failover *failover, int hn);
/* Gives a pair another hn, which has no pair. Returns the pair at its new place. */
struct nv_managed *nv_managed_rename(
	struct nv_failover *failover, struct nv_managed *managed, int hn);
/* Removes the pairs that are dropped. */
void nv_managed_sweep(struct nv_failover *failover);
void nv_managed_free(struct nv_failover *failover);
