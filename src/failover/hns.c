/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/hns.h"

void nv_hns_auto(struct nv_hns *hns)
{
	free(hns->hn);
	*hns = (struct nv_hns){};
}

void nv_hns_add(struct nv_hns *hns, int hn)
{
	size_t room = hns->room ? 2 * hns->room : 4;
	int *more;

	for (size_t i = 0; i < hns->count; i++)
		if (hns->hn[i] == hn)
			return;
	if (hns->count == hns->room) {
		more = reallocarray(hns->hn, room, sizeof(*more));
		hns->all |= !more;
		if (!more)
			return;
		hns->hn = more;
		hns->room = room;
	}
	hns->hn[hns->count++] = hn;
}

void nv_hns_remove(struct nv_hns *hns, int hn)
{
	for (size_t i = 0; i < hns->count; i++)
		if (hns->hn[i] == hn)
			hns->hn[i--] = hns->hn[--hns->count];
}
