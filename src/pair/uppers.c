/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/uppers.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* Whether its frames leave by the link in IFLA_LINK. */
static bool uppers_is_stacked(const struct nv_link *link)
{
	static const char *const kinds[] = {"vlan", "macvlan", "macvtap", "ipvlan", "macsec"};

	for (size_t i = 0; i < NV_ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return false;
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

/* The bridge that this link is a port of, and what is stacked on it. */
static void uppers_add_above(
	const struct nv_links *links, const struct nv_link *lower, struct stack *stack)
{
	const struct nv_link *master = nv_links_by_index(links, lower->master);

	if (master && !strcmp(master->kind, "bridge"))
		uppers_add(stack, master);
	for (const struct nv_link *link = nv_links_next_stacked(links, lower->ifindex, 0); link;
		link = nv_links_next_stacked(links, lower->ifindex, link->ifindex))
		if (uppers_is_stacked(link))
			uppers_add(stack, link);
}

size_t nv_uppers_find(const struct nv_links *links, int upper, int ret_ifindex[NV_UPPERS_MAX])
{
	const struct nv_link *link = nv_links_by_index(links, upper);
	struct stack stack = {.ifindex = ret_ifindex};

	if (link)
		uppers_add(&stack, link);
	for (size_t at = 0; at < stack.count; at++) {
		link = nv_links_by_index(links, ret_ifindex[at]);
		if (link)
			uppers_add_above(links, link, &stack);
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
