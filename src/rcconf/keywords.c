/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of ifconfig(8), and the keywords of rc.conf among them. */
#include "rcconf/address.h"
#include "rcconf/build.h"
#include "rcconf/suggest.h"
#include "rcconf/values.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#define MTU_MIN 68 /* bytes, RFC 791 */
#define MTU_MAX 65535

#define NO_OFFLOAD "set offloads with ethtool -K"
#define NO_MEDIA   "set the link's speed with ethtool -s"
#define NO_LINUX   "Linux has nothing like it"
#define NO_SYSCTL  "set it in sysctl.d(5)"
#define NO_LAGG	   "netvf makes laggN itself, of hnN and its VF"
#define NO_VLAN	   "list the VLAN in vlans_IF"
#define NO_WLAN	   "netvf supports Ethernet only"

struct word {
	const char *name;
	unsigned int args; /* 0 or 1 */
	bool with_minus; /* "-NAME" is accepted too, and handled like NAME */
	void (*take)(struct nv_line *line, const char *arg); /* NULL: no effect, `note` says why */
	const char *note;
};

static void keywords_take_inet(struct nv_line *line, const char *arg)
{
	(void)arg;
	nv_address_begin(line, AF_INET);
}

static void keywords_take_inet6(struct nv_line *line, const char *arg)
{
	(void)arg;
	nv_address_begin(line, AF_INET6);
}

static void keywords_take_minus_alias(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->group.remove = true;
}

static void keywords_take_broadcast(struct nv_line *line, const char *arg)
{
	if (nv_ip_parse(arg, AF_INET, &line->group.broadcast) < 0)
		nv_build_fault(line->build, line->key, "`%.60s' is not an IPv4 address", arg);
	else
		line->group.has_broadcast = true;
}

static void keywords_take_lifetime(struct nv_line *line, const char *arg, uint32_t *ret)
{
	unsigned int seconds;

	if (nv_streq(arg, "infty") || nv_streq(arg, "infinity"))
		*ret = UINT32_MAX;
	else if (nv_parse_u32(arg, UINT32_MAX - 1, &seconds) == 0)
		*ret = seconds;
	else
		nv_build_fault(line->build, line->key,
			"`%.60s' is neither a number of seconds nor infty", arg);
}

static void keywords_take_vltime(struct nv_line *line, const char *arg)
{
	keywords_take_lifetime(line, arg, &line->group.valid_lft);
}

static void keywords_take_pltime(struct nv_line *line, const char *arg)
{
	keywords_take_lifetime(line, arg, &line->group.preferred_lft);
}

static void keywords_take_deprecated(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->group.preferred_lft = 0;
}

static void keywords_take_eui64(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->group.eui64 = true;
}

static void keywords_take_up(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->build->down = false;
}

static void keywords_take_down(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->build->down = true;
}

static void keywords_take_mtu(struct nv_line *line, const char *arg)
{
	unsigned int mtu;

	if (nv_parse_u32(arg, MTU_MAX, &mtu) < 0 || mtu < MTU_MIN)
		nv_build_fault(line->build, line->key,
			"`mtu %.60s': an MTU is a number from %d to %d", arg, MTU_MIN, MTU_MAX);
	else
		line->build->config->mtu = mtu;
}

static void keywords_take_mac(struct nv_line *line, const char *arg)
{
	if (nv_mac_parse(arg, line->build->config->mac) < 0)
		nv_build_fault(line->build, line->key,
			"`%.60s' is not an Ethernet address of one station", arg);
	else
		line->build->config->has_mac = true;
}

static void keywords_take_description(struct nv_line *line, const char *arg)
{
	nv_build_describe(line->build, line->key, arg);
}

static void keywords_take_minus_description(struct nv_line *line, const char *arg)
{
	(void)arg;
	nv_build_describe(line->build, line->key, "");
}

static void keywords_take_accept_rtadv(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->build->config->accept_rtadv = true;
}

static void keywords_take_minus_accept_rtadv(struct nv_line *line, const char *arg)
{
	(void)arg;
	line->build->config->accept_rtadv = false;
}

/* For a word that has no effect: Linux always behaves like this. */
static void keywords_take_nothing(struct nv_line *line, const char *arg)
{
	(void)line;
	(void)arg;
}

