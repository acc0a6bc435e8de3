/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/bond_ports.c in the whole room. */
#include "room.h"

#include "failover/bond_ports.h"

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

/* A pair in lagg mode whose bond has the VF, which transmits; hn is to enter still. */
static int make_bond(void)
{
	settings.hn.lagg = NV_LAGG_BOND;
	add_vf("nvt0");
	pair()->mode = NV_MODE_LAGG;
	return fake_link(fake, "lagg0").ifindex;
}

static void look_twice(void)
{
	nv_failover_look_again(failover);
	hear();
	nv_failover_look_again(failover);
}

static void the_bond_is_whole_before_the_vf_is_in_the_data_path(void **state)
{
	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	forget();
	add_vf("nvt0");
	expect_log("path hn0\n" /* which tells whether it is locked */
		   "link_add lagg0 bond\n"
		   "link_set lagg0 -noarp +multicast\n"
		   "sysctl net/ipv6/conf/lagg0/addr_gen_mode=1\n"
		   "sysctl net/ipv6/conf/lagg0/accept_dad=0\n"
		   "sysctl net/ipv6/conf/lagg0/dad_transmits=0\n"
		   "link_set lagg0 up\n"
		   "path hn0 lagg=lagg0\n"
		   "link_set nvt0 down\n"
		   "link_set nvt0 master=lagg0\n"
		   "link_set nvt0 +allmulti addrgen=1\n"
		   "sysctl net/ipv6/conf/nvt0/accept_ra=0\n"
		   "path hn0 vf=nvt0\n"
		   "attach nvt0\n"
		   "path hn0 active=vf\n"
		   "raise VF_UP hn0\n"
		   "path hn0 inside=2\n"
		   "link_set lagg0 primary=nvt0\n");
}

static void a_vf_with_a_delay_is_closed_again(void **state)
{
	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	settings.vf_delay = 2;
	add_vf("nvt0");
	assert_int_equal(fake_link(fake, "nvt0").master, fake_link(fake, "lagg0").ifindex);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_int_equal(pair()->active, NV_PORT_HN);
}

static void a_vf_that_goes_as_it_enters_has_not_refused(void **state)
{
	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	fake_fail(fake, FAKE_LINK_SET, 4, -ENODEV); /* as in the case of one that refuses */
	add_vf("nvt0");
	assert_int_equal(managed()->memory.refused, 0);
	assert_int_equal(said("refuses"), 0);
}

static void an_hn_that_has_something_of_its_own_stays_out(void **state)
{
	int lagg = make_bond();
	struct nv_addr addr = fake_addr(hn(), "192.0.2.5/24");
	struct nv_link vlan;

	(void)state;
	fake_put_addr(fake, &addr);
	look_twice();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(fake_link(fake, "hn0").master, 0);
	fake_del_addr(fake, &addr);
	fake_make_link(fake, "hn0.5", "vlan", 1);
	vlan = fake_link(fake, "hn0.5");
	vlan.lower = hn();
	fake_put_link(fake, &vlan);
	hear();
	look_twice();
	assert_int_equal(fake_link(fake, "hn0").master, 0);
	/* It is hn's of the same index in another network namespace. */
	vlan.lower_elsewhere = true;
	fake_put_link(fake, &vlan);
	hear();
	look_twice();
	assert_int_equal(fake_link(fake, "hn0").master, lagg);
}

static void hn_enters_at_once_where_the_vf_carries_nothing(void **state)
{
	int lagg = make_bond();
	struct nv_addr addr = fake_addr(hn(), "192.0.2.5/24");

	(void)state;
	fake_put_addr(fake, &addr);
	set_carrier("nvt0", false);
	assert_int_equal(fake_link(fake, "hn0").master, lagg);
	look_twice();
	assert_int_equal(pair()->inside, 1U << NV_PORT_HN | 1U << NV_PORT_VF);
	assert_int_equal(fake_link(fake, "lagg0").primary, hn());
}

