/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/types.h"

#include "base/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int types_compare_link(const void *link, const void *ifindex)
{
	int one = ((const struct nv_link *)link)->ifindex;
	int other = *(const int *)ifindex;

	return (one > other) - (one < other);
}

/* The index of @ifindex, or the one at which it would be inserted. */
static size_t types_place(const struct nv_links *links, int ifindex)
{
	return nv_place(
		links->link, links->count, sizeof(links->link[0]), &ifindex, types_compare_link);
}

const struct nv_link *nv_links_by_index(const struct nv_links *links, int ifindex)
{
	size_t at = types_place(links, ifindex);

	return at < links->count && links->link[at].ifindex == ifindex ? &links->link[at] : NULL;
}

const struct nv_link *nv_links_by_name(const struct nv_links *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++) {
		if (strcmp(links->link[i].name, name) == 0)
			return &links->link[i];
	}
	return NULL;
}

static int types_compare_edge(const void *edge, const void *like)
{
	const struct nv_link_edge *a = edge;
	const struct nv_link_edge *b = like;
	int order = (a->lower > b->lower) - (a->lower < b->lower);

	return order ? order : (a->upper > b->upper) - (a->upper < b->upper);
}

/* The index of the first edge that is not below this one. */
static size_t types_edge_place(const struct nv_link_edges *edges, struct nv_link_edge like)
{
	return nv_place(
		edges->edge, edges->count, sizeof(edges->edge[0]), &like, types_compare_edge);
}

/* The next edge above @lower to a link after @after. */
static const struct nv_link *types_next(
	const struct nv_links *links, const struct nv_link_edges *edges, int lower, int after)
{
	size_t at = types_edge_place(edges, (struct nv_link_edge){lower, after});

	if (at < edges->count && edges->edge[at].lower == lower && edges->edge[at].upper == after)
		at++;
	if (!lower || at >= edges->count || edges->edge[at].lower != lower)
		return NULL;
	return nv_links_by_index(links, edges->edge[at].upper);
}

const struct nv_link *nv_links_next_stacked(const struct nv_links *links, int lower, int after)
{
	return types_next(links, &links->stacked, lower, after);
}

const struct nv_link *nv_links_next_port(const struct nv_links *links, int master, int after)
{
	return types_next(links, &links->ports, master, after);
}

const struct nv_link *nv_links_next_vlan(const struct nv_links *links, int lower, int after)
{
	const struct nv_link *link = nv_links_next_stacked(links, lower, after);

	while (link && !link->vlan_id)
		link = nv_links_next_stacked(links, lower, link->ifindex);
	return link;
}

/*
 * Makes room for one more element of @size bytes in an array of @count. The capacity is not stored:
 * it is at least the smallest power of two that is not below the count.
 */
