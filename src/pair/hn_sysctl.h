/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD's sysctl names for hn(4) (the spec's part C.9), answered from links and pairs. Pure. */
#pragma once

#include "base/str.h"
#include "pair/match.h"
#include "pair/state.h"

struct nv_hn_sysctl_facts {
	const struct nv_links *links;
	const struct nv_pairs *pairs;
	const enum nv_port *active; /* one for each of pairs, in their order */
	const bool *managed; /* the same: whether a network manager configures hn */
	const struct nv_hn_config *config;
	unsigned int attwait; /* seconds */
};

typedef int (*nv_hn_sysctl_fn)(const char *name, const char *value, void *data);

/*
 * Calls @each with every name that exists now and its value, in order: hw.hn.vf_transparent,
 * hw.hn.vf_xpnt_accbpf, hw.hn.vf_xpnt_attwait, hw.hn.vflist, hw.hn.vfmap, then for each hn
 * dev.hn.N.vf, dev.hn.N.rxvf, or dev.hn.N.vf_xpnt_enabled…; two hns may have one N. Both texts are
 * valid until it returns. Stops and returns what is not 0. Returns 0 or -ENOMEM.
 */
int nv_hn_sysctl_each(const struct nv_hn_sysctl_facts *facts, nv_hn_sysctl_fn each, void *data);
