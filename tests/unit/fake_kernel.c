/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of the fake kernel, what a script has fail, groups, frames and sysctls. */
#include "cm.h"

#include "fake_kernel_parts.h"

#include <errno.h>
#include <string.h>

/* Counts the call; the error that the script has for it, or 0. */
int fake_call(struct fake_kernel *fake, enum fake_op op)
{
	fake->calls[op]++;
	for (size_t i = 0; i < fake->n_failures; i++) {
		if (fake->failure[i].op == op && fake->failure[i].call == fake->calls[op])
			return fake->failure[i].error;
	}
	return 0;
}

void fake_fail(struct fake_kernel *fake, enum fake_op op, unsigned int nth, int error)
{
	assert_true(fake->n_failures < FAKE_FAILURES_MAX);
	fake->failure[fake->n_failures].op = op;
	fake->failure[fake->n_failures].call = fake->calls[op] + nth;
	fake->failure[fake->n_failures].error = error;
	fake->n_failures++;
}

static void fake_free(void *self)
{
	struct fake_kernel *fake = self;

	nv_links_auto(&fake->links);
	nv_addrs_auto(&fake->addrs);
	nv_routes_auto(&fake->routes);
	nv_neighs_auto(&fake->neighs);
	nv_mcasts_auto(&fake->mcasts);
	nv_groups_auto(&fake->groups);
	nv_groups_auto(&fake->unicasts);
	nv_groups_auto(&fake->bridged);
	nv_str_auto(&fake->log);
	fake_free_notices(&fake->notices[NV_SUBSCRIBE_RTNL]);
	fake_free_notices(&fake->notices[NV_SUBSCRIBE_UEVENT]);
	nv_fd_auto(&fake->wake[NV_SUBSCRIBE_RTNL]);
	nv_fd_auto(&fake->wake[NV_SUBSCRIBE_UEVENT]);
	free(fake);
}

static int op_mcasts(void *self, const int *ifindex, size_t count, struct nv_mcasts *ret_mcasts)
{
	struct fake_kernel *fake = self;
	struct nv_mcasts copy = {};
	int r = fake_call(fake, FAKE_MCASTS);

	if (r < 0)
		return r;
	fake->mcasts_read++;
	fake->sent_before_mcasts = fake->sent;
	for (size_t i = 0; i < fake->mcasts.count; i++) {
		bool wanted = !count;

		for (size_t at = 0; at < count; at++)
			wanted |= ifindex[at] == fake->mcasts.mcast[i].ifindex;
		if (wanted)
			assert_int_equal(nv_mcasts_add(&copy, &fake->mcasts.mcast[i]), 0);
	}
	fake->all_mcasts_read += !count;
	*ret_mcasts = copy;
	return 0;
}

/* Those of one link; @ifindex 0: of all. */
static struct nv_groups copy_groups(const struct nv_groups *groups, int ifindex)
{
	struct nv_groups copy = {};

	for (size_t i = 0; i < groups->count; i++)
		if (!ifindex || groups->group[i].ifindex == ifindex)
			assert_int_equal(nv_groups_add(&copy, &groups->group[i]), 0);
	return copy;
}

static int op_groups(void *self, struct nv_groups *ret_groups)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_GROUPS);

	if (r == 0)
		*ret_groups = copy_groups(&fake->groups, 0);
	return r;
}

static bool is_group_by_hand(const struct nv_group *group, int ifindex, const uint8_t *mac)
{
	return group->by_hand && group->ifindex == ifindex && !memcmp(group->mac, mac, NV_MAC_LEN);
}

static int op_group_set(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct fake_kernel *fake = self;
	struct nv_group group = {.ifindex = ifindex, .by_hand = true};
	size_t kept = 0;
	int r = fake_call(fake, FAKE_GROUP_SET);

	if (r < 0)
		return r;
	memcpy(group.mac, mac, NV_MAC_LEN);
	for (size_t i = 0; i < fake->groups.count; i++)
		if (!is_group_by_hand(&fake->groups.group[i], ifindex, mac))
			fake->groups.group[kept++] = fake->groups.group[i];
		else if (on)
			return -EEXIST;
	if (!on && kept == fake->groups.count)
		return -ENOENT;
	fake->groups.count = kept;
	return on ? nv_groups_add(&fake->groups, &group) : 0;
}

