/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "rcconf/interface.h"
#include "rcconf/values.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mac[NV_MAC_LEN] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};

static void describe_ip(struct nv_str *text, const struct nv_ip *ip)
{
	char buffer[INET6_ADDRSTRLEN];

	nv_str_add(text, inet_ntop(ip->family, &ip->v6, buffer, sizeof(buffer)));
}

static void describe_addr(struct nv_str *text, const struct nv_addr *addr)
{
	describe_ip(text, &addr->local);
	nv_str_printf(text, "/%u", addr->prefix_len);
	if (addr->has_broadcast) {
		nv_str_add(text, " brd ");
		describe_ip(text, &addr->broadcast);
	}
	if (addr->scope != RT_SCOPE_UNIVERSE)
		nv_str_printf(text, " scope %u", addr->scope);
	if (addr->valid_lft != UINT32_MAX)
		nv_str_printf(text, " valid %u", addr->valid_lft);
	if (addr->preferred_lft != UINT32_MAX)
		nv_str_printf(text, " preferred %u", addr->preferred_lft);
	nv_str_add(text, "; ");
}

static void describe_route(struct nv_str *text, const struct nv_route *route)
{
	describe_ip(text, &route->destination);
	nv_str_printf(text, "/%u", route->destination_len);
	if (route->has_gateway) {
		nv_str_add(text, " via ");
		describe_ip(text, &route->gateway);
	}
	if (route->has_source) {
		nv_str_add(text, " src ");
		describe_ip(text, &route->source);
	}
	if (route->mtu)
		nv_str_printf(text, " mtu %u", route->mtu);
	if (route->scope != RT_SCOPE_UNIVERSE)
		nv_str_printf(text, " scope %u", route->scope);
	assert_int_equal(route->table, RT_TABLE_MAIN);
	assert_int_equal(route->protocol, RTPROT_STATIC);
	assert_int_equal(route->type, RTN_UNICAST);
	nv_str_add(text, "; ");
}

static void describe_dhcp(struct nv_str *text, const struct nv_dhcp_wanted *dhcp)
{
	if (dhcp->mode == NV_DHCP_NO)
		return;
	nv_str_printf(text, "dhcp %s%s %s [%s]; ", dhcp->mode == NV_DHCP_SYNC ? "sync" : "async",
		dhcp->background ? " background" : "", dhcp->program ? dhcp->program : "any",
		dhcp->flags);
}

static void describe(struct nv_str *text, const struct nv_interface *config)
{
	for (size_t i = 0; i < config->addrs.count; i++)
		describe_addr(text, &config->addrs.addr[i]);
	for (size_t i = 0; i < config->routes.count; i++)
		describe_route(text, &config->routes.route[i]);
	if (config->mtu)
		nv_str_printf(text, "mtu %u; ", config->mtu);
	if (config->has_mac)
		nv_str_printf(text, "mac %02x..%02x; ", config->mac[0], config->mac[5]);
	if (config->description)
		nv_str_printf(text, "descr '%s'; ", config->description);
	if (config->accept_rtadv)
		nv_str_add(text, "rtadv; ");
	describe_dhcp(text, &config->dhcp);
	for (size_t i = 0; i < config->n_vlans; i++) {
		nv_str_printf(text, "%s=%u { ", config->vlan[i].name, config->vlan[i].id);
		describe(text, config->vlan[i].config);
		nv_str_add(text, "} ");
	}
	nv_str_add(text, config->up ? "up" : config->configured ? "down" : "nothing");
	nv_str_add(text, " ");
}

struct built {
	const char *text; /* of rc.conf */
	const char *wanted; /* as describe() writes it */
	const char *fault; /* a part of the only fault, NULL: none */
};

static void check_one(const struct built *built, const char *ifname, const char *lagg)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	NV_AUTO(nv_interface) struct nv_interface *config = NULL;
	NV_AUTO(nv_str) struct nv_str text = {};
	bool fault_fits;

	assert_int_equal(
		nv_rcconf_parse("rc.conf", built->text, strlen(built->text), &faults, &rcconf), 0);
	assert_int_equal(nv_interface_build(rcconf, ifname, lagg, mac, &faults, &config), 0);
	describe(&text, config);
	fault_fits = built->fault
			     ? faults.count == 1 && strstr(faults.fault[0].message, built->fault)
			     : faults.count == 0;
	if (strcmp(nv_str_text(&text), built->wanted) != 0 || !fault_fits) {
		nv_faults_print(&faults, stderr);
		fail_msg("%s\n gave %s\n not  %s", built->text, nv_str_text(&text), built->wanted);
	}
}

static void check(const struct built *built, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_one(&built[i], "hn0", "lagg0");
}

#define CHECK(table) check(table, NV_ARRAY_SIZE(table))

