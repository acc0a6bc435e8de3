/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/vf_guard.c in the whole room. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

/* As ip-address(8) does. */
static void give_address(int vf, const char *text)
{
	struct nv_addr addr = fake_addr(vf, text);

	addr.flags = IFA_F_PERMANENT;
	fake_put_addr(fake, &addr);
	hear();
}

static void addresses_are_taken_off_a_vf(void **state)
{
	int vf = make_all();

	(void)state;
	give_address(vf, "192.0.2.1/24");
	assert_int_equal(fake->addrs.count, 0);
	assert_int_equal(managed()->warned.guarded_vf, vf);
	fake_fail(fake, FAKE_ADDR_DEL, 1, -EPERM);
	give_address(vf, "192.0.2.2/24");
	nv_failover_look_again(failover);
	assert_int_equal(fake->addrs.count, 0);
}

static void an_address_that_comes_again_and_again_stays_for_longer_each_time(void **state)
{
	int vf = make_all();

	(void)state;
	give_address(vf, "192.0.2.1/24");
	assert_int_equal(fake->addrs.count, 0);
	give_address(vf, "192.0.2.1/24");
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	assert_int_equal(fake->addrs.count, 1);
	nv_loop_advance(loop, 1);
	assert_int_equal(fake->addrs.count, 0);
	give_address(vf, "192.0.2.1/24");
	nv_loop_advance(loop, 600 * NV_USEC_PER_SEC - 1);
	assert_int_equal(fake->addrs.count, 1);
	give_address(vf, "192.0.2.2/24");
	assert_int_equal(fake->addrs.count, 1); /* another one is not blamed */
	nv_loop_advance(loop, 1);
	assert_int_equal(fake->addrs.count, 0);
}

static void who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate(void **state)
{
	int vf = make_all();

	(void)state;
	nv_str_clear(&attached);
	give_address(vf, "192.0.2.1/24");
	expect_attached("nvt0 ");
	give_address(vf, "192.0.2.2/24");
	give_address(vf, "192.0.2.3/24");
	expect_attached("");
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	expect_attached("");
	nv_loop_advance(loop, 1);
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 100 * NV_USEC_PER_SEC);
	expect_attached("");
	give_address(vf, "192.0.2.4/24");
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	set_flags("nvt0", IFF_UP, 0);
	give_address(vf, "192.0.2.5/24");
	expect_attached(""); /* an administrator set it down */
}

/* Somebody has configured the VF in place of hn, which is up or down. */
static void expect_only_address_stays(unsigned int hn_flags)
{
	struct nv_link link;
	struct nv_addr addr;

	set_flags("hn0", IFF_UP, hn_flags);
	fake->mute = true;
	make_vf("nvt0", 1);
	fake->mute = false;
	link = fake_link(fake, "nvt0");
	addr = fake_addr(link.ifindex, "192.0.2.1/24");
	addr.flags = IFA_F_PERMANENT;
	fake_put_addr(fake, &addr);
	fake_put_link(fake, &link);
	hear();
	assert_int_equal(fake->addrs.count, 1);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	assert_int_equal(said("hn0: nobody has configured it, and somebody its VF nvt0; "), 1);
	assert_true(services.unused);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
	close_failover();
	open_failover();
	hear();
	assert_int_equal(fake->addrs.count, 1);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	expect("");
	/* So it is with the next one. */
	fake_del_link(fake, link.ifindex);
	hear();
	fake->addrs.count = 0;
	expect("hn0 by hn0 (hn)\nVF_DOWN hn0\n");
	addr = fake_addr(add_vf("nvt0"), "192.0.2.1/24");
	fake_put_addr(fake, &addr);
	set_flags("nvt0", IFF_UP, IFF_UP);
	assert_int_equal(fake->addrs.count, 1);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	/* The pair is as any other once hn is configured. */
	addr = fake_addr(hn(), "192.0.2.2/24");
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(fake->addrs.count, 1);
	assert_false(services.unused);
}

static void the_only_address_of_a_guest_stays(void **state)
{
	(void)state;
	expect_only_address_stays(0);
}

/* A network manager waits there in vain. */
static void so_it_does_beside_an_hn_that_is_up(void **state)
{
	(void)state;
	expect_only_address_stays(IFF_UP);
}

/* What is heard first of a VF is that it has an address. Returns its ifindex. */
static int make_vf_with_address(bool carrier, uint32_t flags)
{
	struct nv_link link;
	struct nv_addr addr;

	fake->mute = true;
	make_vf("nvt0", 1);
	fake->mute = false;
	link = fake_link(fake, "nvt0");
	link.carrier = carrier;
	addr = fake_addr(link.ifindex, "192.0.2.1/24");
	addr.flags = flags;
	fake_put_addr(fake, &addr);
	fake_put_link(fake, &link);
	return link.ifindex;
}

