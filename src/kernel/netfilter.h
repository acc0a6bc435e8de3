/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether this network namespace has packet filters at all, asked of the kernel: to list them takes
 * a program for each kind.
 */
#pragma once

#include <stdbool.h>

/*
 * Whether there is a table of nftables. True also if the kernel does not tell, for example without
 * CAP_NET_ADMIN; false if it has no nftables.
 */
bool nv_nftables_has_tables(void);

/* Whether there is a table of iptables or ip6tables that is not one of nftables. */
bool nv_iptables_has_tables(void);
