/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hn had before its configuration moved, as a file in the run directory. It has only what
 * cannot be read from the kernel any more. It is written before anything is changed, and deleted
 * when hn is as it was.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/* Settings for which hn as a port of a lagg has another value. */
struct nv_journal_settings {
	uint32_t mtu;
	bool up;
	bool all_multicast;
	bool promiscuous;
	uint8_t addr_gen_mode;
	char accept_ra[16]; /* "": this kernel has no such setting */
	char rp_filter[16];
};

struct nv_journal {
	int hn; /* ifindex; 0: there is no journal */
	uint8_t mac[NV_MAC_LEN];
	uint64_t taken; /* seconds since boot, to compute lifetimes */
	uint32_t lagg_mtu; /* the MTU that the lagg got */
	/* kind of hn's DHCP client, which was ended for addresses of rc.conf; "": there was none */
	char client[16];
	struct nv_journal_settings settings;
	struct nv_rtobjs addrs; /* all addresses that hn had, in the kernel's order */
	struct nv_rtobjs displaced; /* those addresses, routes and the like that did not move */
	struct nv_rtobjs ports; /* bridge ports as they were before the last move began */
	struct nv_rtobjs configured; /* addresses and routes that the lagg got from rc.conf */
};

void nv_journal_auto(struct nv_journal *journal);

/*
 * Reads the journal of link @hn. If there is none, or it is of another hn with the same name,
 * *ret_journal has hn 0. Returns 0, -EBADMSG (not a journal), or -errno of a file.
 */
int nv_journal_read(const char *run_dir, const struct nv_link *hn, struct nv_journal *ret_journal);

/*
 * Records what is about to change. @record: the journal of an earlier run, or empty. Where hn has
 * what that run gave it, the earlier journal is right about the value before. @whole: nothing of an
 * earlier run is in force; otherwise what its journal says about addresses and routes stays.
 * Returns 0 or -errno.
 */
int nv_journal_take(struct nv_kernel *kernel, const struct nv_link *hn,
	const struct nv_snapshot *now, const struct nv_plan *plan, bool whole,
	struct nv_journal *journal);

/*
 * Records the bridge ports that are about to change. If a run was killed in the middle of changing
 * them, the plan gets what that run recorded. Returns 0 or -errno.
 */
int nv_journal_ports(struct nv_journal *journal, struct nv_plan *plan);

/* Writes the journal, atomically. Returns 0 or -errno. */
int nv_journal_write(const char *run_dir, const char *hn, const struct nv_journal *journal);
void nv_journal_forget(const char *run_dir, const char *hn);

/*
 * Changes a plan that moves everything from the lagg to hn, so that hn is as it was: what rc.conf
 * gave the lagg does not move; what did not move is restored; what was added to the lagg since
 * moves too; what was removed from it since is not restored. Returns 0 or -errno.
 */
int nv_journal_amend(const struct nv_journal *journal, const struct nv_link_map *hn_to_lagg,
	struct nv_plan *plan);

/*
 * At the end of a move to the lagg: restores what an earlier run that was killed has left
 * provisional, namely reverse path filtering and addresses without duplicate address detection.
 */
void nv_journal_complete(
	struct nv_kernel *kernel, const struct nv_journal *journal, const struct nv_move *move);

/*
 * Restores the settings of hn that still have a port's value. Logs what fails. Returns 0, or -errno
 * of MTU and flags.
 */
int nv_journal_restore(
	struct nv_kernel *kernel, const struct nv_journal *journal, const struct nv_link *hn);
