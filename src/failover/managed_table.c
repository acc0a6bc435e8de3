/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/managed_table.h"

#include "base/place.h"
#include "failover/owners.h"

#include <errno.h>
#include <string.h>

static int managed_compare(const void *managed, const void *hn)
{
	int one = ((const struct nv_managed *)managed)->id.hn;
	int other = *(const int *)hn;

	return (one > other) - (one < other);
}

/* The index of the pair of @hn, or the one at which it would be inserted. */
static size_t managed_place(const struct nv_failover *failover, int hn)
{
	return nv_place(failover->managed, failover->n_managed, sizeof(failover->managed[0]), &hn,
		managed_compare);
}

struct nv_managed *nv_managed_find(struct nv_failover *failover, int hn)
{
	size_t at = managed_place(failover, hn);

	return at < failover->n_managed && failover->managed[at].id.hn == hn
		       ? &failover->managed[at]
		       : NULL;
}

static struct nv_managed *managed_insert(struct nv_failover *failover, struct nv_managed managed)
{
	size_t at = managed_place(failover, managed.id.hn);
	struct nv_managed *place = &failover->managed[at];

	memmove(place + 1, place, (failover->n_managed - at) * sizeof(*place));
	*place = managed;
	failover->n_managed++;
	return place;
}

/* Also for all that is known of pairs elsewhere, so that noting it cannot fail. */
static int managed_reserve(struct nv_failover *failover)
{
	size_t count = failover->n_managed + 1;
	struct nv_managed *more;

	if (nv_owners_reserve(failover) < 0 || nv_deadlines_reserve(&failover->clock, count) < 0 ||
		nv_deadlines_reserve(&failover->notices, count) < 0 ||
		nv_deadlines_reserve(&failover->proofs, count) < 0)
		return -ENOMEM;
	more = reallocarray(failover->managed, count, sizeof(*more));
	if (!more)
		return -ENOMEM;
	failover->managed = more;
	return 0;
}

struct nv_managed *nv_managed_add(struct nv_failover *failover, int hn)
{
	if (managed_reserve(failover) < 0)
		return NULL;
	return managed_insert(failover, (struct nv_managed){.id.hn = hn,
						.memory.judged_vf = -1,
						.status.since = nv_loop_now(failover->loop)});
}

/* What is known of a pair elsewhere. */
static void managed_forget(struct nv_failover *failover, int hn)
{
	nv_owners_remove(failover, hn);
	nv_hns_remove(&failover->restless, hn);
	nv_hns_remove(&failover->groups_due, hn);
	nv_deadlines_set(&failover->clock, hn, NV_NEVER);
	nv_deadlines_set(&failover->notices, hn, NV_NEVER);
	nv_deadlines_set(&failover->proofs, hn, NV_NEVER);
}

struct nv_managed *nv_managed_rename(
	struct nv_failover *failover, struct nv_managed *managed, int hn)
{
	size_t at = (size_t)(managed - failover->managed);
	struct nv_managed copy = *managed;

	managed_forget(failover, copy.id.hn);
	copy.id.hn = hn;
	failover->n_managed--;
	memmove(managed, managed + 1, (failover->n_managed - at) * sizeof(*managed));
	return managed_insert(failover, copy);
}

void nv_managed_sweep(struct nv_failover *failover)
{
	size_t kept = 0;

	for (size_t i = 0; i < failover->n_managed; i++) {
		if (failover->managed[i].memory.dropped)
			managed_forget(failover, failover->managed[i].id.hn);
		else if (kept++ != i)
			failover->managed[kept - 1] = failover->managed[i];
	}
	failover->n_managed = kept;
}

void nv_managed_free(struct nv_failover *failover)
{
	nv_hns_auto(&failover->due);
	nv_hns_auto(&failover->restless);
	nv_hns_auto(&failover->groups_due);
	nv_deadlines_auto(&failover->clock);
	nv_deadlines_auto(&failover->notices);
	nv_deadlines_auto(&failover->proofs);
	nv_pairs_auto(&failover->pairs);
	free(failover->owner);
	free(failover->managed);
}
