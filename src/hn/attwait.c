/* SPDX-License-Identifier: BSD-2-Clause */
#include "hn/attwait.h"

uint64_t nv_attwait_left(struct nv_attwait *attwait, int vf, uint64_t now, uint64_t limit)
{
	uint64_t been;

	if (attwait->vf != vf)
		*attwait = (struct nv_attwait){.vf = vf, .since = now};
	been = now - attwait->since;
	return vf && been < limit ? limit - been : 0;
}
