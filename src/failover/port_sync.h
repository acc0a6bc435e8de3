/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the ports and the data path in step with the upper and the settings. */
#pragma once

#include "failover/managed.h"

/*
 * Compares, and changes only what differs. @path: the pair as it is in the data path now. A failure
 * is logged; the next change tries again. Returns 0, or -EAGAIN: the data path is locked.
 */
int nv_port_sync(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_dp_pair *path);
