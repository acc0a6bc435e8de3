/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The move of a configuration from hn to its lagg, as a value. It is computed from what is there
 * now and what rc.conf wants. Pure.
 *
 * What rc.conf says wins. What it does not mention is taken from the live configuration, so that
 * nothing is lost without an rc.conf:
 *
 *   addresses: of a family for which rc.conf has addresses: rc.conf's. Otherwise, and if they
 *              come from DHCP or router advertisements: the live ones too. Link-local ones always.
 *   routes: rc.conf's, and the live ones to other destinations.
 *   rules, neighbours, next hops: the live ones.
 *   VLANs: rc.conf's, and the live ones with other ids.
 *   MTU, description: rc.conf's, else the live ones.
 *   bridge port: the live one.
 *
 * If rc.conf mentions the interface and netvf_inherit is NO, only settings, VLANs, a bridge port
 * and what a router or a DHCP server gave are taken from the live configuration.
 */
#pragma once

#include "kernel/rtobject.h"
#include "rcconf/interface.h"

#define NV_MOVES_MAX 4096 /* the interface, its VLANs, and VLANs on these */

/* The state of this network namespace at one moment. */
struct nv_snapshot {
	struct nv_links links;
	struct nv_addrs addrs;
	struct nv_rtobjs objs; /* those that name hn or a VLAN on it */
	struct nv_rtobjs ports; /* their bridge ports, and the bridges' static entries for them */
};

/* What happens to DHCP on the interface. */
enum nv_plan_client {
	NV_CLIENT_MOVE, /* rc.conf does not mention IPv4: a client that runs now moves too */
	NV_CLIENT_START, /* rc.conf wants DHCP */
	NV_CLIENT_STOP, /* rc.conf gives fixed IPv4 addresses */
};

/* One interface of a move: from hn to the lagg, or from a VLAN on hn to its counterpart. */
struct nv_move {
	int from; /* ifindex; 0: a VLAN that only rc.conf has, or the old one is deleted */
	int was; /* the first value of `from` */
	char from_name[IFNAMSIZ]; /* "" when from is 0 */
	char to_name[IFNAMSIZ]; /* a VLAN may keep its name */
	uint16_t vlan_id; /* 0: the lagg itself, which is always the first move */
	uint8_t vlan[NV_VLAN_MAX]; /* the old interface's, as in nv_link */
	uint16_t vlan_length;
	bool has_mac; /* the VLAN has a MAC address of its own: */
	uint8_t mac[NV_MAC_LEN];
	uint8_t addr_gen_mode; /* the old VLAN's */
	size_t lower; /* for a VLAN: the index of the move whose new interface it is stacked on */

	/* Set by apply. */
	int to; /* ifindex; 0 until it exists */
	/*
	 * the new interface existed before the first move: it keeps its settings, MTU and
	 * description, and stays on failure
	 */
	bool keeps;
	bool late; /* it could be made only after the old one was deleted */
	char accept_ra[16]; /* the old interface's IPv6 setting; "": its current one */
	/* what nv_sysctls_save() has read; each as PATH=VALUE, with the new interface's path */
	struct nv_words sysctls;
	unsigned int mtu6; /* IPv6 MTU; 0: the link's */
	/*
	 * values to be restored; "": not changed. The first may be set before, to the old
	 * interface's own
	 */
	char rp_filter[16];
	char to_rp_filter[16];

	/*
	 * The old one's bridge port: an rtobject, followed by the static entries of the forwarding
	 * database.
	 */
	struct nv_rtobjs port;
	char bridge[IFNAMSIZ]; /* name of the bridge; "": it is not a bridge port */
	bool both; /* the new one is a port of that bridge already: a run was killed */

	/* ifindex is 0; in the order to add them: rc.conf's, then live ones */
	struct nv_addrs addrs;
	size_t n_configured_addrs; /* how many of them are rc.conf's */
	bool inherits4, inherits6; /* live addresses of the family move along */
	struct nv_addrs seen; /* the old interface's, when the plan was made */
	struct nv_addrs had; /* the new one's, before a DHCP client was started there */
	struct nv_routes routes; /* rc.conf's; oif is 0; those without a gateway first */
	uint32_t mtu; /* 0: that of the lower device */
	uint32_t tx_queue_len, group; /* if there is an old interface */
	struct in6_addr token; /* IPv6 token; "::": none */
	char description[256]; /* "": none */
	bool up;
	bool accept_rtadv; /* rc.conf wants router advertisements; else as on the old interface */
	enum nv_plan_client client;
	struct nv_dhcp_wanted dhcp; /* for NV_CLIENT_START; points into the configuration */
};

struct nv_plan {
	struct nv_move *move;
	size_t count; /* at least 1 */
	struct nv_rtobjs
		objs; /* live ones, still with the old interfaces, in the order to add them */
	/* live addresses and routes that do not move because rc.conf has others */
	struct nv_rtobjs dropped;
	bool is_configured; /* rc.conf mentions the interface: a live object may not fit any more */
	bool exclusive; /* live routes and the like do not move: rc.conf has netvf_inherit=NO */
};

/*
 * Makes the plan for moving the configuration of link @hn to a link that is or will be called
 * @lagg. @wanted: from rc.conf, or NULL; must outlive the plan.
 * Returns 0; -ENODEV: there is no such hn; -EBUSY: something on hn cannot be moved (a master that
 * is not a bridge or whose bridge cannot have two ports for one, a stacked device that is not a
 * VLAN, a VLAN that the lagg has under another name), and @ret_why is a sentence that says what;
 * -ENAMETOOLONG, -E2BIG, -ENOMEM.
 */
int nv_plan_make(const struct nv_snapshot *snapshot, int hn, const char *lagg,
	const struct nv_interface *wanted, struct nv_plan *ret_plan, struct nv_str *ret_why);
void nv_plan_auto(struct nv_plan *plan);

/*
 * Whether there is nothing to move: neither rc.conf nor the live state configures the interface. An
 * IPv6 link-local address does not count, and neither does what the kernel adds for it.
 */
bool nv_plan_is_empty(const struct nv_plan *plan);

/*
 * Whether a route belongs to the configuration. False for one that the kernel adds with an address,
 * and for one of backup_routes.h.
 */
bool nv_plan_route_counts(const struct nv_route *route);

/* Whether somebody has copied the route to a network to another table, as from `ip route show`. */
bool nv_plan_is_copied_network(const struct nv_route *route);

/* The address with the flags and the label that it has on another interface; ifindex is 0. */
struct nv_addr nv_plan_addr_on(const struct nv_addr *addr, const char *from, const char *to);

/*
 * Whether the new interface can only be made after the old one is deleted: a VLAN that keeps its
 * name, or one that is stacked on such a VLAN.
 */
bool nv_plan_is_late(const struct nv_plan *plan, const struct nv_move *move);

void nv_snapshot_auto(struct nv_snapshot *snapshot);
