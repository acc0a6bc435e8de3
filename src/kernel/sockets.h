/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that are bound to one interface (SO_BINDTODEVICE), for a diagnosis; anyone may ask. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NV_BOUND_MAX 256 /* what is told of an interface; more are passed over */

struct nv_bound {
	int ifindex;
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t port; /* the local one; 0: none */
	unsigned int count; /* of sockets that are alike in all of this */
};

/*
 * TCP's and UDP's, of both families, in this network namespace. One that is bound to an IPv6
 * link-local address is bound to its interface, too.
 * Returns 0 or -errno: -ENOENT (a kernel without inet_diag).
 */
int nv_sockets_bound(struct nv_bound ret_bound[NV_BOUND_MAX], size_t *ret_count);
