/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often an address is removed from a VF. Whoever added it may add it again at once: a dhcpcd(8)
 * that serves all interfaces asks its server for another lease each time, some twenty times a
 * second. Pure.
 */
#pragma once

#include "kernel/types.h"

#define NV_GUARD_MAX   8 /* addresses of one VF that are remembered */
#define NV_GUARD_FIRST 1000000 /* microseconds between the first and the second removal */
#define NV_GUARD_NEXT  600000000ULL /* to the third; then twice as long each time */
#define NV_GUARD_MOST  3600000000ULL

/* All zero: no address was removed. */
struct nv_guard {
	int vf; /* ifindex; the addresses of another VF are forgotten */
	size_t count;
	struct nv_guard_address {
		struct nv_ip address;
		uint64_t wait; /* microseconds between the last removal and the next */
		uint64_t next; /* of the caller's clock */
	} known[NV_GUARD_MAX];
};

/* Microseconds from @now for which the address stays on the VF; 0: it may be removed. */
uint64_t nv_guard_left(
	const struct nv_guard *guard, int vf, const struct nv_ip *address, uint64_t now);

/*
 * Records that the address is removed at @now. @insists: a network manager has added it, which will
 * do so again at once; then it stays as after a return. Returns whether it has come back once
 * already, which is worth a message: from then on it stays longer each time.
 */
bool nv_guard_note(
	struct nv_guard *guard, int vf, const struct nv_ip *address, uint64_t now, bool insists);
