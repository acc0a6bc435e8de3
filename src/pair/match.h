/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links -> pairs: a pure function of one link dump and the configuration.
 *
 * An hn is an Ethernet link, not stacked (kind empty), whose driver is synthetic: hv_netvsc,
 * virtio_net, vmxnet3, vif (xen-netfront), or named in the configuration. Its VF is an Ethernet
 * link, not stacked, on the PCI bus, with the same permanent MAC (the current one, where the kernel
 * knows no permanent one). A pair that the configuration names needs neither kind nor parent, only
 * equal MACs.
 */
#pragma once

#include "pair/config.h"

enum nv_match_result {
	NV_MATCH_OURS, /* hn with one VF, or with none */
	/*
	 * The kernel couples them itself: the VF has a master, or hn is a port of a bond or team,
	 * which is not the pair's own lagg (a bond called laggN after hn's unit or with hn's MAC).
	 * Watch, do nothing.
	 */
	NV_MATCH_COUPLED,
	NV_MATCH_AMBIGUOUS, /* two hns with this MAC, or two VFs for this hn: nothing is touched */
};

struct nv_pair {
	enum nv_match_result match;
	int hn; /* ifindex */
	int vf; /* ifindex; 0: none now */
	uint8_t mac[NV_MAC_LEN];
	char why[160]; /* for COUPLED and AMBIGUOUS: a sentence for a person; else "" */
};

struct nv_pairs {
	struct nv_pair *pair; /* ascending by hn */
	size_t count;
};

/* Returns 0 or -ENOMEM. */
int nv_pairs_find(const struct nv_links *links, const struct nv_hn_config *config,
	struct nv_pairs *ret_pairs);
void nv_pairs_auto(struct nv_pairs *pairs);

/*
 * Whether a link can be a pair's VF, whatever its MAC and whatever else there is: an Ethernet
 * interface on the PCI bus, not stacked and no hn, or one that netvf_pairs names as a VF.
 */
bool nv_link_may_be_vf(const struct nv_link *link, const struct nv_hn_config *config);

/* The pair of which an interface is the hn, or the VF; NULL: none. Owned by @pairs. */
const struct nv_pair *nv_pairs_by_hn(const struct nv_pairs *pairs, int hn);
const struct nv_pair *nv_pairs_by_vf(const struct nv_pairs *pairs, int vf);

/* All digits of an interface's name, as hyperv_vfup counts units: hn0 -> "0", enp0s3 -> "03".
 * "" when there is none. */
void nv_hn_unit(const char *ifname, char ret_unit[IFNAMSIZ]);

/* The lagg that belongs to an hn: "lagg" and its unit. -ENOENT without digits, -ENAMETOOLONG. */
int nv_hn_lagg_name(const char *ifname, char ret_name[IFNAMSIZ]);
