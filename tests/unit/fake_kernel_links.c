/* SPDX-License-Identifier: BSD-2-Clause */
/* Links and addresses of the fake kernel. */
#include "cm.h"

#include "fake_kernel_parts.h"

#include "kernel/diff.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

/* What the kernel makes of an administrator's and a driver's word. */
static void work_out_state(struct nv_link *link)
{
	bool on = (link->flags & IFF_UP) && link->carrier;

	link->operstate = IF_OPER_DOWN;
	link->flags &= ~(uint32_t)(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT);
	if (!on)
		return;
	link->flags |= IFF_LOWER_UP;
	if (link->link_mode == IF_LINK_MODE_DORMANT) {
		link->operstate = IF_OPER_DORMANT;
		link->flags |= IFF_DORMANT;
	} else {
		link->operstate = IF_OPER_UP;
		link->flags |= IFF_RUNNING;
	}
}

int fake_put_link(struct fake_kernel *fake, const struct nv_link *link)
{
	struct nv_link copy = *link;

	if (!copy.ifindex)
		copy.ifindex = fake->next_ifindex++;
	if (copy.ifindex >= fake->next_ifindex)
		fake->next_ifindex = copy.ifindex + 1;
	work_out_state(&copy);
	assert_int_equal(nv_links_put(&fake->links, &copy), 0);
	fake_tell_link(fake, &copy, false);
	return copy.ifindex;
}

int fake_make_link(struct fake_kernel *fake, const char *name, const char *driver, uint8_t mac)
{
	struct nv_link link = {
		.type = ARPHRD_ETHER,
		.flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST,
		.mtu = 1500,
		.carrier = true,
		.has_mac = true,
		.has_permanent_mac = true,
		.mac = {2, 0, 0, 0, 0, mac},
		.permanent_mac = {2, 0, 0, 0, 0, mac},
	};

	assert_true(nv_strcopy(link.name, sizeof(link.name), name));
	assert_true(nv_strcopy(link.driver, sizeof(link.driver), driver));
	return fake_put_link(fake, &link);
}

struct nv_link fake_link(struct fake_kernel *fake, const char *name)
{
	const struct nv_link *link = nv_links_by_name(&fake->links, name);

	if (!link)
		fail_msg("there is no link %s", name);
	return *link;
}

void fake_put_addr(struct fake_kernel *fake, const struct nv_addr *addr)
{
	assert_int_equal(nv_addrs_put(&fake->addrs, addr), 0);
	fake_tell_addr(fake, addr, false);
}

void fake_del_addr(struct fake_kernel *fake, const struct nv_addr *addr)
{
	struct nv_addr copy = *addr;

	nv_addrs_remove(&fake->addrs, &copy);
	fake_tell_addr(fake, &copy, true);
}

void fake_del_link(struct fake_kernel *fake, int ifindex)
{
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	struct nv_link copy;
	size_t kept = 0;

	assert_non_null(link);
	copy = *link;
	for (size_t i = fake->addrs.count; i-- > 0;) {
		if (fake->addrs.addr[i].ifindex == ifindex)
			fake_del_addr(fake, &fake->addrs.addr[i]);
	}
	for (size_t i = 0; i < fake->routes.count; i++) {
		if (fake->routes.route[i].oif != ifindex)
			fake->routes.route[kept++] = fake->routes.route[i];
	}
	fake->routes.count = kept;
	nv_links_remove(&fake->links, ifindex);
	fake_tell_link(fake, &copy, true);
}

struct nv_ip fake_ip(const char *text)
{
	struct nv_ip ip = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(ip.family, text, &ip.v6) != 1)
		fail_msg("%s is no address", text);
	return ip;
}

struct nv_addr fake_addr(int ifindex, const char *text)
{
	struct nv_addr addr = {
		.ifindex = ifindex, .valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX};
	NV_AUTO(nv_free) char *copy = strdup(text);
	char *slash;
	unsigned int length;

	assert_non_null(copy);
	slash = strchr(copy, '/');
	assert_non_null(slash);
	*slash = '\0';
	assert_int_equal(nv_parse_u32(slash + 1, 128, &length), 0);
	addr.local = fake_ip(copy);
	addr.prefix_len = (uint8_t)length;
	return addr;
}
int fake_op_links(void *self, struct nv_links *ret_links)
{
	NV_AUTO(nv_links) struct nv_links copy = {};
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_LINKS);

	for (size_t i = 0; i < fake->links.count; i++)
		assert_int_equal(nv_links_put(&copy, &fake->links.link[i]), 0);
	if (fake->during_dump)
		fake->during_dump(fake);
	if (r < 0)
		return r;
	*ret_links = copy;
	copy = (struct nv_links){};
	return 0;
}

