/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/port_sync.c over a kernel in memory. */
#include "cm.h"

#include "fake_kernel.h"

#include "failover/port_sync.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

static struct fake_kernel *fake;
static struct nv_failover failover;
static struct nv_monitor *monitor;
static struct nv_settings settings;
static struct nv_managed managed;
static struct nv_dp_pair path;
static unsigned int edits;

/* In place of the data path. */
int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data)
{
	(void)datapath;
	assert_int_equal(hn, path.hn);
	edits++;
	return edit(&path, data);
}

static void put(const char *name, const char *kind, int lower, uint8_t mac)
{
	int ifindex = fake_make_link(fake, name, kind, mac);
	struct nv_link link = fake_link(fake, name);

	assert_true(ifindex > 0);
	nv_strcopy(link.kind, sizeof(link.kind), kind);
	link.lower = lower;
	fake_put_link(fake, &link);
}

static int set_up(void **state)
{
	static const struct nv_monitor_ops nobody;

	(void)state;
	fake = fake_kernel_new();
	settings = (struct nv_settings){};
	failover = (struct nv_failover){.kernel = fake->kernel, .settings = &settings};
	path = (struct nv_dp_pair){
		.hn = fake_make_link(fake, "hn0", "virtio_net", 1),
		.vf = fake_make_link(fake, "vf0", "mlx5_core", 1),
		.lagg = fake_make_link(fake, "lagg0", "dummy", 1),
		.mode = NV_MODE_LAGG,
		.mac = {2, 0, 0, 0, 0, 1},
	};
	managed = (struct nv_managed){.id = {.hn = path.hn, .hn_name = "hn0"}};
	edits = 0;
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &failover.loop), 0);
	assert_int_equal(nv_monitor_new(failover.loop, fake->kernel, &nobody, NULL, &monitor), 0);
	failover.monitor = monitor;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nv_monitor_free(monitor);
	nv_loop_free(failover.loop);
	nv_kernel_free(fake->kernel);
	return 0;
}

/* Lets the monitor hear, and follows. Returns how many changes that made. */
static unsigned int follow(void)
{
	unsigned int before = fake->calls[FAKE_LINK_SET];

	nv_loop_run_once(failover.loop, 0);
	nv_port_sync(&failover, &managed, &path);
	return fake->calls[FAKE_LINK_SET] - before;
}

static void settle(void)
{
	for (int i = 0; i < 5; i++)
		if (!follow())
			return;
	fail_msg("it does not come to rest");
}

static void change(const char *name, uint32_t mtu, uint32_t flags, uint32_t promiscuity)
{
	struct nv_link link = fake_link(fake, name);

	link.mtu = mtu;
	link.flags |= flags;
	link.promiscuity = promiscuity;
	fake_put_link(fake, &link);
}

static bool has(const char *name, uint32_t flag)
{
	return fake_link(fake, name).flags & flag;
}

static void what_is_equal_is_left_alone(void **state)
{
	(void)state;
	settle();
	assert_true(has("hn0", IFF_ALLMULTI) && has("vf0", IFF_ALLMULTI));
	assert_false(has("hn0", IFF_PROMISC) || has("vf0", IFF_PROMISC));
	nv_str_clear(&fake->log);
	assert_int_equal(follow(), 0);
	assert_int_equal(edits, 0);
	assert_string_equal(nv_str_text(&fake->log), "");
}

static void ports_have_the_uppers_mtu(void **state)
{
	(void)state;
	change("lagg0", 9000, 0, 0);
	settle();
	assert_int_equal(fake_link(fake, "hn0").mtu, 9000);
	assert_int_equal(fake_link(fake, "vf0").mtu, 9000);
	change("vf0", 1500, 0, 0);
	settle();
	assert_int_equal(fake_link(fake, "vf0").mtu, 9000);
	assert_int_equal(fake_link(fake, "lagg0").mtu, 9000);
}

