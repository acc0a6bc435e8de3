/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD's sysctl names for hn(4), answered from links and pairs. Pure. */
#pragma once

#include "base/str.h"
#include "pair/match.h"
#include "pair/state.h"

struct nv_hn_sysctl_facts {
	const struct nv_links *links;
	const struct nv_pairs *pairs;
	const enum nv_port *active; /* one for each pair, in the order of pairs */
	const bool *managed; /* the same: a network manager configures hn */
	const struct nv_hn_config *config;
	unsigned int attwait; /* seconds */
};

typedef int (*nv_hn_sysctl_fn)(const char *name, const char *value, void *data);

/*
 * Calls @each with the name and value of every variable that exists now, in this order:
 * hw.hn.vf_transparent, hw.hn.vf_xpnt_accbpf, hw.hn.vf_xpnt_attwait, hw.hn.vflist, hw.hn.vfmap,
 * then for each hn dev.hn.N.vf, dev.hn.N.rxvf or dev.hn.N.vf_xpnt_enabled and so on. Two hns may
 * have the same N. The texts are valid until @each returns. If @each returns a value other than 0,
 * stops and returns that value. Returns 0 or -ENOMEM.
 */
int nv_hn_sysctl_each(const struct nv_hn_sysctl_facts *facts, nv_hn_sysctl_fn each, void *data);