int fake_op_addrs(void *self, int ifindex, struct nv_addrs *ret_addrs)
{
	struct fake_kernel *fake = self;
	struct nv_addrs copy = {};
	int r = fake_call(fake, FAKE_ADDRS);

	if (r < 0)
		return r;
	if (ifindex && !nv_links_by_index(&fake->links, ifindex))
		return -ENODEV;
	for (size_t i = 0; i < fake->addrs.count; i++) {
		if (!ifindex || fake->addrs.addr[i].ifindex == ifindex)
			assert_int_equal(nv_addrs_add(&copy, &fake->addrs.addr[i]), 0);
	}
	*ret_addrs = copy;
	return 0;
}

int fake_op_link(void *self, int ifindex, struct nv_link *ret_link)
{
	struct fake_kernel *fake = self;
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	int r = fake_call(fake, FAKE_LINK);

	if (r < 0)
		return r;
	if (!link)
		return -ENODEV;
	*ret_link = *link;
	return 0;
}

static void apply(struct nv_link *link, const struct nv_link_change *change)
{
	const struct nv_link *to = &change->to;

	if (change->what & NV_LINK_FLAGS)
		link->flags =
			(link->flags & ~change->flags_mask) | (to->flags & change->flags_mask);
	if (change->what & NV_LINK_MTU)
		link->mtu = to->mtu;
	if (change->what & NV_LINK_MAC)
		memcpy(link->mac, to->mac, NV_MAC_LEN);
	if (change->what & NV_LINK_MASTER)
		link->master = to->master;
	if (change->what & NV_LINK_PRIMARY)
		link->primary = to->primary;
	if (change->what & NV_LINK_MODE)
		link->link_mode = to->link_mode;
	if (change->what & NV_LINK_CARRIER)
		link->carrier = to->carrier;
	if (change->what & NV_LINK_ALIAS)
		nv_strcopy(link->alias, sizeof(link->alias), to->alias);
	if (change->what & NV_LINK_NAME)
		nv_strcopy(link->name, sizeof(link->name), to->name);
	if (change->what & NV_LINK_TX_QUEUE_LEN)
		link->tx_queue_len = to->tx_queue_len;
	if (change->what & NV_LINK_GROUP)
		link->group = to->group;
	if (change->what & NV_LINK_TOKEN)
		link->token = to->token;
	if (change->what & NV_LINK_ADDR_GEN_MODE)
		link->addr_gen_mode = to->addr_gen_mode;
}

void fake_log(struct fake_kernel *fake, const char *verb, int ifindex, const char *what)
{
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);

	nv_str_printf(
		&fake->log, "%s %s%s%s\n", verb, link ? link->name : "-", *what ? " " : "", what);
}

static void text_flags(const struct nv_link_change *change, struct nv_str *text)
{
	static const struct {
		uint32_t flag;
		const char *on, *off;
	} names[] = {
		{IFF_ALLMULTI, "+allmulti ", "-allmulti "},
		{IFF_PROMISC, "+promisc ", "-promisc "},
		{IFF_NOARP, "+noarp ", "-noarp "},
		{IFF_MULTICAST, "+multicast ", "-multicast "},
		{IFF_UP, "up ", "down "},
	};

	for (size_t i = 0; i < NV_ARRAY_SIZE(names); i++)
		if (change->flags_mask & names[i].flag)
			nv_str_add(text,
				change->to.flags & names[i].flag ? names[i].on : names[i].off);
}

/* "mtu=9000 up"; what no test looks at is left out. */
static void log_link_set(struct fake_kernel *fake, int ifindex, const struct nv_link_change *change)
{
	const struct nv_link *master = nv_links_by_index(&fake->links, change->to.master);
	const struct nv_link *primary = nv_links_by_index(&fake->links, change->to.primary);
	NV_AUTO(nv_str) struct nv_str text = {};

	if (change->what & NV_LINK_MTU)
		nv_str_printf(&text, "mtu=%u ", change->to.mtu);
	if (change->what & NV_LINK_FLAGS)
		text_flags(change, &text);
	if (change->what & NV_LINK_MASTER)
		nv_str_printf(&text, "master=%s ", master ? master->name : "none");
	if (change->what & NV_LINK_PRIMARY)
		nv_str_printf(&text, "primary=%s ", primary ? primary->name : "none");
	if (change->what & NV_LINK_MODE)
		nv_str_printf(&text, "mode=%s ",
			change->to.link_mode == IF_LINK_MODE_DORMANT ? "dormant" : "default");
	if (change->what & NV_LINK_CARRIER)
		nv_str_printf(&text, "carrier=%s ", change->to.carrier ? "on" : "off");
	if (change->what & NV_LINK_ADDR_GEN_MODE)
		nv_str_printf(&text, "addrgen=%u ", change->to.addr_gen_mode);
	if (change->what & NV_LINK_NAME)
		nv_str_printf(&text, "name=%s ", change->to.name);
	if (text.length)
		text.text[text.length - 1] = '\0';
	fake_log(fake, "link_set", ifindex, nv_str_text(&text));
}

