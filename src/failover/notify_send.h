/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells the network where the upper of a pair is. */
#pragma once

#include "kernel/kernel.h"

/*
 * The multicast groups of interfaces in this network namespace. All zero at first: the first
 * nv_notify_send() reads those of all, and others with the same structure need not.
 */
struct nv_notify_mcasts {
	bool read;
	struct nv_mcasts mcasts;
};

void nv_notify_mcasts_auto(struct nv_notify_mcasts *mcasts);

/* nv_notify_send() without the groups. */
void nv_notify_send_addrs(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, int upper, const char *hn);

/*
 * Sends one frame for the first IPv4 address of @upper by the port @hn itself: the shortest way, to
 * be followed by nv_notify_send(). A failure is not logged.
 */
void nv_notify_send_direct(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, int upper, int hn);

/*
 * Sends the frames of nv_notify_addrs(), then those of nv_notify_groups(), once, for @upper and
 * everything stacked on it, each frame on the interface that has the address. @links, @addrs
 * (sorted): the current ones. @all NULL: the groups of these interfaces only are read, which is
 * quicker for a few pairs. What fails is logged with the name of @hn.
 */
void nv_notify_send(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, struct nv_notify_mcasts *all, int upper, const char *hn);
