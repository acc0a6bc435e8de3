/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/mode.c in the whole room. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static void a_transparent_vf_that_refuses_is_asked_again(void **state)
{
	unsigned int asked;
	int vf;

	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	settings.attwait = 0;
	for (unsigned int nth = 1; nth <= 8; nth++)
		fake_fail(fake, FAKE_LINK_SET, nth, -EBUSY);
	vf = add_vf("nvt0");
	assert_int_equal(pair()->vf, vf);
	asked = fake->calls[FAKE_LINK_SET];
	/* A link event of another's device is no reason to ask. */
	fake_make_link(fake, "eth9", "tun", 7);
	hear();
	assert_int_equal(fake->calls[FAKE_LINK_SET], asked);
	for (int i = 0; i < 40 && !(fake_link(fake, "nvt0").flags & IFF_UP); i++)
		nv_loop_advance(loop, NV_RETRY_MAX);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
	hear();
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_transparent_vf_follows_hn(void **state)
{
	(void)state;
	go_transparent();
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_int_equal(pair()->active, NV_PORT_VF);
	expect("hn0 by nvt0 (vf)\n");
	set_flags("hn0", IFF_UP, 0);
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_false(nv_failover_left_down(failover, &(struct nv_link){.ifindex = pair()->vf}));
	set_flags("hn0", IFF_UP, IFF_UP);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_transparent_vf_is_left_alone_at_first(void **state)
{
	(void)state;
	settings.attwait = 1;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	add_vf("nvt0");
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	nv_loop_advance(loop, 6 * NV_USEC_PER_SEC);
	hear();
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_vf_that_cannot_be_set_up_is_not_used(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	for (unsigned int nth = 1; nth <= 30; nth++)
		fake_fail(fake, FAKE_LINK_SET, nth, -EIO);
	add_vf("nvt0");
	nv_loop_advance(loop, 6 * NV_USEC_PER_SEC);
	hear();
	assert_true(fake->calls[FAKE_LINK_SET] < 30);
	assert_int_equal(pair()->active, NV_PORT_HN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_transparent_vf_that_refuses_is_asked_again),
		TEST(a_transparent_vf_follows_hn),
		TEST(a_transparent_vf_is_left_alone_at_first),
		TEST(a_vf_that_cannot_be_set_up_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
