/* SPDX-License-Identifier: BSD-2-Clause */
/* Which Linux renames an interface that is up, and what udev's database says of its name. */
#include "cm.h"
#include "services/udev.h"

static void linux_renames_what_is_up_since_6_2(void **state)
{
	(void)state;
	assert_true(nv_udev_renames_up("6.2.0"));
	assert_true(nv_udev_renames_up("6.2-rc1"));
	assert_true(nv_udev_renames_up("6.12.95+deb12-amd64"));
	assert_true(nv_udev_renames_up("7.0.0"));
	assert_true(nv_udev_renames_up("10.1"));
	assert_false(nv_udev_renames_up("6.1.0-32-cloud-amd64"));
	assert_false(nv_udev_renames_up("5.15.0"));
	assert_false(nv_udev_renames_up("2.6.78"));
}

static void an_odd_release_counts_as_old(void **state)
{
	(void)state;
	assert_false(nv_udev_renames_up(""));
	assert_false(nv_udev_renames_up("7"));
	assert_false(nv_udev_renames_up("linux-7.0"));
}

static void an_interface_that_is_being_renamed_has_no_name_yet(void **state)
{
	(void)state;
	assert_false(nv_udev_data_has_name("E:ID_NET_NAME=vf7\nE:ID_RENAMING=1\n"));
	assert_false(nv_udev_data_has_name("E:ID_RENAMING=1"));
	assert_true(nv_udev_data_has_name("E:ID_NET_NAME=vf7\n"));
	assert_true(nv_udev_data_has_name("E:ID_RENAMING=10\nE:OLD_ID_RENAMING=1\n"));
	assert_true(nv_udev_data_has_name(""));
}

static void a_property_is_a_whole_line(void **state)
{
	static const char ours[] = "ID_NET_MANAGED_BY=netvf";

	(void)state;
	assert_true(nv_udev_data_has("I:7\nE:ID_NET_MANAGED_BY=netvf\nE:NM_UNMANAGED=1\n", ours));
	assert_true(nv_udev_data_has("E:ID_NET_MANAGED_BY=netvf", ours));
	assert_false(nv_udev_data_has("E:ID_NET_MANAGED_BY=netvf2\n", ours));
	assert_false(nv_udev_data_has("E:ID_NET_MANAGED_BY=net\n", ours));
	assert_false(nv_udev_data_has("G:ID_NET_MANAGED_BY=netvf\n", ours));
	assert_false(nv_udev_data_has("", ours));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_renames_what_is_up_since_6_2),
		cmocka_unit_test(an_odd_release_counts_as_old),
		cmocka_unit_test(an_interface_that_is_being_renamed_has_no_name_yet),
		cmocka_unit_test(a_property_is_a_whole_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
