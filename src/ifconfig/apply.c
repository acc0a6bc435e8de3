/* SPDX-License-Identifier: BSD-2-Clause */
#include "ifconfig/apply.h"

#include "base/log.h"
#include "ifconfig/carry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * What an administrator sets for an interface and would miss on another, of
 * Documentation/networking/ip-sysctl.rst. disable_ipv6 comes first, for the others act on
 * addresses. Duplicate address detection is left as the lagg has it.
 */
static const struct sysctl {
	const char *family;
	const char *name;
} carried[] = {
	{"ipv6", "disable_ipv6"},
	{"ipv6", "forwarding"},
	{"ipv6", "accept_ra"},
	{"ipv6", "accept_ra_defrtr"},
	{"ipv6", "accept_ra_pinfo"},
	{"ipv6", "accept_ra_mtu"},
	{"ipv6", "accept_ra_rt_info_max_plen"},
	{"ipv6", "accept_redirects"},
	{"ipv6", "autoconf"},
	{"ipv6", "use_tempaddr"},
	{"ipv6", "proxy_ndp"},
	{"ipv6", "hop_limit"},
	{"ipv4", "forwarding"},
	{"ipv4", "rp_filter"},
	{"ipv4", "accept_local"},
	{"ipv4", "accept_redirects"},
	{"ipv4", "accept_source_route"},
	{"ipv4", "arp_accept"},
	{"ipv4", "arp_announce"},
	{"ipv4", "arp_filter"},
	{"ipv4", "arp_ignore"},
	{"ipv4", "arp_notify"},
	{"ipv4", "log_martians"},
	{"ipv4", "promote_secondaries"},
	{"ipv4", "proxy_arp"},
	{"ipv4", "route_localnet"},
	{"ipv4", "secure_redirects"},
	{"ipv4", "send_redirects"},
	{"ipv4", "src_valid_mark"},
};

static const struct sysctl rp_filter = {"ipv4", "rp_filter"};
static const struct sysctl accept_ra = {"ipv6", "accept_ra"};
static const struct sysctl forwarding_ipv6 = {"ipv6", "forwarding"};
static const struct sysctl promote_secondaries = {"ipv4", "promote_secondaries"};

static void sysctl_path(const struct sysctl *sysctl, const char *ifname, char *path, size_t size)
{
	snprintf(path, size, "net/%s/conf/%s/%s", sysctl->family, ifname, sysctl->name);
}

static int sysctl_get(struct nv_kernel *kernel, const struct sysctl *sysctl, const char *ifname,
	char *value, size_t size)
{
	char path[NV_SYSCTL_PATH_MAX];

	sysctl_path(sysctl, ifname, path, sizeof(path));
	return nv_kernel_sysctl_read(kernel, path, value, size);
}

static void sysctl_set(struct nv_kernel *kernel, const struct sysctl *sysctl, const char *ifname,
	const char *value)
{
	char path[NV_SYSCTL_PATH_MAX];
	int r;

	sysctl_path(sysctl, ifname, path, sizeof(path));
	r = nv_kernel_sysctl_write(kernel, path, value);
	if (r < 0 && r != -ENOENT)
		nv_warn("cannot write %s to /proc/sys/%s: %s", value, path, nv_strerror(r));
}

static void carry_sysctls(struct nv_kernel *kernel, const struct nv_move *move)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(carried); i++) {
		char from[64];
		char to[64];

		if (sysctl_get(kernel, &carried[i], move->from_name, from, sizeof(from)) < 0 ||
			sysctl_get(kernel, &carried[i], move->to_name, to, sizeof(to)) < 0)
			continue;
		if (!nv_streq(from, to))
			sysctl_set(kernel, &carried[i], move->to_name, from);
	}
}

/* The stricter of the interface's and "all" counts as the larger number: 2 is loose, 1 strict. */
static void loosen_rp_filter(struct nv_kernel *kernel, struct nv_move *move)
{
	char all[8] = "0";

	if (sysctl_get(kernel, &rp_filter, move->from_name, move->rp_filter,
		    sizeof(move->rp_filter)) < 0)
		return;
	if (sysctl_get(kernel, &rp_filter, "all", all, sizeof(all)) < 0 || nv_streq(all, "2") ||
		(!nv_streq(all, "1") && !nv_streq(move->rp_filter, "1"))) {
		move->rp_filter[0] = '\0';
		return;
	}
	sysctl_set(kernel, &rp_filter, move->from_name, "2");
	sysctl_set(kernel, &rp_filter, move->to_name, "2");
}

