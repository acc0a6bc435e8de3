/* SPDX-License-Identifier: BSD-2-Clause */
/* Peers are told where the uppers are: when, for all pairs. */
#pragma once

#include "failover/failover.h"

/* Tells those of all pairs whose time has come; also the callback of a timer. */
void nv_notify_peers(void *failover);

/*
 * The peers of the pair of @hn are to be told as after a switch: hn's driver had the kernel tell
 * its own, as it does when the machine has come to another host. Nothing happens if @hn is no hn.
 */
void nv_notify_arrival(struct nv_failover *failover, int hn);
