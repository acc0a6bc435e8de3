/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/audit.h"

#include "datapath/tc.h"
#include "datapath/tcx.h"

#include <errno.h>

/*
 * The ids are compared, because the qdisc "ingress" in the place of clsact shows its ingress filter
 * at egress too.
 */
static bool audit_lacks(
	const struct nv_objects *objects, int ifindex, enum bpf_tc_attach_point side)
{
	enum nv_object which = side == BPF_TC_INGRESS ? NV_OBJECT_INGRESS : NV_OBJECT_EGRESS;
	const struct nv_tcx_known known = {.program = objects->fd[which], .replaced = -1};
	uint32_t wanted;
	uint32_t id;
	int r;

	if (!ifindex || nv_object_id(known.program, &wanted) < 0 ||
		nv_tcx_runs(ifindex, side, wanted))
		return false;
	r = nv_tc_program(ifindex, side, &known, &id);
	if (r == 0)
		return id != wanted;
	/* no such filter; no filter and no clsact; programs of others only */
	return r == -ENOENT || r == -EINVAL || r == -EPERM;
}

bool nv_audit_is_led(const struct nv_objects *objects, const struct nv_dp_pair *pair)
{
	return pair->mode == NV_MODE_VF ||
	       !audit_lacks(objects, nv_dp_pair_upper(pair), BPF_TC_EGRESS);
}

int nv_audit_missing(const struct nv_objects *objects, const struct nv_dp_pair *pair,
	int ret_ifindex[NV_DP_INTERFACES])
{
	int count = 0;

	if (audit_lacks(objects, pair->hn, BPF_TC_INGRESS) ||
		audit_lacks(objects, pair->hn, BPF_TC_EGRESS))
		ret_ifindex[count++] = pair->hn;
	if (!nv_dp_pair_is_direct(pair) && audit_lacks(objects, pair->vf, BPF_TC_INGRESS))
		ret_ifindex[count++] = pair->vf;
	if (audit_lacks(objects, pair->lagg, BPF_TC_EGRESS))
		ret_ifindex[count++] = pair->lagg;
	return count;
}
