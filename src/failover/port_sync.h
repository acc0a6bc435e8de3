/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports, and the data path, become what the upper and the configuration are. */
#pragma once

#include "failover/failover.h"

/* Compares, and changes only what differs. A failure is logged; the next change tries again. */
void nv_port_sync(struct nv_failover *failover, struct nv_managed *managed);
