/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcconf/address.h"

#include <errno.h>
#include <string.h>

#define FAULT(line, ...) nv_build_fault((line)->build, (line)->key, __VA_ARGS__)
#define WARN(line, ...)	 nv_build_warn((line)->build, (line)->key, __VA_ARGS__)

static void remove_address(struct nv_addrs *addrs, const struct nv_ip *ip)
{
	const struct nv_addr *found = nv_addrs_by_ip(addrs, ip);
	struct nv_addr *addr;

	if (!found)
		return;
	addr = &addrs->addr[found - addrs->addr];
	memmove(addr, addr + 1, (addrs->count - (found - addrs->addr) - 1) * sizeof(*addr));
	addrs->count--;
}

static int add_address(struct nv_line *line, struct nv_addrs *addrs, const struct nv_addr *addr)
{
	const struct nv_addr *same = nv_addrs_by_ip(addrs, &addr->local);
	struct nv_addr *more;

	if (same) {
		addrs->addr[same - addrs->addr] = *addr;
		return 0;
	}
	if (!line->build->budget->addrs) {
		FAULT(line,
			"more than %d addresses for an interface and its VLANs; the others are ignored",
			NV_INTERFACE_ADDRS_MAX);
		return -ENOBUFS;
	}
	more = reallocarray(addrs->addr, addrs->count + 1, sizeof(*more));
	if (!more)
		return line->build->error = -ENOMEM;
	addrs->addr = more;
	addrs->addr[addrs->count++] = *addr;
	line->build->budget->addrs--;
	return 0;
}

static uint8_t address_scope_of(const struct nv_ip *ip)
{
	if (ip->family == AF_INET)
		return ntohl(ip->v4.s_addr) >> 24 == 127 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	if (IN6_IS_ADDR_LINKLOCAL(&ip->v6))
		return RT_SCOPE_LINK;
	return IN6_IS_ADDR_LOOPBACK(&ip->v6) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
}

/* FreeBSD gives every IPv4 address a broadcast address; Linux does so only on request. */
static void address_set_broadcast(const struct nv_address *group, struct nv_addr *addr)
{
	if (addr->local.family != AF_INET || addr->prefix_len > 30)
		return;
	addr->has_broadcast = true;
	addr->broadcast = addr->local;
	addr->broadcast.v4.s_addr |= htonl(UINT32_MAX >> addr->prefix_len);
	if (group->has_broadcast)
		addr->broadcast = group->broadcast;
}

static struct nv_addr address_at(const struct nv_address *group, uint32_t index)
{
	struct nv_addr addr = {
		.local = nv_ip_range_at(&group->range, index),
		.prefix_len = index && group->family == AF_INET ? 32 : group->len,
		.valid_lft = group->valid_lft,
		.preferred_lft = group->preferred_lft,
	};

	addr.scope = address_scope_of(&addr.local);
	address_set_broadcast(group, &addr);
	return addr;
}

static void address_default_len(struct nv_line *line)
{
	struct nv_address *group = &line->group;

	if (group->has_len || group->remove)
		return;
	if (group->family == AF_INET6) {
		group->len = 64;
	} else if (group->range.count > 1) {
		group->len = 32;
	} else {
		group->len = nv_ip_class_len(&group->range.first);
		WARN(line,
			"an address without a length: /%u is used, the length of its class; write the length",
			group->len);
	}
}

static bool address_is_host(const struct nv_ip *ip)
{
	uint32_t v4 = ntohl(ip->v4.s_addr);

	if (ip->family == AF_INET)
		return v4 >> 24 != 0 && !IN_MULTICAST(v4) && !IN_BADCLASS(v4);
	return !IN6_IS_ADDR_UNSPECIFIED(&ip->v6) && !IN6_IS_ADDR_MULTICAST(&ip->v6);
}

/* Whether the words of a group can be used together. */
static bool address_holds_together(struct nv_line *line)
{
	struct nv_address *group = &line->group;

	if (!address_is_host(&group->range.first))
		FAULT(line, "an address that no interface can have");
	else if (group->range.count > 1 && (group->has_netmask || group->has_broadcast))
		FAULT(line, "a range can only have a length after a `/'");
	else if (group->eui64 && (group->family == AF_INET || group->len > 64))
		FAULT(line, "eui64 needs an IPv6 prefix of at most 64 bits");
	else if (group->preferred_lft > group->valid_lft)
		FAULT(line, "pltime is greater than vltime");
	else if (group->has_broadcast && group->family == AF_INET6)
		FAULT(line, "IPv6 has no broadcast address");
	else
		return true;
	return false;
}

static void address_take_group(struct nv_line *line)
{
	struct nv_build *build = line->build;
	struct nv_address *group = &line->group;
	struct nv_addrs *addrs = group->family == AF_INET ? &build->v4 : &build->v6;

	address_default_len(line);
	if (!address_holds_together(line))
		return;
	if (group->eui64) {
		if (!build->mac)
			return;
		nv_ip_set_eui64(&group->range.first, build->mac);
	}
	if (group->range.count > NV_INTERFACE_EXPAND_MAX) {
		WARN(line, "a range of %u addresses: only the first %d are used",
			group->range.count, NV_INTERFACE_EXPAND_MAX);
		group->range.count = NV_INTERFACE_EXPAND_MAX;
	}
	for (uint32_t i = 0; i < group->range.count; i++) {
		struct nv_addr addr = address_at(group, i);

		if (group->remove)
			remove_address(addrs, &addr.local);
		else if (add_address(line, addrs, &addr) < 0)
			break;
	}
}

