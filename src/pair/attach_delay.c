/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/attach_delay.h"

void nv_attach_delay_skip(struct nv_attach_delay *attwait, int vf)
{
	*attwait = (struct nv_attach_delay){.vf = vf};
}

uint64_t nv_attach_delay_left(struct nv_attach_delay *attwait, int vf, uint64_t now, uint64_t limit)
{
	uint64_t been;

	if (attwait->vf != vf)
		*attwait = (struct nv_attach_delay){.vf = vf, .since = now};
	if (!vf || !attwait->since)
		return 0;
	been = now - attwait->since;
	return been < limit ? limit - been : 0;
}
