/* SPDX-License-Identifier: BSD-2-Clause */
/* Peers are told where the upper of a pair is. */
#pragma once

#include "kernel/kernel.h"

/*
 * Sends what nv_notify_frames() says once for @upper and for all that is stacked on it, each frame
 * on the interface that has the address. @links, @addrs, @mcasts: as they are now. What cannot be
 * sent is logged as @hn's: peers learn it from other frames.
 */
void nv_notify_send(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, const struct nv_mcasts *mcasts, int upper, const char *hn);

/*
 * The groups that are joined in this network namespace, of all interfaces, for any number of
 * nv_notify_send(): to read them is a walk over all. What cannot be read is logged; there are none
 * then.
 */
void nv_notify_groups(struct nv_kernel *kernel, struct nv_mcasts *ret_mcasts);
