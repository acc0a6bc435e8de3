/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks in the kernel (bpf/hooks.bpf.c): tracing programs, held by pins beside those of the
 * maps.
 */
#pragma once

#include "datapath/pins.h"

/* What is attached, and what of it has been seen to run. Masks of 1 << enum nv_hook. */
struct nv_hooks {
	int runs; /* map: enum nv_hook -> number of its runs; -1: no hook is attached */
	unsigned int attached;
	unsigned int relied; /* seen to run, or sure to run if attached */
};

#define NV_HOOKS_NONE      \
	(struct nv_hooks)  \
	{                  \
		.runs = -1 \
	}

void nv_hooks_auto(struct nv_hooks *hooks);

/*
 * Attaches the hooks whose functions the kernel has, for these maps. Each replaces a pinned one
 * without a gap. Then opens and closes a device of its own, in a network namespace of its own, lets
 * it lose its carrier and deletes it, and records which hooks have run: a function in the kernel
 * need not be called. This needs CAP_SYS_ADMIN or user namespaces; without them, all attached hooks
 * are relied on, and nv_hooks_moment() reports which have run. Blocks for some 100 ms, at most 20
 * s. @runs: the map of hooks that these replace, whose counts continue; -1: none.
 *
 * Returns 0, and *ret_hooks is freed with nv_hooks_auto(); or -errno: no hook is attached.
 */
int nv_hooks_attach(const char *run_dir, const struct nv_objects *objects, int runs,
	struct nv_hooks *ret_hooks);

/* Removes all hooks. */
void nv_hooks_detach(const char *run_dir);

/*
 * Whether hooks see each change of a device's state after which it cannot send. If not, the
 * programs must look before each frame.
 */
bool nv_hooks_suffice(const struct nv_hooks *hooks);

/* What sees a moment. @looks: without sufficient hooks, the programs look before each frame. */
void nv_hooks_moment(const struct nv_hooks *hooks, enum nv_dp_moment_id moment, bool looks,
	struct nv_dp_moment *ret_moment);

/*
 * Makes the programs rely on the hooks, or look before each frame, in all pairs, current and future
 * ones.
 */
void nv_hooks_trust(const struct nv_table *table, bool on);

/* The VF of an entry is not the one that the programs looked at. */
static inline void nv_hooks_count_event(struct nv_entry *entry)
{
	__atomic_fetch_add(&entry->event_seq, NV_EVENT, __ATOMIC_SEQ_CST);
}

/*
 * In a child process and namespaces of its own: makes a device, opens it, lets it lose its carrier,
 * closes it, opens it and deletes it. So all attached hooks of the machine run. Returns 0 or
 * -errno: -EPERM (no namespace can be made), -EOPNOTSUPP (no suitable kind of device), -ETIMEDOUT.
 */
int nv_hooks_exercise(void);
