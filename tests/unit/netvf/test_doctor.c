/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "netvf/doctor.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* A pair in health, in lagg form; each test makes it ill in one way. */
static const char healthy[] =
	"{'pairs': [{'hn': 'hn0', 'verdict': 'managed', 'why': '', 'upper': 'lagg0',"
	" 'form': 'lagg', 'active': 'vf', 'wish': 'auto', 'last_vf': 'vf0',"
	" 'vf_port': {'name': 'vf0', 'usable': true}}]}";
static const char told[] = "{'pairs': [{'hn': 'hn0', 'unfiltered': [], 'transparent': false,"
			   " 'answered': true, 'waits': false, 'held': 0.0, 'vf_seconds': 90.0}]}";

static struct nv_facts facts;

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	NV_AUTO(nv_free) char *copy = strdup(text);
	json_t *value;

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(value);
	return value;
}

static void add_link(int ifindex, const char *name)
{
	struct nv_link link = {.ifindex = ifindex, .mtu = 1500, .flags = IFF_UP};

	nv_strcopy(link.name, sizeof(link.name), name);
	assert_int_equal(nv_links_put(&facts.links, &link), 0);
}

static int set_up(void **state)
{
	(void)state;
	facts.status = parse(healthy);
	facts.told = parse(told);
	add_link(1, "hn0");
	add_link(2, "vf0");
	add_link(3, "lagg0");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nv_facts_auto(&facts);
	return 0;
}

static void set(json_t *object, const char *key, const char *value)
{
	assert_int_equal(json_object_set_new(object, key, parse(value)), 0);
}

static json_t *pair(void)
{
	return json_array_get(json_object_get(facts.status, "pairs"), 0);
}

static json_t *pair_told(void)
{
	return json_array_get(json_object_get(facts.told, "pairs"), 0);
}

/* The only finding is about @subject and has @part in it; NULL: there is none at all. */
static void expect(const char *subject, const char *part)
{
	json_t *findings = nv_doctor_findings(&facts);
	const json_t *first = json_array_get(findings, 0);
	const char *problem = json_string_value(json_object_get(first, "problem"));

	if (json_array_size(findings) != (subject ? 1 : 0) ||
		(subject && (!strstr(problem, part) ||
				    strcmp(subject,
					    json_string_value(json_object_get(first, "subject"))))))
		fail_msg("wanted '%s' of %s, got %s", part, subject,
			json_dumps(findings, JSON_INDENT(1)));
	json_decref(findings);
}

static void nothing_is_wrong_with_a_healthy_pair(void **state)
{
	(void)state;
	expect(NULL, NULL);
	set(pair(), "verdict", "'observed'");
	set(pair(), "vf_port", "null");
	expect(NULL, NULL);
}

static void a_netvfd_that_does_not_run_is_all_that_can_be_said(void **state)
{
	(void)state;
	json_decref(facts.status);
	facts.status = NULL;
	expect("netvfd", "does not run");
}

static void a_refused_pair_says_why(void **state)
{
	(void)state;
	set(pair(), "verdict", "'refused'");
	set(pair(), "why", "'two of a kind'");
	set(pair(), "vf_port", "null");
	expect("hn0", "cannot be paired: two of a kind");
}

static void a_card_that_may_be_the_missing_vf_is_named(void **state)
{
	struct nv_link card = {.ifindex = 7,
		.name = "enp3s0",
		.type = 1,
		.parent_bus = "pci",
		.mtu = 1500,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, 9}};
	struct nv_addr addr = {.ifindex = 7, .prefix_len = 24};

	(void)state;
	assert_int_equal(nv_links_put(&facts.links, &card), 0);
	expect(NULL, NULL); /* nobody misses one */
	set(pair(), "vf_port", "null");
	expect("hn0", "enp3s0 on the PCI bus is in no pair: its MAC address is 02:00:00:00:00:09");
	assert_int_equal(nv_addrs_add(&facts.addrs, &addr), 0);
	expect("hn0", "has been gone for"); /* a card of its own */
}

static void a_filter_that_somebody_removed_is_missed(void **state)
{
	(void)state;
	set(pair_told(), "unfiltered", "['vf0', null]");
	expect("vf0", "lost netvf's program");
}

static void filters_that_somebody_removed_today_are_told(void **state)
{
	(void)state;
	set(pair_told(), "stripped", "1");
	set(pair_told(), "stripped_seconds", "90.0");
	expect("hn0", "attached again: 1 time, the last time 1 min 30 s ago");
	set(pair_told(), "stripped", "12");
	expect("hn0", "12 times");
	set(pair_told(), "stripped_seconds", "86401.0");
	expect(NULL, NULL);
}

