/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rc.conf wants of an interface: ifconfig(8)'s words turned into values (the spec's part E).
 * Pure.
 */
#pragma once

#include "ifconfig/rcconf.h"
#include "kernel/types.h"

#define NV_IFCONFIG_EXPAND_MAX 2048 /* addresses from one range, FreeBSD's netif_ipexpand_max */

enum nv_dhcp_mode {
	NV_DHCP_NO,
	NV_DHCP_SYNC, /* SYNCDHCP, or DHCP with synchronous_dhclient=YES: wait for the lease */
	NV_DHCP_ASYNC, /* NOSYNCDHCP, or DHCP */
};

struct nv_dhcp_wanted {
	enum nv_dhcp_mode mode;
	bool background; /* background_dhclient[_IF] */
	const char *
		program; /* dhclient_program, default "/sbin/dhclient"; owned by rcconf or static */
	const char *flags; /* dhclient_flags[_IF]; "" when none */
};

struct nv_vlan_wanted {
	char name[IFNAMSIZ]; /* as it will be called on the lagg: lagg0.5, or the word given */
	uint16_t id;
	struct nv_ifconfig *config; /* its own configuration */
};

/* Addresses and routes have ifindex and oif 0: whoever applies them fills these in. */
struct nv_ifconfig {
	struct nv_addrs addrs; /* IPv6 first, then IPv4, in the order of rc.conf */
	struct nv_routes routes; /* static routes that belong to it, then its default routes */
	uint32_t mtu; /* 0: not said */
	bool has_mac;
	uint8_t mac[NV_MAC_LEN];
	char *description; /* NULL: not said */
	bool up; /* anything was configured, or the word "up"; false after "down" */
	bool accept_rtadv; /* -1… the word accept_rtadv in the IPv6 value */
	bool configured; /* rc.conf says anything of this interface */
	struct nv_dhcp_wanted dhcp;
	struct nv_vlan_wanted *vlan;
	size_t n_vlans;
};

/*
 * Builds what is wanted of interface @ifname, every key that concerns it: ifconfig_IF (else
 * ifconfig_DEFAULT), _ipv6, _aliases, _aliasN, ipv4_addrs_IF, _descr, vlans_IF with their own,
 * defaultrouter, ipv6_defaultrouter, static_routes and ipv6_static_routes whose gateway or `:IF`
 * belongs to it, dhclient keys.
 *
 * @lagg: the name that VLANs get in place of @ifname ("hn0.5" becomes "lagg0.5").
 * Words that are not understood are faults; what is understood is built all the same.
 * Returns 0, -EINVAL (@faults has an error), -ENOMEM.
 */
int nv_ifconfig_build(const struct nv_rcconf *rcconf, const char *ifname, const char *lagg,
	struct nv_faults *faults, struct nv_ifconfig **ret_config);
struct nv_ifconfig *nv_ifconfig_free(struct nv_ifconfig *config);
NV_DEFINE_AUTO(nv_ifconfig, struct nv_ifconfig *, nv_ifconfig_free);
