/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/attach_delay.h"

void nv_attwait_skip(struct nv_attwait *attwait, int vf)
{
	*attwait = (struct nv_attwait){.vf = vf};
}

uint64_t nv_attwait_left(struct nv_attwait *attwait, int vf, uint64_t now, uint64_t limit)
{
	uint64_t been;

	if (attwait->vf != vf)
		*attwait = (struct nv_attwait){.vf = vf, .since = now};
	if (!vf || !attwait->since)
		return 0;
	been = now - attwait->since;
	return been < limit ? limit - been : 0;
}