static int types_make_room(void **array, size_t count, size_t size, size_t max)
{
	void *grown;

	if (count >= max)
		return -E2BIG;
	if (count & (count - 1))
		return 0;
	grown = reallocarray(*array, count ? count * 2 : 1, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

static int types_edge_add(struct nv_link_edges *edges, struct nv_link_edge edge)
{
	size_t at = types_edge_place(edges, edge);
	void *array = edges->edge;
	int r;

	if (!edge.lower)
		return 0;
	r = types_make_room(&array, edges->count, sizeof(edge), NV_LINKS_MAX);
	if (r < 0)
		return r;
	edges->edge = array;
	memmove(&edges->edge[at + 1], &edges->edge[at], (edges->count - at) * sizeof(edge));
	edges->edge[at] = edge;
	edges->count++;
	return 0;
}

static void types_edge_remove(struct nv_link_edges *edges, struct nv_link_edge edge)
{
	size_t at = types_edge_place(edges, edge);

	if (at >= edges->count || edges->edge[at].lower != edge.lower ||
		edges->edge[at].upper != edge.upper)
		return;
	edges->count--;
	memmove(&edges->edge[at], &edges->edge[at + 1], (edges->count - at) * sizeof(edge));
}

static struct nv_link_edge types_stacked_edge(const struct nv_link *link)
{
	return (struct nv_link_edge){link->lower_elsewhere ? 0 : link->lower, link->ifindex};
}

static struct nv_link_edge types_port_edge(const struct nv_link *link)
{
	return (struct nv_link_edge){link->master, link->ifindex};
}

static int types_edges_add(struct nv_links *links, const struct nv_link *link)
{
	int r = types_edge_add(&links->stacked, types_stacked_edge(link));

	if (r < 0)
		return r;
	r = types_edge_add(&links->ports, types_port_edge(link));
	if (r < 0)
		types_edge_remove(&links->stacked, types_stacked_edge(link));
	return r;
}

static void types_edges_remove(struct nv_links *links, const struct nv_link *link)
{
	types_edge_remove(&links->stacked, types_stacked_edge(link));
	types_edge_remove(&links->ports, types_port_edge(link));
}

static int types_link_replace(
	struct nv_links *links, struct nv_link *old, const struct nv_link *new)
{
	if (types_stacked_edge(old).lower != types_stacked_edge(new).lower ||
		old->master != new->master) {
		int r;

		types_edges_remove(links, old);
		r = types_edges_add(links, new);
		if (r < 0) { /* there is room for what was just removed */
			types_edges_add(links, old);
			return r;
		}
	}
	*old = *new;
	return 0;
}

int nv_links_put(struct nv_links *links, const struct nv_link *link)
{
	size_t at = types_place(links, link->ifindex);
	void *array = links->link;
	int r;

	if (at < links->count && links->link[at].ifindex == link->ifindex)
		return types_link_replace(links, &links->link[at], link);
	r = types_make_room(&array, links->count, sizeof(*link), NV_LINKS_MAX);
	if (r < 0)
		return r;
	links->link = array;
	r = types_edges_add(links, link);
	if (r < 0)
		return r;
	memmove(&links->link[at + 1], &links->link[at], (links->count - at) * sizeof(*link));
	links->link[at] = *link;
	links->count++;
	return 0;
}

void nv_links_remove(struct nv_links *links, int ifindex)
{
	size_t at = types_place(links, ifindex);

	if (at >= links->count || links->link[at].ifindex != ifindex)
		return;
	types_edges_remove(links, &links->link[at]);
	links->count--;
	memmove(&links->link[at], &links->link[at + 1],
		(links->count - at) * sizeof(links->link[0]));
}

int nv_addrs_add(struct nv_addrs *addrs, const struct nv_addr *addr)
{
	void *array = addrs->addr;
	int r = types_make_room(&array, addrs->count, sizeof(*addr), NV_ADDRS_MAX);

	if (r < 0)
		return r;
	addrs->addr = array;
	addrs->addr[addrs->count++] = *addr;
	return 0;
}

int nv_routes_add(struct nv_routes *routes, const struct nv_route *route)
{
	void *array = routes->route;
	int r = types_make_room(&array, routes->count, sizeof(*route), NV_ROUTES_MAX);

	if (r < 0)
		return r;
	routes->route = array;
	routes->route[routes->count++] = *route;
	return 0;
}

size_t nv_ip_size(uint8_t family)
{
	switch (family) {
	case AF_INET:
		return sizeof(struct in_addr);
	case AF_INET6:
		return sizeof(struct in6_addr);
	default:
		return 0;
	}
}

bool nv_ip_equal(const struct nv_ip *a, const struct nv_ip *b)
{
	return a->family == b->family && memcmp(&a->v6, &b->v6, nv_ip_size(a->family)) == 0;
}

bool nv_ip_is_link_local(const struct nv_ip *ip)
{
	return ip->family == AF_INET ? ntohl(ip->v4.s_addr) >> 16 == 0xa9fe
				     : IN6_IS_ADDR_LINKLOCAL(&ip->v6);
}

const struct nv_addr *nv_addrs_by_ip(const struct nv_addrs *addrs, const struct nv_ip *ip)
{
	for (size_t i = 0; i < addrs->count; i++)
		if (nv_ip_equal(&addrs->addr[i].local, ip))
			return &addrs->addr[i];
	return NULL;
}

static uint32_t types_table_of(const struct nv_route *route)
{
	return route->table ? route->table : RT_TABLE_MAIN;
}

bool nv_routes_have_configured(const struct nv_routes *routes)
{
	for (size_t i = 0; i < routes->count; i++)
		if (routes->route[i].table != RT_TABLE_LOCAL &&
			routes->route[i].protocol != RTPROT_KERNEL &&
			routes->route[i].protocol != NV_RTPROT_BACKUP)
			return true;
	return false;
}

bool nv_route_is_network(const struct nv_route *route)
{
	return route->protocol == RTPROT_KERNEL && route->type == RTN_UNICAST &&
	       route->table != RT_TABLE_LOCAL;
}

bool nv_route_same_destination(const struct nv_route *a, const struct nv_route *b)
{
	return a->family == b->family && a->destination_len == b->destination_len &&
	       a->tos == b->tos && types_table_of(a) == types_table_of(b) &&
	       (!a->destination_len || nv_ip_equal(&a->destination, &b->destination));
}

const char *nv_ip_text(const struct nv_ip *ip, char text[NV_IP_TEXT])
{
	if (!inet_ntop(ip->family, &ip->v4, text, NV_IP_TEXT))
		text[0] = '\0';
	return text;
}

const uint8_t *nv_link_permanent_mac(const struct nv_link *link)
{
	return link->has_permanent_mac ? link->permanent_mac : link->mac;
}

const char *nv_mac_text(const uint8_t mac[NV_MAC_LEN], char text[NV_MAC_TEXT])
{
	snprintf(text, NV_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
	return text;
}

int nv_neighs_add(struct nv_neighs *neighs, const struct nv_neigh *neigh)
{
	void *array = neighs->neigh;
	int r = types_make_room(&array, neighs->count, sizeof(*neigh), NV_NEIGHS_MAX);

	if (r < 0)
		return r;
	neighs->neigh = array;
	neighs->neigh[neighs->count++] = *neigh;
	return 0;
}

int nv_mcasts_add(struct nv_mcasts *mcasts, const struct nv_mcast *mcast)
{
	void *array = mcasts->mcast;
	int r = types_make_room(&array, mcasts->count, sizeof(*mcast), NV_MCASTS_MAX);

	if (r < 0)
		return r;
	mcasts->mcast = array;
	mcasts->mcast[mcasts->count++] = *mcast;
	return 0;
}

int nv_groups_add(struct nv_groups *groups, const struct nv_group *group)
{
	void *array = groups->group;
	int r = types_make_room(&array, groups->count, sizeof(*group), NV_MCASTS_MAX);

	if (r < 0)
		return r;
	groups->group = array;
	groups->group[groups->count++] = *group;
	return 0;
}

void nv_links_auto(struct nv_links *links)
{
	free(links->link);
	free(links->stacked.edge);
	free(links->ports.edge);
	*links = (struct nv_links){};
}

void nv_addrs_auto(struct nv_addrs *addrs)
{
	free(addrs->addr);
	*addrs = (struct nv_addrs){};
}

void nv_routes_auto(struct nv_routes *routes)
{
	free(routes->route);
	*routes = (struct nv_routes){};
}

void nv_neighs_auto(struct nv_neighs *neighs)
{
	free(neighs->neigh);
	*neighs = (struct nv_neighs){};
}

void nv_mcasts_auto(struct nv_mcasts *mcasts)
{
	free(mcasts->mcast);
	*mcasts = (struct nv_mcasts){};
}

void nv_groups_auto(struct nv_groups *groups)
{
	free(groups->group);
	*groups = (struct nv_groups){};
}
