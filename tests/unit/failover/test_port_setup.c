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

static void put_addr(struct pair *pair, int ifindex, const char *text, uint32_t valid)
{
	struct nv_addr addr = fake_addr(ifindex, text);

	addr.valid_lft = valid;
	addr.preferred_lft = valid;
	fake_put_addr(pair->fake, &addr);
}

static void a_vf_forgets_what_it_heard_before(void **state)
{
	struct pair *pair = *state;
	int vf = fake_link(pair->fake, "vf0").ifindex;
	struct nv_route heard = {
		.family = AF_INET6,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_RA,
		.oif = vf,
	};
	struct nv_addr own = fake_addr(vf, "2001:db8::77/64");
	struct nv_link link = fake_link(pair->fake, "vf0");
	uint32_t mtu = 0;
	char accept_ra[16];

	own.flags = IFA_F_PERMANENT;
	fake_put_addr(pair->fake, &own);
	put_addr(pair, vf, "fe80::1/64", UINT32_MAX);
	put_addr(pair, vf, "2001:db8:1::1/64", 600);
	assert_int_equal(nv_routes_add(&pair->fake->routes, &heard), 0);
	nv_kernel_sysctl_write(pair->fake->kernel, "net/ipv6/conf/vf0/accept_ra", "1");
	assert_int_equal(nv_port_setup_vf(pair->fake->kernel, &link, 9000, &mtu), 0);
	assert_int_equal(mtu, 9000);
	assert_int_equal(pair->fake->routes.count, 0);
	assert_int_equal(pair->fake->addrs.count, 1);
	assert_int_equal(nv_kernel_sysctl_read(pair->fake->kernel, "net/ipv6/conf/vf0/accept_ra",
				 accept_ra, sizeof(accept_ra)),
		0);
	assert_string_equal(accept_ra, "0");
	link = fake_link(pair->fake, "vf0");
	assert_int_equal(link.mtu, 9000);
	assert_int_equal(link.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	assert_true(link.flags & IFF_ALLMULTI);

	fake_fail(pair->fake, FAKE_LINK_SET, 1, -EINVAL);
	assert_int_equal(nv_port_setup_vf(pair->fake->kernel, &link, 1400, &mtu), 0);
	assert_int_equal(mtu, 9000);
	fake_del_link(pair->fake, vf);
	assert_int_equal(nv_port_setup_vf(pair->fake->kernel, &link, 1400, NULL), -ENODEV);
}

static void what_a_vf_has_heard_is_looked_for_after_it_hears_no_more(void **state)
{
	struct pair *pair = *state;
	struct nv_link vf = fake_link(pair->fake, "vf0");

	put_addr(pair, vf.ifindex, "fe80::1/64", UINT32_MAX);
	put_addr(pair, vf.ifindex, "192.0.2.1/24", UINT32_MAX);
	nv_str_clear(&pair->fake->log);
	assert_int_equal(nv_port_setup_vf(pair->fake->kernel, &vf, 1500, NULL), 0);
	assert_string_equal(nv_str_text(&pair->fake->log), "link_set vf0 +allmulti addrgen=1\n"
							   "sysctl net/ipv6/conf/vf0/accept_ra=0\n"
							   "addr_del vf0 fe80::1/64\n");
}

/* Each of its parts is worth something without the others. */
static void a_kernel_that_tells_nothing_is_no_reason_to_leave_a_vf(void **state)
{
	struct pair *pair = *state;
	struct nv_link vf = fake_link(pair->fake, "vf0");

	fake_fail(pair->fake, FAKE_ADDRS, 1, -ENOBUFS);
	fake_fail(pair->fake, FAKE_ROUTES, 1, -ENOBUFS);
	fake_fail(pair->fake, FAKE_SYSCTL_WRITE, 1, -ENOENT);
	assert_int_equal(nv_port_setup_vf(pair->fake->kernel, &vf, 1500, NULL), 0);
	assert_true(fake_link(pair->fake, "vf0").flags & IFF_ALLMULTI);
}

static void an_upper_that_cannot_fall_back_is_an_error(void **state)
{
	struct pair *pair = *state;
	struct nv_link hn = fake_link(pair->fake, "hn0");
	struct nv_link vf = fake_link(pair->fake, "vf0");

	hn.mtu = 9000;
	fake_put_link(pair->fake, &hn);
	fake_fail(pair->fake, FAKE_LINK_SET, 1, -EINVAL);
	fake_fail(pair->fake, FAKE_LINK_SET, 2, -EBUSY);
	assert_int_equal(nv_port_agree_mtu(pair->fake->kernel, &hn, &vf), -EBUSY);
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
		TEST(a_vf_forgets_what_it_heard_before),
		TEST(what_a_vf_has_heard_is_looked_for_after_it_hears_no_more),
		TEST(a_kernel_that_tells_nothing_is_no_reason_to_leave_a_vf),
		TEST(an_upper_that_cannot_fall_back_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