static void an_upper_falls_back_when_a_port_refuses(void **state)
{
	(void)state;
	settle();
	change("lagg0", 9000, 0, 0);
	fake_fail(fake, FAKE_LINK_SET, 2, -EINVAL);
	settle();
	assert_int_equal(fake_link(fake, "lagg0").mtu, 1500);
	assert_int_equal(fake_link(fake, "hn0").mtu, 1500);
	assert_int_equal(fake_link(fake, "vf0").mtu, 1500);
}

/* As iavf's and hns3's do while they reset the VF. */
static void a_driver_that_refuses_for_the_moment_is_asked_again(void **state)
{
	static const int errors[] = {-EBUSY, -EAGAIN, -ENETDOWN};

	(void)state;
	settle();
	for (size_t i = 0; i < NV_ARRAY_SIZE(errors); i++) {
		change("lagg0", 1500, 0, 0);
		settle();
		change("lagg0", 9000, 0, 0);
		change("hn0", 9000, 0, 0);
		failover.wait = UINT64_MAX;
		fake_fail(fake, FAKE_LINK_SET, 1, errors[i]);
		assert_int_equal(follow(), 1);
		assert_int_equal(fake_link(fake, "lagg0").mtu, 9000);
		assert_int_equal(failover.wait, NV_RETRY_MAX);
		settle();
		assert_int_equal(fake_link(fake, "vf0").mtu, 9000);
	}
}

static void a_refusal_is_not_asked_for_again_and_again(void **state)
{
	(void)state;
	settle();
	change("vf0", 1000, 0, 0);
	fake_fail(fake, FAKE_LINK_SET, 1, -EINVAL);
	assert_int_equal(follow(), 1);
	assert_int_equal(follow(), 0);
	change("lagg0", 1400, 0, 0);
	settle();
	assert_int_equal(fake_link(fake, "vf0").mtu, 1400);
}

static void ports_are_promiscuous_while_the_upper_is(void **state)
{
	(void)state;
	change("lagg0", 1500, 0, 1);
	settle();
	assert_true(has("hn0", IFF_PROMISC) && has("vf0", IFF_PROMISC));
	change("lagg0", 1500, 0, 0);
	settle();
	assert_false(has("hn0", IFF_PROMISC) || has("vf0", IFF_PROMISC));
}

/* The kernel ends it without a word. */
static void the_end_of_it_is_looked_up(void **state)
{
	(void)state;
	change("lagg0", 1500, 0, 1);
	settle();
	fake->mute = true;
	change("lagg0", 1500, 0, 0);
	fake->mute = false;
	settle();
	assert_false(has("hn0", IFF_PROMISC) || has("vf0", IFF_PROMISC));
}

static void other_macs_and_vlans_above_need_all_frames(void **state)
{
	(void)state;
	put("mv0", "macvlan", path.lagg, 7);
	settle();
	assert_true(has("hn0", IFF_PROMISC) && has("vf0", IFF_PROMISC));
	fake_del_link(fake, fake_link(fake, "mv0").ifindex);
	settle();
	assert_false(has("hn0", IFF_PROMISC) || has("vf0", IFF_PROMISC));
	put("ipvl0", "ipvlan", path.lagg, 1);
	settle();
	assert_false(has("hn0", IFF_PROMISC) || has("vf0", IFF_PROMISC));
	put("lagg0.5", "vlan", path.lagg, 1);
	settle();
	assert_true(has("hn0", IFF_PROMISC) && has("vf0", IFF_PROMISC));
}

/* Registered is VLAN 0, which put() makes. */
static void vlans_that_are_registered_with_the_vf_need_none(void **state)
{
	struct nv_link vlan;

	(void)state;
	managed.vf_filters.vf = path.vf;
	managed.vf_filters.limits.vlan[0] = 1;
	put("lagg0.0", "vlan", path.lagg, 1);
	put("lagg0.0.0", "vlan", fake_link(fake, "lagg0.0").ifindex, 1);
	settle();
	assert_true(has("hn0", IFF_PROMISC));
	assert_false(has("vf0", IFF_PROMISC));
	/* The inner one has no say; the outer one's tag is none that a card takes. */
	vlan = fake_link(fake, "lagg0.0.0");
	vlan.vlan_id = 9;
	fake_put_link(fake, &vlan);
	settle();
	assert_false(has("vf0", IFF_PROMISC));
	vlan = fake_link(fake, "lagg0.0");
	vlan.vlan_is_8021ad = true;
	fake_put_link(fake, &vlan);
	settle();
	assert_true(has("vf0", IFF_PROMISC));
}

