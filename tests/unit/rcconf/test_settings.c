/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "rcconf/settings.h"

#include <string.h>

struct fixture {
	struct nv_faults faults;
	struct nv_settings settings;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	nv_faults_auto(&fixture->faults);
	free(fixture);
	return 0;
}

static const struct nv_settings *read_text(struct fixture *fixture, const char *text)
{
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;

	nv_faults_auto(&fixture->faults);
	assert_int_equal(
		nv_rcconf_parse("rc.conf", text, strlen(text), &fixture->faults, &rcconf), 0);
	nv_settings_read(rcconf, &fixture->faults, &fixture->settings);
	return &fixture->settings;
}

static void nothing_said_gives_the_defaults(void **state)
{
	struct fixture *fixture = *state;
	const struct nv_settings *settings = read_text(fixture, "");

	assert_int_equal(fixture->faults.count, 0);
	assert_int_equal(settings->vf_delay, 0);
	assert_int_equal(settings->attwait, 0);
	assert_int_equal(settings->holddown, 30);
	assert_int_equal(settings->announce_count, 3);
	assert_int_equal(settings->announce_interval, 1);
	assert_int_equal(settings->action_timeout, 300);
	assert_true(settings->hooks);
	assert_null(settings->vm_guest);
	assert_int_equal(settings->hn.transparent, NV_TRANSPARENT_AUTO);
	assert_int_equal(settings->hn.n_pairs, 0);
	assert_int_equal(settings->hn.n_drivers, 0);
	assert_int_equal(settings->hn.n_names, 0);
	assert_true(settings->inherit);
	assert_false(settings->move_named);
	assert_int_equal(settings->hn.n_transparent_names, 0);
	assert_int_equal(settings->hn.n_opaque_names, 0);
}

static void everything_said_is_read(void **state)
{
	struct fixture *fixture = *state;
	const struct nv_settings *settings =
		read_text(fixture, "hyperv_vf_delay=120\n"
				   "netvf_vf_xpnt_attwait=3\n"
				   "netvf_action_timeout=10\n"
				   "netvf_holddown=0\n"
				   "netvf_inherit=NO netvf_move_named=YES\n"
				   "netvf_lagg=bond netvf_multicast=both\n"
				   "netvf_hooks=no netvf_vm_guest=hv\n"
				   "netvf_announce_count=0 netvf_announce_interval=60\n"
				   "netvf_vf_transparent=YES\n"
				   "netvf_vf_transparent_hn0=no netvf_vf_transparent_eth_0=yes\n"
				   "netvf_pairs='hn0:vf0  hn1:enp0s3\n\thn1:enp0s4'\n"
				   "netvf_synthetic_drivers='veth tun'\n"
				   "netvf_synthetic='hn0 hn1'\n");

	assert_int_equal(fixture->faults.count, 0);
	assert_false(settings->inherit);
	assert_true(settings->move_named);
	assert_false(settings->hooks);
	assert_string_equal(settings->vm_guest, "hv");
	assert_int_equal(settings->vf_delay, 120);
	assert_int_equal(settings->attwait, 3);
	assert_int_equal(settings->action_timeout, 10);
	assert_int_equal(settings->holddown, 0);
	assert_int_equal(settings->hn.lagg, NV_LAGG_BOND);
	assert_int_equal(settings->hn.multicast, NV_MULTICAST_BOTH);
	assert_int_equal(settings->announce_count, 0);
	assert_int_equal(settings->announce_interval, 60);
	assert_int_equal(settings->hn.transparent, NV_TRANSPARENT_YES);
	assert_int_equal(settings->hn.n_opaque_names, 1);
	assert_string_equal(settings->hn.opaque_name[0], "hn0");
	assert_int_equal(settings->hn.n_transparent_names, 1);
	assert_string_equal(settings->hn.transparent_name[0], "eth_0");
	assert_int_equal(settings->hn.n_pairs, 3);
	assert_string_equal(settings->hn.pair[0].hn, "hn0");
	assert_string_equal(settings->hn.pair[0].vf, "vf0");
	assert_string_equal(settings->hn.pair[2].vf, "enp0s4");
	assert_int_equal(settings->hn.n_drivers, 2);
	assert_string_equal(settings->hn.driver[1], "tun");
	assert_int_equal(settings->hn.n_names, 2);
	assert_string_equal(settings->hn.name[1], "hn1");
}

