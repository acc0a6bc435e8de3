/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "netvfd/daemon.h"

#include <errno.h>
#include <linux/if.h>

int nv_dormant_open(struct nv_daemon *daemon, struct nv_managed *managed)
{
	int r = nv_kernel_link_up(daemon->kernel, managed->hn, true);

	if (!r && !managed->told)
		nv_notice("%s: was set down while %s carries its traffic; it is opened again "
			  "underneath, so that what still arrives on it is not lost",
			managed->hn_name, managed->vf_name);
	managed->told |= !r;
	return r;
}

void nv_dormant_set(struct nv_daemon *daemon, struct nv_managed *managed, bool on)
{
	/* The kernel sets it to dormant only from up, and to up only from dormant. */
	const struct nv_link_change change = {
		.what = NV_LINK_MODE | NV_LINK_OPERSTATE,
		.to = {.link_mode = on ? IF_LINK_MODE_DORMANT : IF_LINK_MODE_DEFAULT,
			.operstate = on ? IF_OPER_DORMANT : IF_OPER_UP},
	};
	int r = nv_kernel_link_set(daemon->kernel, managed->hn, &change);

	if (r && r != -ENODEV && !managed->told) {
		nv_warn("%s: cannot have it show %s: %s; traffic does not depend on it",
			managed->hn_name, on ? "that it has no link" : "its true link",
			nv_strerror(r));
		managed->told = true;
	}
}
