/* SPDX-License-Identifier: BSD-2-Clause */
/* Transparent mode: hn keeps its configuration, and the VF follows it. */
#pragma once

#include "failover/managed.h"
#include "services/udev.h"

/*
 * Whether the pair is to be in transparent mode, by the settings and by who configures hn. Sets
 * managed->status.manager and managed->memory.undecided. Lowers @soonest to the end of the
 * undecided time. Needs facts->answered and facts->mode.
 */
bool nv_mode_decide(struct nv_failover *failover, struct nv_managed *managed,
	const struct nv_pair_facts *facts, uint64_t *soonest);

/* The same, as it was decided last. */
bool nv_mode_is_transparent(const struct nv_failover *failover, const struct nv_managed *managed);

/*
 * Whether somebody has configured this VF and not hn: when that began, the VF had come with a
 * static address, or hn was down and no manager had it; nobody has configured hn, rc.conf does not
 * say that it is transparent, and no lagg has the addresses. They would be lost if the VF served
 * hn, so it is used by itself. Also the next VF is then, whose address is waited for, until
 * somebody configures hn (managed->memory.hn_unused); and after the next boot, for which that is
 * kept (services/unused_hn.h). Lowers the wait of the step.
 */
bool nv_mode_is_vfs_own(struct nv_failover *failover, struct nv_managed *managed, int vf);

/*
 * Microseconds between two looks at whether udev has named a VF; failover->names is armed for the
 * first.
 */
#define NV_MODE_NAME_LOOK (NV_UDEV_LOOK_MS * NV_USEC_PER_SEC / 1000)

/* Sets facts->waiting, and lowers @soonest to the end of the attach delay. */
void nv_mode_wait(struct nv_failover *failover, struct nv_managed *managed,
	struct nv_pair_facts *facts, uint64_t *soonest);

/*
 * Gives the VF the MTU and flags of hn and sets it up. A failure is logged once. The VF is not used
 * then, and this is tried again when nv_mode_wait() allows it.
 */
void nv_mode_ready_vf(struct nv_failover *failover, struct nv_managed *managed, int vf);

/* hn was set down: sets its VF down. */
void nv_mode_stop_vf(struct nv_failover *failover, const struct nv_managed *managed, int vf);
