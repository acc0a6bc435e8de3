/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pairs a link belongs to: most to none, and one that changes its pair to two. */
#pragma once

#include "failover/managed.h"

/* Makes room for one more pair, so that nv_owners_set() cannot fail. Returns 0 or -ENOMEM. */
int nv_owners_reserve(struct nv_failover *failover);

/*
 * After the step of a pair: from now on changes of these links concern it. @vf: as it was matched,
 * which may be another than the one in use; 0: none.
 */
void nv_owners_set(struct nv_failover *failover, struct nv_managed *managed, int vf);

/* The pair is no more. */
void nv_owners_remove(struct nv_failover *failover, int hn);

/* The next pair after @hn (0: the first) that owns this link: its hn; 0: no more. */
int nv_owners_next(const struct nv_failover *failover, int ifindex, int hn);
