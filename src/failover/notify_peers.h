/* SPDX-License-Identifier: BSD-2-Clause */
/* Peers are told where the uppers are: when, for all pairs. */
#pragma once

#include "failover/failover.h"

/* Tells those of all pairs whose time has come; also the callback of a timer. */
void nv_notify_peers(void *failover);
