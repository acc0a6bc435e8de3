/* SPDX-License-Identifier: BSD-2-Clause */
/* Gathers the facts that the doctor checks. */
#include "base/log.h"
#include "kernel/kernel.h"
#include "kernel/sockets.h"
#include "move/apply.h"
#include "move/dependents.h"
#include "move/packet_filter.h"
#include "netvf/command.h"
#include "netvf/doctor.h"
#include "services/dhcp.h"
#include "services/host_agent.h"
#include "services/manager.h"
#include "services/process.h"
#include "services/run.h"
#include "services/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void gather_sockets(struct nv_facts *facts)
{
	struct nv_bound bound[NV_BOUND_MAX];
	size_t count = 0;
	int r = nv_sockets_bound(NULL, NULL, bound, &count);

	if (r < 0)
		nv_facts_unchecked(facts, "sockets bound to an interface: %s", nv_strerror(r));
	for (size_t i = 0; i < count; i++) {
		const struct nv_link *link = nv_links_by_index(&facts->links, bound[i].ifindex);
		char text[64], owner[16];
		bool owned;

		if (!link)
			continue;
		owned = nv_process_of_socket(bound[i].inode, owner, sizeof(owner)) == 0;
		nv_bound_text(&bound[i], text, sizeof(text));
		nv_facts_trace(facts, NV_TRACE_SOCKET, link->name, "%s%s%s, %u socket%s", text,
			owned ? " of " : "", owned ? owner : "", bound[i].count,
			bound[i].count == 1 ? "" : "s");
	}
}

static void gather_groups(struct nv_facts *facts, struct nv_kernel *kernel)
{
	NV_AUTO(nv_mcasts) struct nv_mcasts mcasts = {};
	int r = nv_kernel_mcasts(kernel, NULL, 0, &mcasts);
	char text[NV_IP_TEXT];

	if (r < 0)
		nv_facts_unchecked(facts, "multicast groups: %s", nv_strerror(r));
	for (size_t i = 0; i < mcasts.count; i++) {
		const struct nv_mcast *mcast = &mcasts.mcast[i];
		const struct nv_link *link = nv_links_by_index(&facts->links, mcast->ifindex);

		if (link && nv_group_depends(&mcast->group))
			nv_facts_trace(facts, NV_TRACE_SOCKET, link->name, "multicast group %s",
				nv_ip_text(&mcast->group, text));
	}
}

static void gather_links(struct nv_facts *facts)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	int r = nv_kernel_open(&kernel);

	if (r == 0)
		r = nv_kernel_links(kernel, &facts->links);
	if (r == 0)
		r = nv_kernel_addrs(kernel, 0, &facts->addrs);
	if (r == 0)
		gather_groups(facts, kernel);
	else
		nv_facts_unchecked(facts, "links and addresses: %s", nv_strerror(r));
}

static void gather_clients(struct nv_facts *facts, const char *ifname)
{
	NV_AUTO(nv_dhcp_clients) struct nv_dhcp_clients clients = {};
	int r = nv_dhcp_find(ifname, &clients);

	if (r < 0)
		nv_facts_unchecked(facts, "DHCP clients of %s: %s", ifname, nv_strerror(r));
	for (size_t i = 0; i < clients.count; i++)
		nv_facts_trace(facts, NV_TRACE_DHCP, ifname, "%s, process %d",
			nv_dhcp_kind_name(clients.client[i].kind),
			(int)clients.client[i].process.pid);
}

/* NetworkManager's list of devices is read once. */
static void gather_nmcli(struct nv_facts *facts, struct nv_str *listed)
{
	const char *const argv[] = {"nmcli", "-t", "-f", "DEVICE,STATE", "device", NULL};
	int r = access("/run/NetworkManager", F_OK) < 0 ? 0 : nv_run(argv, listed);

	if (r < 0)
		nv_facts_unchecked(facts, "NetworkManager: nmcli: %s", nv_strerror(r));
}

static void gather_managers(struct nv_facts *facts, const char *ifname, const char *nmcli)
{
	const struct nv_link *link = nv_links_by_name(&facts->links, ifname);
	char text[16384];

	if (nv_nmcli_manages(nmcli, ifname))
		nv_facts_trace(facts, NV_TRACE_MANAGER, ifname, "NetworkManager");
	nv_state_file_read("/run/network/ifstate", text, sizeof(text));
	if (nv_ifupdown_manages(text, ifname))
		nv_facts_trace(facts, NV_TRACE_MANAGER, ifname, "ifupdown");
	if (link && nv_networkd_has(link->ifindex))
		nv_facts_trace(facts, NV_TRACE_MANAGER, ifname, "systemd-networkd");
}

static void gather_read_filters(struct nv_facts *facts, struct nv_packet_filters *filters)
{
	nv_packet_filters_read(filters);
	for (size_t i = 0; i < NV_PACKET_FILTERS; i++)
		if (filters->error[i] < 0 && filters->error[i] != -ENOENT)
			nv_facts_unchecked(facts, "packet filters: %s: %s",
				nv_packet_filter_command(i), nv_strerror(filters->error[i]));
}

static void gather_trace_filters(
	struct nv_facts *facts, const struct nv_packet_filters *filters, const char *ifname)
{
	char text[160];

	for (size_t i = 0; i < NV_PACKET_FILTERS; i++)
		if (nv_packet_filter_names(filters, i, ifname, text, sizeof(text)))
			nv_facts_trace(facts, NV_TRACE_FILTER, ifname, "%s", text);
}

/* Why hyperv_vfup has left it as it is. */
static void gather_trace_stays(struct nv_facts *facts, const char *hn)
{
	char why[256];

	nv_dependents_kept(nv_json_text(facts->status, "run_dir"), hn, why, sizeof(why));
	if (why[0])
		nv_facts_trace(facts, NV_TRACE_STAYS, hn,
			"at the last VF_UP this was in the way: %s", why);
}