static void boot_again(void)
{
	close_failover();
	services.unused = true;
	open_failover();
	hear();
}

/* netvfd starts before its address is there, and a network manager has set hn up. */
static void so_it_does_when_the_guest_boots_again(void **state)
{
	struct nv_addr addr;
	int vf;

	(void)state;
	boot_again();
	services.manager = "systemd-networkd";
	vf = add_vf("nvt0");
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	set_flags("nvt0", IFF_UP, IFF_UP);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
	addr = fake_addr(vf, "192.0.2.1/24");
	addr.flags = IFA_F_PERMANENT;
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
	assert_int_equal(fake->addrs.count, 1);
	addr = fake_addr(hn(), "192.0.2.2/24");
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_false(services.unused);
}

/* Since then a manager may have been told to ask at both. */
static void but_not_one_from_dhcp_beside_an_hn_that_a_manager_has(void **state)
{
	struct nv_addr addr;

	(void)state;
	boot_again();
	services.manager = "NetworkManager";
	addr = fake_addr(add_vf("nvt0"), "192.0.2.1/24");
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_int_equal(fake->addrs.count, 0);
	assert_false(services.unused);
}

/* Somebody has configured hn meanwhile, and there is no VF. */
static void nor_beside_an_hn_that_has_an_address_then(void **state)
{
	struct nv_addr addr = fake_addr(hn(), "192.0.2.2/24");

	(void)state;
	fake_put_addr(fake, &addr);
	boot_again();
	assert_false(services.unused);
	add_vf("nvt0");
	assert_int_equal(pair()->mode, NV_MODE_HN);
}

/* The configuration may be on its way to hn, or a DHCP client ask at the VF. */
static void a_vf_that_nobody_configures_is_not_left_to_itself(void **state)
{
	struct nv_addr addr;
	int vf;

	(void)state;
	boot_again();
	services.n_clients = 1;
	vf = add_vf("nvt0");
	addr = fake_addr(vf, "fe80::1/64");
	addr.scope = RT_SCOPE_LINK;
	fake_put_addr(fake, &addr);
	set_flags("nvt0", IFF_UP, IFF_UP);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC - 1);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	nv_loop_advance(loop, 1);
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_true(services.unused);
	assert_int_equal(services.looks, 0);
	addr = fake_addr(vf, "192.0.2.1/24");
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
}

static void one_that_is_down_is_set_up_after_its_time(void **state)
{
	(void)state;
	boot_again();
	add_vf("nvt0");
	expect_attached("nvt0 "); /* which hyperv_vfattach leaves alone */
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC);
	expect_attached("nvt0 ");
}

static void nor_is_one_that_has_lost_its_address(void **state)
{
	struct nv_addr addr;

	(void)state;
	boot_again();
	addr = fake_addr(add_vf("nvt0"), "192.0.2.1/24");
	set_flags("nvt0", IFF_UP, IFF_UP);
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
	fake_del_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
}

/* Without one, VFs are used by themselves because the rules say so. */
static void it_is_kept_where_a_rule_answers(void **state)
{
	(void)state;
	answered = false;
	set_flags("hn0", IFF_UP, 0);
	make_vf_with_address(true, IFA_F_PERMANENT);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
	assert_false(services.unused);
	answered = true;
	nv_failover_look_again(failover);
	assert_true(services.unused);
}

static void that_it_cannot_be_kept_is_told_once_of_each_vf(void **state)
{
	(void)state;
	services.keep_error = -EROFS;
	set_flags("hn0", IFF_UP, 0);
	make_vf_with_address(true, IFA_F_PERMANENT);
	hear();
	set_flags("hn0", IFF_PROMISC, IFF_PROMISC);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	assert_int_equal(said("hn0: cannot keep in /nonexistent that it is not used: "), 1);
}

/* Who serves the VF cannot know yet that it is not its own. */
static void not_one_from_dhcp_beside_an_hn_that_is_up(void **state)
{
	(void)state;
	make_vf_with_address(true, 0);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_int_equal(fake->addrs.count, 0);
}

/* A lease may last for ever. */
static void nor_one_beside_routes_from_dhcp(void **state)
{
	struct nv_route route = {.family = AF_INET,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_DHCP};

	(void)state;
	route.oif = make_vf_with_address(true, IFA_F_PERMANENT);
	assert_int_equal(nv_routes_add(&fake->routes, &route), 0);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_int_equal(fake->addrs.count, 0);
}

/* It was there before, and could not be used yet. */
static void it_stays_when_netvfd_starts_again(void **state)
{
	(void)state;
	make_vf_with_address(false, IFA_F_PERMANENT);
	hear();
	assert_int_equal(fake->addrs.count, 1);
	close_failover();
	open_failover();
	hear();
	assert_int_equal(fake->addrs.count, 1);
}

