/* SPDX-License-Identifier: BSD-2-Clause */
/* Who configures an interface, by what systemd 252 and NetworkManager 1.42 write of it. */
#include "cm.h"
#include "services/manager.h"

static void networkd_says_so_unless_it_has_let_go(void **state)
{
	(void)state;
	assert_true(nv_networkd_manages(
		"# This is private data. Do not parse.\nADMIN_STATE=configured\nX=1\n"));
	assert_true(nv_networkd_manages("ADMIN_STATE=pending\n"));
	assert_false(nv_networkd_manages("ADMIN_STATE=unmanaged\nOPER_STATE=off\n"));
	assert_false(nv_networkd_manages("OLD_ADMIN_STATE=configured\n"));
	assert_false(nv_networkd_manages(""));
}

static void networkmanager_says_so(void **state)
{
	(void)state;
	assert_true(nv_nm_manages("[device]\nmanaged=true\nconnection-uuid=8103c814\n"));
	assert_true(nv_nm_manages("[device]\nmanaged=true"));
	assert_false(nv_nm_manages("[device]\nmanaged=false\n"));
	assert_false(nv_nm_manages("[device]\nunmanaged=true\nmanaged=truely\n"));
	assert_false(nv_nm_manages(""));
}

static void networkd_has_decided(void **state)
{
	(void)state;
	assert_true(nv_networkd_configures("ADMIN_STATE=configured\n"));
	assert_true(nv_networkd_configures("ADMIN_STATE=configuring\n"));
	assert_true(nv_networkd_configures("ADMIN_STATE=failed\n"));
	assert_false(nv_networkd_configures("ADMIN_STATE=pending\n"));
	assert_false(nv_networkd_configures("ADMIN_STATE=initialized\n"));
	assert_false(nv_networkd_configures("ADMIN_STATE=unmanaged\n"));
	assert_false(nv_networkd_configures(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networkd_says_so_unless_it_has_let_go),
		cmocka_unit_test(networkd_has_decided),
		cmocka_unit_test(networkmanager_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
