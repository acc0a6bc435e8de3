/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules of etc/devd/hyperv.conf do with FreeBSD's events: what hyperv.conf of FreeBSD
 * does. */
#include "rules_help.h"

static void each_event_has_its_answer(void **state)
{
	static const struct {
		const char *line;
		const char *command; /* NULL: no rule matches */
	} cases[] = {
		{"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev",
			"udevadm settle -t 30; "
			"udevadm info -q property /dev/vmbus/hv_kvp 2>/dev/null "
			"| grep -q ^SYSTEMD_WANTS= || exec /usr/sbin/hv_kvp_daemon"},
		{"!system=DEVFS subsystem=CDEV type=DESTROY cdev=hv_kvp_dev",
			"pkill -x hv_kvp_daemon"},
		{"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_fsvss_dev",
			"udevadm settle -t 30; "
			"udevadm info -q property /dev/vmbus/hv_vss 2>/dev/null "
			"| grep -q ^SYSTEMD_WANTS= || exec /usr/sbin/hv_vss_daemon"},
		{"!system=DEVFS subsystem=CDEV type=DESTROY cdev=hv_fsvss_dev",
			"pkill -x hv_vss_daemon"},
		{"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev0", NULL},
		{"!system=HYPERV_NIC_VF subsystem=hn0 type=VF_UP",
			"/usr/libexec/hyperv/hyperv_vfup 'hn0'"},
		{"!system=HYPERV_NIC_VF subsystem=hn0 type=VF_DOWN", NULL},
		{"!system=ETHERNET subsystem=mlx;reboot type=IFATTACH",
			"/usr/libexec/hyperv/hyperv_vfattach 'mlx;reboot' 0"},
		{"!system=IFNET subsystem=mlxen0 type=ATTACH", NULL},
		{"+hn0 at  a=b on vmbus0", NULL},
	};
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	struct nv_faults faults = {};

	(void)state;
	assert_int_equal(nv_rules_load(NETVF_SOURCE_DIR "/etc/devd/hyperv.conf", NULL, NULL,
				 &faults, &rules),
		0);
	assert_int_equal(faults.count, 0);
	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++) {
		NV_AUTO(nv_event) struct nv_event *event = event_of(cases[i].line);
		NV_AUTO(nv_str) struct nv_str command = {};
		const struct nv_rule *rule = nv_rules_match(rules, event, NULL, NULL);

		assert_int_equal(rule != NULL, cases[i].command != NULL);
		if (!rule)
			continue;
		assert_int_equal(nv_rule_actions(rule), 1);
		assert_int_equal(nv_rule_expand(rules, rule, 0, event, &command), 0);
		assert_string_equal(nv_str_text(&command), cases[i].command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_has_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