void nv_address_begin(struct nv_line *line, uint8_t family)
{
	struct nv_address *group = &line->group;

	if (group->has_address)
		address_take_group(line);
	else if (!group->failed &&
		 (group->has_len || group->has_broadcast || group->remove || group->eui64))
		FAULT(line, "words that belong to an address, but there is no address");
	*group = (struct nv_address){
		.family = family, .valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX};
	if (line->kind == NV_BUILD_LIST4)
		group->family = AF_INET;
	else if (line->kind == NV_BUILD_LIST6)
		group->family = AF_INET6;
}

/* The family of an address that has no family word before it. */
static uint8_t address_default_family(struct nv_line *line, const char *text)
{
	bool v6 = strchr(text, ':');

	switch (line->kind) {
	case NV_BUILD_PRIMARY:
		if (!v6)
			return AF_INET;
		break;
	case NV_BUILD_IPV6:
		v6 = true;
		break;
	case NV_BUILD_ALIASES:
		break;
	case NV_BUILD_ALIASES6:
	case NV_BUILD_LIST6:
		return AF_INET6;
	case NV_BUILD_LIST4:
		return AF_INET;
	}
	WARN(line, "`%s' should stand before `%.60s'", v6 ? "inet6" : "inet", text);
	return v6 ? AF_INET6 : AF_INET;
}

/* Removes "%IF" from the end of @text. */
static bool address_cut_zone(struct nv_line *line, char *text)
{
	char *percent = strchr(text, '%');

	if (!percent)
		return true;
	*percent = '\0';
	if (nv_build_is_own_name(line->build, percent + 1))
		return true;
	FAULT(line, "`%.60s%%%.20s': the address is for another interface than %s", text,
		percent + 1, line->build->ifname);
	return false;
}

/* Removes "/LEN" from the end of @text. */
static bool address_cut_len(struct nv_line *line, char *text)
{
	struct nv_address *group = &line->group;
	char *slash = strchr(text, '/');
	unsigned int len;

	if (!slash)
		return true;
	*slash = '\0';
	if (nv_parse_u32(slash + 1, nv_ip_bits(group->family), &len) < 0) {
		FAULT(line, "`%.60s/%.20s': a length is a number from 0 to %u", text, slash + 1,
			nv_ip_bits(group->family));
		return false;
	}
	group->len = len;
	group->has_len = true;
	return true;
}

static int address_set(struct nv_line *line, char *text)
{
	struct nv_address *group = &line->group;
	int r;

	if (!address_cut_len(line, text) || !address_cut_zone(line, text))
		return -EINVAL;
	r = nv_ip_range_parse(text, group->family, &group->range);
	if (r == -ENOMEM)
		line->build->error = r;
	else if (r == -ERANGE)
		FAULT(line, "`%.80s': the range ends before it begins", text);
	else if (r < 0)
		FAULT(line, "`%.80s' is not an %s address", text,
			group->family == AF_INET ? "IPv4" : "IPv6");
	return r;
}

void nv_address_set(struct nv_line *line, const char *text)
{
	struct nv_address *group = &line->group;
	NV_AUTO(nv_free) char *copy = strdup(text);

	if (!copy) {
		line->build->error = -ENOMEM;
		return;
	}
	if (group->has_address) {
		FAULT(line, "`%.60s' is a second address in a group; begin another with `%s'", text,
			strchr(text, ':') ? "inet6" : "inet");
		return;
	}
	if (group->family == AF_UNSPEC)
		group->family = address_default_family(line, text);
	group->has_address = address_set(line, copy) == 0;
	group->failed = !group->has_address;
}

void nv_address_set_prefix(struct nv_line *line, const char *text)
{
	const char *slash = strchrnul(text, '/');
	NV_AUTO(nv_str) struct nv_str full = {};

	line->group.eui64 = true;
	nv_str_append(&full, text, slash - text);
	if (!strstr(text, "::"))
		nv_str_add(&full, "::");
	nv_str_add(&full, slash);
	if (full.error == -ENOMEM)
		line->build->error = -ENOMEM;
	else
		nv_address_set(line, nv_str_text(&full));
}

void nv_address_set_netmask(struct nv_line *line, const char *text)
{
	if (nv_netmask_parse(text, &line->group.len) < 0)
		FAULT(line, "`%.60s' is not a netmask; write 255.255.255.0 or 0xffffff00", text);
	else
		line->group.has_len = line->group.has_netmask = true;
}

void nv_address_set_len(struct nv_line *line, const char *text)
{
	uint8_t bits = nv_ip_bits(line->group.family == AF_INET6 ? AF_INET6 : AF_INET);
	unsigned int len;

	if (nv_parse_u32(text, bits, &len) < 0) {
		FAULT(line, "`prefixlen %.60s': a length is a number from 0 to %u", text, bits);
		return;
	}
	line->group.len = len;
	line->group.has_len = line->group.has_netmask = true;
}