static void a_new_mac_of_the_upper_is_known_and_heard(void **state)
{
	struct nv_link lagg = fake_link(fake, "lagg0");

	(void)state;
	lagg.mac[5] = 9;
	fake_put_link(fake, &lagg);
	settle();
	assert_memory_equal(path.mac, lagg.mac, NV_MAC_LEN);
	assert_true(has("hn0", IFF_PROMISC) && has("vf0", IFF_PROMISC));
	assert_int_equal(fake_link(fake, "vf0").mac[5], 1);
	assert_int_equal(fake_link(fake, "hn0").mac[5], 1);
	assert_int_equal(edits, 1);
}

static void set_mac(const char *name, uint8_t last)
{
	struct nv_link link = fake_link(fake, name);

	link.mac[5] = last;
	fake_put_link(fake, &link);
}

static void a_vf_with_a_mac_of_its_own_is_known_by_it(void **state)
{
	const uint8_t none[NV_MAC_LEN] = {};

	(void)state;
	set_mac("vf0", 9);
	settle();
	assert_int_equal(path.mac[5], 1);
	assert_memory_equal(path.vf_mac, fake_link(fake, "vf0").mac, NV_MAC_LEN);
	assert_false(has("hn0", IFF_PROMISC) || has("vf0", IFF_PROMISC));
	settle();
	assert_int_equal(edits, 1);
	/* It is the upper itself, or gets hn's. */
	path.mode = NV_MODE_VF;
	settle();
	assert_int_equal(path.mac[5], 9);
	assert_memory_equal(path.vf_mac, none, NV_MAC_LEN);
	path.mode = NV_MODE_LAGG;
	settle();
	assert_int_equal(path.vf_mac[5], 9);
	set_mac("vf0", 1);
	settle();
	assert_int_equal(path.mac[5], 1);
	assert_memory_equal(path.vf_mac, none, NV_MAC_LEN);
}

static void an_hn_that_was_promiscuous_stays_so(void **state)
{
	(void)state;
	change("hn0", 1500, IFF_PROMISC, 1);
	change("vf0", 1500, IFF_PROMISC, 1);
	change("lagg0", 1500, 0, 1);
	settle();
	change("lagg0", 1500, 0, 0);
	settle();
	assert_true(has("hn0", IFF_PROMISC));
	assert_false(has("vf0", IFF_PROMISC));
}

static void join_bond(const char *name)
{
	struct nv_link port = fake_link(fake, name);

	port.master = path.lagg;
	port.mtu = 1400;
	fake_put_link(fake, &port);
}

static void a_port_of_a_bond_is_the_kernels(void **state)
{
	(void)state;
	join_bond("vf0");
	change("lagg0", 1500, 0, 1);
	settle();
	assert_int_equal(fake_link(fake, "vf0").mtu, 1400);
	assert_false(has("vf0", IFF_PROMISC));
	assert_true(has("hn0", IFF_PROMISC));
}

/* Answers to frames from other MAC addresses come to hn, which the bond leaves out. */
static void an_hn_in_a_bond_hears_for_all_that_is_above(void **state)
{
	(void)state;
	join_bond("hn0");
	settle();
	assert_false(has("hn0", IFF_PROMISC));
	change("lagg0", 1500, 0, 1);
	settle();
	assert_true(has("hn0", IFF_PROMISC));
	assert_int_equal(fake_link(fake, "hn0").mtu, 1400);
	change("lagg0", 1500, 0, 0);
	settle();
	assert_false(has("hn0", IFF_PROMISC));
}

