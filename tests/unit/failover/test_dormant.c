/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/dormant.c in the whole room. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static void an_hn_that_is_set_down_is_opened_underneath(void **state)
{
	(void)state;
	make_all();
	set_flags("hn0", IFF_UP, 0);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_true(managed()->warned.dormant);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void an_hn_that_cannot_be_dormant_is_told_of_once(void **state)
{
	(void)state;
	make_vf("nvt0", 1);
	hear();
	fake_fail(fake, FAKE_LINK_SET, 1, -EOPNOTSUPP);
	make_lagg();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_true(managed()->warned.dormant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_hn_that_is_set_down_is_opened_underneath),
		TEST(an_hn_that_cannot_be_dormant_is_told_of_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