static void one_that_ipv6_has_made_does_not(void **state)
{
	struct nv_addr addr;
	int vf;

	(void)state;
	set_flags("hn0", IFF_UP, 0);
	vf = add_vf("nvt0");
	addr = fake_addr(vf, "2001:db8::1/64");
	addr.flags = 0;
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_HN);
}

static void a_foreign_address_is_told_of_once(void **state)
{
	int vf = make_all();

	(void)state;
	give_address(vf, "192.0.2.1/24");
	give_address(vf, "192.0.2.2/24");
	assert_int_equal(fake->addrs.count, 0);
	assert_int_equal(said("hn0: somebody gave its VF nvt0 the address 192.0.2.1/24;"), 1);
	assert_int_equal(said("192.0.2.2"), 0);
}

static void other_interfaces_keep_their_addresses(void **state)
{
	struct nv_addr addr;
	int vf = make_all();
	int other = fake_make_link(fake, "eth9", "tun", 7);

	(void)state;
	addr = fake_addr(other, "198.51.100.1/24");
	fake_put_addr(fake, &addr);
	addr = fake_addr(pair()->lagg, "203.0.113.1/24");
	fake_put_addr(fake, &addr);
	forget();
	addr = fake_addr(vf, "192.0.2.1/24");
	fake_put_addr(fake, &addr);
	hear();
	expect_log("addr_del nvt0 192.0.2.1/24\nattach nvt0\n");
	assert_int_equal(fake->addrs.count, 2);
}

static void an_address_that_cannot_be_taken_off_is_told_of_and_tried_again(void **state)
{
	struct nv_addr addr = fake_addr(make_all(), "192.0.2.1/24");

	(void)state;
	fake_fail(fake, FAKE_ADDR_DEL, 1, -EPERM);
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(fake->addrs.count, 1);
	assert_int_equal(said("hn0: cannot remove an address from nvt0: "), 1);
	nv_failover_look_again(failover);
	assert_int_equal(fake->addrs.count, 0);
	/* Gone by itself meanwhile. */
	addr = fake_addr(pair()->vf, "192.0.2.2/24");
	fake_fail(fake, FAKE_ADDR_DEL, 1, -EADDRNOTAVAIL);
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(said("cannot remove an address from"), 1);
}

static void a_dhcp_client_on_the_vf_is_ended_here_where_it_can_be(void **state)
{
	int vf = make_all();

	(void)state;
	forget();
	services.n_clients = 1;
	give_address(vf, "192.0.2.1/24");
	assert_int_equal(services.ended, 1);
	expect_attached(""); /* nobody else has to */
	nv_failover_look_again(failover);
	assert_int_equal(services.looks, 1); /* until there is another address */
}

static void a_dhcp_client_that_cannot_be_ended_is_left_to_who_may(void **state)
{
	int vf = make_all();

	(void)state;
	forget();
	services.n_clients = 1;
	services.end_error = -EPERM;
	give_address(vf, "192.0.2.1/24");
	assert_int_equal(services.ended, 0);
	expect_attached("nvt0 ");
}

static void a_transparent_vf_is_guarded_too(void **state)
{
	(void)state;
	go_transparent();
	give_address(pair()->vf, "192.0.2.1/24");
	assert_int_equal(fake->addrs.count, 0);
	assert_int_equal(said("hn0: has no address"), 0);
	assert_int_equal(pair()->mode, NV_MODE_HN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_taken_off_a_vf),
		TEST(an_address_that_comes_again_and_again_stays_for_longer_each_time),
		TEST(who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate),
		TEST(the_only_address_of_a_guest_stays),
		TEST(so_it_does_beside_an_hn_that_is_up),
		TEST(so_it_does_when_the_guest_boots_again),
		TEST(but_not_one_from_dhcp_beside_an_hn_that_a_manager_has),
		TEST(nor_beside_an_hn_that_has_an_address_then),
		TEST(one_that_is_down_is_set_up_after_its_time),
		TEST(a_vf_that_nobody_configures_is_not_left_to_itself),
		TEST(nor_is_one_that_has_lost_its_address),
		TEST(it_is_kept_where_a_rule_answers),
		TEST(that_it_cannot_be_kept_is_told_once_of_each_vf),
		TEST(not_one_from_dhcp_beside_an_hn_that_is_up),
		TEST(nor_one_beside_routes_from_dhcp),
		TEST(it_stays_when_netvfd_starts_again),
		TEST(one_that_ipv6_has_made_does_not),
		TEST(a_foreign_address_is_told_of_once),
		TEST(other_interfaces_keep_their_addresses),
		TEST(an_address_that_cannot_be_taken_off_is_told_of_and_tried_again),
		TEST(a_dhcp_client_on_the_vf_is_ended_here_where_it_can_be),
		TEST(a_dhcp_client_that_cannot_be_ended_is_left_to_who_may),
		TEST(a_transparent_vf_is_guarded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
