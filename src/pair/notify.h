/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When and by which frames the network is told where the upper is, after a switch. Pure.
 *
 * The kernel has such messages (NETDEV_NOTIFY_PEERS), but sends them only for drivers like bonding.
 * User space can trigger them by setting the same MAC address again with arp_notify on. That
 * flushes all neighbours first, and it does not report groups.
 */
#pragma once

#include "pair/notify_frames.h"
#include "pair/state.h"

/* State of one pair. All zero: hn is active and nothing is to be sent. */
struct nv_notify {
	enum nv_port port; /* the port that carries the traffic */
	bool cut; /* that port is not usable */
	unsigned int left; /* how many notifications are still to be sent */
	uint64_t next; /* time of the next one; microseconds of the loop's clock */
	uint64_t last; /* time of the last one; 0: none was sent */
	uint64_t jitter; /* microseconds by which each notification after the first is later */
};

/* The shortest time between a notification and one that nv_notify_again() asks for. */
#define NV_NOTIFY_GAP 100000 /* microseconds */

/*
 * Records which port carries the traffic at @now. If the port has changed, or no port was usable
 * before, @count notifications become due, the first one at once; those left of the last switch are
 * dropped.
 * @usable: the port can carry traffic.
 */
void nv_notify_note(
	struct nv_notify *notify, enum nv_port port, bool usable, unsigned int count, uint64_t now);

/*
 * Makes @count notifications due although the port is the same, for example when the machine has
 * moved to another host. The first one is due at once, but not before NV_NOTIFY_GAP after the last
 * one, because a host may ask several times in a row. Nothing is sent on a port that is not usable.
 */
void nv_notify_again(struct nv_notify *notify, unsigned int count, uint64_t now);

/*
 * Delays each notification after the next one by @jitter microseconds more, so that machines that
 * move together do not all send at the same moment. nv_notify_again() and nv_notify_note() end
 * that.
 */
void nv_notify_spread(struct nv_notify *notify, uint64_t jitter);

/*
 * Whether a notification is due at @now. If so, it counts as sent, and the next one is due after
 * @interval.
 */
bool nv_notify_due(struct nv_notify *notify, uint64_t now, uint64_t interval);

/* Microseconds from @now until the next notification; UINT64_MAX: none is due. */
uint64_t nv_notify_wait(const struct nv_notify *notify, uint64_t now);

#define NV_NOTIFY_FRAMES_MAX 512 /* for one pair at one time; frames over the limit are omitted */

struct nv_notify_view {
	const struct nv_link *link;
	struct nv_addrs addrs; /* of this link, or of all */
	bool router; /* the link forwards IPv6; for AF_INET6 only */
	const struct nv_mcasts *mcasts; /* of all links; for nv_notify_groups() only */
	unsigned int mld; /* MLD version, 1 or 2; for nv_notify_groups() only */
};

/* Gets each frame that is to be sent on @link. */
typedef void (*nv_notify_emit)(
	const struct nv_link *link, const struct nv_frame *frame, void *data);

/*
 * @family AF_INET: calls @emit with a gratuitous ARP for each address of the link. AF_INET6: with a
 * neighbour advertisement for each address that is not tentative.
 */
void nv_notify_addrs(
	const struct nv_notify_view *view, uint8_t family, nv_notify_emit emit, void *data);

/*
 * Calls @emit with reports of the groups that the link has joined. A group with source filters is
 * reported as joined for all sources; the next query corrects this.
 */
void nv_notify_groups(const struct nv_notify_view *view, nv_notify_emit emit, void *data);