/* What an address without more becomes. */
#define A1 "192.0.2.1/24 brd 192.0.2.255; "

static const struct built primary[] = {
	{"", "nothing ", NULL},
	{"ifconfig_hn1='inet 192.0.2.1/24'", "nothing ", NULL},
	{"ifconfig_hn0=''", "nothing ", NULL},
	{"ifconfig_hn0='  '", "nothing ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24'", A1 "up ", NULL},
	{"ifconfig_hn0='192.0.2.1/24'", A1 "up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1 netmask 255.255.255.0'", A1 "up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1 netmask 0xffffff00'", A1 "up ", NULL},
	{"ifconfig_hn0='inet\t192.0.2.1\n  netmask 0xFFFFFF00 '", A1 "up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1 prefixlen 24'", A1 "up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24 broadcast 192.0.2.0'", "192.0.2.1/24 brd 192.0.2.0; up ",
		NULL},
	{"ifconfig_hn0='inet 192.0.2.1/31'", "192.0.2.1/31; up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/32'", "192.0.2.1/32; up ", NULL},
	{"ifconfig_hn0='inet 127.0.0.2/8'", "127.0.0.2/8 brd 127.255.255.255 scope 254; up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24 mtu 9000 up'", A1 "mtu 9000; up ", NULL},
	{"ifconfig_hn0='mtu 9000'", "mtu 9000; up ", NULL},
	{"ifconfig_hn0='up'", "up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24 down'", A1 "down ", NULL},
	{"ifconfig_hn0='down up'", "up ", NULL},
	{"ifconfig_hn0='ether 00:15:5d:0:0:9'", "mac 00..09; up ", NULL},
	{"ifconfig_hn0='link 00:15:5d:0:0:9 inet 192.0.2.1/24'", A1 "mac 00..09; up ", NULL},
	{"ifconfig_hn0='up description \"my net\"'", "descr 'my net'; up ", NULL},
	{"ifconfig_hn0=\"up descr 'my  net'\"", "descr 'my  net'; up ", NULL},
	{"ifconfig_hn0='up descr my\\ net'", "descr 'my net'; up ", NULL},
	{"ifconfig_hn0='up descr x -descr'", "descr ''; up ", NULL},
	{"ifconfig_hn0=up\nifconfig_hn0_descr='WAN  side'", "descr 'WAN  side'; up ", NULL},
	{"ifconfig_hn0_descr='x'", "descr 'x'; up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24 alias'", A1 "up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24 inet 192.0.2.9/32 inet 192.0.2.1 -alias'",
		"192.0.2.9/32; up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24 inet6 2001:db8::1/64'", "2001:db8::1/64; " A1 "up ",
		NULL},
	{"ifconfig_hn0='inet 192.0.2.1/16 inet 192.0.2.1/24'", A1 "up ", NULL},
	{"ifconfig_DEFAULT='inet 192.0.2.1/24'", A1 "up ", NULL},
	{"ifconfig_DEFAULT='inet 192.0.2.1/24'\nifconfig_hn0=", "nothing ", NULL},
	{"ifconfig_DEFAULT=up\nifconfig_hn0='inet 192.0.2.1/24'", A1 "up ", NULL},
	/* faults */
	{"ifconfig_hn0='inet 10.1.2.3'", "10.1.2.3/8 brd 10.255.255.255; up ", "/8 is used"},
	{"ifconfig_hn0='inet 172.16.2.3'", "172.16.2.3/16 brd 172.16.255.255; up ", "/16 is used"},
	{"ifconfig_hn0='inet 192.0.2.1'", A1 "up ", "/24 is used"},
	{"ifconfig_hn0='inet 192.0.2.1/33'", "up ", "from 0 to 32"},
	{"ifconfig_hn0='inet 192.0.2.1/x'", "up ", "from 0 to 32"},
	{"ifconfig_hn0='inet 192.0.2.256/24 netmask 255.0.0.0'", "up ", "not an IPv4 address"},
	{"ifconfig_hn0='inet 192.0.2/24'", "up ", "not an IPv4 address"},
	{"ifconfig_hn0='inet 2001:db8::1/24'", "up ", "not an IPv4 address"},
	{"ifconfig_hn0='inet 224.0.0.1/24'", "up ", "no interface can have"},
	{"ifconfig_hn0='inet 0.0.0.0/8'", "up ", "no interface can have"},
	{"ifconfig_hn0='inet 192.0.2.1/24 192.0.2.2'", A1 "up ", "second address"},
	{"ifconfig_hn0='inet 192.0.2.1/24 netmask 255.0.255.0'", A1 "up ", "not a netmask"},
	{"ifconfig_hn0='inet 192.0.2.1/24 broadcast x'", A1 "up ", "not an IPv4 address"},
	{"ifconfig_hn0='inet 192.0.2.1/24 mtu'", A1 "up ", "needs a value"},
	{"ifconfig_hn0='mtu 67'", "up ", "from 68 to 65535"},
	{"ifconfig_hn0='mtu 9k'", "up ", "from 68 to 65535"},
	{"ifconfig_hn0='ether 01:00:5e:00:00:01'", "up ", "of one station"},
	{"ifconfig_hn0='ether 00:15:5d:00:00'", "up ", "of one station"},
	{"ifconfig_hn0='inet 192.0.2.1/24 UP'", A1 "up ", "is `up' meant"},
	{"ifconfig_hn0='netmask 255.255.255.0'", "up ", "no address"},
	{"ifconfig_hn0='inet 192.0.2.1/24 frobnicate'", A1 "up ", "does not know `frobnicate'"},
	{"ifconfig_hn0='inet 192.0.2.1/24 -tso'", A1 "up ", "ethtool -K"},
	{"ifconfig_hn0='inet 192.0.2.1/24 media 10Gbase-T'", A1 "up ", "ethtool -s"},
	{"ifconfig_hn0='inet 192.0.2.1/24 metric 5'", A1 "up ", "has no effect"},
	{"ifconfig_hn0='laggproto failover inet 192.0.2.1/24'", A1 "up ", "makes laggN itself"},
	{"ifconfig_hn0='inet 192.0.2.1/24 -laggport em0'", A1 "up ", "makes laggN itself"},
	{"ifconfig_hn0='vlandev em0 inet 192.0.2.1/24'", A1 "up ", "vlans_IF"},
	{"ifconfig_hn0='vnet web inet 192.0.2.1/24'", A1 "up ", "namespace"},
	{"ifconfig_hn0='2001:db8::1/64'", "2001:db8::1/64; up ", "`inet6' should stand before"},
	{"ifconfig_hn0='up descr \"x'", "nothing ", "quote inside"},
};