static void a_bond_that_refuses_hn_is_not_asked_again(void **state)
{
	struct nv_dp_pair before;
	unsigned int asked;

	(void)state;
	make_bond();
	before = *pair();
	fake_fail(fake, FAKE_LINK_SET, 3, -EINVAL); /* dormant, and closed for it, before */
	look_twice();
	look_twice();
	assert_int_equal(managed()->memory.refused, hn());
	assert_int_equal(said("the bond refuses hn0 as a port"), 1);
	assert_int_equal(fake_link(fake, "hn0").master, 0);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP); /* as it was */
	assert_int_equal(pair()->inside, before.inside);
	assert_int_equal(pair()->active, NV_PORT_VF);
	asked = fake->calls[FAKE_LINK_SET];
	forget();
	look_twice();
	assert_int_equal(fake->calls[FAKE_LINK_SET], asked);
	expect_log("");
}

static void both_ports_of_a_deleted_bond_are_opened(void **state)
{
	int lagg = make_bond();

	(void)state;
	look_twice();
	assert_int_equal(pair()->inside, 1U << NV_PORT_HN | 1U << NV_PORT_VF);
	settings.hn.lagg = NV_LAGG_BPF;
	fake->mute = true; /* the kernel closes ports of a bond that goes, and tells of it later */
	set_flags("hn0", IFF_UP, 0);
	set_flags("nvt0", IFF_UP, 0);
	fake->mute = false;
	fake_del_link(fake, lagg);
	hear();
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_int_equal(said("hn0: its lagg is gone"), 1);
}

static void a_bond_that_is_made_while_the_data_path_is_locked_is_tried_again(void **state)
{
	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	path.locked = true;
	add_vf("nvt0");
	nv_loop_advance(loop, NV_USEC_PER_SEC / 10);
	assert_int_equal(fake->calls[FAKE_LINK_ADD], 0);
	assert_null(nv_links_by_name(&fake->links, "lagg0"));
	assert_int_equal(pair()->vf, 0);
	assert_false(managed()->memory.no_bond);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(fake_link(fake, "nvt0").master, fake_link(fake, "lagg0").ifindex);
	assert_int_equal(pair()->lagg, fake_link(fake, "lagg0").ifindex);
}

/* Another process has changed it since it was read. */
static void a_pair_that_has_changed_meanwhile_is_not_written(void **state)
{
	struct nv_view view = {};
	struct nv_dp_pair read;

	(void)state;
	make_bond();
	view.hn = nv_links_by_index(nv_monitor_links(monitor), hn());
	read = *pair();
	read.inside = 0;
	pair()->inside = 0;
	pair()->vf = 77;
	assert_int_equal(nv_bond_ports_update(failover, managed(), &view, &read), 0);
	assert_int_equal(pair()->inside, 0);
	pair()->vf = read.vf;
	assert_int_equal(nv_bond_ports_update(failover, managed(), &view, &read), 0);
	assert_int_not_equal(pair()->inside, 0);
}

static void a_lagg_that_is_no_bond_has_no_ports(void **state)
{
	(void)state;
	make_all();
	forget();
	nv_failover_look_again(failover);
	expect_log("");
	assert_int_equal(fake_link(fake, "hn0").master, 0);
	assert_int_equal(fake_link(fake, "nvt0").master, 0);
	assert_int_equal(pair()->inside, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vf_enters_the_bond_before_it_is_up),
		TEST(hn_enters_the_bond_when_the_vf_carries),
		TEST(a_bond_that_cannot_be_made_is_not_waited_for),
		TEST(a_bond_that_refuses_a_vf_is_not_asked_again),
		TEST(a_bond_that_is_deleted_has_its_ports_opened),
		TEST(the_bond_is_whole_before_the_vf_is_in_the_data_path),
		TEST(a_vf_with_a_delay_is_closed_again),
		TEST(a_vf_that_goes_as_it_enters_has_not_refused),
		TEST(an_hn_that_has_something_of_its_own_stays_out),
		TEST(hn_enters_at_once_where_the_vf_carries_nothing),
		TEST(a_bond_that_refuses_hn_is_not_asked_again),
		TEST(both_ports_of_a_deleted_bond_are_opened),
		TEST(a_bond_that_is_made_while_the_data_path_is_locked_is_tried_again),
		TEST(a_pair_that_has_changed_meanwhile_is_not_written),
		TEST(a_lagg_that_is_no_bond_has_no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
