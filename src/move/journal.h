/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hn was before its configuration moved, in the run directory: only what cannot be read from
 * the kernel any more. It is written before anything is changed, and goes when hn is as it was.
 */
#pragma once

#include "kernel/kernel.h"
#include "move/plan.h"

/* The settings of hn that a lagg's port has otherwise. */
struct nv_journal_settings {
	uint32_t mtu;
	bool up;
	bool all_multicast;
	uint8_t addr_gen_mode;
	char accept_ra[16]; /* "": this kernel has no such setting */
	char rp_filter[16];
};

struct nv_journal {
	int hn; /* ifindex; 0: there is no record */
	uint8_t mac[NV_MAC_LEN];
	uint64_t taken; /* seconds since boot, for lifetimes */
	uint32_t lagg_mtu; /* what hn got */
	struct nv_journal_settings settings;
	struct nv_rtobjs addrs; /* all addresses that hn had, in the kernel's order */
	struct nv_rtobjs displaced; /* of these and of routes and the like: what did not move */
	struct nv_rtobjs ports; /* places in bridges, as they were before the last move began */
	struct nv_rtobjs said; /* addresses and routes that the lagg got from rc.conf */
};

void nv_journal_auto(struct nv_journal *journal);

/*
 * Reads the record of link @hn. There may be none, or one of another hn of that name: then the
 * record's hn is 0. Returns 0, -EBADMSG (not a record of ours), or -errno of a file.
 */
int nv_journal_read(const char *run_dir, const struct nv_link *hn, struct nv_journal *ret_journal);

/*
 * Takes down what is about to change. @record: of an earlier run, or empty; where hn has what that
 * run gave it, its word on what was before counts. @whole: nothing of an earlier run is in force;
 * else what it says of addresses and routes stays.
 */
int nv_journal_take(struct nv_kernel *kernel, const struct nv_link *hn,
	const struct nv_snapshot *now, const struct nv_plan *plan, bool whole,
	struct nv_journal *journal);

/*
 * Takes down the places in bridges that are about to change; where a run was killed in the midst of
 * it, the plan gets what was taken down then. Returns 0 or -errno.
 */
int nv_journal_ports(struct nv_journal *journal, struct nv_plan *plan);

/* Writes it, at once and whole. Returns 0 or -errno. */
int nv_journal_write(const char *run_dir, const char *hn, const struct nv_journal *journal);
void nv_journal_forget(const char *run_dir, const char *hn);

/*
 * Makes a plan for moving everything from the lagg to hn one that leaves hn as it was: what rc.conf
 * gave the lagg does not come, what did not move is there again; what has come to the lagg since
 * comes along, and what was taken from it since does not come back. Returns 0 or -errno.
 */
int nv_journal_amend(const struct nv_journal *journal, const struct nv_link_map *hn_to_lagg,
	struct nv_plan *plan);

/*
 * At the end of a move to the lagg: what an earlier run that was killed has left provisional,
 * reverse path filtering and addresses without detection, is as it was on hn.
 */
void nv_journal_settle(
	struct nv_kernel *kernel, const struct nv_journal *journal, const struct nv_move *move);

/*
 * Gives hn its settings back, those that are still as a port's. Logs what fails.
 * Returns 0, or -errno of MTU and flags.
 */
int nv_journal_restore(
	struct nv_kernel *kernel, const struct nv_journal *journal, const struct nv_link *hn);
