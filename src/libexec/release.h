/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back: what is on the lagg moves to hn, which is as it was before. */
#pragma once

#include "datapath/lagg.h"
#include "libexec/common.h"

/*
 * @lagg: ifindex; 0: there is none any more.
 *
 * Make before break, as on the way there: hn gets everything, then frames arrive on hn, then the
 * lagg is stripped and deleted; at last hn gets its settings back. A run that was killed is
 * completed by the next. Says what it did or why not; false: the lagg is in force still.
 */
bool nv_release(
	struct nv_scene *scene, struct nv_datapath *datapath, const struct nv_link *hn, int lagg);