static void primary_value_is_built(void **state)
{
	(void)state;
	CHECK(primary);
}

static const struct built ipv6[] = {
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64'", "2001:db8::1/64; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1 prefixlen 48'", "2001:db8::1/48; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1'", "2001:db8::1/64; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 fe80::1%hn0/64'", "fe80::1/64 scope 253; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 fe80::1%lagg0 prefixlen 64'", "fe80::1/64 scope 253; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 accept_rtadv'", "rtadv; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 -ifdisabled accept_rtadv auto_linklocal'", "rtadv; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 accept_rtadv -accept_rtadv'", "up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64 vltime 600 pltime 300'",
		"2001:db8::1/64 valid 600 preferred 300; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64 pltime infty deprecated'",
		"2001:db8::1/64 preferred 0; up ", NULL},
	{"ifconfig_hn0_ipv6='inet6 2001:db8:1:: eui64'", "2001:db8:1:0:215:5dff:fe01:203/64; up ",
		NULL},
	{"ipv6_prefix_hn0='2001:db8:1:2 2001:db8:7::/56'",
		"2001:db8:1:2:215:5dff:fe01:203/64; 2001:db8:7:0:215:5dff:fe01:203/56; up ", NULL},
	{"ifconfig_hn0='SYNCDHCP'\nifconfig_hn0_ipv6='inet6 accept_rtadv'",
		"rtadv; dhcp sync any []; up ", NULL},
	/* faults */
	{"ifconfig_hn0_ipv6='2001:db8::1/64'", "2001:db8::1/64; up ",
		"`inet6' should stand before"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/129'", "up ", "from 0 to 128"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::g/64'", "up ", "not an IPv6 address"},
	{"ifconfig_hn0_ipv6='inet6 ff02::1/64'", "up ", "no interface can have"},
	{"ifconfig_hn0_ipv6='inet6 ::/64'", "up ", "no interface can have"},
	{"ifconfig_hn0_ipv6='inet6 fe80::1%hn1/64'", "up ", "another interface"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64 vltime 5'", "up ", "pltime is greater"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64 vltime 5s'", "2001:db8::1/64; up ",
		"number of seconds"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64 broadcast 192.0.2.1'", "up ", "no broadcast"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::/96 eui64'", "up ", "at most 64 bits"},
	{"ifconfig_hn0_ipv6='inet6 2001:db8::1/64 anycast'", "2001:db8::1/64; up ",
		"has no effect"},
	{"ipv6_prefix_hn0='2001:db8::/65'", "up ", "at most 64 bits"},
	{"ipv6_prefix_hn0='x'", "up ", "not an IPv6 address"},
};

static void ipv6_value_is_built(void **state)
{
	(void)state;
	CHECK(ipv6);
}

static const struct built aliases[] = {
	{"ifconfig_hn0_aliases='inet 192.0.2.1/24 inet6 2001:db8::1/64 inet 192.0.2.7/32'",
		"2001:db8::1/64; " A1 "192.0.2.7/32; up ", NULL},
	{"ifconfig_hn0_aliases='\n inet 192.0.2.1\n  netmask 255.255.255.0\n link 0:1:2:3:4:5'",
		A1 "mac 00..05; up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/24'\n"
	 "ifconfig_hn0_alias10='inet 192.0.2.4/32'\n"
	 "ifconfig_hn0_alias2='inet 192.0.2.3/32'\n"
	 "ifconfig_hn0_alias0='inet 192.0.2.2/32'",
		A1 "192.0.2.2/32; 192.0.2.3/32; 192.0.2.4/32; up ", NULL},
	{"ifconfig_hn0_alias0='inet 192.0.2.2/32'\n"
	 "ifconfig_hn0_alias1=''\n"
	 "ifconfig_hn0_alias2='inet 192.0.2.3/32'",
		"192.0.2.2/32; up ", NULL},
	{"ifconfig_hn0_alias0='inet 192.0.2.2/32 inet 192.0.2.3/32'",
		"192.0.2.2/32; 192.0.2.3/32; up ", NULL},
	{"ifconfig_hn0_aliasx='inet 192.0.2.2/32'", "nothing ", NULL},
	{"ipv4_addrs_hn0='192.0.2.1/24 192.0.2.5-7/28'",
		A1 "192.0.2.5/28 brd 192.0.2.15; 192.0.2.6/32; 192.0.2.7/32; up ", NULL},
	{"ipv6_ifconfig_hn0_alias0='2001:db8::5 prefixlen 64'", "2001:db8::5/64; up ", NULL},
	{"ipv4_addrs_hn0='192.0.2.9/32'\n"
	 "ipv6_ifconfig_hn0_alias0='2001:db8::5'\n"
	 "ifconfig_hn0_alias0='inet6 2001:db8::4 inet 192.0.2.8/32'\n"
	 "ifconfig_hn0_aliases='inet 192.0.2.7/32'\n"
	 "ifconfig_hn0_ipv6='inet6 2001:db8::3'\n"
	 "ifconfig_hn0='inet 192.0.2.6/32'",
		"2001:db8::3/64; 2001:db8::4/64; 2001:db8::5/64; 192.0.2.6/32; 192.0.2.7/32; "
		"192.0.2.8/32; 192.0.2.9/32; up ",
		NULL},
	/* ranges */
	{"ifconfig_hn0_alias0='inet 192.0.2.5-7/24'",
		"192.0.2.5/24 brd 192.0.2.255; 192.0.2.6/32; 192.0.2.7/32; up ", NULL},
	{"ifconfig_hn0_alias0='inet 192.0.2.5-6'", "192.0.2.5/32; 192.0.2.6/32; up ", NULL},
	{"ifconfig_hn0_alias0='inet 192.0.2.5-5/24'", "192.0.2.5/24 brd 192.0.2.255; up ", NULL},
	{"ifconfig_hn0_alias0='inet6 2001:db8:e-10::1/56'",
		"2001:db8:e::1/56; 2001:db8:f::1/56; 2001:db8:10::1/56; up ", NULL},
	{"ifconfig_hn0_alias0='inet6 2001:db8::9-b'",
		"2001:db8::9/64; 2001:db8::a/64; 2001:db8::b/64; up ", NULL},
	{"ifconfig_hn0_alias0='inet6 2001:db8::9-a:5/64'",
		"2001:db8::9:5/64; 2001:db8::a:5/64; up ", NULL},
	/* faults */
	{"ifconfig_hn0_alias0='192.0.2.2/32'", "192.0.2.2/32; up ", "`inet' should stand before"},
	{"ifconfig_hn0_alias0='DHCP'", "up ", "does not know `DHCP'"},
	{"ifconfig_hn0_alias0='inet 192.0.2.7-5/24'", "up ", "ends before it begins"},
	{"ifconfig_hn0_alias0='inet 192.0.2.7-256/24'", "up ", "not an IPv4 address"},
	{"ifconfig_hn0_alias0='inet 192.0.2.7-/24'", "up ", "not an IPv4 address"},
	{"ifconfig_hn0_alias0='inet 192.0.2-3.1/24'", "up ", "not an IPv4 address"},
	{"ifconfig_hn0_alias0='inet 192.0.2.5-7 netmask 255.255.255.0'", "up ",
		"can only have a length after"},
	{"ifconfig_hn0_alias0='inet6 2001:db8::-5/64'", "up ", "not an IPv6 address"},
	{"ifconfig_hn0_alias0='inet6 2001:db8::1-12345/64'", "up ", "not an IPv6 address"},
	{"ifconfig_hn0_alias0='inet6 ::192.0.2.1-5/64'", "up ", "not an IPv6 address"},
	{"ipv4_addrs_hn0='192.0.2.1/24 2001:db8::1/24'", A1 "up ", "not an IPv4 address"},
	{"ipv4_addrs_hn0='192.0.2.1/24 up'", A1 "up ", "not an IPv4 address"},
};

static void aliases_are_built_in_order(void **state)
{
	(void)state;
	CHECK(aliases);
}

static const struct built dhcp[] = {
	{"ifconfig_hn0=DHCP", "dhcp async any []; up ", NULL},
	{"ifconfig_hn0=dhcp", "dhcp async any []; up ", NULL},
	{"ifconfig_hn0=DHCP\nsynchronous_dhclient=YES", "dhcp sync any []; up ", NULL},
	{"ifconfig_hn0=SYNCDHCP", "dhcp sync any []; up ", NULL},
	{"ifconfig_hn0=NOSYNCDHCP\nsynchronous_dhclient=YES", "dhcp async any []; up ", NULL},
	{"ifconfig_hn0='SYNCDHCP DHCP'", "dhcp sync any []; up ", NULL},
	{"ifconfig_hn0='DHCP mtu 1400'\ndhclient_program=/usr/sbin/dhcpcd\ndhclient_flags='-4 -q'",
		"mtu 1400; dhcp async /usr/sbin/dhcpcd [-4 -q]; up ", NULL},
	{"ifconfig_hn0=DHCP\ndhclient_flags=-4\ndhclient_flags_hn0=", "dhcp async any []; up ",
		NULL},
	{"ifconfig_hn0=DHCP\nbackground_dhclient=YES", "dhcp async background any []; up ", NULL},
	{"ifconfig_hn0=DHCP\nbackground_dhclient=YES\nbackground_dhclient_hn0=NO",
		"dhcp async any []; up ", NULL},
	{"ifconfig_hn0='NOAUTO DHCP'", "dhcp async any []; up ", NULL},
	{"ifconfig_DEFAULT=SYNCDHCP", "dhcp sync any []; up ", NULL},
	{"ifconfig_hn0='WPA DHCP'", "dhcp async any []; up ", "has no effect"},
	{"ifconfig_hn0=DHCP\ndhclient_program=dhclient", "dhcp async dhclient []; up ",
		"not an absolute path"},
};

static void dhcp_is_wanted_as_said(void **state)
{
	(void)state;
	CHECK(dhcp);
}

#define IF4 "ifconfig_hn0='inet 192.0.2.1/24'\n"
#define IF6 "ifconfig_hn0_ipv6='inet6 2001:db8::1/64'\n"
#define A6  "2001:db8::1/64; "

static const struct built routes[] = {
	{IF4 "defaultrouter=192.0.2.254", A1 "0.0.0.0/0 via 192.0.2.254; up ", NULL},
	{IF4 "defaultrouter=NO", A1 "up ", NULL},
	{IF4 "defaultrouter=no", A1 "up ", NULL},
	{IF4 "defaultrouter=", A1 "up ", NULL},
	{IF4 "defaultrouter=198.51.100.1", A1 "up ", NULL},
	{"defaultrouter=192.0.2.254", "nothing ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/23'\ndefaultrouter=192.0.3.254",
		"192.0.2.1/23 brd 192.0.3.255; 0.0.0.0/0 via 192.0.3.254; up ", NULL},
	{"ifconfig_hn0='inet 192.0.2.1/23'\ndefaultrouter=192.0.4.1",
		"192.0.2.1/23 brd 192.0.3.255; up ", NULL},
	{IF6 "ipv6_defaultrouter=2001:db8::ff", A6 "::/0 via 2001:db8::ff; up ", NULL},
	{IF6 "ipv6_defaultrouter=fe80::1%hn0", A6 "::/0 via fe80::1; up ", NULL},
	{IF6 "ipv6_defaultrouter=fe80::1%lagg0", A6 "::/0 via fe80::1; up ", NULL},
	{IF6 "ipv6_defaultrouter=fe80::1%hn1", A6 "up ", NULL},
	{IF4 "static_routes='a b'\nroute_a='-net 10.0.0.0/8 192.0.2.9'\n"
	     "route_b='-host 198.51.100.7 192.0.2.8'\ndefaultrouter=192.0.2.254",
		A1 "10.0.0.0/8 via 192.0.2.9; 198.51.100.7/32 via 192.0.2.8; "
		   "0.0.0.0/0 via 192.0.2.254; up ",
		NULL},
	{IF4 "static_routes=a\nroute_a='-net 10.0.0.0/8 198.51.100.1'", A1 "up ", NULL},
	{IF4 "static_routes=a:hn0\nroute_a='-net 10.0.0.0/8 198.51.100.1'",
		A1 "10.0.0.0/8 via 198.51.100.1; up ", NULL},
	{IF4 "static_routes=a:hn1\nroute_a='-net 10.0.0.0/8 192.0.2.9'", A1 "up ", NULL},
	{IF4 "static_routes_hn0=a\nroute_a='-net 10.0.0.0/8 198.51.100.1'",
		A1 "10.0.0.0/8 via 198.51.100.1; up ", NULL},
	{IF4 "static_routes=my-net\nroute_my_net='10.0.0.0/8 192.0.2.9'",
		A1 "10.0.0.0/8 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='10/8 192.0.2.9'", A1 "10.0.0.0/8 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='-net 10.9.8.7/8 192.0.2.9'",
		A1 "10.0.0.0/8 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='-net 10.0.0.0 -netmask 255.0.0.0 192.0.2.9'",
		A1 "10.0.0.0/8 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='-net 10.0.0.0 192.0.2.9 255.0.0.0'",
		A1 "10.0.0.0/8 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='198.51.100.7 192.0.2.9'",
		A1 "198.51.100.7/32 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='default 192.0.2.9'", A1 "0.0.0.0/0 via 192.0.2.9; up ",
		NULL},
	{IF4 "static_routes=a\nroute_a='-net 10.0.0.0/8 -interface hn0'",
		A1 "10.0.0.0/8 scope 253; up ", NULL},
	{IF4 "static_routes=a\nroute_a='-net 10.0.0.0/8 -iface hn1'", A1 "up ", NULL},
	{IF4 "static_routes='a b'\nroute_a='-host 198.51.100.1 -iface hn0'\n"
	     "route_b='10.0.0.0/8 198.51.100.1'\ndefaultrouter=198.51.100.1",
		A1 "198.51.100.1/32 scope 253; 10.0.0.0/8 via 198.51.100.1; "
		   "0.0.0.0/0 via 198.51.100.1; up ",
		NULL},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 192.0.2.9 -mtu 1400 -ifa 192.0.2.1 -static'",
		A1 "10.0.0.0/8 via 192.0.2.9 src 192.0.2.1 mtu 1400; up ", NULL},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 198.51.100.1 -ifp hn0'",
		A1 "10.0.0.0/8 via 198.51.100.1; up ", NULL},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 192.0.2.9 -ifp hn1'", A1 "up ", NULL},
	{IF4 "static_routes='a b'\nroute_a='10/8 192.0.2.9'\nroute_b='172.16/12 10.0.0.1'",
		A1 "10.0.0.0/8 via 192.0.2.9; up ", NULL},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 127.0.0.1 -blackhole'", A1 "up ", NULL},
	{IF6 "ipv6_static_routes=a\nipv6_route_a='2001:db8:5:: -prefixlen 48 2001:db8::9'",
		A6 "2001:db8:5::/48 via 2001:db8::9; up ", NULL},
	{IF6 "static_routes=a\nroute_a='-inet6 2001:db8:5::/48 2001:db8::9'",
		A6 "2001:db8:5::/48 via 2001:db8::9; up ", NULL},
	{IF6 "static_routes=a\nroute_a='-inet6 default fe80::1%hn0'", A6 "::/0 via fe80::1; up ",
		NULL},
	{IF6 "ipv6_static_routes=a:hn0\nipv6_route_a='2001:db8:5::1 fe80::1'",
		A6 "2001:db8:5::1/128 via fe80::1; up ", NULL},
	{IF6 "ipv6_static_routes=a\nipv6_route_a='2001:db8:5::/48 -iface hn0'",
		A6 "2001:db8:5::/48; up ", NULL},
	/* faults */
	{IF4 "static_routes=a", A1 "up ", "route_a is not set"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8'", A1 "up ",
		"needs a destination and a gateway"},
	{IF4 "static_routes=a\nroute_a=''", A1 "up ", "needs a destination and a gateway"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/33 192.0.2.9'", A1 "up ",
		"not a destination's length"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0 -netmask 255.0.255.0 192.0.2.9'", A1 "up ",
		"not a destination's netmask"},
	{IF4 "static_routes=a\nroute_a='example.org 192.0.2.9'", A1 "up ",
		"not an IPv4 destination"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 gateway'", A1 "up ", "not an IPv4 gateway"},
	{IF4 "static_routes=a\nroute_a='-net 10.0.0.0 192.0.2.9'",
		A1 "10.0.0.0/8 via 192.0.2.9; up ", "/8 is used"},
	{IF4 "static_routes=a\nroute_a='-net 10.1.0.0 192.0.2.9'", A1 "up ", "has no length"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 192.0.2.9 -fib 1'", A1 "up ",
		"does not know `-fib'"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 192.0.2.9 -mtu'", A1 "up ", "needs a value"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 192.0.2.9 -mtu 5'", A1 "up ",
		"from 68 to 65535"},
	{IF4 "static_routes=a\nroute_a='10.0.0.0/8 192.0.2.9 -ifa x'", A1 "up ", "not an address"},
	{IF4 "static_routes=a\nroute_a='1 2 3 4'", A1 "up ", "does not know `4'"},
	{IF4 "static_routes=a\nroute_a='default 192.0.2.9'\ndefaultrouter=192.0.2.8",
		A1 "0.0.0.0/0 via 192.0.2.9; up ", "comes first"},
	{IF4 "defaultrouter='gw.example.org'", A1 "up ", "not an IPv4 gateway"},
	{IF6 "ipv6_defaultrouter=fe80::1", A6 "up ", "needs its interface; write fe80::1%IF"},
	{IF6 "ipv6_static_routes=a\nipv6_route_a='2001:db8:5:: 2001:db8::9'",
		A6 "2001:db8:5::/64 via 2001:db8::9; up ", "/64 is used"},
};

