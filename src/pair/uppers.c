/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/uppers.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* Kinds of links whose frames leave by the link in IFLA_LINK. */
static bool uppers_is_stacked(const struct nv_link *link, int lower)
{
	static const char *const kinds[] = {"vlan", "macvlan", "macvtap", "ipvlan", "macsec"};

	if (link->lower != lower || link->lower_elsewhere)
		return false;
	for (size_t i = 0; i < NV_ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return false;
}

static bool uppers_is_bridge_of(const struct nv_link *bridge, const struct nv_link *port)
{
	return port && port->master == bridge->ifindex && !strcmp(bridge->kind, "bridge");
}

struct stack {
	int *ifindex;
	size_t count;
};

static void uppers_add(struct stack *stack, const struct nv_link *link)
{
	if (!(link->flags & IFF_UP) || stack->count == NV_UPPERS_MAX)
		return;
	for (size_t i = 0; i < stack->count; i++)
		if (stack->ifindex[i] == link->ifindex)
			return;
	stack->ifindex[stack->count++] = link->ifindex;
}

size_t nv_uppers_find(const struct nv_links *links, int upper, int ret_ifindex[NV_UPPERS_MAX])
{
	const struct nv_link *link = nv_links_by_index(links, upper);
	struct stack stack = {.ifindex = ret_ifindex};

	if (link)
		uppers_add(&stack, link);
	for (size_t at = 0; at < stack.count; at++) {
		const struct nv_link *lower = nv_links_by_index(links, ret_ifindex[at]);

		for (size_t i = 0; i < links->count; i++) {
			link = &links->link[i];
			if (uppers_is_stacked(link, ret_ifindex[at]) ||
				uppers_is_bridge_of(link, lower))
				uppers_add(&stack, link);
		}
	}
	return stack.count;
}

bool nv_vlan_is_outermost(const struct nv_links *links, const struct nv_link *vlan)
{
	const struct nv_link *link = vlan;

	for (int i = 0; i < NV_UPPERS_MAX && !link->lower_elsewhere; i++) {
		link = nv_links_by_index(links, link->lower);
		if (!link)
			return true;
		if (!strcmp(link->kind, "vlan"))
			return false;
	}
	return true;
}

void nv_vf_vlan_name(int vf, uint16_t id, char ret_name[IFNAMSIZ])
{
	snprintf(ret_name, IFNAMSIZ, "nv%x.%u", (unsigned int)vf, id % 4096U);
}