/* As bonding does: it takes a port that is down, and opens it; it closes one that leaves. */
static int change_master(
	const struct fake_kernel *fake, const struct nv_link *link, struct nv_link *changed)
{
	const struct nv_link *master = nv_links_by_index(&fake->links, changed->master);

	if (changed->master == link->master)
		return 0;
	if (!changed->master) {
		changed->flags &= ~(uint32_t)IFF_UP;
		return 0;
	}
	if (!master || !nv_streq(master->kind, "bond"))
		return -EOPNOTSUPP;
	if (link->flags & IFF_UP)
		return -EPERM;
	changed->flags |= IFF_UP;
	changed->mtu = master->mtu;
	return 0;
}

int fake_op_link_set(void *self, int ifindex, const struct nv_link_change *change)
{
	struct fake_kernel *fake = self;
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	const struct nv_link *namesake = nv_links_by_name(&fake->links, change->to.name);
	int r = fake_call(fake, FAKE_LINK_SET);
	struct nv_link changed;

	if (r < 0)
		return r;
	if (!link)
		return -ENODEV;
	if ((change->what & NV_LINK_NAME) && namesake && namesake != link)
		return -EEXIST;
	changed = *link;
	apply(&changed, change);
	r = change_master(fake, link, &changed);
	if (r < 0)
		return r;
	log_link_set(fake, ifindex, change);
	fake_put_link(fake, &changed);
	return 0;
}

int fake_op_link_add(
	void *self, const struct nv_link *link, const char *peer_name, int *ret_ifindex)
{
	struct fake_kernel *fake = self;
	struct nv_link copy = *link;
	struct nv_link peer = *link;
	int r = fake_call(fake, FAKE_LINK_ADD);

	if (r < 0)
		return r;
	if (nv_links_by_name(&fake->links, link->name) ||
		(peer_name && nv_links_by_name(&fake->links, peer_name)))
		return -EEXIST;
	copy.type = ARPHRD_ETHER;
	copy.mtu = link->mtu ? link->mtu : 1500;
	nv_strcopy(copy.driver, sizeof(copy.driver), copy.kind);
	copy.ifindex = fake->next_ifindex++;
	if (peer_name) {
		copy.lower = fake->next_ifindex;
		peer = copy;
		peer.ifindex = 0;
		peer.lower = copy.ifindex;
		nv_strcopy(peer.name, sizeof(peer.name), peer_name);
		fake_put_link(fake, &peer);
	}
	*ret_ifindex = fake_put_link(fake, &copy);
	fake_log(fake, "link_add", *ret_ifindex, copy.kind);
	return 0;
}

int fake_op_link_del(void *self, int ifindex)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_LINK_DEL);

	if (r < 0)
		return r;
	if (!nv_links_by_index(&fake->links, ifindex))
		return -ENODEV;
	fake_log(fake, "link_del", ifindex, "");
	fake_reset_sysctls(fake, nv_links_by_index(&fake->links, ifindex)->name);
	fake_del_link(fake, ifindex);
	return 0;
}

static void log_addr(struct fake_kernel *fake, const char *verb, const struct nv_addr *addr)
{
	char ip[NV_IP_TEXT];
	char text[NV_IP_TEXT + 8];

	snprintf(text, sizeof(text), "%s/%u", nv_ip_text(&addr->local, ip), addr->prefix_len);
	fake_log(fake, verb, addr->ifindex, text);
}

int fake_op_addr_add(void *self, const struct nv_addr *addr, bool replace)
{
	struct fake_kernel *fake = self;
	struct nv_addr made = *addr;
	int r = fake_call(fake, FAKE_ADDR_ADD);

	if (r < 0)
		return r;
	if (!nv_links_by_index(&fake->links, addr->ifindex))
		return -ENODEV;
	if (!replace && nv_addrs_find(&fake->addrs, addr))
		return -EEXIST;
	log_addr(fake, "addr_add", addr);
	made.flags &= ~(uint32_t)IFA_F_PERMANENT;
	if (made.valid_lft == NV_LFT_FOREVER)
		made.flags |= IFA_F_PERMANENT;
	else if (made.valid_lft == NV_LFT_LONGEST)
		made.valid_lft = NV_LFT_FOREVER;
	fake_put_addr(fake, &made);
	return 0;
}

int fake_op_addr_del(void *self, const struct nv_addr *addr)
{
	struct fake_kernel *fake = self;
	int r = fake_call(fake, FAKE_ADDR_DEL);

	if (r < 0)
		return r;
	if (!nv_addrs_find(&fake->addrs, addr))
		return -EADDRNOTAVAIL;
	log_addr(fake, "addr_del", addr);
	fake_del_addr(fake, addr);
	return 0;
}
