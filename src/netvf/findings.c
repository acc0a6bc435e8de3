/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of the doctor: from facts to findings with a remedy each. */
#include "netvf/command.h"
#include "netvf/doctor.h"

#include "control/text.h"

#include <linux/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STRIPPED_RECENTLY (24 * 3600.0) /* seconds */

/* A pair as the checks see it; a name is "" if there is none. */
struct patient {
	const struct nv_facts *facts;
	json_t *findings;
	const json_t *pair; /* from "status" */
	const json_t *told; /* from "doctor"; NULL: there is no such answer */
	const char *hn, *vf, *upper, *mode;
	bool is_lagg, is_exclusive, transparent;
};

static void findings_add(json_t *findings, const char *subject, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void findings_add(
	json_t *findings, const char *subject, const char *remedy, const char *format, ...)
{
	char problem[512];
	va_list args;

	va_start(args, format);
	vsnprintf(problem, sizeof(problem), format, args);
	va_end(args);
	json_array_append_new(
		findings, json_pack("{so so so}", "subject", nv_json_string(subject), "problem",
				  nv_json_string(problem), "remedy", nv_json_string(remedy)));
}

static const struct nv_link *findings_link_of(const struct patient *patient, const char *name)
{
	return nv_links_by_name(&patient->facts->links, name);
}

static void findings_check_match(const struct patient *patient)
{
	if (nv_streq(nv_json_text(patient->pair, "verdict"), "refused"))
		findings_add(patient->findings, patient->hn,
			"until this is resolved netvfd changes nothing; see netvf_pairs in netvf-rc.conf(5)",
			"cannot be paired: %s", nv_json_text(patient->pair, "why"));
}

/* They were attached again: this is worth a finding while it may still be going on. */
static void findings_check_stripped(const struct patient *patient)
{
	double seconds = json_number_value(json_object_get(patient->told, "stripped_seconds"));
	long long count = (long long)nv_json_int(patient->told, "stripped");
	char age[64];

	if (!count || seconds > STRIPPED_RECENTLY)
		return;
	nv_format_age(seconds, age, sizeof(age));
	findings_add(patient->findings, patient->hn,
		"find out what removes programs or clsact there: 'bpftool net detach', 'tc qdisc del', or an agent that sets up tc on all interfaces; until netvfd has attached them again, frames are lost or avoid the VF",
		"netvf's programs were removed from interfaces of its pair, and attached again: %lld time%s, the last time %s ago",
		count, count == 1 ? "" : "s", age);
}

/* netvf's program takes each frame that the upper sends, and no program behind it sees the frame.
 */
static void findings_check_others(const struct patient *patient)
{
	const json_t *others = json_object_get(patient->told, "others");
	long long before = (long long)nv_json_int(others, "before");
	long long behind = (long long)nv_json_int(others, "behind");

	if (before)
		findings_add(patient->findings, patient->upper,
			"make them return TCX_NEXT (-1) for what they let pass, or attach them behind netvf's; 'bpftool net' and 'tc filter show' list them",
			"has %lld tc program%s of others before netvf's at egress: frames that they accept themselves (TC_ACT_OK) %s",
			before, before == 1 ? "" : "s",
			patient->is_lagg ? "are lost, unless it is a bond" : "do not use the VF");
	if (behind)
		findings_add(patient->findings, patient->upper,
			"attach them before netvf's, and make them return TCX_NEXT (-1) for what they let pass; or attach them to the ports instead",
			"has %lld tc program%s of others behind netvf's at egress, which do not see the frames that it redirects to a port",
			behind, behind == 1 ? "" : "s");
}

static void findings_check_filters(const struct patient *patient)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(patient->told, "unfiltered"), i, name)
		if (json_is_string(name))
			findings_add(patient->findings, json_string_value(name),
				"netvfd tries each second to attach it again, and its log says why it cannot; see what stands in its place (tc qdisc show, tc filter show, bpftool net)",
				"has lost netvf's program at tc, so the pair of %s is incomplete",
				patient->hn);
	findings_check_stripped(patient);
}

