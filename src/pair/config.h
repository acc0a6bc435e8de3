/* SPDX-License-Identifier: BSD-2-Clause */
/* What the administrator says of pairing, as values: filled from rc.conf, read by the pure rooms.
 */
#pragma once

#include "kernel/types.h"
#include "pair/multicast.h"

#define NV_HN_PAIRS_MAX	  256
#define NV_HN_DRIVERS_MAX 32
#define NV_HN_NAMES_MAX	  256

/* netvf_pairs="hn0:vf0": these two are a pair, whatever their drivers and parents. */
struct nv_hn_named_pair {
	char hn[IFNAMSIZ];
	char vf[IFNAMSIZ];
};

/* netvf_lagg: what laggN is. */
enum nv_lagg_type {
	NV_LAGG_BPF, /* a device of its own, for which the data path receives and sends */
	NV_LAGG_BOND, /* the kernel's bond, with hn and VF as its ports */
};

/* netvf_vf_transparent: who keeps hn's configuration. */
enum nv_transparent {
	NV_TRANSPARENT_AUTO, /* hn where a network manager configures it, else laggN */
	NV_TRANSPARENT_NO, /* laggN */
	NV_TRANSPARENT_YES, /* hn */
};

struct nv_hn_config {
	enum nv_lagg_type lagg; /* netvf_lagg */
	enum nv_multicast multicast; /* netvf_multicast; once is its `auto' */
	enum nv_transparent transparent; /* netvf_vf_transparent, hw.hn.vf_transparent of FreeBSD */
	struct nv_hn_named_pair pair[NV_HN_PAIRS_MAX]; /* netvf_pairs */
	size_t n_pairs;
	char driver[NV_HN_DRIVERS_MAX]
		   [NV_NAME_LEN]; /* netvf_synthetic_drivers, besides the known */
	size_t n_drivers;
	char name[NV_HN_NAMES_MAX][IFNAMSIZ]; /* netvf_synthetic: interfaces that are an hn */
	size_t n_names;
	char transparent_name[NV_HN_NAMES_MAX][IFNAMSIZ]; /* netvf_vf_transparent_HN="YES" */
	size_t n_transparent_names;
	char opaque_name[NV_HN_NAMES_MAX][IFNAMSIZ]; /* netvf_vf_transparent_HN="NO" */
	size_t n_opaque_names;
};

/* Whether the pair of this hn is in transparent mode: its own word, else the global one. The names
 * with a word of their own are spelt as in rc.conf's keys, punctuation as '_'. @managed: a network
 * manager configures hn. */
bool nv_hn_is_transparent(const struct nv_hn_config *config, const char *hn, bool managed);
