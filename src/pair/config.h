/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The administrator's settings about pairs, as values. They are read from rc.conf; the pure
 * directories use them.
 */
#pragma once

#include "kernel/types.h"
#include "pair/multicast.h"

#define NV_HN_PAIRS_MAX	  1024
#define NV_HN_DRIVERS_MAX 32
#define NV_HN_NAMES_MAX	  256

/* netvf_pairs="hn0:vf0": these two are a pair, whatever their drivers and parent devices. */
struct nv_hn_named_pair {
	char hn[IFNAMSIZ];
	char vf[IFNAMSIZ];
};

/* netvf_lagg: what laggN is. */
enum nv_lagg_type {
	NV_LAGG_BPF, /* a device of its own; the data path receives and sends for it */
	NV_LAGG_BOND, /* an active-backup bond of the kernel with hn and VF as its ports */
	/*
	 * No type but a setting: a bond if the kernel has bonding and the VF is down when it
	 * appears; else a device of its own
	 */
	NV_LAGG_AUTO,
};

/* netvf_vf_transparent: whether hn keeps its configuration. */
enum nv_transparent {
	NV_TRANSPARENT_AUTO, /* yes if a network manager configures hn, else no */
	NV_TRANSPARENT_NO, /* no: it moves to laggN */
	NV_TRANSPARENT_YES, /* yes */
};

struct nv_hn_config {
	enum nv_lagg_type lagg; /* netvf_lagg */
	enum nv_multicast multicast; /* netvf_multicast; NV_MULTICAST_ONCE is its "auto" */
	enum nv_transparent transparent; /* netvf_vf_transparent; FreeBSD: hw.hn.vf_transparent */
	struct nv_hn_named_pair pair[NV_HN_PAIRS_MAX]; /* netvf_pairs */
	size_t n_pairs;
	char driver[NV_HN_DRIVERS_MAX]
		   [NV_NAME_LEN]; /* netvf_synthetic_drivers, in addition to the known ones */
	size_t n_drivers;
	char name[NV_HN_NAMES_MAX][IFNAMSIZ]; /* netvf_synthetic: interfaces that are an hn */
	size_t n_names;
	char transparent_name[NV_HN_NAMES_MAX][IFNAMSIZ]; /* netvf_vf_transparent_HN="YES" */
	size_t n_transparent_names;
	char opaque_name[NV_HN_NAMES_MAX][IFNAMSIZ]; /* netvf_vf_transparent_HN="NO" */
	size_t n_opaque_names;
};

/*
 * Whether the pair of this hn is in transparent mode: the setting for this hn, else the global one.
 * Names in the settings are written as in the keys of rc.conf, with '_' for punctuation. @managed:
 * a network manager configures hn.
 */
bool nv_hn_is_transparent(const struct nv_hn_config *config, const char *hn, bool managed);
