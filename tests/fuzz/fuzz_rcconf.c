/* SPDX-License-Identifier: BSD-2-Clause */
/* rc.conf: parsed, checked, read for its settings, and built for two interfaces. */
#include "rcconf/interface.h"
#include "rcconf/settings.h"

#include <stdlib.h>

#define REQUIRE(condition)                \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct nv_interface *config)
{
	REQUIRE(config->addrs.count <= NV_INTERFACE_ADDRS_MAX);
	REQUIRE(config->routes.count <= NV_INTERFACE_ROUTES_MAX);
	REQUIRE(config->n_vlans <= NV_INTERFACE_VLANS_MAX);
	REQUIRE(config->configured || (!config->addrs.count && !config->up));
	REQUIRE(config->dhcp.mode == NV_DHCP_NO || config->dhcp.flags);
	for (size_t i = 0; i < config->addrs.count; i++)
		REQUIRE(config->addrs.addr[i].prefix_len <=
			8 * nv_ip_size(config->addrs.addr[i].local.family));
	for (size_t i = 0; i < config->routes.count; i++)
		REQUIRE(config->routes.route[i].destination_len <=
			8 * nv_ip_size(config->routes.route[i].family));
	for (size_t i = 0; i < config->n_vlans; i++) {
		REQUIRE(config->vlan[i].id >= 1 && config->vlan[i].id <= 4094);
		REQUIRE(config->vlan[i].name[0]);
		look_at(config->vlan[i].config);
	}
}

static void build(const struct nv_rcconf *rcconf, const char *ifname, const char *lagg,
	struct nv_faults *faults)
{
	static const uint8_t mac[NV_MAC_LEN] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};
	NV_AUTO(nv_interface) struct nv_interface *config = NULL;

	REQUIRE(nv_interface_build(rcconf, ifname, lagg, mac, faults, &config) == 0);
	look_at(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	NV_AUTO(nv_free) struct nv_settings *settings = malloc(sizeof(*settings));
	int r = nv_rcconf_parse("fuzz", (const char *)data, size, &faults, &rcconf);

	REQUIRE((r < 0) == (faults.errors > 0));
	if (r < 0)
		return 0;
	build(rcconf, "hn0", "lagg0", &faults);
	build(rcconf, "eth-0.5", NULL, &faults);
	nv_settings_read(rcconf, &faults, settings);
	REQUIRE(settings->action_timeout >= 1);
	nv_rcconf_check(rcconf, &faults);
	return 0;
}
