/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/vf_guard.h"

/*
 * A VF stays bare. A network manager may give it an address, because it does not know yet, or was
 * never told, that the VF is not its own. Connections from such an address would break when the VF
 * goes.
 */
#include "base/log.h"
#include "failover/vf_clients.h"

#include <errno.h>
#include <linux/if.h>

/*
 * The DHCP client that set the address would set it again. This reads all of /proc. Clients with
 * more capabilities than this process are hidden; hyperv_vfattach may have the rights to end them.
 */
static void end_clients(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t left = nv_retry_left(&managed->memory.clients, vf, now);
	const struct nv_link *link = nv_links_by_index(nv_monitor_links(failover->monitor), vf);

	if (left) {
		failover->wait = left < failover->wait ? left : failover->wait;
		return;
	}
	nv_retry_note_slow(&managed->memory.clients, vf, now);
	managed->memory.clients_vf = 0;
	if (!nv_vf_clients_end(managed->id.hn_name, managed->id.vf_name) && link &&
		link->flags & IFF_UP)
		failover->ops->raise_attach(link->name, failover->data);
}

static void guard_tell(struct nv_managed *managed, const struct nv_addr *addr)
{
	char text[NV_IP_TEXT];

	if (managed->warned.guarded_vf == addr->ifindex)
		return;
	managed->warned.guarded_vf = addr->ifindex;
	nv_warn("%s: its VF %s was given the address %s/%u by somebody; it is taken off, as all will be that follow: the VF only carries what %s sends. netvfd(8), FILES, says how network managers are kept off",
		managed->id.hn_name, managed->id.vf_name, nv_ip_text(&addr->local, text),
		addr->prefix_len, managed->id.hn_name);
}

void nv_vf_guard(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	const struct nv_addrs *addrs = nv_monitor_addrs(failover->monitor);

	for (size_t i = 0; i < addrs->count; i++) {
		const struct nv_addr *addr = &addrs->addr[i];
		int r;

		if (addr->ifindex != vf)
			continue;
		guard_tell(managed, addr);
		r = nv_kernel_addr_del(failover->kernel, addr);
		if (r < 0 && r != -EADDRNOTAVAIL && r != -ENODEV)
			nv_err("%s: cannot take an address off %s: %s", managed->id.hn_name,
				managed->id.vf_name, nv_strerror(r));
		managed->memory.clients_vf = vf;
	}
	if (managed->memory.clients_vf == vf)
		end_clients(failover, managed, vf);
}