static void set_qdisc(const char *ifname, const char *kind)
{
	for (size_t i = 0; i < facts.links.count; i++)
		if (nv_streq(facts.links.link[i].name, ifname))
			nv_strcopy(
				facts.links.link[i].qdisc, sizeof(facts.links.link[i].qdisc), kind);
}

static void a_qdisc_that_the_vf_does_not_have_is_told(void **state)
{
	static const char *const kernels[] = {"noqueue", "mq", "pfifo_fast", "fq_codel"};

	(void)state;
	nv_strcopy(facts.usual_qdisc, sizeof(facts.usual_qdisc), "fq_codel");
	for (size_t i = 0; i < NV_ARRAY_SIZE(kernels); i++) {
		set_qdisc("hn0", kernels[i]);
		expect(NULL, NULL);
	}
	set_qdisc("hn0", "tbf");
	expect("hn0", "the queueing discipline tbf, which no frame passes that leaves by vf0");
	set_qdisc("vf0", "tbf");
	expect(NULL, NULL);
	set_qdisc("lagg0", "htb");
	expect("lagg0", "the queueing discipline htb");
}

static void an_xdp_program_that_the_vf_does_not_have_is_told(void **state)
{
	(void)state;
	facts.links.link[0].has_xdp = true;
	expect("hn0", "an XDP program, which does not see what arrives by vf0");
	facts.links.link[1].has_xdp = true;
	expect(NULL, NULL);
}

/* It sees what the VF's program gives to hn; if the VF had it too, it would see that twice. */
static void a_generic_xdp_program_of_a_transparent_hn_is_right(void **state)
{
	(void)state;
	facts.links.link[0].has_xdp = true;
	facts.links.link[0].has_generic_xdp = true;
	expect("hn0", "an XDP program, which does not see what arrives by vf0");
	set(pair(), "upper", "'hn0'");
	set(pair(), "form", "'transparent'");
	set(pair_told(), "transparent", "true");
	expect(NULL, NULL);
}

static void programs_of_others_are_told_with_their_place(void **state)
{
	(void)state;
	set(pair_told(), "others", "{'before': 1, 'behind': 0}");
	expect("lagg0", "1 tc program of others before netvf's at egress: frames that they "
			"accept themselves (TC_ACT_OK) are lost");
	set(pair_told(), "others", "{'before': 0, 'behind': 2}");
	expect("lagg0", "2 tc programs of others behind netvf's at egress, which do not see");
}

static void a_vf_that_is_away_is_told_with_its_time(void **state)
{
	(void)state;
	set(pair(), "vf_port", "null");
	set(pair(), "active", "'hn'");
	expect("hn0", "its VF vf0 has been gone for 1 min 30 s");
	set(pair(), "last_vf", "null");
	expect("hn0", "no VF has appeared for 1 min 30 s");
}

static void a_vf_that_cannot_be_used_is_told_with_the_reason(void **state)
{
	struct nv_link vf = *nv_links_by_name(&facts.links, "vf0");

	(void)state;
	set(pair(), "active", "'hn'");
	set(pair(), "vf_port", "{'name': 'vf0', 'usable': false}");
	expect("vf0", "no carrier");
	vf.flags = 0;
	assert_int_equal(nv_links_put(&facts.links, &vf), 0);
	expect("vf0", "is down");
	set(pair_told(), "waits", "true");
	expect(NULL, NULL);
}

static void a_hold_down_and_an_order_are_told(void **state)
{
	(void)state;
	set(pair(), "active", "'hn'");
	set(pair_told(), "held", "2.5");
	expect("vf0", "stays on hn0 for 2.5 s more");
	set(pair_told(), "held", "0.0");
	set(pair(), "wish", "'hn'");
	expect("hn0", "because of");
}

static void a_vf_that_no_rule_sets_up_is_told(void **state)
{
	(void)state;
	facts.links.link[1].flags = 0;
	set(pair_told(), "unattached",
		"'the nearest, at d.conf:3, wants vm_guest to be x, and it is y'");
	expect("vf0", "no rule answers its IFATTACH: the nearest, at d.conf:3, wants vm_guest");
	facts.links.link[1].flags = IFF_UP;
	expect(NULL, NULL);
}

