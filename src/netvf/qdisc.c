/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queueing disciplines. netvf's program takes a frame of the upper before the upper's qdisc, so
 * what leaves by a VF passes only the qdisc of the VF. They are not copied to the VF: a copy would
 * need classes, filters and actions, and two rates that are used in turn are not one rate.
 */
#include "netvf/doctor.h"

bool nv_qdisc_is_missed(const struct nv_link *link, const struct nv_link *vf, const char *usual)
{
	static const char *const kernels[] = {"", "noop", "noqueue", "mq", "pfifo_fast"};

	for (size_t i = 0; i < NV_ARRAY_SIZE(kernels); i++)
		if (nv_streq(link->qdisc, kernels[i]))
			return false;
	return !nv_streq(link->qdisc, usual) && !nv_streq(link->qdisc, vf->qdisc);
}
