/* SPDX-License-Identifier: BSD-2-Clause */
/* Carries out the commands of a step on the data path, the ports and the lagg. */
#pragma once

#include "failover/observe.h"

enum nv_act_result {
	NV_ACT_DONE,
	NV_ACT_LOOK_AGAIN, /* a fact turned out to be wrong: settle the pair again */
	/* the data path is locked: the state is the one after the commands that were done */
	NV_ACT_LOCKED,
};

/*
 * Carries out the commands in order. If a command fails, this is logged, the state is read again
 * from the data path, and traffic stays where it is; the next change tries again.
 */
enum nv_act_result nv_act(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_view *view, const struct nv_pair_commands *commands);
