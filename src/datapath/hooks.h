/* SPDX-License-Identifier: BSD-2-Clause */
/* The hooks in the kernel (bpf/hooks.bpf.c): tracing programs, held by pins beside those of the
 * maps. */
#pragma once

#include "datapath/pins.h"

/*
 * Attaches hooks that work on these maps, each in place of one that is pinned, without a moment
 * between. Returns 0: all are in force; or -errno: not all are.
 */
int nv_hooks_attach(const char *run_dir, const struct nv_objects *objects);

/* Takes away what is there. */
void nv_hooks_detach(const char *run_dir);

/* Has the programs trust the hooks, or look before each frame, in all pairs that are and will be.
 */
void nv_hooks_trust(const struct nv_table *table, bool on);

/* The VF of an entry is another than was looked at. */
static inline void nv_hooks_sign(struct nv_entry *entry)
{
	__atomic_fetch_add(&entry->signs, NV_SIGN, __ATOMIC_SEQ_CST);
}
