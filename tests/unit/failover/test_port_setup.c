/* SPDX-License-Identifier: BSD-2-Clause */
/* A VF in transparent mode gets what hn has, in hn(4)'s order. */
#include "cm.h"

#include "failover/port_setup.h"
#include "fake_kernel.h"

#include <errno.h>
#include <string.h>

struct pair {
	struct fake_kernel *fake;
	struct nv_link hn, vf;
};

static int set_up(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct nv_link vf;

	assert_non_null(pair);
	pair->fake = fake_kernel_new();
	fake_make_link(pair->fake, "hn0", "virtio_net", 1);
	fake_make_link(pair->fake, "vf0", "mlx5_core", 1);
	vf = fake_link(pair->fake, "vf0");
	vf.flags &= ~(uint32_t)IFF_UP;
	fake_put_link(pair->fake, &vf);
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	nv_kernel_free(pair->fake->kernel);
	free(pair);
	return 0;
}

/* Has the VF follow an hn of this MTU, and looks at both after. */
static int follow(struct pair *pair, uint32_t mtu)
{
	int r;

	pair->hn = fake_link(pair->fake, "hn0");
	pair->vf = fake_link(pair->fake, "vf0");
	pair->hn.mtu = mtu;
	fake_put_link(pair->fake, &pair->hn);
	r = nv_port_setup_transparent(pair->fake->kernel, &pair->hn, &pair->vf);
	pair->hn = fake_link(pair->fake, "hn0");
	pair->vf = fake_link(pair->fake, "vf0");
	return r;
}

static void a_vf_gets_hns_mtu_and_then_goes_up(void **state)
{
	struct pair *pair = *state;

	fake_fail(pair->fake, FAKE_LINK_SET, 2, -EIO); /* what comes after the MTU */
	assert_int_equal(follow(pair, 9000), -EIO);
	assert_int_equal(pair->vf.mtu, 9000);
	assert_false(pair->vf.flags & IFF_UP);

	assert_int_equal(follow(pair, 9000), 0);
	assert_true(pair->vf.flags & IFF_UP);
	assert_true(pair->vf.flags & IFF_ALLMULTI);
	assert_false(pair->vf.flags & IFF_PROMISC);
	assert_int_equal(pair->vf.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	assert_int_equal(pair->hn.mtu, 9000);
}

static void a_promiscuous_hn_makes_its_vf_so(void **state)
{
	struct pair *pair = *state;

	pair->hn = fake_link(pair->fake, "hn0");
	pair->hn.promiscuity = 1; /* a bridge's doing: no flag shows it */
	fake_put_link(pair->fake, &pair->hn);
	assert_int_equal(follow(pair, 1500), 0);
	assert_true(pair->vf.flags & IFF_PROMISC);
	pair->hn.promiscuity = 0;
	fake_put_link(pair->fake, &pair->hn);
	assert_int_equal(follow(pair, 1500), 0);
	assert_false(pair->vf.flags & IFF_PROMISC);
}

static void a_refused_mtu_takes_hn_back_to_1500(void **state)
{
	struct pair *pair = *state;

	fake_fail(pair->fake, FAKE_LINK_SET, 1, -EINVAL);
	assert_int_equal(follow(pair, 9000), 0);
	assert_int_equal(pair->hn.mtu, 1500);
	assert_int_equal(pair->vf.mtu, 1500);
	assert_true(pair->vf.flags & IFF_UP);
}

static void a_refused_mtu_of_no_more_than_1500_is_left(void **state)
{
	struct pair *pair = *state;

	fake_fail(pair->fake, FAKE_LINK_SET, 1, -EINVAL);
	assert_int_equal(follow(pair, 1400), 0);
	assert_int_equal(pair->hn.mtu, 1400);
	assert_int_equal(pair->vf.mtu, 1500);
	assert_true(pair->vf.flags & IFF_UP);
}

static void a_vf_that_carries_more_leaves_hn_as_it_is(void **state)
{
	struct pair *pair = *state;
	struct nv_link vf = fake_link(pair->fake, "vf0");

	vf.mtu = 9000;
	fake_put_link(pair->fake, &vf);
	fake_fail(pair->fake, FAKE_LINK_SET, 1, -EINVAL);
	assert_int_equal(follow(pair, 4000), 0);
	assert_int_equal(pair->hn.mtu, 4000);
}

static void a_vf_that_is_gone_is_told(void **state)
{
	struct pair *pair = *state;

	pair->vf = fake_link(pair->fake, "vf0");
	pair->hn = fake_link(pair->fake, "hn0");
	pair->hn.mtu = 9000;
	fake_put_link(pair->fake, &pair->hn);
	fake_del_link(pair->fake, pair->vf.ifindex);
	assert_int_equal(
		nv_port_setup_transparent(pair->fake->kernel, &pair->hn, &pair->vf), -ENODEV);
	assert_int_equal(fake_link(pair->fake, "hn0").mtu, 9000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vf_gets_hns_mtu_and_then_goes_up),
		TEST(a_promiscuous_hn_makes_its_vf_so),
		TEST(a_refused_mtu_takes_hn_back_to_1500),
		TEST(a_refused_mtu_of_no_more_than_1500_is_left),
		TEST(a_vf_that_carries_more_leaves_hn_as_it_is),
		TEST(a_vf_that_is_gone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