static void a_form_that_is_not_the_wanted_one_is_told(void **state)
{
	(void)state;
	set(pair_told(), "transparent", "true");
	expect("hn0", "lagg0 still has the addresses");
	set(pair(), "form", "'transparent'");
	set(pair(), "upper", "'hn0'");
	expect(NULL, NULL);
	set(pair_told(), "transparent", "false");
	expect("hn0", "there is no lagg");
	set(pair(), "form", "'exclusive'");
	set(pair(), "upper", "'vf0'");
	set(pair_told(), "answered", "false");
	expect("hn0", "no rule answers VF_UP");
	set(pair_told(), "answered", "true");
	set(pair_told(), "vfs_own", "true");
	expect("hn0", "is not configured, and its VF is, so the VF is used by itself");
}

static void what_keeps_a_configuration_where_it_is_is_told(void **state)
{
	(void)state;
	set(pair(), "form", "'transparent'");
	set(pair(), "upper", "'hn0'");
	nv_facts_trace(&facts, NV_TRACE_STAYS, "hn0", "mv0 (macvlan) is stacked on hn0");
	expect("hn0", "keeps its configuration: mv0 (macvlan) is stacked on hn0");
}

static void a_port_has_no_other_master(void **state)
{
	(void)state;
	add_link(4, "br0");
	facts.links.link[0].master = 3;
	expect(NULL, NULL);
	facts.links.link[0].master = 4;
	expect("hn0", "is a port of lagg0, but also of br0");
}

static void an_hn_that_somebody_configures_again_and_again(void **state)
{
	(void)state;
	set(pair_told(), "given_up", "true");
	expect("hn0", "is configured by somebody again and again");
}

static void a_port_with_an_address_is_not_bare(void **state)
{
	struct nv_addr addr = {.ifindex = 2, .prefix_len = 24};

	(void)state;
	addr.local.family = AF_INET;
	inet_pton(AF_INET, "192.0.2.1", &addr.local.v4);
	assert_int_equal(nv_addrs_add(&facts.addrs, &addr), 0);
	expect("vf0", "is a port of lagg0, but has the address 192.0.2.1/24");
	facts.addrs.addr[0].ifindex = 1;
	expect("hn0", "has the address 192.0.2.1/24");
	facts.addrs.addr[0].ifindex = 3;
	expect(NULL, NULL);
}

static void a_port_with_a_smaller_mtu_is_told(void **state)
{
	struct nv_link lagg = *nv_links_by_name(&facts.links, "lagg0");
	struct nv_link hn = *nv_links_by_name(&facts.links, "hn0");

	(void)state;
	lagg.mtu = 1400;
	assert_int_equal(nv_links_put(&facts.links, &lagg), 0);
	expect(NULL, NULL);
	hn.mtu = 1300;
	assert_int_equal(nv_links_put(&facts.links, &hn), 0);
	expect("hn0", "has the MTU 1300 and lagg0 has 1400");
}

static void nobody_else_manages_a_port(void **state)
{
	static const char *const managed[] = {"hn0", "vf0", "lagg0"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		facts.n_traces = 0;
		nv_facts_trace(&facts, NV_TRACE_MANAGER, managed[i], "NetworkManager");
		nv_facts_trace(&facts, NV_TRACE_MANAGER, "eth7", "NetworkManager");
		nv_facts_trace(&facts, NV_TRACE_MANAGER, "hn0", "ifupdown"); /* at boot */
		expect(managed[i], "managed by NetworkManager");
	}
	set(pair(), "form", "'exclusive'");
	set(pair(), "upper", "'vf0'");
	facts.n_traces = 1;
	nv_facts_trace(&facts, NV_TRACE_MANAGER, "vf0", "NetworkManager");
	expect(NULL, NULL);
}

static void a_transparent_hn_may_be_managed_and_have_a_client(void **state)
{
	(void)state;
	set(pair(), "form", "'transparent'");
	set(pair(), "upper", "'hn0'");
	set(pair_told(), "transparent", "true");
	nv_facts_trace(&facts, NV_TRACE_MANAGER, "hn0", "NetworkManager");
	nv_facts_trace(&facts, NV_TRACE_DHCP, "hn0", "dhclient, process 12");
	expect(NULL, NULL);
}

static void a_second_dhcp_client_is_told(void **state)
{
	(void)state;
	nv_facts_trace(&facts, NV_TRACE_DHCP, "vf0", "dhclient, process 12");
	expect("vf0", "dhclient, process 12");
	nv_strcopy(facts.trace[0].ifname, IFNAMSIZ, "lagg0");
	expect(NULL, NULL);
}