/* Only a lagg takes the addresses away from what names hn, or would. */
static void gather_filters(struct nv_facts *facts)
{
	NV_AUTO(nv_packet_filters) struct nv_packet_filters filters = {};
	const json_t *pairs = json_object_get(facts->status, "pairs");
	const json_t *pair;
	size_t i;

	if (json_array_size(pairs))
		gather_read_filters(facts, &filters);
	json_array_foreach (pairs, i, pair) {
		const char *hn = nv_json_text(pair, "hn");

		if (nv_streq(nv_json_text(pair, "form"), "lagg"))
			gather_trace_filters(facts, &filters, hn);
		else
			gather_trace_stays(facts, hn);
	}
}

/* What prevents a move of the configuration of hn, if it has not moved yet. */
static void gather_obstacle(struct nv_facts *facts, struct nv_kernel *kernel, const char *hn)
{
	NV_AUTO(nv_snapshot) struct nv_snapshot now = {};
	const struct nv_link *link = nv_links_by_name(&facts->links, hn);
	NV_AUTO(nv_str) struct nv_str why = {};
	struct nv_plan plan = {};
	int r;

	if (!link || nv_snapshot_take(kernel, link->ifindex, &now) < 0)
		return;
	/* No interface has that name; it is used in the sentence only. */
	r = nv_plan_make(&now, link->ifindex, "its lagg", NULL, &plan, &why);
	if (r == -EBUSY)
		nv_facts_trace(facts, NV_TRACE_STAYS, hn, "%s", nv_str_text(&why));
	nv_plan_auto(&plan);
}

static void gather_obstacles(struct nv_facts *facts)
{
	NV_AUTO(nv_kernel) struct nv_kernel *kernel = NULL;
	const json_t *pair;
	size_t i;

	if (nv_kernel_open(&kernel) < 0)
		return;
	json_array_foreach (json_object_get(facts->status, "pairs"), i, pair)
		if (nv_streq(nv_json_text(pair, "form"), "transparent"))
			gather_obstacle(facts, kernel, nv_json_text(pair, "hn"));
}

static void gather_interfaces(struct nv_facts *facts)
{
	NV_AUTO(nv_str) struct nv_str nmcli = {};
	const json_t *pair;
	size_t i;

	gather_nmcli(facts, &nmcli);
	json_array_foreach (json_object_get(facts->status, "pairs"), i, pair) {
		const char *hn = nv_json_text(pair, "hn");
		const char *vf = nv_json_text(json_object_get(pair, "vf_port"), "name");
		const char *upper = nv_json_text(pair, "upper");

		gather_managers(facts, hn, nv_str_text(&nmcli));
		gather_clients(facts, hn);
		if (vf[0]) {
			gather_managers(facts, vf, nv_str_text(&nmcli));
			gather_clients(facts, vf);
		}
		if (!nv_streq(upper, hn) && !nv_streq(upper, vf))
			gather_managers(facts, upper, nv_str_text(&nmcli));
	}
}

/* A host that looks hn up by its MAC address may find a port without addresses. */
static void gather_agent(struct nv_facts *facts)
{
	const char *agent = nv_host_agent();
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(facts->status, "pairs"), i, pair)
		if (agent && nv_streq(nv_json_text(pair, "form"), "lagg"))
			nv_facts_unchecked(facts,
				"whether the host finds the addresses of %s: %s tells it that %s has them, and that %s has none (doc/hosts.md)",
				nv_json_text(pair, "hn"), agent, nv_json_text(pair, "upper"),
				nv_json_text(pair, "hn"));
}

/* Of the upper; a bond counts by itself. */
static void gather_counters(struct nv_facts *facts)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(facts->status, "pairs"), i, pair) {
		const char *vf = nv_json_text(json_object_get(pair, "vf_port"), "name");
		const char *upper = nv_json_text(pair, "upper");

		if (vf[0] && !nv_streq(upper, vf) && !nv_streq(nv_json_text(pair, "lagg"), "bond"))
			nv_facts_unchecked(facts,
				"who counts or captures frames on %s: those that leave by %s are not seen there; 'netvf status' counts them, and a capture on %s shows them (netvf(1))",
				upper, vf, vf);
	}
}

static void gather_programs(struct nv_facts *facts)
{
	const json_t *entry;
	size_t i;

	facts->absent = json_array();
	json_array_foreach (json_object_get(facts->told, "actions"), i, entry) {
		char program[256];
		char path[4096];

		if (!nv_action_program(nv_json_text(entry, "action"), program, sizeof(program)) ||
			nv_program_find(program, path, sizeof(path)) == 0)
			continue;
		json_array_append_new(facts->absent,
			json_pack("{sO sO ss}", "file", json_object_get(entry, "file"), "line",
				json_object_get(entry, "line"), "program", program));
	}
}

void nv_qdisc_usual(char ret_kind[NV_KIND_LEN])
{
	nv_state_file_read("/proc/sys/net/core/default_qdisc", ret_kind, NV_KIND_LEN);
	ret_kind[strcspn(ret_kind, "\n")] = '\0';
}

void nv_facts_gather(struct nv_facts *facts)
{
	nv_qdisc_usual(facts->usual_qdisc);
	gather_links(facts);
	gather_sockets(facts);
	gather_interfaces(facts);
	gather_obstacles(facts);
	gather_filters(facts);
	gather_agent(facts);
	gather_counters(facts);
	gather_programs(facts);
	if (geteuid() != 0)
		nv_facts_unchecked(facts, "other users' DHCP clients: only root sees them");
}
