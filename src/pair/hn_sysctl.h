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

/*
 * Writes the value of one of hw.hn.vf_transparent, hw.hn.vf_xpnt_accbpf, hw.hn.vf_xpnt_attwait,
 * hw.hn.vflist, hw.hn.vfmap, dev.hn.N.vf, dev.hn.N.rxvf, dev.hn.N.vf_xpnt_enabled… to @value,
 * which is cleared first. Returns 0, -ENOENT (no such name), -ENOMEM.
 */
int nv_hn_sysctl_get(
	const struct nv_hn_sysctl_facts *facts, const char *name, struct nv_str *value);

/* Calls @each with every name that exists now, in order; stops and returns what is not 0. */
int nv_hn_sysctl_each(const struct nv_hn_sysctl_facts *facts,
	int (*each)(const char *name, void *data), void *data);