static void routes_that_belong_are_taken(void **state)
{
	(void)state;
	CHECK(routes);
}

static const struct built vlans[] = {
	{"vlans_hn0='5 6'", "lagg0.5=5 { nothing } lagg0.6=6 { nothing } up ", NULL},
	{IF4 "vlans_hn0=5\nifconfig_hn0_5='inet 198.51.100.1/24 mtu 1400'\n"
	     "ifconfig_hn0_5_alias0='inet 198.51.100.2/32'",
		A1
		"lagg0.5=5 { 198.51.100.1/24 brd 198.51.100.255; 198.51.100.2/32; mtu 1400; up } "
		"up ",
		NULL},
	{"vlans_hn0=web\ncreate_args_web='vlan 7'\nifconfig_web=DHCP",
		"web=7 { dhcp async any []; up } up ", NULL},
	{"vlans_hn0=web\ncreate_args_web='vlandev hn0 vlan 7 vlanproto 802.1Q'",
		"web=7 { nothing } up ", NULL},
	{"vlans_hn0=5\nifconfig_hn0_5='NOAUTO inet 198.51.100.1/24'", "lagg0.5=5 { nothing } up ",
		NULL},
	{IF4 "vlans_hn0=5\nifconfig_hn0_5='inet 198.51.100.1/24'\ndefaultrouter=198.51.100.9\n"
	     "static_routes='a:hn0.5 b'\nroute_a='10.0.0.0/8 203.0.113.1'\n"
	     "route_b='203.0.113.0/24 192.0.2.9'",
		A1 "203.0.113.0/24 via 192.0.2.9; "
		   "lagg0.5=5 { 198.51.100.1/24 brd 198.51.100.255; 10.0.0.0/8 via 203.0.113.1; "
		   "0.0.0.0/0 via 198.51.100.9; up } up ",
		NULL},
	{"vlans_hn0=5\nifconfig_DEFAULT=up", "lagg0.5=5 { up } up ", NULL},
	/* faults */
	{"vlans_hn0='0 5'", "lagg0.5=5 { nothing } up ", "from 1 to 4094"},
	{"vlans_hn0='4095 5'", "lagg0.5=5 { nothing } up ", "from 1 to 4094"},
	{"vlans_hn0='5 5'", "lagg0.5=5 { nothing } up ", "again"},
	{"vlans_hn0='5 web'\ncreate_args_web='vlan 5'", "lagg0.5=5 { nothing } up ", "again"},
	{"vlans_hn0=web", "up ", "create_args_web: must say"},
	{"vlans_hn0=web\ncreate_args_web='vlan 0'", "up ", "must say"},
	{"vlans_hn0=web\ncreate_args_web='vlan'", "up ", "must say"},
	{"vlans_hn0=web\ncreate_args_web='vlan 5 vlandev hn1'", "up ", "must say"},
	{"vlans_hn0=a/b", "up ", "gives no valid"},
	{"vlans_hn0=anamethatistoolong", "up ", "gives no valid"},
	{"vlans_hn0=5\nvlans_hn0_5=6", "lagg0.5=5 { up } up ", "on a VLAN"},
};

