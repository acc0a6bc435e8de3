/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VF stays bare. A network manager may give it an address, because it does not know yet, or was
 * never told, that the VF is not its own. Connections from such an address would break when the VF
 * goes.
 */
#include "failover/vf_guard.h"

#include "base/log.h"
#include "failover/vf_dhcp.h"
#include "kernel/diff.h"

#include <errno.h>
#include <linux/if.h>

/*
 * The DHCP client that set the address would set it again. Clients with more capabilities than this
 * process are hidden; hyperv_vfattach may have the rights to end them. So unless one was seen, and
 * all that were seen are ended, IFATTACH is raised again, for its rule to run hyperv_vfattach.
 * Looking for clients reads all of /proc, and is done at growing intervals.
 */
static void guard_end_clients(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t left = nv_retry_left(&managed->memory.dhcp_retry, vf, now);
	const struct nv_link *link = nv_links_by_index(nv_monitor_links(failover->monitor), vf);

	if (left) {
		nv_failover_look_in(failover, left);
		return;
	}
	nv_retry_note_slow(&managed->memory.dhcp_retry, vf, now);
	managed->memory.dhcp_vf = 0;
	if (!nv_vf_dhcp_end(managed->id.hn_name, managed->id.vf_name) && link &&
		link->flags & IFF_UP)
		failover->ops->raise_attach(link->name, failover->data);
}

static void guard_tell(struct nv_managed *managed, const struct nv_addr *addr)
{
	char text[NV_IP_TEXT];

	if (managed->warned.guarded_vf == addr->ifindex)
		return;
	managed->warned.guarded_vf = addr->ifindex;
	nv_warn("%s: somebody gave its VF %s the address %s/%u; netvfd removes it, because the VF only carries frames of %s. netvfd(8), FILES, says how network managers are kept away",
		managed->id.hn_name, managed->id.vf_name, nv_ip_text(&addr->local, text),
		addr->prefix_len, managed->id.hn_name);
}

static void guard_tell_return(
	const struct nv_managed *managed, const struct nv_addr *addr, uint64_t stays)
{
	char text[NV_IP_TEXT];

	nv_warn("%s: somebody gave its VF %s the address %s/%u again; the next time it stays for %u minutes. A DHCP client or network manager configures the VF: netvfd(8), FILES, says how to keep it away",
		managed->id.hn_name, managed->id.vf_name, nv_ip_text(&addr->local, text),
		addr->prefix_len, (unsigned int)(stays / (60 * NV_USEC_PER_SEC)));
}

static void guard_take_off(
	struct nv_failover *failover, struct nv_managed *managed, const struct nv_addr *addr)
{
	struct nv_guard *guard = &managed->memory.guard;
	uint64_t now = nv_loop_now(failover->loop);
	uint64_t left = nv_guard_left(guard, addr->ifindex, &addr->local, now);
	int r;

	if (left) {
		nv_failover_look_in(failover, left);
		return;
	}
	guard_tell(managed, addr);
	r = nv_kernel_addr_del(failover->kernel, addr);
	if (r < 0 && r != -EADDRNOTAVAIL && r != -ENODEV)
		nv_err("%s: cannot remove an address from %s: %s", managed->id.hn_name,
			managed->id.vf_name, nv_strerror(r));
	if (r == 0 &&
		nv_guard_note(guard, addr->ifindex, &addr->local, now, managed->status.manager))
		guard_tell_return(
			managed, addr, nv_guard_left(guard, addr->ifindex, &addr->local, now));
	managed->memory.dhcp_vf = addr->ifindex;
}

void nv_vf_guard(struct nv_failover *failover, struct nv_managed *managed, int vf)
{
	const struct nv_addrs addrs = nv_addrs_of(nv_monitor_addrs(failover->monitor), vf);

	for (size_t i = 0; i < addrs.count; i++)
		guard_take_off(failover, managed, &addrs.addr[i]);
	if (managed->memory.dhcp_vf == vf)
		guard_end_clients(failover, managed, vf);
}
