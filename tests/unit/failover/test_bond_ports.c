/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/bond_ports.c in the whole room. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static void the_vf_enters_the_bond_before_it_is_up(void **state)
{
	struct nv_link bond;
	int vf;

	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	vf = add_vf("nvt0");
	bond = fake_link(fake, "lagg0");
	assert_string_equal(bond.kind, "bond");
	assert_int_equal(fake_link(fake, "nvt0").master, bond.ifindex);
	assert_int_equal(pair()->vf, vf);
	assert_int_equal(pair()->mode, NV_MODE_HN); /* until hyperv_vfup has moved all to it */
	assert_int_equal(pair()->inside, 1U << NV_PORT_VF);
}

static void hn_enters_the_bond_when_the_vf_carries(void **state)
{
	int lagg;

	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	add_vf("nvt0");
	lagg = fake_link(fake, "lagg0").ifindex;
	pair()->mode = NV_MODE_LAGG;
	nv_failover_look_again(failover);
	hear();
	nv_failover_look_again(failover);
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(fake_link(fake, "hn0").master, lagg);
	assert_int_equal(pair()->inside, 1U << NV_PORT_HN | 1U << NV_PORT_VF);
	assert_int_equal(fake_link(fake, "lagg0").primary, pair()->vf);
}

static void a_bond_that_cannot_be_made_is_not_waited_for(void **state)
{
	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	fake_fail(fake, FAKE_LINK_ADD, 1, -EOPNOTSUPP);
	make_vf("nvt0", 1);
	hear();
	assert_true(managed()->memory.no_bond);
	assert_int_equal(pair()->active, NV_PORT_VF);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
}

static void a_bond_that_refuses_a_vf_is_not_asked_again(void **state)
{
	int vf;

	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	fake_fail(fake, FAKE_LINK_SET, 4, -EINVAL); /* two make the bond, one closes the VF */
	vf = add_vf("nvt0");
	assert_int_equal(managed()->memory.refused, vf);
	assert_int_equal(fake_link(fake, "nvt0").master, 0);
	assert_int_equal(pair()->vf, vf);
	set_flags("nvt0", IFF_UP, IFF_UP);
	assert_int_equal(fake_link(fake, "nvt0").master, 0);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_bond_that_is_deleted_has_its_ports_opened(void **state)
{
	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	add_vf("nvt0");
	settings.hn.lagg = NV_LAGG_BPF;
	fake_del_link(fake, fake_link(fake, "lagg0").ifindex);
	hear();
	assert_int_equal(pair()->lagg, 0);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vf_enters_the_bond_before_it_is_up),
		TEST(hn_enters_the_bond_when_the_vf_carries),
		TEST(a_bond_that_cannot_be_made_is_not_waited_for),
		TEST(a_bond_that_refuses_a_vf_is_not_asked_again),
		TEST(a_bond_that_is_deleted_has_its_ports_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
