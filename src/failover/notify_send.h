/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells the network where the upper of a pair is. */
#pragma once

#include "kernel/kernel.h"

/*
 * Sends the frames of nv_notify_frames() once, for @upper and everything stacked on it, each frame
 * on the interface that has the address. @links, @addrs, @mcasts: the current ones. A frame that
 * cannot be sent is logged with the name of @hn.
 */
void nv_notify_send(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, const struct nv_mcasts *mcasts, int upper, const char *hn);

/*
 * Reads the multicast groups of all interfaces in this network namespace, for any number of
 * nv_notify_send(). Reading them walks all interfaces. A failure is logged; *ret_mcasts is empty
 * then.
 */
void nv_notify_groups(struct nv_kernel *kernel, struct nv_mcasts *ret_mcasts);
