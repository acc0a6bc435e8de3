/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers are told where the upper is after each change of path: when, and by which frames. Pure.
 *
 * The kernel has messages of this kind of its own (NETDEV_NOTIFY_PEERS), but begins them only for
 * drivers like bonding. What makes it do so from outside (to set the same MAC again, with
 * arp_notify) throws away all neighbours first, and forgets groups.
 */
#pragma once

#include "pair/notify_frames.h"
#include "pair/state.h"

/* Of one pair. All zero: hn carries the traffic, and nobody is to be told. */
struct nv_notify {
	enum nv_port port; /* that carries the traffic */
	bool cut; /* it cannot */
	unsigned int left; /* how often peers are still to be told */
	uint64_t next; /* when; microseconds of the loop's clock */
	uint64_t last; /* when they were told last; 0: never */
	uint64_t jitter; /* that the times after the first are later by, microseconds */
};

/* The least time between what nv_notify_again() asks for and what was told before it. */
#define NV_NOTIFY_GAP 100000 /* microseconds */

/*
 * Takes note of where traffic goes at @now. If that is another path than before, or there was none,
 * peers are to be told @count times, the first time at once; what was still to be told of the last
 * path is dropped.
 * @usable: the port can carry traffic.
 */
void nv_notify_note(
	struct nv_notify *notify, enum nv_port port, bool usable, unsigned int count, uint64_t now);

/*
 * Peers are to be told @count times more although the path is the one of before: the machine has
 * moved to another host, say. The first time at once, but NV_NOTIFY_GAP after the last at the
 * soonest: a host may ask several times in a row. Nothing is told by a path that is cut.
 * @jitter: by how much each later time is later, so that machines that move together do not all
 *          tell at the same moment; microseconds.
 */
void nv_notify_again(struct nv_notify *notify, unsigned int count, uint64_t jitter, uint64_t now);

/* Whether peers are to be told at @now; if so, this counts, and @interval begins. */
bool nv_notify_due(struct nv_notify *notify, uint64_t now, uint64_t interval);

/* How long, from @now, until they are; UINT64_MAX: they are not. */
uint64_t nv_notify_wait(const struct nv_notify *notify, uint64_t now);

#define NV_NOTIFY_FRAMES_MAX 512 /* for one pair at one time; what is more is left out */

struct nv_notify_view {
	const struct nv_link *link;
	const struct nv_addrs *addrs; /* of any links */
	const struct nv_mcasts *mcasts; /* of any links */
	bool router; /* it forwards IPv6 */
	unsigned int mld; /* MLD's version, 1 or 2 */
};

/*
 * Gives @emit what peers of this link are to hear, to be sent on it: ARP for each IPv4 address, a
 * neighbour advertisement for each IPv6 address that is not tentative, reports of groups. A group
 * with source filters is reported as wanted from all sources; the next query corrects it.
 */
void nv_notify_frames(const struct nv_notify_view *view,
	void (*emit)(const struct nv_link *link, const struct nv_frame *frame, void *data),
	void *data);
