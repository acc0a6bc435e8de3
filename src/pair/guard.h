/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often an address is taken off a VF. Who gave it may give it again at once: dhcpcd(8) that
 * serves all interfaces asks its server for another lease each time, some twenty times a second.
 * Pure.
 */
#pragma once

#include "kernel/types.h"

#define NV_GUARD_MAX   8 /* addresses of one VF that are remembered */
#define NV_GUARD_FIRST 1000000 /* microseconds from the first time to the second */
#define NV_GUARD_NEXT  600000000ULL /* to the third; then twice as long each time */
#define NV_GUARD_MOST  3600000000ULL

/* All zero: nothing was taken off. */
struct nv_guard {
	int vf; /* ifindex; what another VF had is forgotten */
	size_t count;
	struct nv_guard_address {
		struct nv_ip address;
		uint64_t wait; /* microseconds, from the last time to the next */
		uint64_t next; /* of the caller's clock */
	} known[NV_GUARD_MAX];
};

/* How long, from @now, the address stays on the VF; 0: it may be taken off. */
uint64_t nv_guard_left(
	const struct nv_guard *guard, int vf, const struct nv_ip *address, uint64_t now);

/*
 * The address is taken off at @now. Returns whether it has come back once already, which is worth
 * a message: from then on it stays for long.
 */
bool nv_guard_note(struct nv_guard *guard, int vf, const struct nv_ip *address, uint64_t now);
