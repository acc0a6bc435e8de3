/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/mode.c in the whole room. */
#include "room.h"

#include "services/udev.h"

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

static void a_transparent_vf_is_set_up_before_it_carries_in_this_order(void **state)
{
	struct nv_link hn0 = fake_link(fake, "hn0");

	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	hn0.mtu = 9000;
	hn0.promiscuity = 1;
	fake_put_link(fake, &hn0);
	hear();
	forget();
	add_vf("nvt0");
	expect_log("path hn0 vf=nvt0\n"
		   "attach nvt0\n"
		   "link_set nvt0 mtu=9000\n"
		   "link_set nvt0 +allmulti addrgen=1\n"
		   "sysctl net/ipv6/conf/nvt0/accept_ra=0\n"
		   "link_set nvt0 +promisc up\n"
		   /* Once more: that they were done has not been heard yet. */
		   "link_set nvt0 mtu=9000\n"
		   "link_set nvt0 +allmulti +promisc\n"
		   "path hn0 active=vf\n");
	expect("hn0 by nvt0 (vf)\n");
}

static void a_refused_vf_is_told_of_once_and_when_it_is_set_up(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	for (unsigned int nth = 1; nth <= 3; nth++)
		fake_fail(fake, FAKE_LINK_SET, nth, -EBUSY);
	add_vf("nvt0");
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_int_equal(said("cannot set nvt0 up with the MTU and flags of hn0"), 1);
	nv_loop_advance(loop, 50 * NV_USEC_PER_MSEC - 1);
	assert_int_equal(fake->calls[FAKE_LINK_SET], 1);
	nv_loop_advance(loop, 1);
	assert_int_equal(fake->calls[FAKE_LINK_SET], 2);
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	hear();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(said("cannot set nvt0 up"), 1);
	assert_int_equal(said("nvt0, the VF of hn0, is set up now"), 1);
}

static void a_vf_that_goes_while_it_is_set_up_is_no_trouble(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	fake_fail(fake, FAKE_LINK_SET, 1, -ENODEV);
	add_vf("nvt0");
	fake_del_link(fake, pair()->vf);
	hear();
	nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(said("cannot"), 0);
	assert_int_equal(pair()->vf, 0);
	assert_int_equal(pair()->active, NV_PORT_HN);
}

/* As bnxt_en says while its firmware starts anew. */
static void one_whose_driver_has_detached_it_is_asked_again(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	for (unsigned int nth = 1; nth <= 3; nth++)
		fake_fail(fake, FAKE_LINK_SET, nth, -ENODEV);
	add_vf("nvt0");
	assert_int_equal(pair()->active, NV_PORT_HN);
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	hear();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(said("cannot"), 0);
}

static void a_vf_that_cannot_be_closed_with_hn_is_told_of(void **state)
{
	(void)state;
	go_transparent();
	fake_fail(fake, FAKE_LINK_SET, 1, -EPERM);
	forget();
	set_flags("hn0", IFF_UP, 0);
	expect_log("path hn0 active=hn\n");
	assert_int_equal(said("hn0: was set down, but its VF nvt0 cannot be: "), 1);
}

static void udev_names_a_vf_before_it_is_set_up(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	services.udev_is_busy = true;
	add_vf("nvt0");
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	services.udev_is_busy = false;
	nv_loop_advance(loop, NV_UDEV_LOOK_MS * NV_USEC_PER_MSEC);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
}

static void a_look_for_udev_is_no_settle(void **state)
{
	unsigned int got;

	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	services.udev_is_busy = true;
	add_vf("nvt0");
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC);
	got = settled;
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(settled, got);
}

static void udev_is_waited_for_no_longer_than_its_time(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_YES;
	services.udev_is_busy = true;
	add_vf("nvt0");
	nv_loop_advance(loop, NV_UDEV_WAIT_MS * NV_USEC_PER_MSEC - 1);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	nv_loop_advance(loop, 1);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
}

static void an_hn_that_a_manager_configures_is_the_upper(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_AUTO;
	services.manager = "NetworkManager";
	add_vf("nvt0");
	hear();
	assert_int_equal(managed()->state.phase, NV_PHASE_TRANSPARENT);
	expect("hn0 by nvt0 (vf)\n");
	assert_string_equal(managed()->status.manager, "NetworkManager");
	nv_failover_look_again(failover);
	assert_int_equal(said("NetworkManager configures it"), 1);
}

static void without_a_manager_hn_gets_a_lagg(void **state)
{
	(void)state;
	settings.hn.transparent = NV_TRANSPARENT_AUTO;
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
	assert_int_equal(managed()->state.phase, NV_PHASE_ANNOUNCED);
}

static void rcconf_counts_more_than_a_manager(void **state)
{
	(void)state;
	services.manager = "NetworkManager";
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
	assert_int_equal(said("configures it"), 0);
}

