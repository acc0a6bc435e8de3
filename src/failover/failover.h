/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the traffic of all pairs flowing. After each batch of changes it settles: it finds the
 * pairs, and for each pair it observes, decides (pair/state.h), and acts on the data path and the
 * ports.
 */
#pragma once

#include "failover/managed.h"

/*
 * Adopts the pairs that an earlier process left in the data path. The objects in @template belong
 * to the caller and must live as long; timers, pairs and the start time are set here. From now on
 * the data path's lock is not waited for: what needs it is done when it is free. Returns 0,
 * -ENOMEM, or -errno of the data path.
 */
int nv_failover_new(const struct nv_failover *template, struct nv_failover **ret_failover);
struct nv_failover *nv_failover_free(struct nv_failover *failover);
NV_DEFINE_AUTO(nv_failover, struct nv_failover *, nv_failover_free);

/* Replaces the settings; the next settle applies them. Both must live as long as @failover. */
void nv_failover_configure(struct nv_failover *failover, const struct nv_settings *settings,
	const struct nv_rcconf *rcconf);

/* Settles all pairs. Raised events are reported by ops->raise_vf and ops->raise_attach. */
void nv_failover_settle(struct nv_failover *failover);

/* Whether no pair has a VF or a lagg, or has had one: there is nothing to keep flowing. */
bool nv_failover_is_inert(const struct nv_failover *failover);

/* A link is gone. Call it before the nv_failover_settle() that updates its pair. */
void nv_failover_lose(struct nv_failover *failover, int ifindex);

/*
 * Whether a link is the VF of a pair and an administrator has set it down: it is down, and was up
 * since it joined.
 */
bool nv_failover_left_down(struct nv_failover *failover, const struct nv_link *link);

/*
 * Whether a change of this link matters to nv_failover_settle(). Of no concern are the interfaces
 * of containers and virtual machines (veth, tun, ifb) that are none of a pair, however many come
 * and go: nothing is stacked in them.
 */
bool nv_failover_concerns(const struct nv_failover *failover, const struct nv_link *link);

/*
 * Whether an address on this link matters to nv_failover_settle(): it is a VF, or an hn whose mode
 * is undecided or whose configuration is on a lagg.
 */
bool nv_failover_cares(const struct nv_failover *failover, int ifindex);

/* Settles and calls ops->settled. Also a timer callback. */
void nv_failover_look_again(void *failover);
/*
 * The same, at most twenty times a second, for causes that come many in a row, such as actions that
 * end.
 */
void nv_failover_look_soon(struct nv_failover *failover);

/*
 * `netvf switch`. Returns 0; -ENOENT: there is no such hn; -EOPNOTSUPP: the pair is not managed or
 * the VF is used exclusively.
 */
int nv_failover_override(struct nv_failover *failover, const char *hn, enum nv_override override);
