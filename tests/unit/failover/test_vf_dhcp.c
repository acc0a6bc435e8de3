/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/vf_dhcp.c over DHCP clients in memory. */
#include "room.h"

#include "failover/vf_dhcp.h"

#include <errno.h>

static void there_may_be_none(void **state)
{
	(void)state;
	assert_false(nv_vf_dhcp_end("hn0", "nvt0"));
	assert_int_equal(services.looks, 1);
	assert_int_equal(said("nvt0"), 0);
}

static void each_is_ended_and_told_of(void **state)
{
	(void)state;
	services.n_clients = 3;
	assert_true(nv_vf_dhcp_end("hn0", "nvt0"));
	assert_int_equal(services.ended, 3);
	assert_int_equal(said("hn0: dhclient (process 100) runs on its VF nvt0"), 3);
	assert_int_equal(said("it is ended"), 3);
}

static void one_that_stays_is_told_of(void **state)
{
	(void)state;
	services.n_clients = 1;
	services.end_error = -EPERM;
	assert_false(nv_vf_dhcp_end("hn0", "nvt0"));
	assert_int_equal(
		said("runs on its VF nvt0, where no DHCP client may run: cannot end it: "), 1);
	assert_int_equal(said("it is ended"), 0);
}

static void a_proc_that_cannot_be_read_shows_none(void **state)
{
	(void)state;
	services.n_clients = 1;
	services.find_error = -EACCES;
	assert_false(nv_vf_dhcp_end("hn0", "nvt0"));
	assert_int_equal(services.ended, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_may_be_none),
		TEST(each_is_ended_and_told_of),
		TEST(one_that_stays_is_told_of),
		TEST(a_proc_that_cannot_be_read_shows_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
