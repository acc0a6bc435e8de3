/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links -> pairs: a pure function of one link dump and the configuration.
 *
 * An hn is an Ethernet link that is not stacked (its kind is empty) with a synthetic driver:
 * hv_netvsc, virtio_net, vmxnet3, vif (xen-netfront), or one that the configuration names. A
 * virtual function whose physical function is here, too, is none (a virtio card has such
 * functions). Its VF is an Ethernet link on the PCI bus that is not stacked and has the same
 * permanent MAC address, or the same current one if the kernel knows no permanent one. For a pair
 * that the configuration names, kind and parent device do not matter. If no VF has hn's MAC
 * address, a named one is its VF all the same, with a MAC address of its own (pair/vf_mac.h).
 */
#pragma once

#include "pair/config.h"

enum nv_match_result {
	NV_MATCH_MANAGED, /* an hn with one VF or none */
	/*
	 * The kernel couples them itself: the VF has a master, or hn is a port of a bond or team
	 * that is not the pair's own lagg (a bond whose name begins with lagg, and is laggN or has
	 * hn's MAC address).
	 * The pair is only observed.
	 */
	NV_MATCH_OBSERVED,
	/* two hns have this MAC address, or two VFs belong to this hn: nothing is changed */
	NV_MATCH_REFUSED,
};

struct nv_pair {
	enum nv_match_result match;
	int hn; /* ifindex */
	int vf; /* ifindex; 0: there is none now */
	uint8_t mac[NV_MAC_LEN]; /* hn's */
	char why[160]; /* for OBSERVED and REFUSED: the reason as a sentence; else "" */
};

struct nv_pairs {
	struct nv_pair *pair; /* ascending by hn */
	size_t count;
};

/* Finds all pairs. Returns 0 or -ENOMEM; *ret_pairs is untouched on failure. */
int nv_pairs_find(const struct nv_links *links, const struct nv_hn_config *config,
	struct nv_pairs *ret_pairs);
void nv_pairs_auto(struct nv_pairs *pairs);

/*
 * Whether a change of a link may change the result of nv_pairs_find(). @links: as they are after
 * it. @old NULL: it is new. @new NULL: it is gone. A master matters to its ports.
 */
bool nv_pairs_depend(const struct nv_links *links, const struct nv_hn_config *config,
	const struct nv_link *old, const struct nv_link *new);

/*
 * Calls @each with the hn of each pair that is not the same in both, ascending: that is new, gone,
 * or has another VF, MAC address, result or reason.
 */
void nv_pairs_diff(const struct nv_pairs *old, const struct nv_pairs *new,
	void (*each)(int hn, void *data), void *data);

/*
 * Whether a link can be a pair's VF, whatever its MAC address is: an Ethernet interface on the PCI
 * bus that is neither stacked nor an hn, or one that netvf_pairs names as a VF.
 */
bool nv_link_may_be_vf(const struct nv_link *link, const struct nv_hn_config *config);

/* Whether a link can be an hn or a VF, whatever its MAC address is. */
bool nv_link_may_be_port(const struct nv_link *link, const struct nv_hn_config *config);

/* The pair that has this interface as its hn, or as its VF; NULL: none. Owned by @pairs. */
const struct nv_pair *nv_pairs_by_hn(const struct nv_pairs *pairs, int hn);
const struct nv_pair *nv_pairs_by_vf(const struct nv_pairs *pairs, int vf);

/*
 * All digits of an interface's name, as hyperv_vfup makes a unit of it: hn0 -> "0", enp0s3 -> "03".
 * Two names may have the same. "" if there are none.
 */
void nv_hn_unit(const char *ifname, char ret_unit[IFNAMSIZ]);

/*
 * The name of the lagg of an hn: "lagg" and the unit. Returns 0, -ENOENT (no digits), or
 * -ENAMETOOLONG.
 */
int nv_hn_lagg_name(const char *ifname, char ret_name[IFNAMSIZ]);

/* Whether it begins as the name of every lagg does. The interface need not be one. */
bool nv_is_lagg_name(const char *ifname);