static void bad_values_are_faults_and_the_default_stands(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"hyperv_vf_delay=-1", "from 0 to 86400; 0 is used"},
		{"hyperv_vf_delay=86401", "from 0 to 86400"},
		{"hyperv_vf_delay=", "from 0 to 86400"},
		{"hyperv_vf_delay='1 2'", "from 0 to 86400"},
		{"netvf_announce_count=256", "not a number from 0 to 255; 3 is used"},
		{"netvf_announce_interval=0", "a number of seconds from 1 to 60; 1 is used"},
		{"netvf_action_timeout=0", "from 1 to 86400; 300 is used"},
		{"netvf_vf_xpnt_attwait=1m", "from 0 to 3600; 0 is used"},
		{"netvf_vf_transparent=perhaps", "none of YES, NO and AUTO; AUTO is used"},
		{"netvf_multicast=hn", "none of auto, active and both; auto is used"},
		{"netvf_hooks=perhaps", "neither YES nor NO; YES is used"},
		{"netvf_vm_guest=microsoft", "parallels and nvmm; it is detected"},
		{"netvf_lagg=team", "none of bpf, bond and auto; bpf is used"},
		{"netvf_pairs=hn0", "not a pair; write HN:VF"},
		{"netvf_pairs=:vf0", "not an interface's name"},
		{"netvf_pairs=hn0:", "not an interface's name"},
		{"netvf_pairs=hn0:anamethatistoolong", "not an interface's name"},
		{"netvf_pairs=hn0:hn0", "its own VF"},
		{"netvf_synthetic=anamethatistoolong", "not an interface's name"},
		{"netvf_vf_transparent_anamethatistoolong=YES", "not an interface's name"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++) {
		const struct nv_settings *settings = read_text(fixture, cases[i].text);

		if (fixture->faults.errors != 1 ||
			!strstr(fixture->faults.fault[0].message, cases[i].message))
			fail_msg("%s", cases[i].text);
		assert_int_equal(settings->vf_delay, 0);
		assert_int_equal(settings->announce_count, 3);
		assert_int_equal(settings->announce_interval, 1);
		assert_int_equal(settings->action_timeout, 300);
		assert_int_equal(settings->hn.transparent, NV_TRANSPARENT_AUTO);
		assert_int_equal(settings->hn.n_pairs, 0);
		assert_int_equal(settings->hn.n_names, 0);
	}
}

static void a_vf_belongs_to_one_hn(void **state)
{
	static const char *const texts[] = {"netvf_pairs='hn0:vf0 hn1:vf0'",
		"netvf_pairs='hn0:vf0 vf0:hn1'", "netvf_pairs='hn0:hn1 hn1:vf0'"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < NV_ARRAY_SIZE(texts); i++) {
		const struct nv_settings *settings = read_text(fixture, texts[i]);

		assert_int_equal(fixture->faults.errors, 1);
		assert_int_equal(settings->hn.n_pairs, 1);
	}
}

static void lists_are_bounded(void **state)
{
	static const struct {
		const char *key;
		const char *format;
		unsigned int max;
	} cases[] = {
		{"netvf_pairs", "a%u:b%u ", NV_HN_PAIRS_MAX},
		{"netvf_synthetic", "a%u ", NV_HN_NAMES_MAX},
		{"netvf_synthetic_drivers", "a%u ", NV_HN_DRIVERS_MAX},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++) {
		for (unsigned int more = 0; more < 2; more++) {
			NV_AUTO(nv_str) struct nv_str text = {};

			nv_str_printf(&text, "%s='", cases[i].key);
			for (unsigned int j = 0; j < cases[i].max + more; j++)
				nv_str_printf(&text, cases[i].format, j, j);
			nv_str_add(&text, "'");
			read_text(fixture, nv_str_text(&text));
			assert_int_equal(fixture->faults.errors, more);
		}
	}
	assert_int_equal(fixture->settings.hn.n_drivers, NV_HN_DRIVERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_said_gives_the_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_said_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			bad_values_are_faults_and_the_default_stands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_vf_belongs_to_one_hn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_are_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
