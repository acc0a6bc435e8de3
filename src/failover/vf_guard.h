/* SPDX-License-Identifier: BSD-2-Clause */
/* A VF that carries another's frames has no configuration of its own. */
#pragma once

#include "failover/failover.h"

/* Takes addresses off, and ends DHCP clients, that somebody has put on a VF. Says so once. */
void nv_vf_guard(struct nv_failover *failover, struct nv_managed *managed, int vf);
