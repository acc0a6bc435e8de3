/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back: moves what is on the lagg to hn, which is then as it was before. */
#pragma once

#include "datapath/lagg.h"
#include "libexec/context.h"

/*
 * @lagg: ifindex; 0: there is none any more.
 *
 * Make before break, in the other direction: hn gets everything, then frames arrive on hn, then the
 * lagg is stripped and deleted, and hn gets its settings back. If a run is killed, the next one
 * completes it. Prints what it did or why it did not; false: the lagg is still in use.
 */
bool nv_release(struct nv_context *context, struct nv_datapath *datapath, const struct nv_link *hn,
	int lagg);

/*
 * For use after nv_release(), if netvfd does not run: removes everything of the pair from the
 * kernel. hn shows its true link and carries the traffic, and the network is told so. Then the VF
 * is set down, so that the host sends by hn too. A VF that is used exclusively stays up. Returns
 * false if it failed; the error was printed.
 */
bool nv_release_ports(
	struct nv_context *context, struct nv_datapath *datapath, const struct nv_link *hn);