static void vlans_are_built_with_their_own(void **state)
{
	(void)state;
	CHECK(vlans);
}

static void names_with_punctuation_are_found(void **state)
{
	const struct built built = {"ifconfig_eth_0='inet 192.0.2.1/24'\nvlans_eth_0=4000\n"
				    "ifconfig_eth_0_4000=up",
		A1 "eth-0.4000=4000 { up } up ", NULL};

	(void)state;
	check_one(&built, "eth-0", NULL);
}

static void long_name_of_a_vlan_is_refused(void **state)
{
	const struct built fits = {"vlans_hn0=4000", "alongname.4000=4000 { nothing } up ", NULL};
	const struct built too_long = {
		"vlans_hn0=4000", "up ", "`4000' gives no valid interface name"};

	(void)state;
	check_one(&fits, "hn0", "alongname");
	check_one(&too_long, "hn0", "averylongname");
}

static struct nv_interface *build(const char *text, struct nv_faults *faults)
{
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	struct nv_interface *config = NULL;

	assert_int_equal(nv_rcconf_parse("rc.conf", text, strlen(text), faults, &rcconf), 0);
	assert_int_equal(nv_interface_build(rcconf, "hn0", NULL, NULL, faults, &config), 0);
	return config;
}

static void ranges_are_bounded(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_interface)
	struct nv_interface *config = build("ifconfig_hn0_alias0='inet6 2001:db8::1-801'", &faults);

	(void)state;
	assert_int_equal(faults.count, 1);
	assert_int_equal(faults.errors, 0);
	assert_int_equal(config->addrs.count, NV_INTERFACE_EXPAND_MAX);
	assert_int_equal(config->addrs.addr[2047].local.v6.s6_addr[14], 0x08);
	assert_int_equal(config->addrs.addr[2047].local.v6.s6_addr[15], 0x00);
}

