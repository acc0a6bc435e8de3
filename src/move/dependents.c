/* SPDX-License-Identifier: BSD-2-Clause */
#include "move/dependents.h"

#include "base/log.h"
#include "services/dhcp.h"
#include "services/process.h"
#include "services/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX 4 /* entries of one list in a message */

#define FIRST_USER 1000 /* Debian Policy 9.2.2: lower ids belong to the system */

/* "…; WHAT (ITEM, ITEM and 3 more)" */
struct dependents_list {
	struct nv_str items;
	unsigned int count;
};

static void dependents_list_auto(struct dependents_list *list)
{
	nv_str_auto(&list->items);
}

static void dependents_list_add(struct dependents_list *list, const char *item)
{
	if (list->count++ < SHOWN_MAX)
		nv_str_printf(&list->items, "%s%s", list->count > 1 ? ", " : "", item);
}

static void dependents_add(
	struct nv_str *why, const char *what, const char *ifname, struct dependents_list *list)
{
	if (!list->count)
		return;
	if (list->count > SHOWN_MAX)
		nv_str_printf(&list->items, " and %u more", list->count - SHOWN_MAX);
	nv_str_printf(why, "%s%s %s (%s)", nv_str_text(why)[0] ? "; " : "", what, ifname,
		nv_str_text(&list->items));
}

/* What cannot be looked at may be there. */
static void dependents_add_unknown(struct nv_str *why, const char *what, int error)
{
	nv_str_printf(why, "%s%s cannot be listed (%s)", nv_str_text(why)[0] ? "; " : "", what,
		nv_strerror(error));
}

void nv_dependents_read(struct nv_packet_filters *ret_filters, struct nv_str *why)
{
	char text[160];
	int r;

	nv_packet_filters_read(ret_filters);
	r = nv_packet_filters_failed(ret_filters, text, sizeof(text));
	if (r < 0)
		dependents_add_unknown(why, text, r);
}

static void dependents_find_filters(const struct nv_packet_filters *filters, const char *ifname,
	const char *too, struct nv_str *why)
{
	NV_AUTO(dependents_list) struct dependents_list list = {};
	char text[160];

	if (nv_packet_filters_hold(filters, ifname, too, text, sizeof(text)))
		dependents_list_add(&list, text);
	dependents_add(why, "a packet filter names", ifname, &list);
}

bool nv_bound_depends(const struct nv_bound *bound)
{
	switch (bound->kind) {
	case NV_BOUND_TCP:
	case NV_BOUND_UDP:
		return !bound->link_local && bound->uid < FIRST_USER;
	case NV_BOUND_RAW:
	case NV_BOUND_PACKET:
		return !bound->link_local;
	}
	return false;
}

static bool dependents_is_dhcp_client(const char *process)
{
	enum nv_dhcp_kind kind;

	return nv_streq(process, "busybox") || nv_dhcp_kind_of(process, &kind) == 0;
}

/* Not one that serves other interfaces too. */
static bool dependents_client_moves(const char *ifname)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients clients = {};

	return nv_dhcp_find(ifname, &clients) == 0 && clients.count;
}

static bool dependents_wants(const struct nv_bound *bound, const void *data)
{
	const struct nv_link *link = data;

	return bound->ifindex == link->ifindex && nv_bound_depends(bound);
}

static void dependents_find_sockets(const struct nv_link *link, struct nv_str *why)
{
	NV_AUTO(dependents_list) struct dependents_list list = {};
	struct nv_bound bound[NV_BOUND_MAX];
	size_t count = 0;
	int r = nv_sockets_bound(dependents_wants, link, bound, &count);

	if (r < 0)
		dependents_add_unknown(why, "bound sockets", r);
	for (size_t i = 0; i < count; i++) {
		char text[64], owner[16], item[96];
		bool owned;

		owned = nv_process_of_socket(bound[i].inode, owner, sizeof(owner)) == 0;
		if (owned && dependents_is_dhcp_client(owner) &&
			dependents_client_moves(link->name))
			continue;
		nv_bound_text(&bound[i], text, sizeof(text));
		snprintf(item, sizeof(item), "%s%s%s", text, owned ? " of " : "",
			owned ? owner : "");
		dependents_list_add(&list, item);
	}
	dependents_add(why, "sockets are bound to", link->name, &list);
}

static bool dependents_is_routine_v6(const struct in6_addr *group)
{
	static const uint8_t solicited[13] = {0xff, 2, [11] = 1, [12] = 0xff};
	static const struct in6_addr of_all[] = {
		{{{0xff, 1, [15] = 1}}}, /* all nodes */
		{{{0xff, 2, [15] = 1}}}, {{{0xff, 1, [15] = 2}}}, /* all routers */
		{{{0xff, 2, [15] = 2}}}, {{{0xff, 5, [15] = 2}}},
		{{{0xff, 2, [15] = 0x6a}}}, /* all snoopers */
		{{{0xff, 2, [15] = 0xfb}}}, /* mDNS */
		{{{0xff, 2, [13] = 1, [15] = 3}}}, /* LLMNR */
	};

	for (size_t i = 0; i < NV_ARRAY_SIZE(of_all); i++)
		if (IN6_ARE_ADDR_EQUAL(group, &of_all[i]))
			return true;
	return memcmp(group, solicited, sizeof(solicited)) == 0;
}

