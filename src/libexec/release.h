/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back: what is on the lagg moves to hn, which is as it was before. */
#pragma once

#include "datapath/lagg.h"
#include "libexec/context.h"

/*
 * @lagg: ifindex; 0: there is none any more.
 *
 * Make before break, as on the way there: hn gets everything, then frames arrive on hn, then the
 * lagg is stripped and deleted; at last hn gets its settings back. A run that was killed is
 * completed by the next. Says what it did or why not; false: the lagg is in force still.
 */
bool nv_release(struct nv_context *context, struct nv_datapath *datapath, const struct nv_link *hn,
	int lagg);

/*
 * Where nobody looks after the ports any more, after nv_release(): nothing of the pair is left in
 * the kernel. hn shows its true link and carries the traffic, its peers are told so, and then the
 * VF is closed, so that the host, too, sends by hn. A VF that is used exclusively stays so. False:
 * said why.
 */
bool nv_release_ports(
	struct nv_context *context, struct nv_datapath *datapath, const struct nv_link *hn);