static void everything_is_bounded(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_str) struct nv_str text = {};
	NV_AUTO(nv_interface) struct nv_interface *config = NULL;
	size_t addrs;

	(void)state;
	nv_str_add(&text, "ifconfig_DEFAULT='inet6 2001:db8::1-800'\nvlans_hn0='");
	for (int i = 1; i <= NV_INTERFACE_VLANS_MAX + 1; i++)
		nv_str_printf(&text, "%d ", i);
	nv_str_add(&text, "'\nstatic_routes_hn0='");
	for (int i = 0; i < NV_INTERFACE_ROUTES_MAX + 1; i++)
		nv_str_printf(&text, "r%d ", i);
	nv_str_add(&text, "'\n");
	for (int i = 0; i < NV_INTERFACE_ROUTES_MAX + 1; i++)
		nv_str_printf(&text, "route_r%d='10.%d.%d.0/24 192.0.2.1'\n", i, i / 256, i % 256);
	config = build(nv_str_text(&text), &faults);
	assert_int_equal(faults.errors, 3);
	assert_int_equal(config->n_vlans, NV_INTERFACE_VLANS_MAX);
	assert_int_equal(config->routes.count, NV_INTERFACE_ROUTES_MAX);
	addrs = config->addrs.count;
	for (size_t i = 0; i < config->n_vlans; i++)
		addrs += config->vlan[i].config->addrs.count;
	assert_int_equal(addrs, NV_INTERFACE_ADDRS_MAX);
}

