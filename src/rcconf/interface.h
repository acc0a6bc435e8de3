/* SPDX-License-Identifier: BSD-2-Clause */
/* What rc.conf wants for an interface: the words of ifconfig(8) as values. Pure. */
#pragma once

#include "kernel/types.h"
#include "rcconf/rcconf.h"

#define NV_INTERFACE_EXPAND_MAX 2048 /* addresses from one range; FreeBSD: netif_ipexpand_max */
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
	/* dhclient_program; NULL: the client that is installed; owned by rcconf */
	const char *program;
	const char *flags; /* dhclient_flags[_IF]; "" if there are none; owned like program */
};

struct nv_vlan_wanted {
	char name[IFNAMSIZ]; /* its name on the lagg: lagg0.5, or the word of vlans_IF */
	uint16_t id; /* 1 to 4094 */
	struct nv_interface *config; /* the VLAN's own configuration */
};

/* Addresses have ifindex 0 and routes have oif 0: the caller sets them. */
struct nv_interface {
	struct nv_addrs addrs; /* IPv6 first, then IPv4, each in the order of rc.conf */
	struct nv_routes routes; /* its static routes, then its default routes */
	uint32_t mtu; /* 0: not set */
	bool has_mac;
	uint8_t mac[NV_MAC_LEN];
	char *description; /* NULL: not set; "": remove it */
	bool up; /* something was configured, or the word "up"; false after the word "down" */
	bool accept_rtadv; /* the word accept_rtadv: accept router advertisements */
	bool configured; /* rc.conf mentions this interface */
	bool exclusive; /* netvf_inherit is NO: what is live and not in rc.conf does not move */
	struct nv_dhcp_wanted dhcp;
	struct nv_vlan_wanted *vlan;
	size_t n_vlans;
};

/*
 * Builds the configuration of interface @ifname from all keys that concern it: ifconfig_IF (else
 * ifconfig_DEFAULT), _ipv6, _aliases, _aliasN, ipv4_addrs_IF, ipv6_prefix_IF, _descr, vlans_IF with
 * the VLANs' own keys, defaultrouter, ipv6_defaultrouter, static_routes, ipv6_static_routes and
 * static_routes_IF, dhclient's keys. A route belongs to the interface if it names it (`NAME:IF`,
 * `-interface IF`, a gateway "fe80::1%IF") or if one of the interface's networks holds its gateway.
 *
 * @lagg: VLANs get this name in place of @ifname ("hn0.5" becomes "lagg0.5"); NULL: @ifname.
 * @mac: the interface's MAC address, for addresses that are made from it (ipv6_prefix_IF, eui64);
 *       NULL: those are left out.
 *
 * What cannot be understood is a fault, and the rest is used all the same: a mistake in one key
 * must not disconnect a machine. *ret_config belongs to the caller and must not outlive @rcconf.
 * Returns 0, also if faults were added, or -ENOMEM.
 */
int nv_interface_build(const struct nv_rcconf *rcconf, const char *ifname, const char *lagg,
	const uint8_t *mac, struct nv_faults *faults, struct nv_interface **ret_config);
struct nv_interface *nv_interface_free(struct nv_interface *config);
NV_DEFINE_AUTO(nv_interface, struct nv_interface *, nv_interface_free);
