/* SPDX-License-Identifier: BSD-2-Clause */
/* Peers are told where the upper of a pair is. */
#pragma once

#include "kernel/kernel.h"

/*
 * Sends what nv_notify_frames() says once for @upper and for all that is stacked on it, each frame
 * on the interface that has the address. @links, @addrs: as they are now. What cannot be sent is
 * logged as @hn's: peers learn it from other frames.
 */
void nv_notify_send(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, int upper, const char *hn);