static void what_is_bound_to_hn_wants_transparent_mode(void **state)
{
	static const enum nv_trace_kind kinds[] = {NV_TRACE_SOCKET, NV_TRACE_FILTER};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *findings;

		facts.n_traces = 0;
		nv_facts_trace(&facts, kinds[i], "hn0", "UDP port 53, 1 socket");
		expect("hn0", "UDP port 53, 1 socket: bound to hn0 by name, but lagg0");
		findings = nv_doctor_findings(&facts);
		assert_non_null(strstr(
			json_string_value(json_object_get(json_array_get(findings, 0), "remedy")),
			"netvf_vf_transparent"));
		json_decref(findings);
	}
	set(pair(), "form", "'transparent'");
	set(pair(), "upper", "'hn0'");
	set(pair_told(), "transparent", "true");
	expect(NULL, NULL);
}

static void a_program_that_is_not_there_is_told_with_its_rule(void **state)
{
	(void)state;
	facts.absent = parse("[{'file': '/etc/x.conf', 'line': 3, 'program': '/no/such'}]");
	expect("/no/such", "the rule at /etc/x.conf:3");
}

static void managers_say_what_they_manage(void **state)
{
	(void)state;
	assert_true(nv_nmcli_manages("lo:unmanaged\nhn0:connected\n", "hn0"));
	assert_false(nv_nmcli_manages("lo:unmanaged\nhn0:unmanaged\n", "hn0"));
	assert_false(nv_nmcli_manages("hn01:connected", "hn0"));
	assert_true(nv_ifupdown_manages("lo=lo\nhn0=hn0\n", "hn0"));
	assert_false(nv_ifupdown_manages("hn01=hn01\n", "hn0"));
}

static void an_actions_program_is_its_first_plain_word(void **state)
{
	static const struct {
		const char *action;
		const char *program;
	} cases[] = {
		{"/usr/sbin/hv_kvp_daemon", "/usr/sbin/hv_kvp_daemon"},
		{"  pkill -x $name", "pkill"},
		{"/bin/a;b", "/bin/a"},
		{"$program x", NULL},
		{"X=1 /bin/a", NULL},
		{"/bin/$name", NULL},
		{"'/bin/a' b", NULL},
		{"if true; then a; fi", NULL},
		{"echo x", NULL},
		{"", NULL},
	};
	char program[64];

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++) {
		bool found = nv_action_program(cases[i].action, program, sizeof(program));

		if (found != (cases[i].program != NULL) ||
			(found && strcmp(program, cases[i].program)))
			fail_msg("%s", cases[i].action);
	}
	assert_false(nv_action_program("/bin/long", program, 9));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_wrong_with_a_healthy_pair),
		TEST(a_netvfd_that_does_not_run_is_all_that_can_be_said),
		TEST(a_refused_pair_says_why),
		TEST(a_card_that_may_be_the_missing_vf_is_named),
		TEST(a_filter_that_somebody_removed_is_missed),
		TEST(filters_that_somebody_removed_today_are_told),
		TEST(a_qdisc_that_the_vf_does_not_have_is_told),
		TEST(an_xdp_program_that_the_vf_does_not_have_is_told),
		TEST(a_generic_xdp_program_of_a_transparent_hn_is_right),
		TEST(programs_of_others_are_told_with_their_place),
		TEST(a_vf_that_is_away_is_told_with_its_time),
		TEST(a_vf_that_cannot_be_used_is_told_with_the_reason),
		TEST(a_hold_down_and_an_order_are_told),
		TEST(a_vf_that_no_rule_sets_up_is_told),
		TEST(a_form_that_is_not_the_wanted_one_is_told),
		TEST(what_keeps_a_configuration_where_it_is_is_told),
		TEST(a_port_has_no_other_master),
		TEST(an_hn_that_somebody_configures_again_and_again),
		TEST(a_port_with_an_address_is_not_bare),
		TEST(a_port_with_a_smaller_mtu_is_told),
		TEST(nobody_else_manages_a_port),
		TEST(a_transparent_hn_may_be_managed_and_have_a_client),
		TEST(a_second_dhcp_client_is_told),
		TEST(what_is_bound_to_hn_wants_transparent_mode),
		TEST(a_program_that_is_not_there_is_told_with_its_rule),
		cmocka_unit_test(managers_say_what_they_manage),
		cmocka_unit_test(an_actions_program_is_its_first_plain_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