/* Whether a link is a port of a pair, or has the MAC address of an hn. */
static bool findings_is_of_a_pair(const struct nv_facts *facts, const struct nv_link *link)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(facts->status, "pairs"), i, pair) {
		const struct nv_link *hn =
			nv_links_by_name(&facts->links, nv_json_text(pair, "hn"));
		const char *vf = nv_json_text(json_object_get(pair, "vf_port"), "name");

		if (link == hn || nv_streq(link->name, vf) ||
			(hn && hn->has_mac && memcmp(hn->mac, link->mac, NV_MAC_LEN) == 0))
			return true;
	}
	return false;
}

/* A card that somebody has given an address is in use by itself. */
static bool findings_has_address(const struct nv_facts *facts, int ifindex)
{
	for (size_t i = 0; i < facts->addrs.count; i++)
		if (facts->addrs.addr[i].ifindex == ifindex &&
			facts->addrs.addr[i].scope < RT_SCOPE_LINK)
			return true;
	return false;
}

/* A card that may be hn's VF, but has another MAC address. */
static const struct nv_link *findings_find_stranger(const struct nv_facts *facts)
{
	for (size_t i = 0; i < facts->links.count; i++) {
		const struct nv_link *link = &facts->links.link[i];

		if (link->type == ARPHRD_ETHER && nv_streq(link->parent_bus, "pci") &&
			!link->kind[0] && !link->master && link->has_mac &&
			!findings_is_of_a_pair(facts, link) &&
			!findings_has_address(facts, link->ifindex))
			return link;
	}
	return NULL;
}

static void findings_tell_stranger(const struct patient *patient, const struct nv_link *link)
{
	char permanent[NV_MAC_TEXT] = "unknown";
	char current[NV_MAC_TEXT];

	nv_mac_text(link->mac, current);
	if (link->has_permanent_mac)
		nv_mac_text(link->permanent_mac, permanent);
	findings_add(patient->findings, patient->hn,
		"if it is the VF: set hn's MAC address on it at the host; if the host's physical function was down when the VF was probed, set the VF down and up; or name both in netvf_pairs (netvf-rc.conf(5))",
		"has no VF, and %s on the PCI bus is in no pair: its MAC address is %s, the permanent one %s, and no synthetic interface has the same",
		link->name, current, permanent);
}

static void findings_check_absence(const struct patient *patient)
{
	const char *last = nv_json_text(patient->pair, "last_vf");
	double seconds = json_number_value(json_object_get(patient->told, "vf_seconds"));
	const struct nv_link *stranger = findings_find_stranger(patient->facts);
	char age[64];

	if (stranger) {
		findings_tell_stranger(patient, stranger);
		return;
	}
	nv_format_age(seconds, age, sizeof(age));
	if (last[0])
		findings_add(patient->findings, patient->hn,
			"if the machine is being migrated: nothing; otherwise find out at the host why the VF has not come back (dmesg shows the PCI device)",
			"its VF %s has been gone for %s", last, age);
	else
		findings_add(patient->findings, patient->hn,
			"give the guest a VF with hn's MAC address at the host; if there is one that is not found, name it in netvf_pairs (netvf-rc.conf(5))",
			"no VF has appeared for %s", age);
}

static void findings_tell_silence(const struct patient *patient, double seconds)
{
	char age[64];

	nv_format_age(seconds, age, sizeof(age));
	findings_add(patient->findings, patient->vf,
		"find out at the host whether the physical function has a link, and whether it gave the VF a VLAN or another MAC address, or reset it (a driver may need to be unbound and bound after a reset); netvfd tries the VF again by itself, at most every 32 s",
		"has a carrier, but passes no frames (for %s): neighbours answer through %s and not through the VF",
		age, patient->hn);
}