static const struct word words[] = {
	{"inet", 0, false, keywords_take_inet, NULL},
	{"inet6", 0, false, keywords_take_inet6, NULL},
	{"alias", 0, false, keywords_take_nothing, NULL},
	{"add", 0, false, keywords_take_nothing, NULL},
	{"-alias", 0, false, keywords_take_minus_alias, NULL},
	{"delete", 0, false, keywords_take_minus_alias, NULL},
	{"remove", 0, false, keywords_take_minus_alias, NULL},
	{"netmask", 1, false, nv_address_set_netmask, NULL},
	{"prefixlen", 1, false, nv_address_set_len, NULL},
	{"broadcast", 1, false, keywords_take_broadcast, NULL},
	{"vltime", 1, false, keywords_take_vltime, NULL},
	{"pltime", 1, false, keywords_take_pltime, NULL},
	{"deprecated", 0, false, keywords_take_deprecated, NULL},
	{"eui64", 0, false, keywords_take_eui64, NULL},
	{"up", 0, false, keywords_take_up, NULL},
	{"down", 0, false, keywords_take_down, NULL},
	{"mtu", 1, false, keywords_take_mtu, NULL},
	{"ether", 1, false, keywords_take_mac, NULL},
	{"lladdr", 1, false, keywords_take_mac, NULL},
	{"link", 1, false, keywords_take_mac, NULL},
	{"description", 1, false, keywords_take_description, NULL},
	{"descr", 1, false, keywords_take_description, NULL},
	{"-description", 0, false, keywords_take_minus_description, NULL},
	{"-descr", 0, false, keywords_take_minus_description, NULL},
	{"accept_rtadv", 0, false, keywords_take_accept_rtadv, NULL},
	{"-accept_rtadv", 0, false, keywords_take_minus_accept_rtadv, NULL},
	{"-ifdisabled", 0, false, keywords_take_nothing, NULL},
	{"auto_linklocal", 0, false, keywords_take_nothing, NULL},
	{"nud", 0, false, keywords_take_nothing, NULL},
	{"arp", 0, false, keywords_take_nothing, NULL},
	{"ifdisabled", 0, false, NULL, NO_SYSCTL},
	{"-auto_linklocal", 0, false, NULL, NO_SYSCTL},
	{"-nud", 0, false, NULL, NO_LINUX},
	{"-arp", 0, false, NULL, "set it with ip link set IF arp off"},
	{"no_radr", 0, true, NULL, NO_SYSCTL},
	{"no_dad", 0, true, NULL, NO_SYSCTL},
	{"no_prefer_iface", 0, true, NULL, NO_LINUX},
	{"prefer_source", 0, true, NULL, NO_LINUX},
	{"anycast", 0, true, NULL, NO_LINUX},
	{"autoconf", 0, true, NULL, NO_LINUX},
	{"stableaddr", 0, true, NULL, NO_SYSCTL},
	{"metric", 1, false, NULL, "on FreeBSD too it is only told to routing daemons"},
	{"fib", 1, false, NULL, NO_LINUX},
	{"group", 1, true, NULL, NO_LINUX},
	{"vnet", 1, true, NULL, "put the interface into a network namespace instead"},
	{"name", 1, false, NULL, "rename an interface in a systemd.link(5) file"},
	{"media", 1, false, NULL, NO_MEDIA},
	{"mediaopt", 1, true, NULL, NO_MEDIA},
	{"mode", 1, false, NULL, NO_MEDIA},
	{"instance", 1, false, NULL, NO_MEDIA},
	{"inst", 1, false, NULL, NO_MEDIA},
	{"laggproto", 1, false, NULL, NO_LAGG},
	{"laggport", 1, true, NULL, NO_LAGG},
	{"lagghash", 1, false, NULL, NO_LAGG},
	{"vlan", 1, false, NULL, NO_VLAN},
	{"vlandev", 1, true, NULL, NO_VLAN},
	{"vlanproto", 1, false, NULL, NO_VLAN},
	{"vlanpcp", 1, false, NULL, NO_LINUX},
	{"rxcsum", 0, true, NULL, NO_OFFLOAD},
	{"rxcsum6", 0, true, NULL, NO_OFFLOAD},
	{"txcsum", 0, true, NULL, NO_OFFLOAD},
	{"txcsum6", 0, true, NULL, NO_OFFLOAD},
	{"tso", 0, true, NULL, NO_OFFLOAD},
	{"tso4", 0, true, NULL, NO_OFFLOAD},
	{"tso6", 0, true, NULL, NO_OFFLOAD},
	{"lro", 0, true, NULL, NO_OFFLOAD},
	{"rxtls", 0, true, NULL, NO_OFFLOAD},
	{"txtls", 0, true, NULL, NO_OFFLOAD},
	{"txrtlmt", 0, true, NULL, NO_LINUX},
	{"mextpg", 0, true, NULL, NO_LINUX},
	{"vlanmtu", 0, true, NULL, NO_OFFLOAD},
	{"vlanhwtag", 0, true, NULL, NO_OFFLOAD},
	{"vlanhwfilter", 0, true, NULL, NO_OFFLOAD},
	{"vlanhwcsum", 0, true, NULL, NO_OFFLOAD},
	{"vlanhwtso", 0, true, NULL, NO_OFFLOAD},
	{"wol", 0, true, NULL, "set it with ethtool -s"},
	{"wol_ucast", 0, true, NULL, "set it with ethtool -s"},
	{"wol_mcast", 0, true, NULL, "set it with ethtool -s"},
	{"wol_magic", 0, true, NULL, "set it with ethtool -s"},
	{"polling", 0, true, NULL, NO_LINUX},
	{"promisc", 0, true, NULL, "set it with ip link set IF promisc on"},
	{"monitor", 0, true, NULL, NO_LINUX},
	{"debug", 0, true, NULL, NO_LINUX},
	{"staticarp", 0, true, NULL, NO_LINUX},
	{"stickyarp", 0, true, NULL, NO_LINUX},
	{"toe", 0, true, NULL, NO_LINUX},
	{"link0", 0, true, NULL, NO_LINUX},
	{"link1", 0, true, NULL, NO_LINUX},
	{"link2", 0, true, NULL, NO_LINUX},
};

