/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes those fields of a pair that a mask says. A change that must read the pair first calls
 * nv_datapath_edit() itself.
 */
#include "datapath/datapath.h"

#include <string.h>

int nv_dp_change_apply(struct nv_dp_pair *pair, void *data)
{
	const struct nv_dp_change *change = data;

	if (change->what & NV_DP_HN)
		pair->hn = change->to.hn;
	if (change->what & NV_DP_VF)
		pair->vf = change->to.vf;
	if (change->what & NV_DP_LAGG)
		pair->lagg = change->to.lagg;
	if (change->what & NV_DP_MODE)
		pair->mode = change->to.mode;
	if (change->what & NV_DP_ACTIVE)
		pair->active = change->to.active;
	if (change->what & NV_DP_MULTICAST)
		pair->multicast = change->to.multicast;
	if (change->what & NV_DP_MAC)
		memcpy(pair->mac, change->to.mac, NV_MAC_LEN);
	if (change->what & NV_DP_VF_MAC)
		memcpy(pair->vf_mac, change->to.vf_mac, NV_MAC_LEN);
	return 0;
}

int nv_datapath_change(struct nv_datapath *datapath, int hn, const struct nv_dp_change *change)
{
	return nv_datapath_edit(datapath, hn, nv_dp_change_apply, (void *)change);
}
