/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "fake_services.h"

#include "services/dhcp.h"
#include "services/manager.h"
#include "services/udev.h"
#include "services/unused_hn.h"

struct fake_services services;

const char *nv_manager_of(int ifindex)
{
	(void)ifindex;
	return services.manager;
}

bool nv_manager_is_silent(int ifindex)
{
	(void)ifindex;
	return services.silent;
}

bool nv_udev_allows_up(int ifindex)
{
	(void)ifindex;
	return !services.udev_is_busy;
}

bool nv_unused_hn_is_kept(const char *run_dir, const struct nv_link *hn)
{
	assert_non_null(run_dir);
	assert_non_null(hn);
	return services.unused;
}

int nv_unused_hn_keep(const char *run_dir, const struct nv_link *hn, bool keep)
{
	assert_non_null(run_dir);
	assert_non_null(hn);
	if (services.keep_error)
		return services.keep_error;
	services.unused = keep;
	return 0;
}

const char *nv_dhcp_kind_name(enum nv_dhcp_kind kind)
{
	(void)kind;
	return "dhclient";
}

int nv_dhcp_find(const char *ifname, struct nv_dhcp_clients *ret_clients)
{
	struct nv_dhcp_clients clients = {.count = services.n_clients};

	assert_non_null(ifname);
	services.looks++;
	if (services.find_error)
		return services.find_error;
	for (size_t i = 0; i < clients.count; i++) {
		clients.client[i].process = NV_PROCESS_NONE;
		clients.client[i].process.pid = 100;
	}
	*ret_clients = clients;
	return 0;
}

void nv_dhcp_clients_auto(struct nv_dhcp_clients *clients)
{
	(void)clients;
}

int nv_dhcp_end(const struct nv_dhcp_client *client)
{
	(void)client;
	if (services.end_error)
		return services.end_error;
	services.ended++;
	services.n_clients--;
	return 0;
}
