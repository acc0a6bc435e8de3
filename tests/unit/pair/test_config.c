/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/config.h"

static void an_hn_has_its_own_word_on_transparency(void **state)
{
	struct nv_hn_config config = {
		.transparent_name = {"eth1", "br_lan"},
		.n_transparent_names = 2,
		.opaque_name = {"eth2"},
		.n_opaque_names = 1,
	};

	(void)state;
	assert_true(nv_hn_is_transparent(&config, "eth1", false));
	assert_true(nv_hn_is_transparent(&config, "br-lan", false));
	assert_false(nv_hn_is_transparent(&config, "brxlan", false)); /* '_' is punctuation */
	assert_false(nv_hn_is_transparent(&config, "br-la", false));
	assert_false(nv_hn_is_transparent(&config, "eth10", false));
	assert_false(nv_hn_is_transparent(&config, "eth", false));
	assert_true(nv_hn_is_transparent(&config, "eth10", true));
	assert_false(nv_hn_is_transparent(&config, "eth2", true));
	config.transparent = NV_TRANSPARENT_NO;
	assert_false(nv_hn_is_transparent(&config, "eth10", true));
	assert_true(nv_hn_is_transparent(&config, "eth1", true));
	config.transparent = NV_TRANSPARENT_YES;
	assert_true(nv_hn_is_transparent(&config, "eth10", false));
	assert_false(nv_hn_is_transparent(&config, "eth2", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hn_has_its_own_word_on_transparency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
