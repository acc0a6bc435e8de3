/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/vf_guard.h"

/*
 * A VF stays bare. A network manager that has not heard yet that a VF is not its own, or was never
 * told, gives it an address; what is sent by that address would be lost with the VF.
 */
#include "base/log.h"
#include "services/dhcp.h"

#include <errno.h>

/* Those that put the address there would do so again. All of /proc is read for it: at most once a
 * second. */
static void end_clients(struct nv_failover *failover, struct nv_managed *managed)
{
	__attribute__((cleanup(nv_dhcp_clients_auto))) struct nv_dhcp_clients clients = {};
	uint64_t now = nv_loop_now(failover->loop);

	if (managed->memory.clients_looked &&
		now - managed->memory.clients_looked < NV_USEC_PER_SEC)
		return;
	managed->memory.clients_looked = now;
	if (nv_dhcp_find(managed->id.vf_name, &clients) < 0)
		return;
	for (size_t i = 0; i < clients.count; i++) {
		const struct nv_dhcp_client *client = &clients.client[i];
		int r = nv_dhcp_end(client);

		nv_warn("%s: %s (process %d) runs on its VF %s, where it must not: %s%s",
			managed->id.hn_name, nv_dhcp_kind_name(client->kind),
			(int)client->process.pid, managed->id.vf_name,
			r ? "cannot end it: " : "it is ended", r ? nv_strerror(r) : "");
	}
}

static void tell(struct nv_managed *managed, const struct nv_addr *addr)
{
	char text[NV_IP_TEXT];

	if (managed->warned.guarded_vf == addr->ifindex)
		return;
	managed->warned.guarded_vf = addr->ifindex;
	nv_warn("%s: its VF %s was given the address %s/%u by somebody; it is taken off, as all "
		"will be that follow: the VF only carries what %s sends. netvfd(8), FILES, says "
		"how network managers are kept off",
		managed->id.hn_name, managed->id.vf_name, nv_ip_text(&addr->local, text),
		addr->prefix_len, managed->id.hn_name);
}

void nv_vf_guard(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	const struct nv_addrs *addrs = nv_monitor_addrs(failover->monitor);
	bool found = false;

	for (size_t i = 0; i < addrs->count; i++) {
		const struct nv_addr *addr = &addrs->addr[i];
		int r;

		if (addr->ifindex != vf)
			continue;
		tell(managed, addr);
		r = nv_kernel_addr_del(failover->kernel, addr);
		if (r && r != -EADDRNOTAVAIL && r != -ENODEV)
			nv_err("%s: cannot take an address off %s: %s", managed->id.hn_name,
				managed->id.vf_name, nv_strerror(r));
		found = true;
	}
	if (found)
		end_clients(failover, managed);
}