static void without_a_mac_made_addresses_are_left_out(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_interface)
	struct nv_interface *config = build("ipv6_prefix_hn0=2001:db8:1:2", &faults);

	(void)state;
	assert_int_equal(faults.count, 0);
	assert_int_equal(config->addrs.count, 0);
	assert_true(config->configured);
}

static void faults_have_the_place_of_their_key(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_interface)
	struct nv_interface *config = build("a=1\n b=2; ifconfig_hn0='mtu x'", &faults);

	(void)state;
	assert_non_null(config);
	assert_int_equal(faults.fault[0].line, 2);
	assert_int_equal(faults.fault[0].column, 7);
	assert_int_equal(strncmp(faults.fault[0].message, "ifconfig_hn0: ", 14), 0);
}

static void every_fault_of_a_value_is_told(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_interface)
	struct nv_interface *config =
		build("ifconfig_hn0='inet 192.0.2.1 netmaks 255.255.255.0 mtu x'", &faults);

	(void)state;
	assert_int_equal(config->addrs.count, 1);
	assert_int_equal(faults.count, 4);
	assert_non_null(strstr(faults.fault[0].message, "is `netmask' meant?"));
	assert_non_null(strstr(faults.fault[1].message, "second address"));
	assert_non_null(strstr(faults.fault[2].message, "mtu x"));
	assert_non_null(strstr(faults.fault[3].message, "/24 is used"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(primary_value_is_built),
		cmocka_unit_test(ipv6_value_is_built),
		cmocka_unit_test(aliases_are_built_in_order),
		cmocka_unit_test(dhcp_is_wanted_as_said),
		cmocka_unit_test(routes_that_belong_are_taken),
		cmocka_unit_test(vlans_are_built_with_their_own),
		cmocka_unit_test(names_with_punctuation_are_found),
		cmocka_unit_test(long_name_of_a_vlan_is_refused),
		cmocka_unit_test(ranges_are_bounded),
		cmocka_unit_test(everything_is_bounded),
		cmocka_unit_test(without_a_mac_made_addresses_are_left_out),
		cmocka_unit_test(faults_have_the_place_of_their_key),
		cmocka_unit_test(every_fault_of_a_value_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
