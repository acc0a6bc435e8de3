/* SPDX-License-Identifier: BSD-2-Clause */
/* The hooks in the kernel (bpf/hooks.bpf.c): tracing programs, held by pins beside those of the
 * maps. */
#pragma once

#include "datapath/pins.h"

/* What is attached, and what of it has been seen to run. Masks of 1 << enum nv_hook. */
struct nv_hooks {
	int runs; /* map: enum nv_hook -> how often it has run; -1: no hook is attached */
	unsigned int attached;
	unsigned int relied; /* seen to run, or sure to run where it is attached */
};

#define NV_HOOKS_NONE      \
	(struct nv_hooks)  \
	{                  \
		.runs = -1 \
	}

void nv_hooks_auto(struct nv_hooks *hooks);

/*
 * Attaches those hooks whose functions the kernel has, to work on these maps, each in place of one
 * that is pinned, without a moment between. Then has a device of its own, in a network namespace
 * of its own, close, lose its carrier and go, and takes down which hooks have run: a name in the
 * kernel is no proof that the function is called. That needs CAP_SYS_ADMIN or user namespaces;
 * without, what is attached is relied on, and nv_hooks_moment() tells what has run. It blocks for
 * that long: some 100 ms, at most 20 s.
 *
 * Returns 0: @ret_hooks is to be freed by nv_hooks_auto(); or -errno: no hook is attached, and
 * why.
 */
int nv_hooks_attach(
	const char *run_dir, const struct nv_objects *objects, struct nv_hooks *ret_hooks);

/* Takes away what is there. */
void nv_hooks_detach(const char *run_dir);

/*
 * Whether each change of a device's state that makes it cease to send is seen by a hook. Else the
 * programs must look before each frame.
 */
bool nv_hooks_suffice(const struct nv_hooks *hooks);

/* Who sees a moment. @looks: without hooks that suffice, the programs look before each frame. */
void nv_hooks_moment(const struct nv_hooks *hooks, enum nv_dp_moment_id moment, bool looks,
	struct nv_dp_moment *ret_moment);

/* Has the programs trust the hooks, or look before each frame, in all pairs that are and will be.
 */
void nv_hooks_trust(const struct nv_table *table, bool on);

/* The VF of an entry is another than was looked at. */
static inline void nv_hooks_sign(struct nv_entry *entry)
{
	__atomic_fetch_add(&entry->signs, NV_SIGN, __ATOMIC_SEQ_CST);
}

/*
 * In a child process and namespaces of its own: makes a device, opens it, has it lose its carrier,
 * closes it, opens and deletes it. Returns 0 or -errno: -EPERM (no namespace may be made),
 * -EOPNOTSUPP (no kind of device that will do), -ETIMEDOUT.
 */
int nv_hooks_exercise(void);
