/* SPDX-License-Identifier: BSD-2-Clause */
/* Internal to nv_interface_build(): its parts, and what they share. */
#pragma once

#include "rcconf/interface.h"

/* What an interface and its VLANs together may still have. */
struct nv_build_budget {
	size_t addrs;
	size_t routes;
};

struct nv_build {
	const struct nv_rcconf *rcconf;
	struct nv_faults *faults;
	const char *ifname; /* the name in rc.conf */
	const char *lagg; /* the name on the lagg; may be the same */
	const uint8_t *mac; /* NULL: it is not known */
	struct nv_build_budget *budget;
	struct nv_interface *config; /* being filled */
	struct nv_addrs v4; /* for config->addrs, until all addresses are known */
	struct nv_addrs v6;
	bool down; /* the word down came after the word up */
	bool noauto; /* the word NOAUTO */
	bool sync_said; /* SYNCDHCP or NOSYNCDHCP was read; they override DHCP */
	bool is_vlan; /* it may have no VLANs itself */
	int error; /* 0 or -ENOMEM */
};

/* How a value is to be read. */
enum nv_build_value {
	NV_BUILD_PRIMARY, /* ifconfig_IF: keywords; no family word means inet */
	NV_BUILD_IPV6, /* ifconfig_IF_ipv6: keywords; must begin with inet6 */
	NV_BUILD_ALIASES, /* _aliases, _aliasN: a family word before each address */
	NV_BUILD_ALIASES6, /* ipv6_ifconfig_IF_aliasN: no family word means inet6 */
	NV_BUILD_LIST4, /* ipv4_addrs_IF: IPv4 addresses only */
	NV_BUILD_LIST6, /* ipv6_prefix_IF: prefixes only */
};

/* Reads the value of @key; does nothing if it is unset. Faults are added to build->faults. */
void nv_build_keywords(struct nv_build *build, const char *key, enum nv_build_value kind);

/* Sets the description; adds a fault for @key if it is too long. */
void nv_build_describe(struct nv_build *build, const char *key, const char *text);

/* Fills build->config from all keys of the interface. Returns 0 or -ENOMEM. */
int nv_build_interface(struct nv_build *build);

/* Reads vlans_IF and builds each VLAN. */
void nv_build_vlans(struct nv_build *build);

/* Reads all routes of rc.conf that belong to the interface. Its addresses must be known. */
void nv_build_static_routes(struct nv_build *build);

/*
 * Whether @name is the old or the new name of the interface, as written in a key (hn0_5 is hn0.5).
 */
bool nv_build_is_own_name(const struct nv_build *build, const char *name);

/* Adds a fault for the value of @key. */
#define nv_build_fault(build, key, ...) \
	nv_rcconf_fault((build)->rcconf, key, NV_FAULT_ERROR, (build)->faults, __VA_ARGS__)
#define nv_build_warn(build, key, ...) \
	nv_rcconf_fault((build)->rcconf, key, NV_FAULT_WARNING, (build)->faults, __VA_ARGS__)
