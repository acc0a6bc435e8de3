/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/guard.h"

static size_t guard_find(const struct nv_guard *guard, int vf, const struct nv_ip *address)
{
	for (size_t i = 0; guard->vf == vf && i < guard->count; i++)
		if (nv_ip_equal(&guard->known[i].address, address))
			return i;
	return NV_GUARD_MAX;
}

uint64_t nv_guard_left(
	const struct nv_guard *guard, int vf, const struct nv_ip *address, uint64_t now)
{
	size_t at = guard_find(guard, vf, address);

	return at < NV_GUARD_MAX && guard->known[at].next > now ? guard->known[at].next - now : 0;
}

/* A free entry, or the one whose address may be removed first. */
static struct nv_guard_address *guard_place(struct nv_guard *guard)
{
	struct nv_guard_address *place = &guard->known[0];

	if (guard->count < NV_GUARD_MAX)
		return &guard->known[guard->count++];
	for (size_t i = 1; i < guard->count; i++)
		if (guard->known[i].next < place->next)
			place = &guard->known[i];
	return place;
}

bool nv_guard_note(
	struct nv_guard *guard, int vf, const struct nv_ip *address, uint64_t now, bool insists)
{
	uint64_t first = insists ? NV_GUARD_NEXT : NV_GUARD_FIRST;
	struct nv_guard_address *known;
	size_t at;

	if (guard->vf != vf)
		*guard = (struct nv_guard){.vf = vf};
	at = guard_find(guard, vf, address);
	/* If the address could have been removed for a long time, it counts as new. */
	if (at == NV_GUARD_MAX || now > guard->known[at].next + guard->known[at].wait) {
		known = at == NV_GUARD_MAX ? guard_place(guard) : &guard->known[at];
		*known = (struct nv_guard_address){
			.address = *address, .wait = first, .next = now + first};
		return false;
	}
	known = &guard->known[at];
	known->wait = known->wait < NV_GUARD_NEXT ? NV_GUARD_NEXT : 2 * known->wait;
	known->wait = known->wait < NV_GUARD_MOST ? known->wait : NV_GUARD_MOST;
	known->next = now + known->wait;
	return true;
}