static int op_unicasts(void *self, int ifindex, struct nv_groups *ret_addresses)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_UNICASTS);

	if (r == 0)
		*ret_addresses = copy_groups(&fake->unicasts, ifindex);
	return r;
}

static int op_bridged(void *self, int port, struct nv_groups *ret_addresses)
{
	struct fake_kernel *fake = self;

	*ret_addresses = copy_groups(&fake->bridged, port);
	return 0;
}

static int op_unicast_set(void *self, int ifindex, const uint8_t mac[NV_MAC_LEN], bool on)
{
	struct fake_kernel *fake = self;
	struct nv_group address = {.ifindex = ifindex};
	struct nv_groups *all = &fake->unicasts;
	size_t at = 0;
	int r = fake_call(fake, FAKE_UNICAST_SET);

	if (r < 0)
		return r;
	memcpy(address.mac, mac, NV_MAC_LEN);
	while (at < all->count &&
		(all->group[at].ifindex != ifindex || memcmp(all->group[at].mac, mac, NV_MAC_LEN)))
		at++;
	if (on)
		return at < all->count ? -EEXIST : nv_groups_add(all, &address);
	if (at == all->count)
		return -ENOENT;
	all->group[at] = all->group[--all->count];
	return 0;
}

static int send_frame(
	struct fake_kernel *fake, const char *verb, int ifindex, const void *frame, size_t length)
{
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);

	if (!link)
		return -ENXIO;
	if (!(link->flags & IFF_UP))
		return -ENETDOWN;
	nv_str_printf(&fake->log, "%s %s ", verb, link->name);
	for (size_t i = 0; i < length; i++)
		nv_str_printf(&fake->log, "%02x", ((const uint8_t *)frame)[i]);
	nv_str_addc(&fake->log, '\n');
	return 0;
}

static int op_send(void *self, int ifindex, const void *frame, size_t length)
{
	struct fake_kernel *fake = self;
	int r = fake_call(self, FAKE_SEND);

	fake->sent += r == 0;
	return r < 0 ? r : send_frame(self, "send", ifindex, frame, length);
}

static int op_send_direct(void *self, int ifindex, const void *frame, size_t length)
{
	int r = fake_call(self, FAKE_SEND_DIRECT);

	return r < 0 ? r : send_frame(self, "ask", ifindex, frame, length);
}

/* Its place among those written; n_sysctls: it was not. */
static size_t find_sysctl(const struct fake_kernel *fake, const char *path)
{
	size_t at = 0;

	while (at < fake->n_sysctls && !nv_streq(fake->sysctl[at].path, path))
		at++;
	return at;
}

static int op_sysctl_read(void *self, const char *path, char *ret_value, size_t size)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_SYSCTL_READ);
	size_t at;

	if (!fake->sysctls_read++)
		fake->sent_before_sysctls = fake->sent;
	if (r < 0)
		return r;
	at = find_sysctl(fake, path);
	if (at == fake->n_sysctls)
		return -ENOENT;
	if (strlen(fake->sysctl[at].value) >= size)
		return -ENAMETOOLONG;
	nv_strcopy(ret_value, size, fake->sysctl[at].value);
	return 0;
}

/* The sysctl that was written, as in the kernel. */
static int op_ipv6_forwarding(void *self, int ifindex, bool *ret_forwarding)
{
	struct fake_kernel *fake = self;
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	int r = fake_call(fake, FAKE_IPV6_FORWARDING);
	char path[NV_SYSCTL_PATH_MAX];
	size_t at;

	*ret_forwarding = false;
	if (r < 0 || !link)
		return r < 0 ? r : -EINVAL;
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/forwarding", link->name);
	at = find_sysctl(fake, path);
	*ret_forwarding = at < fake->n_sysctls && !nv_streq(fake->sysctl[at].value, "0");
	return 0;
}