static const struct word *keywords_find_word(const char *name)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(words); i++)
		if (nv_streq(name, words[i].name) ||
			(words[i].with_minus && *name == '-' && nv_streq(name + 1, words[i].name)))
			return &words[i];
	return NULL;
}

static void keywords_unknown(struct nv_line *line, const char *name)
{
	const char *nearest = NULL;
	unsigned int least = UINT_MAX;

	for (size_t i = 0; i < NV_ARRAY_SIZE(words); i++) {
		unsigned int distance = strcasecmp(name, words[i].name) == 0
						? 0
						: nv_suggest_distance(name, words[i].name);

		if (distance < least) {
			least = distance;
			nearest = words[i].name;
		}
	}
	if (nv_suggest_is_near(name, least))
		nv_build_fault(line->build, line->key,
			"netvf does not know `%.60s'; is `%s' meant?", name, nearest);
	else
		nv_build_fault(line->build, line->key, "netvf does not know `%.60s'", name);
}

static void keywords_want_dhcp(struct nv_build *build, enum nv_dhcp_mode mode, bool sync_said)
{
	if (build->sync_said && !sync_said)
		return;
	build->sync_said = sync_said;
	build->config->dhcp.mode = mode;
}

static bool take_keyword(struct nv_line *line, const char *name)
{
	struct nv_build *build = line->build;
	bool sync = nv_rcconf_yes(build->rcconf, "synchronous_dhclient", false);

	if (strcasecmp(name, "DHCP") == 0)
		keywords_want_dhcp(build, sync ? NV_DHCP_SYNC : NV_DHCP_ASYNC, false);
	else if (strcasecmp(name, "SYNCDHCP") == 0)
		keywords_want_dhcp(build, NV_DHCP_SYNC, true);
	else if (strcasecmp(name, "NOSYNCDHCP") == 0)
		keywords_want_dhcp(build, NV_DHCP_ASYNC, true);
	else if (strcasecmp(name, "NOAUTO") == 0)
		build->noauto = true;
	else if (strcasecmp(name, "WPA") == 0 || strcasecmp(name, "HOSTAP") == 0)
		nv_build_warn(build, line->key, "`%s' has no effect: " NO_WLAN, name);
	else
		return false;
	return true;
}

/* Handles the word at line->at and its argument. */
static void keywords_take_word(struct nv_line *line)
{
	bool keywords = line->kind == NV_BUILD_PRIMARY || line->kind == NV_BUILD_IPV6;
	const char *name = line->words.word[line->at++];
	const struct word *word;
	const char *arg = NULL;

	if (keywords && take_keyword(line, name))
		return;
	word = keywords_find_word(name);
	if (!word && (strchr(name, ':') || strspn(name, "0123456789"))) {
		nv_address_set(line, name);
		return;
	}
	if (!word) {
		keywords_unknown(line, name);
		return;
	}
	if (word->args) {
		if (line->at == line->words.count) {
			nv_build_fault(line->build, line->key, "`%s' needs a value after it", name);
			return;
		}
		arg = line->words.word[line->at++];
	}
	if (word->take)
		word->take(line, arg);
	else
		nv_build_warn(line->build, line->key, "`%s' has no effect: %s", name, word->note);
}

static void keywords_take_line(struct nv_line *line)
{
	bool list = line->kind == NV_BUILD_LIST4 || line->kind == NV_BUILD_LIST6;

	nv_address_begin(line, AF_UNSPEC);
	while (line->at < line->words.count && !line->build->error) {
		if (line->kind == NV_BUILD_LIST6)
			nv_address_set_prefix(line, line->words.word[line->at++]);
		else if (list)
			nv_address_set(line, line->words.word[line->at++]);
		else
			keywords_take_word(line);
		if (list)
			nv_address_begin(line, AF_UNSPEC);
	}
	nv_address_begin(line, AF_UNSPEC);
}

void nv_build_keywords(struct nv_build *build, const char *key, enum nv_build_value kind)
{
	struct nv_line line = {.build = build, .key = key, .kind = kind};
	const char *value = nv_rcconf_get(build->rcconf, key);
	int r;

	if (!value)
		return;
	r = nv_words_split_quoted(value, &line.words);
	if (r == -EINVAL)
		nv_build_fault(build, key, "a quote inside the value is not closed");
	else if (r < 0)
		build->error = r;
	if (line.words.count) {
		build->config->configured = true;
		keywords_take_line(&line);
	}
	nv_words_auto(&line.words);
}