/* As of a macvlan in another network namespace: its link is not seen. */
static void an_hn_in_a_bond_hears_for_an_address_that_is_in_its_list_only(void **state)
{
	struct nv_group address = {.ifindex = path.lagg, .mac = {2, 0, 0, 0, 0, 7}};

	(void)state;
	join_bond("hn0");
	assert_int_equal(nv_groups_add(&fake->unicasts, &address), 0);
	settle();
	assert_false(has("hn0", IFF_PROMISC));
	managed.vf_filters.limits.vf = path.vf;
	settle();
	assert_true(has("hn0", IFF_PROMISC));
	managed.vf_filters.limits.any_mac = true;
	settle();
	assert_false(has("hn0", IFF_PROMISC));
	managed.vf_filters.limits.any_mac = false;
	fake->unicasts.group[0].ifindex = path.vf;
	settle();
	assert_false(has("hn0", IFF_PROMISC));
}

static void a_transparent_vf_follows_once_it_is_ready(void **state)
{
	(void)state;
	path.mode = NV_MODE_HN;
	change("hn0", 1400, 0, 1);
	assert_int_equal(follow(), 0);
	managed.state.ready = true;
	settle();
	assert_int_equal(fake_link(fake, "vf0").mtu, 1400);
	assert_true(has("vf0", IFF_PROMISC));
	assert_int_equal(fake_link(fake, "hn0").mtu, 1400);
	assert_false(has("hn0", IFF_ALLMULTI));
}

/* Where hyperv_vfup has left the configuration on hn. A trial of the VF lends its traffic to hn. */
static void so_does_one_that_carries_the_traffic_of_hn(void **state)
{
	(void)state;
	path.mode = NV_MODE_HN;
	managed.state.active = NV_PORT_VF;
	change("hn0", 1400, 0, 1);
	settle();
	assert_int_equal(fake_link(fake, "vf0").mtu, 1400);
	assert_true(has("vf0", IFF_PROMISC));
}

static void a_vf_for_itself_leaves_hn_alone(void **state)
{
	(void)state;
	path.mode = NV_MODE_VF;
	change("vf0", 9000, 0, 1);
	assert_int_equal(follow(), 0);
}

static void multicast_is_as_the_settings_say(void **state)
{
	(void)state;
	settings.hn.multicast = NV_MULTICAST_BOTH;
	settle();
	assert_int_equal(path.multicast, NV_MULTICAST_BOTH);
	assert_int_equal(edits, 1);
	settings.hn.multicast = NV_MULTICAST_ONCE;
	settle();
	assert_int_equal(path.multicast, NV_MULTICAST_ONCE);
}

static void what_has_gone_is_no_trouble(void **state)
{
	(void)state;
	settle();
	fake_del_link(fake, path.vf);
	change("lagg0", 1400, 0, 0);
	settle();
	assert_int_equal(fake_link(fake, "hn0").mtu, 1400);
	fake_del_link(fake, path.lagg);
	assert_int_equal(follow(), 0);
	fake_del_link(fake, path.hn);
	assert_int_equal(follow(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_equal_is_left_alone),
		TEST(ports_have_the_uppers_mtu),
		TEST(an_upper_falls_back_when_a_port_refuses),
		TEST(a_driver_that_refuses_for_the_moment_is_asked_again),
		TEST(a_refusal_is_not_asked_for_again_and_again),
		TEST(ports_are_promiscuous_while_the_upper_is),
		TEST(the_end_of_it_is_looked_up),
		TEST(other_macs_and_vlans_above_need_all_frames),
		TEST(vlans_that_are_registered_with_the_vf_need_none),
		TEST(a_new_mac_of_the_upper_is_known_and_heard),
		TEST(a_vf_with_a_mac_of_its_own_is_known_by_it),
		TEST(an_hn_that_was_promiscuous_stays_so),
		TEST(a_port_of_a_bond_is_the_kernels),
		TEST(an_hn_in_a_bond_hears_for_all_that_is_above),
		TEST(an_hn_in_a_bond_hears_for_an_address_that_is_in_its_list_only),
		TEST(a_transparent_vf_follows_once_it_is_ready),
		TEST(so_does_one_that_carries_the_traffic_of_hn),
		TEST(a_vf_for_itself_leaves_hn_alone),
		TEST(multicast_is_as_the_settings_say),
		TEST(what_has_gone_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
