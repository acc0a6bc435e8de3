/* SPDX-License-Identifier: BSD-2-Clause */
/* What rc.conf wants of an interface: ifconfig(8)'s words turned into values. Pure. */
#pragma once

#include "kernel/types.h"
#include "rcconf/rcconf.h"

#define NV_INTERFACE_EXPAND_MAX 2048 /* addresses from one range, FreeBSD's netif_ipexpand_max */
#define NV_INTERFACE_ADDRS_MAX	4096 /* addresses of an interface and its VLANs together */
#define NV_INTERFACE_ROUTES_MAX 4096 /* routes of an interface and its VLANs together */
#define NV_INTERFACE_VLANS_MAX	256 /* VLANs of an interface */

enum nv_dhcp_mode {
	NV_DHCP_NO,
	NV_DHCP_SYNC, /* SYNCDHCP, or DHCP with synchronous_dhclient=YES: wait for the lease */
	NV_DHCP_ASYNC, /* NOSYNCDHCP, or DHCP */
};

struct nv_dhcp_wanted {
	enum nv_dhcp_mode mode;
	bool background; /* background_dhclient[_IF] */
	const char *program; /* dhclient_program; NULL: what the system has; owned by rcconf */
	const char *flags; /* dhclient_flags[_IF]; "" when none; owned as the program */
};

struct nv_vlan_wanted {
	char name[IFNAMSIZ]; /* as it will be called on the lagg: lagg0.5, or the word given */
	uint16_t id; /* 1 to 4094 */
	struct nv_interface *config; /* its own configuration */
};

/* Addresses and routes have ifindex and oif 0: whoever applies them fills these in. */
struct nv_interface {
	struct nv_addrs addrs; /* IPv6 first, then IPv4, each in the order of rc.conf */
	struct nv_routes routes; /* static routes that belong to it, then its default routes */
	uint32_t mtu; /* 0: not said */
	bool has_mac;
	uint8_t mac[NV_MAC_LEN];
	char *description; /* NULL: not said; "": none is wanted */
	bool up; /* anything was configured, or the word "up"; false after "down" */
	bool accept_rtadv; /* the word accept_rtadv: listen to router advertisements */
	bool configured; /* rc.conf says anything of this interface */
	bool alone; /* for who plans: what is live and not in rc.conf does not move */
	struct nv_dhcp_wanted dhcp;
	struct nv_vlan_wanted *vlan;
	size_t n_vlans;
};

/*
 * Builds what is wanted of interface @ifname out of every key that concerns it: ifconfig_IF (else
 * ifconfig_DEFAULT), _ipv6, _aliases, _aliasN, ipv4_addrs_IF, ipv6_prefix_IF, _descr, vlans_IF with
 * their own, defaultrouter, ipv6_defaultrouter, static_routes, ipv6_static_routes and
 * static_routes_IF, dhclient's keys. Of the routes it takes those tied to the interface (`NAME:IF`,
 * `-interface IF`, a gateway "fe80::1%IF") and those whose gateway one of its networks holds.
 *
 * @lagg: the name that VLANs get in place of @ifname ("hn0.5" becomes "lagg0.5"); NULL: @ifname.
 * @mac: of the interface, for addresses made from it (ipv6_prefix_IF, eui64); NULL: those are
 *       left out.
 *
 * What is not understood is a fault; what is understood is built all the same, so that a slip in
 * one key does not cut a machine off. @ret_config is the caller's, and must not outlive @rcconf.
 * Returns 0, also when faults were added, or -ENOMEM.
 */
int nv_interface_build(const struct nv_rcconf *rcconf, const char *ifname, const char *lagg,
	const uint8_t *mac, struct nv_faults *faults, struct nv_interface **ret_config);
struct nv_interface *nv_interface_free(struct nv_interface *config);
NV_DEFINE_AUTO(nv_interface, struct nv_interface *, nv_interface_free);
