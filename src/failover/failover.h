/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the traffic of all pairs flowing. After each batch of changes it settles the pairs that
 * these concern (concern.h): for each it observes, decides (pair/state.h), and acts on the data
 * path and the ports.
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

/*
 * A link or an address on it has changed. @old NULL: it is new. @new NULL: it is gone. The links
 * are as they are after the change. The next settle is about the pairs that it concerns
 * (concern.h).
 */
void nv_failover_note_link(
	struct nv_failover *failover, const struct nv_link *old, const struct nv_link *new);
void nv_failover_note_addr(struct nv_failover *failover, int ifindex);

/*
 * Settles the pairs that changes since the last time concern; all of them after netlink messages
 * were lost, and after nv_failover_configure(). Raised events are reported by ops->raise_vf and
 * ops->raise_attach.
 */
void nv_failover_settle(struct nv_failover *failover);
void nv_failover_settle_all(struct nv_failover *failover);

/* Whether no pair has a VF or a lagg, or has had one: there is nothing to keep flowing. */
bool nv_failover_is_inert(const struct nv_failover *failover);
/*
 * Whether netvfd must have the processor at once: a pair has a VF, which it may have to leave, or a
 * lagg, which nobody else announces when the machine has moved to another host.
 */
bool nv_failover_is_urgent(const struct nv_failover *failover);

/*
 * Whether a link is the VF of a pair and an administrator has set it down: it is down, and was up
 * since it joined.
 */
bool nv_failover_left_down(struct nv_failover *failover, const struct nv_link *link);

/* Settles all pairs and calls ops->settled. */
void nv_failover_look_again(void *failover);

/*
 * An action has ended whose event was about @subject. hyperv_vfup may have changed the mode of that
 * pair; if it is no pair's interface, of any. Settles those and calls ops->settled, at most twenty
 * times a second, because many actions may end in a row.
 */
void nv_failover_note_action(struct nv_failover *failover, const char *subject);

/*
 * `netvf switch`. Returns 0; -ENOENT: there is no such hn; -EOPNOTSUPP: the pair is not managed or
 * the VF is used exclusively.
 */
int nv_failover_override(struct nv_failover *failover, const char *hn, enum nv_override override);