static void restore_rp_filter(struct nv_kernel *kernel, const struct nv_move *move)
{
	if (!move->rp_filter[0])
		return;
	sysctl_set(kernel, &rp_filter, move->to_name, move->rp_filter);
	sysctl_set(kernel, &rp_filter, move->from_name, move->rp_filter);
}

static int make_vlan(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	const struct nv_move *lower = &plan->move[move->lower];
	struct nv_link link = {.kind = "vlan", .lower = lower->to, .vlan_id = move->vlan_id};
	NV_AUTO(nv_links) struct nv_links links = {};
	const struct nv_link *there;
	int r;

	nv_strcopy(link.name, sizeof(link.name), move->to_name);
	r = nv_kernel_link_add(kernel, &link, NULL, &move->to);
	if (r != -EEXIST)
		return r;
	r = nv_kernel_links(kernel, &links);
	if (r < 0)
		return r;
	there = nv_links_by_name(&links, move->to_name);
	if (!there || there->lower != lower->to || there->vlan_id != move->vlan_id)
		return -EEXIST;
	move->to = there->ifindex;
	return 0;
}

static void set_link(struct nv_kernel *kernel, const struct nv_move *move)
{
	struct nv_link_change change = {.what = NV_LINK_MTU, .to = {.mtu = move->mtu}};
	int r = move->mtu ? nv_kernel_link_set(kernel, move->to, &change) : 0;

	if (r < 0)
		nv_warn("cannot set the MTU of %s to %u: %s", move->to_name, move->mtu,
			nv_strerror(r));
	change = (struct nv_link_change){.what = NV_LINK_ALIAS};
	nv_strcopy(change.to.alias, sizeof(change.to.alias), move->description);
	r = move->description[0] ? nv_kernel_link_set(kernel, move->to, &change) : 0;
	if (r < 0)
		nv_warn("cannot set the description of %s: %s", move->to_name, nv_strerror(r));
}

static bool prepare_one(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	int r = move->to ? 0 : make_vlan(kernel, plan, move);

	if (r < 0) {
		nv_err("cannot make VLAN %u as %s on %s: %s", move->vlan_id, move->to_name,
			plan->move[move->lower].to_name,
			r == -EOPNOTSUPP ? "this kernel has no VLANs" : nv_strerror(r));
		return false;
	}
	if (move->from) {
		carry_sysctls(kernel, move);
		loosen_rp_filter(kernel, move);
	}
	if (move->accept_rtadv) {
		char forwarding[8] = "0";

		/* A host that forwards takes router advertisements only when told twice: 2. */
		sysctl_get(kernel, &forwarding_ipv6, move->to_name, forwarding, sizeof(forwarding));
		sysctl_set(
			kernel, &accept_ra, move->to_name, nv_streq(forwarding, "0") ? "1" : "2");
	}
	set_link(kernel, move);
	r = nv_kernel_link_up(kernel, move->to, move->up);
	if (r < 0)
		nv_err("cannot set %s up: %s", move->to_name, nv_strerror(r));
	return r == 0;
}

bool nv_apply_prepare(struct nv_kernel *kernel, struct nv_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct nv_move *move = &plan->move[i];

		if (!plan->move[move->lower].to ||
			(move->vlan_id && nv_streq(move->from_name, move->to_name)))
			continue;
		if (!prepare_one(kernel, plan, move))
			return false;
	}
	return true;
}

static bool fill_addrs(struct nv_kernel *kernel, const struct nv_move *move)
{
	for (size_t i = 0; i < move->addrs.count; i++) {
		struct nv_addr addr = move->addrs.addr[i];
		char text[NV_IP_TEXT];
		int r;

		addr.ifindex = move->to;
		r = nv_kernel_addr_add(kernel, &addr, false);
		if (r == 0 || r == -EEXIST)
			continue;
		nv_err("cannot give %s the address %s/%u: %s", move->to_name,
			nv_ip_text(&addr.local, text), addr.prefix_len, nv_strerror(r));
		return false;
	}
	return true;
}