/* The VF is there at boot, and a manager was started that has not looked at hn. */
static void boot_with_a_silent_manager(void)
{
	settings.hn.transparent = NV_TRANSPARENT_AUTO;
	services.silent = true;
}

static void a_manager_has_its_time_at_boot(void **state)
{
	(void)state;
	boot_with_a_silent_manager();
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\n"); /* meanwhile as if one did */
	assert_int_equal(failover->restless.count, 1);
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC - 1);
	expect("");
	nv_loop_advance(loop, 1);
	expect("VF_UP hn0\n");
	assert_int_equal(failover->restless.count, 0);
}

static void a_manager_that_decides_in_its_time_has_hn(void **state)
{
	(void)state;
	boot_with_a_silent_manager();
	make_vf("nvt0", 1);
	hear();
	services.manager = "systemd-networkd";
	services.silent = false;
	nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	nv_failover_look_again(failover);
	expect("hn0 by nvt0 (vf)\n");
	assert_int_equal(managed()->state.phase, NV_PHASE_TRANSPARENT);
}

static void a_vf_that_comes_later_is_not_kept_waiting(void **state)
{
	(void)state;
	boot_with_a_silent_manager();
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC);
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
}

static void put_on_hn(const char *text, uint8_t scope)
{
	struct nv_addr addr = fake_addr(hn(), text);

	addr.scope = scope;
	fake_put_addr(fake, &addr);
	hear();
}

static void an_hn_with_an_address_waits_for_no_manager(void **state)
{
	(void)state;
	boot_with_a_silent_manager();
	put_on_hn("fe80::1/64", RT_SCOPE_LINK); /* which comes by itself */
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\n");
	put_on_hn("192.0.2.5/24", RT_SCOPE_UNIVERSE);
	nv_failover_look_again(failover);
	expect("VF_UP hn0\n");
}

static void an_hn_in_a_bridge_waits_for_no_manager(void **state)
{
	struct nv_link link;

	(void)state;
	boot_with_a_silent_manager();
	fake_make_link(fake, "br0", "bridge", 9);
	link = fake_link(fake, "br0");
	nv_strcopy(link.kind, sizeof(link.kind), "bridge");
	fake_put_link(fake, &link);
	link = fake_link(fake, "hn0");
	link.master = fake_link(fake, "br0").ifindex;
	fake_put_link(fake, &link);
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
}

static void an_hn_of_rcconf_waits_for_no_manager(void **state)
{
	static const char text[] = "ifconfig_hn0=\"DHCP\"\n";
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	NV_AUTO(nv_faults) struct nv_faults faults = {};

	(void)state;
	boot_with_a_silent_manager();
	assert_int_equal(nv_rcconf_parse("rc.conf", text, strlen(text), &faults, &rcconf), 0);
	nv_failover_configure(failover, &settings, rcconf);
	make_vf("nvt0", 1);
	hear();
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
}

/* What may have to be left, and what only netvfd announces after the machine has moved. */
static void a_vf_and_a_lagg_are_urgent(void **state)
{
	(void)state;
	assert_false(nv_failover_is_urgent(failover));
	go_transparent();
	assert_true(nv_failover_is_urgent(failover));
	fake_del_link(fake, fake_link(fake, "nvt0").ifindex);
	hear();
	assert_false(nv_failover_is_urgent(failover));
	make_lagg();
	nv_failover_settle_all(failover);
	assert_true(nv_failover_is_urgent(failover));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_transparent_vf_that_refuses_is_asked_again),
		TEST(a_transparent_vf_follows_hn),
		TEST(a_transparent_vf_is_left_alone_at_first),
		TEST(a_vf_that_cannot_be_set_up_is_not_used),
		TEST(a_transparent_vf_is_set_up_before_it_carries_in_this_order),
		TEST(a_refused_vf_is_told_of_once_and_when_it_is_set_up),
		TEST(a_vf_that_goes_while_it_is_set_up_is_no_trouble),
		TEST(one_whose_driver_has_detached_it_is_asked_again),
		TEST(a_vf_that_cannot_be_closed_with_hn_is_told_of),
		TEST(udev_names_a_vf_before_it_is_set_up),
		TEST(a_look_for_udev_is_no_settle),
		TEST(udev_is_waited_for_no_longer_than_its_time),
		TEST(an_hn_that_a_manager_configures_is_the_upper),
		TEST(without_a_manager_hn_gets_a_lagg),
		TEST(rcconf_counts_more_than_a_manager),
		TEST(a_manager_has_its_time_at_boot),
		TEST(a_manager_that_decides_in_its_time_has_hn),
		TEST(a_vf_that_comes_later_is_not_kept_waiting),
		TEST(an_hn_with_an_address_waits_for_no_manager),
		TEST(an_hn_in_a_bridge_waits_for_no_manager),
		TEST(an_hn_of_rcconf_waits_for_no_manager),
		TEST(a_vf_and_a_lagg_are_urgent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