bool nv_group_depends(const struct nv_ip *group)
{
	static const uint32_t of_all[] = {
		0xe0000001, /* 224.0.0.1, all hosts */
		0xe00000fb, /* mDNS */
		0xe00000fc, /* LLMNR */
	};

	if (group->family == AF_INET6)
		return !dependents_is_routine_v6(&group->v6);
	for (size_t i = 0; i < NV_ARRAY_SIZE(of_all); i++)
		if (ntohl(group->v4.s_addr) == of_all[i])
			return false;
	return true;
}

/* An address may be a group too, which moves with the others. */
static bool dependents_has_addr(
	const struct nv_addrs *addrs, const struct nv_link *link, const struct nv_ip *group)
{
	for (size_t i = 0; i < addrs->count; i++)
		if (addrs->addr[i].ifindex == link->ifindex &&
			nv_ip_equal(&addrs->addr[i].local, group))
			return true;
	return false;
}

static void dependents_find_groups(
	struct nv_kernel *kernel, const struct nv_link *link, struct nv_str *why)
{
	NV_AUTO(dependents_list) struct dependents_list list = {};
	NV_AUTO(nv_mcasts) struct nv_mcasts mcasts = {};
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	char text[NV_IP_TEXT];
	int r = nv_kernel_mcasts(kernel, &link->ifindex, 1, &mcasts);

	if (r == 0)
		r = nv_kernel_addrs(kernel, link->ifindex, &addrs);
	if (r < 0)
		dependents_add_unknown(why, "multicast groups", r);
	for (size_t i = 0; i < mcasts.count; i++) {
		const struct nv_ip *group = &mcasts.mcast[i].group;

		if (mcasts.mcast[i].ifindex == link->ifindex && nv_group_depends(group) &&
			!dependents_has_addr(&addrs, link, group))
			dependents_list_add(&list, nv_ip_text(group, text));
	}
	dependents_add(why, "multicast groups are joined at", link->name, &list);
}

void nv_dependents_find(struct nv_kernel *kernel, const struct nv_packet_filters *filters,
	const struct nv_link *link, const char *too, struct nv_str *why)
{
	dependents_find_filters(filters, link->name, too, why);
	dependents_find_sockets(link, why);
	dependents_find_groups(kernel, link, why);
}

/* Addresses of interfaces of this namespace, as of a VLAN, are not meant. */
static bool dependents_is_of_link(const struct nv_links *links, const struct nv_group *address)
{
	for (size_t i = 0; i < links->count; i++)
		if (!memcmp(links->link[i].mac, address->mac, NV_MAC_LEN))
			return true;
	return false;
}

void nv_dependents_find_stacked(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_link *hn, struct nv_str *why)
{
	NV_AUTO(dependents_list) struct dependents_list list = {};
	NV_AUTO(nv_groups) struct nv_groups addresses = {};
	int r = nv_kernel_unicasts(kernel, hn->ifindex, &addresses);

	if (r < 0)
		dependents_add_unknown(why, "other MAC addresses of the interface", r);
	for (size_t i = 0; i < addresses.count; i++) {
		const struct nv_group *address = &addresses.group[i];
		char text[NV_MAC_TEXT];

		if (!dependents_is_of_link(links, address))
			dependents_list_add(&list, nv_mac_text(address->mac, text));
	}
	dependents_add(
		why, "MAC addresses that no interface here has are received by", hn->name, &list);
}

void nv_dependents_find_nexthops(const struct nv_plan *plan, struct nv_str *why)
{
	for (size_t i = 0; i < plan->count; i++) {
		NV_AUTO(dependents_list) struct dependents_list list = {};
		const struct nv_move *move = &plan->move[i];
		const struct nv_link_map was = {
			move->was, move->was, move->from_name, move->from_name};
		const struct nv_rtobjs *objs = &plan->objs;

		if (!move->was || !nv_plan_is_late(plan, move))
			continue;
		nv_each_rtobj (obj, objs) {
			NV_AUTO(nv_str) struct nv_str text = {};

			if (nv_rtobj_kind(obj) != NV_RTOBJ_NEXTHOP ||
				!nv_rtobj_refers(obj, &(struct nv_link_maps){&was, 1}))
				continue;
			nv_rtobj_text(obj, &text);
			dependents_list_add(&list, nv_str_text(&text));
		}
		dependents_add(why, "next hops with ids lead over", move->from_name, &list);
	}
}

static void dependents_path(const char *run_dir, const char *hn, char path[256])
{
	snprintf(path, 256, "%s/%s.stays", run_dir, hn);
}

bool nv_dependents_keep(const char *run_dir, const char *hn, const char *why)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	NV_AUTO(nv_fd) int fd = -1;
	char path[256];
	bool is_new;

	dependents_path(run_dir, hn, path);
	if (!why[0]) {
		unlink(path);
		return false;
	}
	is_new = access(path, F_OK) < 0;
	fd = open(path, flags, 0644);
	if (fd >= 0 && write(fd, why, strlen(why)) < 0)
		unlink(path);
	return is_new;
}

void nv_dependents_kept(const char *run_dir, const char *hn, char *ret_why, size_t size)
{
	char path[256];

	dependents_path(run_dir, hn, path);
	nv_state_file_read(path, ret_why, size);
}
