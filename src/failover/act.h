/* SPDX-License-Identifier: BSD-2-Clause */
/* What a step has decided is done to the data path, the ports and the lagg. */
#pragma once

#include "failover/observe.h"

enum nv_act_result {
	NV_ACT_DONE,
	NV_ACT_LOOK_AGAIN, /* something that was decided by turned out otherwise */
	NV_ACT_LOCKED, /* the data path is: the state is as after what was done */
};

/*
 * Carries out the commands, in order. What failed is logged, and tried again when anything changes
 * next: the state goes back to what the data path says, and traffic stays where it is.
 */
enum nv_act_result nv_act(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_pair_commands *commands);
