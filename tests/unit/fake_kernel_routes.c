/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes and neighbours of the fake kernel, and both as messages. */
#include "cm.h"

#include "fake_kernel_parts.h"

#include "kernel/attrs.h"

#include <errno.h>
#include <string.h>

int fake_op_routes(void *self, int oif, struct nv_routes *ret_routes)
{
	struct fake_kernel *fake = self;
	struct nv_routes copy = {};
	int r = fake_call(fake, FAKE_ROUTES);

	if (r < 0)
		return r;
	if (oif && !nv_links_by_index(&fake->links, oif))
		return -ENODEV;
	for (size_t i = 0; i < fake->routes.count; i++) {
		if (!oif || fake->routes.route[i].oif == oif)
			assert_int_equal(nv_routes_add(&copy, &fake->routes.route[i]), 0);
	}
	*ret_routes = copy;
	return 0;
}

int fake_op_neighs(void *self, int ifindex, struct nv_neighs *ret_neighs)
{
	struct fake_kernel *fake = self;
	struct nv_neighs copy = {};
	int r = fake_call(fake, FAKE_NEIGHS);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->neighs.count; i++) {
		if (!ifindex || fake->neighs.neigh[i].ifindex == ifindex)
			assert_int_equal(nv_neighs_add(&copy, &fake->neighs.neigh[i]), 0);
	}
	*ret_neighs = copy;
	return 0;
}

static uint32_t table_of(const struct nv_route *route)
{
	return route->table ? route->table : RT_TABLE_MAIN;
}

/* What the kernel takes for the same route when one is added. */
static bool is_same_place(const struct nv_route *a, const struct nv_route *b)
{
	return a->family == b->family && table_of(a) == table_of(b) &&
	       a->destination_len == b->destination_len && a->tos == b->tos &&
	       a->priority == b->priority &&
	       (!a->destination_len || nv_ip_equal(&a->destination, &b->destination));
}

static bool is_same_route(const struct nv_route *a, const struct nv_route *b)
{
	return is_same_place(a, b) && a->oif == b->oif && a->has_gateway == b->has_gateway &&
	       (!a->has_gateway || nv_ip_equal(&a->gateway, &b->gateway));
}

static void log_route(struct fake_kernel *fake, const char *verb, const struct nv_route *route)
{
	char ip[NV_IP_TEXT];
	char text[NV_IP_TEXT + 8];

	snprintf(text, sizeof(text), "%s/%u",
		route->destination_len ? nv_ip_text(&route->destination, ip) : "default",
		route->destination_len);
	fake_log(fake, verb, route->oif, text);
}

int fake_op_route_add(void *self, const struct nv_route *route, enum nv_route_how how)
{
	struct fake_kernel *fake = self;
	struct nv_route copy = *route;
	int r = fake_call(fake, FAKE_ROUTE_ADD);

	if (r < 0)
		return r;
	if (route->oif && !nv_links_by_index(&fake->links, route->oif))
		return -ENODEV;
	copy.table = table_of(route);
	copy.type = route->type ? route->type : RTN_UNICAST;
	for (size_t i = 0; i < fake->routes.count; i++) {
		struct nv_route *there = &fake->routes.route[i];

		if ((how == NV_ROUTE_NEW && is_same_place(there, &copy)) ||
			(how == NV_ROUTE_BESIDE && is_same_route(there, &copy)))
			return -EEXIST;
		if (how == NV_ROUTE_REPLACE && is_same_place(there, &copy)) {
			log_route(fake, "route_replace", route);
			*there = copy;
			return 0;
		}
	}
	log_route(fake, "route_add", route);
	assert_int_equal(nv_routes_add(&fake->routes, &copy), 0);
	return 0;
}

int fake_op_route_del(void *self, const struct nv_route *route)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_ROUTE_DEL);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->routes.count; i++) {
		if (!is_same_route(&fake->routes.route[i], route))
			continue;
		log_route(fake, "route_del", route);
		fake->routes.count--;
		memmove(&fake->routes.route[i], &fake->routes.route[i + 1],
			(fake->routes.count - i) * sizeof(*route));
		return 0;
	}
	return -ESRCH;
}

int fake_op_neigh_add(void *self, const struct nv_neigh *neigh)
{
	struct fake_kernel *fake = self;
	char text[NV_IP_TEXT];
	int r = fake_call(fake, FAKE_NEIGH_ADD);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fake->neighs.count; i++) {
		if (fake->neighs.neigh[i].ifindex == neigh->ifindex &&
			nv_ip_equal(&fake->neighs.neigh[i].address, &neigh->address))
			return -EEXIST;
	}
	fake_log(fake, "neigh_add", neigh->ifindex, nv_ip_text(&neigh->address, text));
	assert_int_equal(nv_neighs_add(&fake->neighs, neigh), 0);
	return 0;
}

static void take(struct nv_rtobjs *objs, const struct nv_request *request)
{
	int r = nv_rtobjs_take(objs, &request->header);

	assert_true(r == 0 || r == -ENOMSG);
}

/* There are no rules and no next hops by id here. */
int fake_op_objs(void *self, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs)
{
	struct fake_kernel *fake = self;
	struct nv_rtobjs objs = {};
	struct nv_request request;
	int r = fake_call(fake, FAKE_THINGS);

	if (r < 0)
		return r;
	for (size_t i = 0; kind == NV_RTOBJ_ROUTE && i < fake->routes.count; i++) {
		const struct nv_route *route = &fake->routes.route[i];

		assert_int_equal(nv_route_encode(&request, RTM_NEWROUTE, 0, route), 0);
		if (!ifindex || route->oif == ifindex)
			take(&objs, &request);
	}
	for (size_t i = 0; kind == NV_RTOBJ_NEIGH && i < fake->neighs.count; i++) {
		const struct nv_neigh *neigh = &fake->neighs.neigh[i];

		assert_int_equal(nv_neigh_encode(&request, neigh), 0);
		if (!ifindex || neigh->ifindex == ifindex)
			take(&objs, &request);
	}
	*ret_objs = objs;
	return 0;
}

static int carry_out(struct fake_kernel *fake, const struct nlmsghdr *message)
{
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	struct nv_neigh neigh;

	if (message->nlmsg_type == RTM_NEWNEIGH) {
		assert_int_equal(nv_neigh_decode(message, &neigh), 0);
		return fake_op_neigh_add(fake, &neigh);
	}
	assert_int_equal(nv_route_decode(message, &routes), 0);
	if (message->nlmsg_type == RTM_DELROUTE)
		return fake_op_route_del(fake, &routes.route[0]);
	assert_int_equal(message->nlmsg_type, RTM_NEWROUTE);
	return fake_op_route_add(fake, &routes.route[0],
		(message->nlmsg_flags & NLM_F_REPLACE) ? NV_ROUTE_REPLACE : NV_ROUTE_BESIDE);
}

int fake_op_batch(void *self, struct nv_rtobjs *requests, int *ret_errors)
{
	const struct nv_rtobj *request = NULL;

	for (size_t i = 0; i < requests->count; i++) {
		request = nv_rtobjs_next(requests, request);
		ret_errors[i] = carry_out(self, (const struct nlmsghdr *)request);
	}
	return 0;
}
