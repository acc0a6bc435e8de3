/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that are bound to one interface (SO_BINDTODEVICE; of packet(7): bind(2)): they do not
 * hear what arrives by another one. Needs no privilege.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NV_BOUND_MAX 256 /* entries; those over the limit are omitted */

enum nv_bound_kind {
	NV_BOUND_TCP,
	NV_BOUND_UDP,
	NV_BOUND_RAW,
	NV_BOUND_PACKET,
};

struct nv_bound {
	int ifindex;
	enum nv_bound_kind kind;
	uint16_t number; /* local port, 0: none; of raw: IP protocol; of packet: ETH_P_* */
	bool link_local; /* bound to an IPv6 link-local address, which binds it to its interface */
	uid_t uid; /* owner of the socket */
	unsigned int count; /* number of sockets with the same values */
	uint32_t inode; /* of one of them */
};

/* Whether a socket is to be found. Every user may bind sockets, also more than the limit. */
typedef bool nv_bound_wanted(const struct nv_bound *bound, const void *data);

/*
 * Finds the sockets of both IP families, and packet sockets that receive, in this network
 * namespace. @wanted: NULL: all. Returns 0 or -errno. A kernel without a part of sock_diag(7)
 * (udp_diag, raw_diag) shows no such sockets.
 */
int nv_sockets_bound(nv_bound_wanted *wanted, const void *data,
	struct nv_bound ret_bound[NV_BOUND_MAX], size_t *ret_count);

/* "UDP port 53", "raw protocol 112", "packet protocol 0x0800". */
void nv_bound_text(const struct nv_bound *bound, char *ret_text, size_t size);
