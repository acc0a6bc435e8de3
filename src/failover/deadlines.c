/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/deadlines.h"

#include <errno.h>
#include <stdbool.h>

void nv_deadlines_auto(struct nv_deadlines *deadlines)
{
	free(deadlines->one);
	*deadlines = (struct nv_deadlines){};
}

int nv_deadlines_reserve(struct nv_deadlines *deadlines, size_t count)
{
	size_t room = deadlines->room ? 2 * deadlines->room : 4;
	struct nv_deadline *more;

	if (deadlines->room > count) /* one is of no pair */
		return 0;
	room = room > count ? room : count + 1;
	more = reallocarray(deadlines->one, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	deadlines->one = more;
	deadlines->room = room;
	return 0;
}

static size_t deadlines_find(const struct nv_deadlines *deadlines, int hn)
{
	size_t at = 0;

	while (at < deadlines->count && deadlines->one[at].hn != hn)
		at++;
	return at;
}

static void deadlines_remove(struct nv_deadlines *deadlines, size_t at)
{
	deadlines->one[at] = deadlines->one[--deadlines->count];
}

void nv_deadlines_set(struct nv_deadlines *deadlines, int hn, uint64_t when)
{
	size_t at = deadlines_find(deadlines, hn);
	bool known = at < deadlines->count;

	if (when == NV_NEVER && known)
		deadlines_remove(deadlines, at);
	if (when == NV_NEVER || at == deadlines->room)
		return;
	deadlines->one[at] = (struct nv_deadline){.when = when, .hn = hn};
	deadlines->count += !known;
}

void nv_deadlines_add(struct nv_deadlines *deadlines, int hn, uint64_t when)
{
	size_t at = deadlines_find(deadlines, hn);

	if (at == deadlines->count || when < deadlines->one[at].when)
		nv_deadlines_set(deadlines, hn, when);
}

uint64_t nv_deadlines_next(const struct nv_deadlines *deadlines)
{
	uint64_t next = NV_NEVER;

	for (size_t i = 0; i < deadlines->count; i++)
		next = deadlines->one[i].when < next ? deadlines->one[i].when : next;
	return next;
}

size_t nv_deadlines_due(const struct nv_deadlines *deadlines, uint64_t now)
{
	size_t due = 0;

	for (size_t i = 0; i < deadlines->count; i++)
		due += deadlines->one[i].when <= now;
	return due;
}

int nv_deadlines_take(struct nv_deadlines *deadlines, uint64_t now)
{
	for (size_t i = 0; i < deadlines->count; i++) {
		int hn = deadlines->one[i].hn;

		if (deadlines->one[i].when > now)
			continue;
		deadlines_remove(deadlines, i);
		return hn;
	}
	return -1;
}
