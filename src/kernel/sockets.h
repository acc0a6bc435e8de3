/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that are bound to one interface (SO_BINDTODEVICE), for a diagnosis. Needs no privilege.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NV_BOUND_MAX 256 /* entries; those over the limit are omitted */

struct nv_bound {
	int ifindex;
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t port; /* the local port; 0: none */
	unsigned int count; /* number of sockets with the same values */
};

/*
 * Finds TCP and UDP sockets of both families in this network namespace. A socket that is bound to
 * an IPv6 link-local address counts as bound to its interface. Returns 0 or -errno; -ENOENT: a
 * kernel without inet_diag.
 */
int nv_sockets_bound(struct nv_bound ret_bound[NV_BOUND_MAX], size_t *ret_count);
