/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside nv_interface_build(): its parts, and what they share. */
#pragma once

#include "rcconf/interface.h"

/* What an interface and its VLANs may still take together. */
struct nv_build_budget {
	size_t addrs;
	size_t routes;
};

struct nv_build {
	const struct nv_rcconf *rcconf;
	struct nv_faults *faults;
	const char *ifname; /* as rc.conf calls it */
	const char *lagg; /* as it will be called; may be the same */
	const uint8_t *mac; /* NULL: not known */
	struct nv_build_budget *budget;
	struct nv_interface *config; /* being filled */
	struct nv_addrs v4; /* config->addrs, until all are known */
	struct nv_addrs v6;
	bool down; /* the last of the words up and down was down */
	bool noauto; /* the word NOAUTO */
	bool sync_said; /* SYNCDHCP or NOSYNCDHCP, which overrule DHCP */
	bool is_vlan; /* has no VLANs of its own */
	int error; /* 0 or -ENOMEM */
};

/* Which rules a value follows. */
enum nv_build_value {
	NV_BUILD_PRIMARY, /* ifconfig_IF: keywords; no family word means inet */
	NV_BUILD_IPV6, /* ifconfig_IF_ipv6: keywords; must begin with inet6 */
	NV_BUILD_ALIASES, /* _aliases, _aliasN: a family word before each address */
	NV_BUILD_ALIASES6, /* ipv6_ifconfig_IF_aliasN: no family word means inet6 */
	NV_BUILD_LIST4, /* ipv4_addrs_IF: nothing but IPv4 addresses */
	NV_BUILD_LIST6, /* ipv6_prefix_IF: nothing but prefixes */
};

/* Takes in the value of @key; nothing when it is unset. Faults go to build->faults. */
void nv_build_keywords(struct nv_build *build, const char *key, enum nv_build_value kind);

/* Sets the description; a fault of @key when it is too long. */
void nv_build_describe(struct nv_build *build, const char *key, const char *text);

/* Fills build->config from every key of the interface. Returns 0 or -ENOMEM. */
int nv_build_interface(struct nv_build *build);

/* Takes in vlans_IF, and builds each. */
void nv_build_vlans(struct nv_build *build);

/* Takes in every route of rc.conf that belongs to the interface; its addresses must be known. */
void nv_build_static_routes(struct nv_build *build);

/* Whether @name is the interface's, the old or the new one, by rc.conf's spelling (hn0_5 is hn0.5).
 */
bool nv_build_is_own_name(const struct nv_build *build, const char *name);

/* Adds a fault of @key's value. */
#define nv_build_fault(build, key, ...) \
	nv_rcconf_fault((build)->rcconf, key, NV_FAULT_ERROR, (build)->faults, __VA_ARGS__)
#define nv_build_warn(build, key, ...) \
	nv_rcconf_fault((build)->rcconf, key, NV_FAULT_WARNING, (build)->faults, __VA_ARGS__)