/* Any sysctl can be written; only one that was written can be read. */
static int op_sysctl_write(void *self, const char *path, const char *value)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_SYSCTL_WRITE);
	size_t at;

	if (r < 0)
		return r;
	at = find_sysctl(fake, path);
	assert_true(at < FAKE_SYSCTLS_MAX);
	if (at == fake->n_sysctls)
		fake->n_sysctls++;
	nv_strcopy(fake->sysctl[at].path, sizeof(fake->sysctl[at].path), path);
	nv_strcopy(fake->sysctl[at].value, sizeof(fake->sysctl[at].value), value);
	nv_str_printf(&fake->log, "sysctl %s=%s\n", path, value);
	return 0;
}

/* An interface of this name that is made later has the values of "default". */
void fake_reset_sysctls(struct fake_kernel *fake, const char *ifname)
{
	char path[NV_SYSCTL_PATH_MAX];
	char directory[32];
	char name[64];
	char whose[64];

	for (size_t i = 0; i < fake->n_sysctls; i++) {
		if (sscanf(fake->sysctl[i].path, "net/%31[^/]/conf/%63[^/]/%63s", directory, whose,
			    name) != 3 ||
			!nv_streq(whose, ifname))
			continue;
		snprintf(path, sizeof(path), "net/%s/conf/default/%s", directory, name);
		if (op_sysctl_read(
			    fake, path, fake->sysctl[i].value, sizeof(fake->sysctl[i].value)) < 0)
			fake->sysctl[i].path[0] = '\0';
	}
}

/* Names in a directory, which end the path; separated by blanks, in which no name has one. */
static int op_sysctl_list(void *self, const char *path, struct nv_words *ret_names)
{
	NV_AUTO(nv_str) struct nv_str names = {};
	struct fake_kernel *fake = self;
	size_t length = strlen(path);

	for (size_t i = 0; i < fake->n_sysctls; i++) {
		const char *there = fake->sysctl[i].path;

		if (strncmp(there, path, length) == 0 && there[length] == '/')
			nv_str_printf(&names, "%s ", there + length + 1);
	}
	return names.length ? nv_words_split(nv_str_text(&names), ret_names) : -ENOENT;
}

static void op_link_details(void *self, struct nv_link *link)
{
	struct fake_kernel *fake = self;
	const struct nv_link *known = nv_links_by_index(&fake->links, link->ifindex);

	if (known)
		nv_strcopy(link->driver, sizeof(link->driver), known->driver);
}

static const struct nv_kernel_ops ops = {
	.free = fake_free,
	.links = fake_op_links,
	.addrs = fake_op_addrs,
	.routes = fake_op_routes,
	.neighs = fake_op_neighs,
	.link = fake_op_link,
	.link_set = fake_op_link_set,
	.link_add = fake_op_link_add,
	.link_del = fake_op_link_del,
	.addr_add = fake_op_addr_add,
	.addr_del = fake_op_addr_del,
	.route_add = fake_op_route_add,
	.route_del = fake_op_route_del,
	.neigh_add = fake_op_neigh_add,
	.objs = fake_op_objs,
	.batch = fake_op_batch,
	.mcasts = op_mcasts,
	.groups = op_groups,
	.group_set = op_group_set,
	.unicasts = op_unicasts,
	.bridged = op_bridged,
	.unicast_set = op_unicast_set,
	.ipv6_forwarding = op_ipv6_forwarding,
	.send = op_send,
	.send_direct = op_send_direct,
	.sysctl_read = op_sysctl_read,
	.sysctl_write = op_sysctl_write,
	.sysctl_list = op_sysctl_list,
	.link_driver = op_link_details,
	.devices = fake_op_devices,
	.subscribe = fake_op_subscribe,
	.receive = fake_op_receive,
};

struct fake_kernel *fake_kernel_new(void)
{
	struct fake_kernel *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->next_ifindex = 1;
	fake->wake[NV_SUBSCRIBE_RTNL] = -1;
	fake->wake[NV_SUBSCRIBE_UEVENT] = -1;
	assert_int_equal(nv_kernel_new(&ops, fake, &fake->kernel), 0);
	return fake;
}
