/* SPDX-License-Identifier: BSD-2-Clause */
/* When the network is told where the uppers are, for all pairs. */
#pragma once

#include "failover/managed.h"

/* Sends the notifications that are due. Also a timer callback. */
void nv_notify_peers(void *failover);

/* Announces the addresses of a pair now, in addition to the notifications that are due. */
void nv_notify_addresses(struct nv_failover *failover, const struct nv_managed *managed);

/*
 * To be called when a program has reported NV_DP_REPORT_LEFT: announces the addresses of the pairs
 * that it may be about, by the port that sends. The kernel tells later that the VF is gone.
 */
void nv_notify_left(struct nv_failover *failover);

/* To be called when managed->memory.notify has changed, before nv_notify_peers(). */
void nv_notify_peers_due(struct nv_failover *failover, const struct nv_managed *managed);

/*
 * hn's driver has raised NETDEV_NOTIFY_PEERS, as it does when the machine has moved to another
 * host: makes notifications of the pair due as after a switch. Where the kernel announces nothing
 * for @hn, one frame is sent now. Does nothing if @hn is not an hn.
 */
void nv_notify_arrival(struct nv_failover *failover, int hn);
