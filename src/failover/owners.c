/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/owners.h"

#include "base/place.h"

#include <errno.h>
#include <string.h>

int nv_owners_reserve(struct nv_failover *failover)
{
	size_t count = NV_OWNED_MAX * (failover->n_managed + 1);
	struct nv_owner *more = failover->owner;

	if (count <= failover->owners_room)
		return 0;
	count *= 2;
	more = reallocarray(more, count, sizeof(*more));
	if (!more)
		return -ENOMEM;
	failover->owner = more;
	failover->owners_room = count;
	return 0;
}

/* Below @key, or the same. */
static int owners_compare(const void *owner, const void *key)
{
	const struct nv_owner *a = owner;
	const struct nv_owner *b = key;

	return a->ifindex < b->ifindex || (a->ifindex == b->ifindex && a->hn <= b->hn) ? -1 : 1;
}

/* The index of the first owner of this link whose hn is above @hn. */
static size_t owners_place(const struct nv_failover *failover, int ifindex, int hn)
{
	const struct nv_owner key = {.ifindex = ifindex, .hn = hn};

	return nv_place(failover->owner, failover->n_owners, sizeof(failover->owner[0]), &key,
		owners_compare);
}

int nv_owners_next(const struct nv_failover *failover, int ifindex, int hn)
{
	size_t at = owners_place(failover, ifindex, hn);

	if (!ifindex || at == failover->n_owners || failover->owner[at].ifindex != ifindex)
		return 0;
	return failover->owner[at].hn;
}

static bool owners_owns(const struct nv_failover *failover, int hn, int ifindex)
{
	return nv_owners_next(failover, ifindex, hn - 1) == hn;
}

void nv_owners_remove(struct nv_failover *failover, int hn)
{
	size_t kept = 0;

	for (size_t i = 0; i < failover->n_owners; i++)
		if (failover->owner[i].hn != hn)
			failover->owner[kept++] = failover->owner[i];
	failover->n_owners = kept;
}

static void owners_add(struct nv_failover *failover, int hn, int ifindex)
{
	size_t at = owners_place(failover, ifindex, hn);

	if (!ifindex || owners_owns(failover, hn, ifindex))
		return;
	memmove(&failover->owner[at + 1], &failover->owner[at],
		(failover->n_owners - at) * sizeof(failover->owner[0]));
	failover->owner[at] = (struct nv_owner){.ifindex = ifindex, .hn = hn};
	failover->n_owners++;
}

void nv_owners_set(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	const int owned[NV_OWNED_MAX] = {
		managed->id.hn, managed->state.vf, managed->id.lagg, vf, managed->vf_filters.vf};

	if (memcmp(managed->id.owned, owned, sizeof(owned)) == 0)
		return;
	nv_owners_remove(failover, managed->id.hn);
	for (size_t i = 0; i < NV_OWNED_MAX; i++)
		owners_add(failover, managed->id.hn, owned[i]);
	memcpy(managed->id.owned, owned, sizeof(owned));
}