static void findings_check_vf(const struct patient *patient)
{
	const json_t *port = json_object_get(patient->pair, "vf_port");
	double held = json_number_value(json_object_get(patient->told, "held"));
	double fails = json_number_value(json_object_get(patient->pair, "vf_fails"));
	const struct nv_link *link = findings_link_of(patient, patient->vf);

	if (!json_is_object(port)) {
		findings_check_absence(patient);
		return;
	}
	if (json_is_true(json_object_get(patient->told, "waits")) || !link)
		return;
	if (held > 0)
		findings_add(patient->findings, patient->vf,
			"find out in dmesg and at the host why its link goes down; 'netvf switch' with vf ends the wait",
			"was lost soon after each return; traffic stays on %s for %.1f s more",
			patient->hn, held);
	if (fails > 0)
		findings_tell_silence(patient, fails);
	if (!(link->flags & IFF_UP) && json_is_string(json_object_get(patient->told, "unattached")))
		findings_add(patient->findings, patient->vf,
			"add a rule to devd.conf that runs hyperv_vfattach for ETHERNET/IFATTACH, as the shipped one does; if a rule requires another vm_guest, set netvf_vm_guest (netvf-rc.conf(5))",
			"is not set up, because no rule answers its IFATTACH: %s",
			nv_json_text(patient->told, "unattached"));
	else if (!(link->flags & IFF_UP) &&
		 !json_is_true(json_object_get(patient->told, "vfs_own")))
		findings_add(patient->findings, patient->vf,
			"set it up (ip link set up), and find out why the rule for IFATTACH (hyperv_vfattach) did not, or what set it down",
			"exists, but is down");
	else if (!json_is_true(json_object_get(port, "usable")))
		findings_add(patient->findings, patient->vf, "check the VF's link at the host",
			"is set up, but has no carrier");
	if (nv_streq(nv_json_text(patient->pair, "wish"), "hn"))
		findings_add(patient->findings, patient->hn, "'netvf switch' with auto ends this",
			"transmits by itself and not by %s, because of 'netvf switch'",
			patient->vf);
}

/* Why the configuration cannot move to a lagg; NULL: it can. */
static const char *findings_find_obstacle(const struct patient *patient)
{
	for (size_t i = 0; i < patient->facts->n_traces; i++) {
		const struct nv_trace *trace = &patient->facts->trace[i];

		if (trace->kind == NV_TRACE_STAYS && nv_streq(trace->ifname, patient->hn))
			return trace->what;
	}
	return NULL;
}

static void findings_check_mode(const struct patient *patient)
{
	bool answered = json_is_true(json_object_get(patient->told, "answered"));
	bool on_vf = nv_streq(nv_json_text(patient->pair, "active"), "vf");
	const char *obstacle = findings_find_obstacle(patient);

	if (!patient->told)
		return;
	if (patient->transparent && patient->is_lagg)
		findings_add(patient->findings, patient->hn,
			"'netvf release' moves them to hn; or remove netvf_vf_transparent from rc.conf",
			"is configured to be transparent, but %s still has the addresses",
			patient->upper);
	if (patient->transparent)
		return;
	if (!answered)
		findings_add(patient->findings, patient->hn,
			"if you want a lagg, add a rule for VF_UP to devd.conf, as the shipped one; if not, nothing is wrong",
			"no rule answers VF_UP, so its VF is used exclusively");
	else if (json_is_true(json_object_get(patient->told, "vfs_own")))
		findings_add(patient->findings, patient->hn,
			"configure it in place of its VF, which then serves it",
			"is not configured, and its VF is, so the VF is used by itself");
	else if (obstacle && nv_streq(patient->mode, "transparent"))
		findings_add(patient->findings, patient->hn,
			"its VF carries the traffic all the same; 'netvf plan' shows what still prevents the move",
			"keeps its configuration: %s", obstacle);
	else if (on_vf && nv_streq(patient->mode, "transparent"))
		findings_add(patient->findings, patient->hn,
			"'netvf history' shows how the action ended; run 'hyperv_vfup' by hand to see its messages",
			"a rule answered VF_UP, but there is no lagg: its action failed, or has not ended yet");
}

static void findings_check_bareness(const struct patient *patient, const char *name)
{
	const struct nv_link *link = findings_link_of(patient, name);
	char text[NV_IP_TEXT];

	for (size_t i = 0; link && i < patient->facts->addrs.count; i++) {
		const struct nv_addr *addr = &patient->facts->addrs.addr[i];

		if (addr->ifindex != link->ifindex)
			continue;
		findings_add(patient->findings, name,
			"remove the address, and make sure that only netvf configures this interface; netvfd(8), FILES, says how network managers are kept away",
			"is a port of %s, but has the address %s/%u", patient->upper,
			nv_ip_text(&addr->local, text), addr->prefix_len);
		return;
	}
}

