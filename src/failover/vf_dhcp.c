/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/vf_dhcp.h"

#include "base/log.h"
#include "services/dhcp.h"

bool nv_vf_dhcp_end(const char *hn_name, const char *vf_name)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients clients = {};
	bool ended;

	if (nv_dhcp_find(vf_name, &clients) < 0)
		return false;
	ended = clients.count;
	for (size_t i = 0; i < clients.count; i++) {
		const struct nv_dhcp_client *client = &clients.client[i];
		int r = nv_dhcp_end(client);

		nv_warn("%s: %s (process %d) runs on its VF %s, where no DHCP client may run: %s%s",
			hn_name, nv_dhcp_kind_name(client->kind), (int)client->process.pid, vf_name,
			r < 0 ? "cannot end it: " : "it is ended", r < 0 ? nv_strerror(r) : "");
		ended &= r == 0;
	}
	return ended;
}
