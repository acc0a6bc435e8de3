/* SPDX-License-Identifier: BSD-2-Clause */
/* Links for the tests of pairs. */
#pragma once

#include "cm.h"

#include "base/str.h"
#include "pair/match.h"

#include <net/if_arp.h>
#include <stdio.h>

static inline struct nv_link ethernet(
	int ifindex, const char *name, const char *driver, const char *bus, uint8_t mac)
{
	struct nv_link link = {
		.ifindex = ifindex,
		.type = ARPHRD_ETHER,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, mac},
	};

	snprintf(link.name, sizeof(link.name), "%s", name);
	snprintf(link.driver, sizeof(link.driver), "%s", driver);
	snprintf(link.parent_bus, sizeof(link.parent_bus), "%s", bus);
	return link;
}

static inline void find(struct nv_link *link, size_t count, const struct nv_hn_config *config,
	struct nv_pairs *pairs)
{
	const struct nv_links links = {.link = link, .count = count};

	assert_int_equal(nv_pairs_find(&links, config, pairs), 0);
}