static void findings_check_qdisc(const struct patient *patient, const char *name)
{
	const struct nv_link *link = findings_link_of(patient, name);
	const struct nv_link *vf = findings_link_of(patient, patient->vf);

	if (link && vf && link != vf && nv_qdisc_is_missed(link, vf, patient->facts->usual_qdisc))
		findings_add(patient->findings, name,
			"give the VF one of its own each time that it appears: 'tc qdisc replace' in a rule for its IFATTACH (netvf-devd.conf(5), hyperv_vfup(8))",
			"has the queueing discipline %s, which no frame passes that leaves by %s: neither rate nor pacing holds for these",
			link->qdisc, patient->vf);
}

/*
 * Of the frames for hn, those that the VF brings do not pass hn's driver. What runs behind it
 * (do_xdp_generic(), net/core/dev.c) sees those that the VF's program gives to hn.
 */
static void findings_check_xdp(const struct patient *patient)
{
	const struct nv_link *hn = findings_link_of(patient, patient->hn);
	const struct nv_link *vf = findings_link_of(patient, patient->vf);
	bool sees_all = hn && hn->has_generic_xdp && nv_streq(patient->upper, patient->hn);

	if (hn && vf && hn->has_xdp && !vf->has_xdp && !sees_all)
		findings_add(patient->findings, patient->hn,
			"attach the program to the VF too, each time that it appears: 'ip link set xdp' in a rule for its IFATTACH (netvf-devd.conf(5))",
			"has an XDP program, which does not see what arrives by %s", patient->vf);
}

/* A bridge that has hn and its lagg as ports has two ways to one network. */
static void findings_check_master(const struct patient *patient)
{
	const struct nv_link *upper = findings_link_of(patient, patient->upper);
	const struct nv_link *hn = findings_link_of(patient, patient->hn);
	const struct nv_link *master =
		hn && hn->master ? nv_links_by_index(&patient->facts->links, hn->master) : NULL;

	if (!master || !upper || master == upper)
		return;
	findings_add(patient->findings, patient->hn,
		"make its lagg a port there instead, where the configuration of that interface is kept (ip link set hn nomaster; ip link set lagg master ...)",
		"is a port of %s, but also of %s: its frames for others may go out twice",
		patient->upper, master->name);
}

static void findings_check_given_up(const struct patient *patient)
{
	if (json_is_true(json_object_get(patient->told, "given_up")))
		findings_add(patient->findings, patient->hn,
			"find out who does it (ifup, ifreload, a DHCP client, a network manager) and let it configure the lagg; or let hn keep its configuration with netvf_vf_transparent (netvf-rc.conf(5))",
			"is configured by somebody again and again after its configuration has moved to %s, so netvfd leaves it as it is for some minutes",
			patient->upper);
}

static void findings_check_port(const struct patient *patient, const char *name)
{
	const struct nv_link *upper = findings_link_of(patient, patient->upper);
	const struct nv_link *link = findings_link_of(patient, name);

	if (!link || !upper || link == upper)
		return;
	if (link->mtu < upper->mtu)
		findings_add(patient->findings, name,
			"give it the larger MTU, or the upper interface the smaller one",
			"has the MTU %u and %s has %u: larger frames are lost on it", link->mtu,
			patient->upper, upper->mtu);
	findings_check_bareness(patient, name);
}

static void findings_check_manager(const struct patient *patient, const struct nv_trace *trace)
{
	bool is_hn = nv_streq(trace->ifname, patient->hn);

	/* ifup configured hn at boot, as it should, and does nothing later. */
	if (is_hn && (!patient->is_lagg || nv_streq(trace->what, "ifupdown")))
		return;
	findings_add(patient->findings, trace->ifname,
		"make it leave this interface unmanaged; netvf configures it",
		"is managed by %s, which may give it addresses or set it down", trace->what);
}

