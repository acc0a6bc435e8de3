/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/audit.h"

#include "datapath/tc.h"
#include "datapath/tcx.h"

#include <errno.h>

static const enum nv_object audit_programs[] = {NV_OBJECT_INGRESS, NV_OBJECT_EGRESS};

void nv_audit_begin(const struct nv_objects *objects, struct nv_audit *ret_audit)
{
	*ret_audit = (struct nv_audit){};
	for (size_t i = 0; i < NV_ARRAY_SIZE(audit_programs); i++)
		nv_object_id(objects->fd[audit_programs[i]], &ret_audit->id[audit_programs[i]]);
}

/*
 * The ids are compared, because the qdisc "ingress" in the place of clsact shows its ingress filter
 * at egress too.
 */
static bool audit_lacks(const struct nv_audit *audit, const struct nv_objects *objects, int ifindex,
	enum bpf_tc_attach_point side)
{
	enum nv_object which = side == BPF_TC_INGRESS ? NV_OBJECT_INGRESS : NV_OBJECT_EGRESS;
	const struct nv_tcx_known known = {.program = objects->fd[which], .replaced = -1};
	uint32_t wanted = audit->id[which];
	uint32_t id;
	int r;

	if (!ifindex || !wanted || nv_tcx_runs(ifindex, side, wanted))
		return false;
	r = nv_tc_program(ifindex, side, &known, &id);
	if (r == 0)
		return id != wanted;
	/* no such filter; no filter and no clsact; programs of others only */
	return r == -ENOENT || r == -EINVAL || r == -EPERM;
}

bool nv_audit_is_led(const struct nv_audit *audit, const struct nv_objects *objects,
	const struct nv_dp_pair *pair)
{
	return pair->mode == NV_MODE_VF ||
	       !audit_lacks(audit, objects, nv_dp_pair_upper(pair), BPF_TC_EGRESS);
}

int nv_audit_missing(const struct nv_audit *audit, const struct nv_objects *objects,
	const struct nv_dp_pair *pair, int ret_ifindex[NV_DP_INTERFACES])
{
	int count = 0;

	if (audit_lacks(audit, objects, pair->hn, BPF_TC_INGRESS) ||
		audit_lacks(audit, objects, pair->hn, BPF_TC_EGRESS))
		ret_ifindex[count++] = pair->hn;
	if (!nv_dp_pair_is_direct(pair) && audit_lacks(audit, objects, pair->vf, BPF_TC_INGRESS))
		ret_ifindex[count++] = pair->vf;
	if (audit_lacks(audit, objects, pair->lagg, BPF_TC_EGRESS))
		ret_ifindex[count++] = pair->lagg;
	return count;
}
