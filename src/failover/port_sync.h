/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports, and the data path, become what the upper and the configuration are. */
#pragma once

#include "failover/failover.h"

/*
 * Compares, and changes only what differs. @path: as the data path has the pair now. A failure is
 * logged; the next change tries again. Returns 0, or -EAGAIN: the data path is locked.
 */
int nv_port_sync(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_dp_pair *path);