/* A socket or filter that names hn does not follow the addresses to the lagg. */
static void findings_check_bound(const struct patient *patient, const struct nv_trace *trace)
{
	if (!patient->is_lagg || !nv_streq(trace->ifname, patient->hn))
		return;
	findings_add(patient->findings, patient->hn,
		"make it use the lagg's name; or let hn keep its configuration with netvf_vf_transparent (netvf-rc.conf(5))",
		"%s: bound to %s by name, but %s has the addresses now", trace->what, patient->hn,
		patient->upper);
}

static void findings_check_traces(const struct patient *patient)
{
	for (size_t i = 0; i < patient->facts->n_traces; i++) {
		const struct nv_trace *trace = &patient->facts->trace[i];
		bool is_hn = nv_streq(trace->ifname, patient->hn);
		bool is_vf = nv_streq(trace->ifname, patient->vf) && !patient->is_exclusive;
		bool is_upper = nv_streq(trace->ifname, patient->upper) && patient->is_lagg;

		switch (trace->kind) {
		case NV_TRACE_MANAGER:
			if (is_hn || is_vf || is_upper)
				findings_check_manager(patient, trace);
			break;
		case NV_TRACE_DHCP:
			if (is_vf || (is_hn && patient->is_lagg))
				findings_add(patient->findings, trace->ifname,
					"end it, and make sure that none is started for a port",
					"is a port of %s, but a DHCP client runs for it: %s",
					patient->upper, trace->what);
			break;
		case NV_TRACE_STAYS:
			break;
		case NV_TRACE_SOCKET:
		case NV_TRACE_FILTER:
			findings_check_bound(patient, trace);
			break;
		}
	}
}

static void findings_check_pair(const struct patient *patient)
{
	findings_check_match(patient);
	if (!nv_streq(nv_json_text(patient->pair, "verdict"), "managed"))
		return;
	findings_check_filters(patient);
	findings_check_others(patient);
	findings_check_vf(patient);
	findings_check_mode(patient);
	if (!patient->is_exclusive) {
		findings_check_port(patient, patient->vf);
		findings_check_qdisc(patient, patient->hn);
		findings_check_xdp(patient);
	}
	if (patient->is_lagg) {
		findings_check_port(patient, patient->hn);
		findings_check_qdisc(patient, patient->upper);
		findings_check_master(patient);
		findings_check_given_up(patient);
	}
	findings_check_traces(patient);
}

static const json_t *findings_told_of(const struct nv_facts *facts, const char *hn)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(facts->told, "pairs"), i, pair)
		if (nv_streq(nv_json_text(pair, "hn"), hn))
			return pair;
	return NULL;
}

static void findings_check_programs(const struct nv_facts *facts, json_t *findings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (facts->absent, i, entry)
		findings_add(findings, nv_json_text(entry, "program"),
			"install it, or remove the rule",
			"does not exist or cannot be run, but the rule at %s:%lld runs it",
			nv_json_text(entry, "file"), (long long)nv_json_int(entry, "line"));
}

json_t *nv_doctor_findings(const struct nv_facts *facts)
{
	json_t *findings = json_array();
	const json_t *pair;
	size_t i;

	if (!facts->status) {
		findings_add(findings, "netvfd",
			"run 'systemctl start netvfd'; if it ends, its log says why. The data path in the kernel continues, but a VF that returns is not used",
			"does not run");
		return findings;
	}
	json_array_foreach (json_object_get(facts->status, "pairs"), i, pair) {
		const char *mode = nv_json_text(pair, "form");
		struct patient patient = {
			.facts = facts,
			.findings = findings,
			.pair = pair,
			.told = findings_told_of(facts, nv_json_text(pair, "hn")),
			.hn = nv_json_text(pair, "hn"),
			.vf = nv_json_text(json_object_get(pair, "vf_port"), "name"),
			.upper = nv_json_text(pair, "upper"),
			.mode = mode,
			.is_lagg = nv_streq(mode, "lagg"),
			.is_exclusive = nv_streq(mode, "exclusive"),
		};

		patient.transparent = json_is_true(json_object_get(patient.told, "transparent"));
		findings_check_pair(&patient);
	}
	findings_check_programs(facts, findings);
	return findings;
}
