/* SPDX-License-Identifier: BSD-2-Clause */
/* A VF that carries only another interface's frames has no configuration of its own. */
#pragma once

#include "failover/managed.h"

/*
 * Removes addresses and ends DHCP clients that somebody has put on a VF. Logs this once for each
 * VF. An address that comes back again and again stays for longer each time (pair/guard.h).
 */
void nv_vf_guard(struct nv_failover *failover, struct nv_managed *managed, int vf);
