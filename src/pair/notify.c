/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair/notify.h"

#include <net/if_arp.h>
#include <string.h>

void nv_notify_note(
	struct nv_notify *notify, enum nv_port port, bool usable, unsigned int count, uint64_t now)
{
	if (port == notify->port && usable != notify->cut)
		return;
	*notify = (struct nv_notify){
		.port = port,
		.cut = !usable,
		.left = usable ? count : 0,
		.next = now,
		.last = notify->last,
	};
}

void nv_notify_again(struct nv_notify *notify, unsigned int count, uint64_t now)
{
	uint64_t soonest = notify->last ? notify->last + NV_NOTIFY_GAP : 0;

	if (notify->cut)
		return;
	notify->left = count;
	notify->next = soonest > now ? soonest : now;
	notify->jitter = 0;
}

void nv_notify_spread(struct nv_notify *notify, uint64_t jitter)
{
	notify->jitter = jitter;
}

bool nv_notify_due(struct nv_notify *notify, uint64_t now, uint64_t interval)
{
	if (nv_notify_wait(notify, now))
		return false;
	notify->left--;
	notify->last = now;
	notify->next = now + interval + notify->jitter;
	return true;
}

uint64_t nv_notify_wait(const struct nv_notify *notify, uint64_t now)
{
	if (!notify->left)
		return UINT64_MAX;
	return notify->next > now ? notify->next - now : 0;
}

struct teller {
	const struct nv_notify_view *view;
	nv_notify_emit emit;
	void *data;
	struct nv_frame frame;
	struct in_addr source; /* source address of the reports */
	struct in6_addr source6;
};

static void notify_emit(struct teller *teller)
{
	teller->emit(teller->view->link, &teller->frame, teller->data);
}

static bool notify_is_ethernet(const struct nv_link *link)
{
	return link->type == ARPHRD_ETHER && link->has_mac && !(link->flags & IFF_NOARP);
}

static bool notify_is_told(const struct nv_notify_view *view, const struct nv_addr *addr)
{
	return addr->ifindex == view->link->ifindex && addr->scope != RT_SCOPE_HOST &&
	       !(addr->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

void nv_notify_addrs(
	const struct nv_notify_view *view, uint8_t family, nv_notify_emit emit, void *data)
{
	struct teller teller = {.view = view, .emit = emit, .data = data};
	const uint8_t *mac = view->link->mac;

	for (size_t i = 0; i < view->addrs.count && notify_is_ethernet(view->link); i++) {
		const struct nv_addr *addr = &view->addrs.addr[i];

		if (addr->local.family != family || !notify_is_told(view, addr))
			continue;
		if (family == AF_INET)
			nv_frame_arp(mac, addr->local.v4, &teller.frame);
		else
			nv_frame_na(mac, &addr->local.v6, view->router, &teller.frame);
		notify_emit(&teller);
	}
}

/* The first IPv4 address, and a link-local one. */
static void notify_find_sources(struct teller *teller)
{
	const struct nv_notify_view *view = teller->view;

	for (size_t i = 0; i < view->addrs.count; i++) {
		const struct nv_addr *addr = &view->addrs.addr[i];

		if (!notify_is_told(view, addr))
			continue;
		if (addr->local.family == AF_INET && !teller->source.s_addr)
			teller->source = addr->local.v4;
		if (addr->local.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr->local.v6))
			teller->source6 = addr->local.v6;
	}
}

/* The all-hosts groups and node-local groups are never reported (RFC 3376, 6; RFC 3810, 6). */
static bool notify_is_reported(const struct nv_ip *group)
{
	static const struct in6_addr all_nodes = {{{0xff, 0x02, [15] = 0x01}}};

	if (group->family == AF_INET)
		return group->v4.s_addr != htonl(INADDR_ALLHOSTS_GROUP);
	return (group->v6.s6_addr[1] & 0xf) > 1 && !IN6_ARE_ADDR_EQUAL(&group->v6, &all_nodes);
}

static void notify_report(
	struct teller *teller, const struct nv_ip *group, size_t count, unsigned int version)
{
	const uint8_t *mac = teller->view->link->mac;
	struct in6_addr groups6[NV_FRAME_GROUPS_MAX];
	struct in_addr groups[NV_FRAME_GROUPS_MAX];

	for (size_t i = 0; i < count; i++) {
		groups[i] = group[i].v4;
		groups6[i] = group[i].v6;
	}
	if (group->family == AF_INET)
		nv_frame_igmp(mac, teller->source, version, groups, count, &teller->frame);
	else
		nv_frame_mld(mac, &teller->source6, version, groups6, count, &teller->frame);
	notify_emit(teller);
}

static void notify_tell_groups(struct teller *teller, uint8_t family)
{
	const struct nv_notify_view *view = teller->view;
	struct nv_ip waiting[NV_FRAME_GROUPS_MAX];
	unsigned int version = view->mld;
	size_t count = 0;

	for (size_t i = 0; i < view->mcasts->count; i++) {
		const struct nv_mcast *mcast = &view->mcasts->mcast[i];
		size_t room = NV_FRAME_GROUPS_MAX;

		if (mcast->ifindex != view->link->ifindex || mcast->group.family != family ||
			!notify_is_reported(&mcast->group))
			continue;
		if (family == AF_INET)
			version = mcast->igmp;
		if (version < (family == AF_INET ? 3 : 2))
			room = 1;
		waiting[count++] = mcast->group;
		if (count < room)
			continue;
		notify_report(teller, waiting, count, version);
		count = 0;
	}
	if (count)
		notify_report(teller, waiting, count, version);
}

void nv_notify_groups(const struct nv_notify_view *view, nv_notify_emit emit, void *data)
{
	struct teller teller = {.view = view, .emit = emit, .data = data};

	if (!notify_is_ethernet(view->link))
		return;
	notify_find_sources(&teller);
	notify_tell_groups(&teller, AF_INET);
	notify_tell_groups(&teller, AF_INET6);
}
