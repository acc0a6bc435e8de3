/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/dormant.h"

#include "base/log.h"

#include <errno.h>
#include <linux/if.h>

int nv_dormant_open(struct nv_failover *failover, struct nv_managed *managed)
{
	int r = nv_kernel_link_up(failover->kernel, managed->id.hn, true);

	if (r == 0 && !managed->warned.dormant)
		nv_notice(
			"%s: was set down while %s carries its traffic; netvfd sets it up again, so that frames which still arrive on it are not lost",
			managed->id.hn_name, managed->id.vf_name);
	managed->warned.dormant |= r == 0;
	return r;
}

void nv_dormant_set(struct nv_failover *failover, struct nv_managed *managed, bool on)
{
	/*
	 * The kernel changes the operational state to dormant only from up, and to up only from
	 * dormant.
	 */
	const struct nv_link_change change = {
		.what = NV_LINK_MODE | NV_LINK_OPERSTATE,
		.to = {.link_mode = on ? IF_LINK_MODE_DORMANT : IF_LINK_MODE_DEFAULT,
			.operstate = on ? IF_OPER_DORMANT : IF_OPER_UP},
	};
	int r = nv_kernel_link_set(failover->kernel, managed->id.hn, &change);

	if (r < 0 && r != -ENODEV && !managed->warned.dormant) {
		nv_warn("%s: cannot make it show %s: %s; traffic does not depend on this",
			managed->id.hn_name, on ? "that it has no link" : "its true link",
			nv_strerror(r));
		managed->warned.dormant = true;
	}
}