/* @priority: of the message for one that cannot be added. */
static void fill_routes(struct nv_kernel *kernel, const struct nv_move *move, int priority)
{
	for (size_t i = 0; i < move->routes.count && move->up; i++) {
		struct nv_route route = move->routes.route[i];
		char text[NV_IP_TEXT];
		int r;

		route.oif = move->to;
		r = nv_kernel_route_add(kernel, &route, NV_ROUTE_BESIDE);
		if (r == 0 || r == -EEXIST)
			continue;
		nv_log(priority, "cannot add the route to %s/%u on %s: %s",
			nv_ip_text(&route.destination, text), route.destination_len, move->to_name,
			nv_strerror(r));
	}
}

static bool fill_one(struct nv_kernel *kernel, const struct nv_move *move)
{
	if (!fill_addrs(kernel, move))
		return false;
	fill_routes(kernel, move, LOG_WARNING);
	return true;
}

bool nv_apply_fill(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].to && !fill_one(kernel, &plan->move[i]))
			return false;
	return nv_carry_fill(kernel, plan, false, plan->is_said ? LOG_WARNING : LOG_ERR);
}

void nv_apply_undo(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	nv_carry_undo(kernel, plan);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].rp_filter[0])
			sysctl_set(kernel, &rp_filter, plan->move[i].from_name,
				plan->move[i].rp_filter);
}

bool nv_apply_late_vlans(struct nv_kernel *kernel, struct nv_plan *plan)
{
	bool fine = true;

	for (size_t i = 0; i < plan->count; i++) {
		struct nv_move *move = &plan->move[i];
		int r;

		if (move->to || !plan->move[move->lower].to)
			continue;
		r = move->from ? nv_kernel_link_del(kernel, move->from) : 0;
		if (r < 0 && r != -ENODEV) {
			nv_err("cannot delete the VLAN %s: %s", move->from_name, nv_strerror(r));
			fine = false;
			continue;
		}
		move->from = 0;
		move->late = true;
		fine &= prepare_one(kernel, plan, move) && fill_one(kernel, move);
	}
	return nv_carry_fill(kernel, plan, true, LOG_WARNING) && fine;
}

static bool is_fine(int r)
{
	return r == 0 || r == -ENODEV || r == -ESRCH || r == -ENOENT || r == -EADDRNOTAVAIL;
}

/* The last first: with a primary IPv4 address its secondaries would go. */
static void strip_addrs(struct nv_kernel *kernel, const struct nv_move *move, int family)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	int r = nv_kernel_addrs(kernel, move->from, &addrs);

	if (r < 0)
		nv_warn("cannot list the addresses of %s: %s", move->from_name, nv_strerror(r));
	for (size_t i = addrs.count; i-- > 0;) {
		const struct nv_addr *addr = &addrs.addr[i];
		char text[NV_IP_TEXT];

		if (addr->local.family != family)
			continue;
		r = nv_kernel_addr_del(kernel, addr);
		if (!is_fine(r))
			nv_warn("cannot take the address %s/%u off %s: %s",
				nv_ip_text(&addr->local, text), addr->prefix_len, move->from_name,
				nv_strerror(r));
	}
}

void nv_apply_strip_paths(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	const struct nv_link_change bare = {
		.what = NV_LINK_ADDR_GEN_MODE,
		.to.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE,
	};

	for (size_t i = 0; i < plan->count; i++) {
		const struct nv_move *move = &plan->move[i];

		if (!move->from)
			continue;
		nv_kernel_link_set(kernel, move->from, &bare);
		sysctl_set(kernel, &accept_ra, move->from_name, "0");
	}
	nv_carry_strip(kernel, plan);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->move[i].from)
			strip_addrs(kernel, &plan->move[i], AF_INET6);
}

void nv_apply_strip(struct nv_kernel *kernel, const struct nv_plan *plan)
{
	for (size_t i = plan->count; i-- > 0;) {
		const struct nv_move *move = &plan->move[i];

		if (!move->from)
			continue;
		restore_rp_filter(kernel, move);
		if (!move->vlan_id) {
			strip_addrs(kernel, move, AF_INET);
			continue;
		}
		if (!is_fine(nv_kernel_link_del(kernel, move->from)))
			nv_warn("cannot delete the VLAN %s", move->from_name);
	}
}

