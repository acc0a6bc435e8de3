/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The move of a configuration from hn to its lagg, as a value: what is there now and what rc.conf
 * wants make what the lagg and the VLANs on it are to get. Pure.
 *
 * What rc.conf says wins; what it does not say is taken from the live configuration, so that one
 * who wrote no rc.conf loses nothing:
 *
 *   addresses  of a family that rc.conf gives addresses of: rc.conf's. Else, and where they come
 *              from DHCP or router advertisements: the live ones too. Link-local ones always.
 *   routes     rc.conf's, and the live ones to other destinations.
 *   rules, neighbours, next hops: the live ones.
 *   VLANs      rc.conf's, and the live ones with other ids.
 *   MTU, description: rc.conf's, else the live ones.
 *   place in a bridge: the live one.
 *
 * Where rc.conf is to count alone (its netvf_inherit is NO) and speaks of the interface, only
 * settings, VLANs, a place in a bridge and what a router or a DHCP server has given are taken from
 * the live configuration.
 */
#pragma once

#include "kernel/rtobject.h"
#include "rcconf/interface.h"

#define NV_MOVES_MAX 4096 /* the interface and its VLANs, and VLANs on these */

/* One moment of this network namespace. */
struct nv_snapshot {
	struct nv_links links;
	struct nv_addrs addrs;
	struct nv_rtobjs objs; /* those that name hn or a VLAN on it */
	struct nv_rtobjs ports; /* their places in bridges, and what was set in these for them */
};

/* What becomes of DHCP on the interface. */
enum nv_plan_client {
	NV_CLIENT_MOVE, /* rc.conf does not speak of IPv4: a client that runs now moves along */
	NV_CLIENT_START, /* rc.conf wants DHCP */
	NV_CLIENT_STOP, /* rc.conf gives fixed IPv4 addresses */
};

/* From one interface to another: hn to lagg, or a VLAN of hn's to its counterpart. */
struct nv_move {
	int from; /* ifindex; 0: a VLAN that only rc.conf knows, or the old one is deleted */
	int was; /* `from` as it was at first */
	char from_name[IFNAMSIZ]; /* "" when from is 0 */
	char to_name[IFNAMSIZ]; /* may be the same for a VLAN */
	uint16_t vlan_id; /* 0: the lagg itself, which is always the first move */
	uint8_t vlan[NV_VLAN_MAX]; /* as in nv_link, of the old interface */
	uint16_t vlan_length;
	size_t lower; /* VLANs: the move whose new interface this one's is stacked on */

	/* Filled by who applies it. */
	int to; /* ifindex; 0 as long as it does not exist */
	bool keeps; /* the new one has its own settings, MTU and description, and stays if all fails
		     */
	bool late; /* it had to wait until the old one was deleted */
	char accept_ra[16]; /* the old interface's own, of IPv6; "": as it is now */
	char rp_filter[16]; /* the old interface's, to be set again; "": was not touched */

	/* The old one's place in a bridge: a thing, and behind it MACs that are there by order. */
	struct nv_rtobjs port;
	char bridge[IFNAMSIZ]; /* "": it has none */
	bool both; /* the new one is a port of that bridge already: a run was killed */

	struct nv_addrs addrs; /* ifindex 0; in the order to add them: rc.conf's, then live ones */
	size_t n_said_addrs; /* how many of them are rc.conf's */
	struct nv_routes routes; /* rc.conf's, oif 0; those without a gateway first */
	uint32_t mtu; /* 0: as the lower one */
	uint32_t tx_queue_len, group; /* where there is an old interface */
	struct in6_addr token; /* of IPv6; "::": none */
	char description[256]; /* "" : none */
	bool up;
	bool accept_rtadv; /* rc.conf wants router advertisements; else as the old interface */
	enum nv_plan_client client;
	struct nv_dhcp_wanted dhcp; /* for NV_CLIENT_START; points into the configuration */
};

struct nv_plan {
	struct nv_move *move;
	size_t count; /* at least 1 */
	struct nv_rtobjs
		objs; /* live ones, on the old interfaces still, in the order to make them */
	struct nv_rtobjs left; /* live addresses and routes that do not move: rc.conf has others */
	bool is_said; /* rc.conf speaks of the interface: what is live need not fit in any more */
};

/*
 * Makes the plan for moving the configuration of link @hn to a link that is or will be called
 * @lagg. @wanted: of rc.conf, or NULL; must outlive the plan.
 * Returns 0; -ENODEV: no such hn; -EBUSY: something about hn cannot be moved (a master that is no
 * bridge or cannot have two ports for one, a stacked device that is no VLAN), and @ret_why has
 * become a sentence for a person; -ENAMETOOLONG, -E2BIG, -ENOMEM.
 */
int nv_plan_make(const struct nv_snapshot *snapshot, int hn, const char *lagg,
	const struct nv_interface *wanted, struct nv_plan *ret_plan, struct nv_str *ret_why);
void nv_plan_auto(struct nv_plan *plan);

/*
 * Whether there is nothing to move: neither rc.conf nor what is live configures the interface. An
 * IPv6 link-local address comes by itself, as does what the kernel makes for it.
 */
bool nv_plan_is_empty(const struct nv_plan *plan);

/* Whether a route belongs to the configuration, and does not come by itself, with an address. */
bool nv_plan_route_counts(const struct nv_route *route);

void nv_snapshot_auto(struct nv_snapshot *snapshot);
