/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/audit.h"

#include "datapath/tc.h"

#include <errno.h>

static bool audit_lacks(int ifindex, enum bpf_tc_attach_point side)
{
	/*
	 * At tcx a program whose name this process may not read (EPERM) counts as ours. A filter in
	 * clsact is recognized by its handle and priority.
	 */
	const struct nv_tcx_known none = {.program = -1, .replaced = -1};
	uint32_t id;
	int r = ifindex ? nv_tc_program(ifindex, side, &none, &id) : 0;

	return r == -ENOENT || r == -EINVAL; /* no such filter; or no filter and no clsact */
}

int nv_datapath_missing(struct nv_datapath *datapath, int hn, int ret_ifindex[NV_DP_INTERFACES])
{
	struct nv_dp_pair pair;
	int count = 0;
	int r = nv_datapath_get(datapath, hn, &pair);

	if (r < 0)
		return r;
	if (audit_lacks(pair.hn, BPF_TC_INGRESS) || audit_lacks(pair.hn, BPF_TC_EGRESS))
		ret_ifindex[count++] = pair.hn;
	if (!nv_dp_pair_is_direct(&pair) && audit_lacks(pair.vf, BPF_TC_INGRESS))
		ret_ifindex[count++] = pair.vf;
	if (audit_lacks(pair.lagg, BPF_TC_EGRESS))
		ret_ifindex[count++] = pair.lagg;
	return count;
}