static const struct nv_addr *find_addr(const struct nv_addrs *addrs, const struct nv_ip *ip)
{
	for (size_t i = 0; i < addrs->count; i++)
		if (nv_ip_equal(&addrs->addr[i].local, ip))
			return &addrs->addr[i];
	return NULL;
}

/* How many are there that do not come with an address. */
static size_t count_routes(const struct nv_routes *routes)
{
	size_t count = 0;

	for (size_t i = 0; i < routes->count; i++)
		count += nv_plan_route_counts(&routes->route[i]);
	return count;
}

/* An address without the route to its network: somebody has flushed the routes after it came. */
static bool lost_its_network(const struct nv_addr *addr, const struct nv_routes *routes)
{
	if (addr->local.family != AF_INET || addr->prefix_len == 32 ||
		(addr->flags & IFA_F_NOPREFIXROUTE))
		return false;
	for (size_t i = 0; i < routes->count; i++)
		if (routes->route[i].family == AF_INET &&
			routes->route[i].protocol == RTPROT_KERNEL &&
			routes->route[i].table != RT_TABLE_LOCAL)
			return false;
	return true;
}

void nv_apply_keep(struct nv_kernel *kernel, const struct nv_plan *plan, const struct nv_move *move)
{
	NV_AUTO(nv_addrs) struct nv_addrs addrs = {};
	NV_AUTO(nv_routes) struct nv_routes routes = {};
	bool whole = true;

	if (!move->up || nv_kernel_addrs(kernel, move->to, &addrs) < 0 ||
		nv_kernel_routes(kernel, move->to, &routes) < 0)
		return;
	for (size_t i = 0; i < move->addrs.count; i++) {
		struct nv_addr addr = move->addrs.addr[i];

		addr.ifindex = move->to;
		whole &= find_addr(&addrs, &addr.local) != NULL;
		if (!lost_its_network(&addr, &routes))
			continue;
		nv_kernel_addr_del(kernel, &addr);
		whole = false;
	}
	whole &= count_routes(&routes) >= move->routes.count + nv_carry_count_routes(plan, move);
	if (whole || !fill_addrs(kernel, move))
		return;
	fill_routes(kernel, move, LOG_DEBUG);
	nv_carry_fill(kernel, plan, move->late, LOG_DEBUG);
}

static bool has_other(const struct nv_move *move, const struct nv_addrs *now)
{
	for (size_t i = 0; i < now->count; i++)
		if (now->addr[i].local.family == AF_INET &&
			!find_addr(&move->addrs, &now->addr[i].local))
			return true;
	return false;
}

/* So that it is not put in force again. */
static void forget_addr(struct nv_move *move, size_t index)
{
	struct nv_addrs *addrs = &move->addrs;

	addrs->count--;
	memmove(&addrs->addr[index], &addrs->addr[index + 1],
		(addrs->count - index) * sizeof(addrs->addr[0]));
}

void nv_apply_leased(struct nv_kernel *kernel, const struct nv_plan *plan, struct nv_move *move)
{
	NV_AUTO(nv_addrs) struct nv_addrs now = {};
	bool other;

	if (nv_kernel_addrs(kernel, move->to, &now) < 0)
		return;
	other = has_other(move, &now);
	/* Or the new address would go with the old one, whose secondary it may be. */
	if (other)
		sysctl_set(kernel, &promote_secondaries, move->to_name, "1");
	for (size_t i = move->addrs.count; i-- > move->n_said_addrs;) {
		struct nv_addr *addr = &move->addrs.addr[i];
		const struct nv_addr *there = find_addr(&now, &addr->local);
		struct nv_addr mine = *addr;

		if (addr->local.family != AF_INET)
			continue;
		mine.ifindex = move->to;
		if (other) {
			nv_kernel_addr_del(kernel, &mine);
			forget_addr(move, i);
		} else if (addr->valid_lft != UINT32_MAX &&
			   (!there || there->valid_lft <= addr->valid_lft)) {
			mine.valid_lft = addr->valid_lft = UINT32_MAX;
			mine.preferred_lft = addr->preferred_lft = UINT32_MAX;
			nv_kernel_addr_add(kernel, &mine, true);
		}
	}
	nv_apply_keep(kernel, plan, move);
}
