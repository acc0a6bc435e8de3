/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/vf_filters.c over a kernel in memory. */
#include "cm.h"

#include "fake_kernel.h"

#include "failover/failover.h"
#include "failover/vf_filters.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>
#include <sys/eventfd.h>

static struct fake_kernel *fake;
static struct nv_failover failover;
static struct nv_monitor *monitor;
static struct nv_settings settings;
static struct nv_managed managed;
static struct nv_dp_pair path;
static struct nv_dp_limits limits;
static unsigned int limited;
static int report_fd;

/* In place of the data path. */
int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair)
{
	(void)datapath;
	assert_int_equal(hn, path.hn);
	*ret_pair = path;
	return 0;
}

int nv_datapath_limit(struct nv_datapath *datapath, int hn, const struct nv_dp_limits *new)
{
	(void)datapath;
	assert_int_equal(hn, path.hn);
	limits = *new;
	limited++;
	return 0;
}

int nv_datapath_reports_fd(struct nv_datapath *datapath)
{
	(void)datapath;
	return report_fd;
}

unsigned int nv_datapath_reports(struct nv_datapath *datapath)
{
	eventfd_t value;

	(void)datapath;
	eventfd_read(report_fd, &value);
	return NV_DP_REPORT_GROUPS;
}

bool nv_datapath_was_bypassed(const struct nv_datapath *datapath, int hn)
{
	(void)datapath;
	(void)hn;
	return false;
}

static void follow(void)
{
	for (int i = 0; i < 3; i++) {
		nv_loop_run_once(failover.loop, 0);
		nv_vf_filters_sync(&failover, &managed, &path);
	}
	nv_loop_run_once(failover.loop, 0);
}

static void wait_for_groups(void)
{
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC / 10);
	nv_loop_run_once(failover.loop, 0);
}

static int set_up(void **state)
{
	static const struct nv_monitor_ops nobody;

	(void)state;
	fake = fake_kernel_new();
	settings = (struct nv_settings){.vf_spoofchk = true};
	report_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	path = (struct nv_dp_pair){
		.hn = fake_make_link(fake, "hn0", "virtio_net", 1),
		.vf = fake_make_link(fake, "vf0", "igbvf", 1),
		.lagg = fake_make_link(fake, "lagg0", "dummy", 1),
		.mode = NV_MODE_LAGG,
		.active = NV_PORT_VF,
	};
	managed = (struct nv_managed){.id = {.hn = path.hn, .hn_name = "hn0"}};
	failover = (struct nv_failover){
		.kernel = fake->kernel, .settings = &settings, .managed = &managed, .n_managed = 1};
	limits = (struct nv_dp_limits){};
	limited = 0;
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &failover.loop), 0);
	assert_int_equal(nv_monitor_new(failover.loop, fake->kernel, &nobody, NULL, &monitor), 0);
	failover.monitor = monitor;
	assert_int_equal(nv_vf_filters_open(&failover), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nv_hns_auto(&failover.groups_due);
	nv_vf_filters_close(&failover);
	nv_monitor_free(monitor);
	nv_loop_free(failover.loop);
	nv_kernel_free(fake->kernel);
	close(report_fd);
	return 0;
}

static int put_vlan(const char *name, const char *lower, uint16_t id)
{
	struct nv_link link = fake_link(fake, lower);
	int under = link.ifindex;

	fake_make_link(fake, name, "vlan", 1);
	link = fake_link(fake, name);
	nv_strcopy(link.kind, sizeof(link.kind), "vlan");
	link.lower = under;
	link.vlan_id = id;
	return fake_put_link(fake, &link);
}

static const struct nv_link *vlan_on_vf(uint16_t id)
{
	for (size_t i = 0; i < fake->links.count; i++)
		if (fake->links.link[i].lower == path.vf && fake->links.link[i].vlan_id == id)
			return &fake->links.link[i];
	return NULL;
}

static bool is_limited_to(uint16_t id)
{
	return limits.vlan[id / 64] >> id % 64 & 1;
}

static void vlans_are_registered_while_they_stand_above(void **state)
{
	int outer = put_vlan("lagg0.5", "lagg0", 5);

	(void)state;
	put_vlan("lagg0.4094", "lagg0", 4094);
	follow();
	assert_non_null(vlan_on_vf(5));
	assert_false(vlan_on_vf(5)->flags & IFF_UP);
	assert_non_null(vlan_on_vf(4094));
	assert_true(is_limited_to(5) && is_limited_to(4094) && !is_limited_to(6));
	fake_del_link(fake, outer);
	follow();
	assert_null(vlan_on_vf(5));
	assert_false(is_limited_to(5));
	assert_true(is_limited_to(4094));
}

/* A card compares the first tag only, and takes 0x8100 for it. */
static void tags_that_a_card_does_not_compare_are_not_registered(void **state)
{
	struct nv_link link;

	(void)state;
	put_vlan("lagg0.5", "lagg0", 5);
	put_vlan("lagg0.6", "lagg0", 6);
	link = fake_link(fake, "lagg0.6");
	link.vlan_is_8021ad = true;
	fake_put_link(fake, &link);
	put_vlan("lagg0.5.7", "lagg0.5", 7);
	put_vlan("lagg0.6.8", "lagg0.6", 8);
	follow();
	assert_non_null(vlan_on_vf(5));
	assert_null(vlan_on_vf(6));
	assert_null(vlan_on_vf(7));
	assert_null(vlan_on_vf(8));
	assert_true(is_limited_to(5));
	assert_false(is_limited_to(6) || is_limited_to(7) || is_limited_to(8));
}

static void a_vlan_that_somebody_has_on_the_vf_stays(void **state)
{
	(void)state;
	put_vlan("other", "vf0", 9);
	follow();
	assert_non_null(vlan_on_vf(9));
	assert_true(is_limited_to(9));
}

static void a_vlan_that_is_refused_is_asked_for_once(void **state)
{
	unsigned int asked;

	(void)state;
	fake_fail(fake, FAKE_LINK_ADD, 1, -EIO);
	put_vlan("lagg0.5", "lagg0", 5);
	follow();
	asked = fake->calls[FAKE_LINK_ADD];
	follow();
	assert_int_equal(fake->calls[FAKE_LINK_ADD], asked);
	assert_false(is_limited_to(5));
	assert_int_equal(limits.vf, path.vf);
}

/* Also frames in it of a VF that is not checked; all others leave by that VF. */
static void a_vlan_that_is_refused_leaves_by_hn_though_nobody_checks(void **state)
{
	int refused = put_vlan("lagg0.5", "lagg0", 5);

	(void)state;
	put_vlan("lagg0.6", "lagg0", 6);
	settings.vf_spoofchk = false;
	fake_fail(fake, FAKE_LINK_ADD, 1, -EIO);
	follow();
	assert_int_equal(limits.vf, path.vf);
	assert_true(limits.any_mac);
	assert_true(!is_limited_to(5) && is_limited_to(6) && is_limited_to(7));
	fake_del_link(fake, refused);
	follow();
	assert_int_equal(limits.vf, 0);
}

static void of_a_hundred_vlans_all_are_registered(void **state)
{
	(void)state;
	settings.vf_spoofchk = false;
	for (uint16_t id = 1; id <= 100; id++) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "lagg0.%u", id);
		put_vlan(name, "lagg0", id);
	}
	follow();
	for (uint16_t id = 1; id <= 100; id++)
		assert_non_null(vlan_on_vf(id));
}

static void a_vlan_that_is_refused_for_a_moment_is_asked_for_again(void **state)
{
	(void)state;
	fake_fail(fake, FAKE_LINK_ADD, 1, -EBUSY);
	put_vlan("lagg0.5", "lagg0", 5);
	failover.wait = UINT64_MAX;
	follow(); /* looks until nothing changes */
	assert_int_equal(failover.wait, NV_USEC_PER_SEC);
	assert_true(is_limited_to(5));
}

static void a_bond_registers_by_itself(void **state)
{
	struct nv_link vf = fake_link(fake, "vf0");

	(void)state;
	put_vlan("lagg0.5", "lagg0", 5);
	follow();
	assert_non_null(vlan_on_vf(5));
	vf.master = path.lagg;
	fake_put_link(fake, &vf);
	follow();
	assert_null(vlan_on_vf(5));
	assert_true(is_limited_to(5) && is_limited_to(6));
}

static void the_vf_is_limited_while_hn_can_take_the_rest(void **state)
{
	const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 0, 1};
	struct nv_link hn = fake_link(fake, "hn0");

	(void)state;
	follow();
	assert_int_equal(limits.vf, path.vf);
	assert_memory_equal(limits.mac, mac, sizeof(mac));
	assert_int_equal(limited, 1);
	hn.carrier = false;
	fake_put_link(fake, &hn);
	follow();
	assert_int_equal(limits.vf, 0);
	hn.carrier = true;
	fake_put_link(fake, &hn);
	follow();
	assert_int_equal(limits.vf, path.vf);
	settings.vf_spoofchk = false;
	follow();
	assert_int_equal(limits.vf, 0);
}

static void a_vf_with_a_mac_of_its_own_sends_for_the_upper(void **state)
{
	struct nv_link vf = fake_link(fake, "vf0");

	(void)state;
	vf.mac[5] = 9;
	fake_put_link(fake, &vf);
	follow();
	assert_int_equal(limits.vf, path.vf);
	assert_memory_equal(limits.mac, fake_link(fake, "lagg0").mac, NV_MAC_LEN);
}

static void a_vf_for_itself_has_no_limits(void **state)
{
	(void)state;
	put_vlan("lagg0.5", "lagg0", 5);
	follow();
	path.mode = NV_MODE_VF;
	follow();
	assert_int_equal(limits.vf, 0);
	assert_null(vlan_on_vf(5));
}

static void a_transparent_vf_is_left_alone_until_it_is_ready(void **state)
{
	(void)state;
	path.mode = NV_MODE_HN;
	path.active = NV_PORT_HN;
	put_vlan("hn0.5", "hn0", 5);
	follow();
	assert_null(vlan_on_vf(5));
	managed.state.ready = true;
	follow();
	assert_non_null(vlan_on_vf(5));
}

static void join(int ifindex, uint8_t last, bool by_hand)
{
	const struct nv_group group = {
		.ifindex = ifindex, .mac = {1, 0, 0x5e, 0, 0, last}, .by_hand = by_hand};

	assert_int_equal(nv_groups_add(&fake->groups, &group), 0);
}

/* How often the VF has a group by hand. */
static int registered(uint8_t last)
{
	int count = 0;

	for (size_t i = 0; i < fake->groups.count; i++)
		count += fake->groups.group[i].ifindex == path.vf &&
			 fake->groups.group[i].by_hand && fake->groups.group[i].mac[5] == last;
	return count;
}

static void groups_follow_those_of_the_upper(void **state)
{
	int vlan = put_vlan("lagg0.5", "lagg0", 5);

	(void)state;
	join(path.lagg, 1, false);
	join(path.vf, 1, false);
	join(path.lagg, 2, false);
	join(vlan, 3, false);
	join(path.hn, 4, false);
	join(path.vf, 9, true);
	follow();
	assert_int_equal(fake->calls[FAKE_GROUPS], 0);
	wait_for_groups();
	assert_int_equal(registered(1), 0); /* it has it for itself */
	assert_int_equal(registered(2), 1);
	assert_int_equal(registered(3), 1);
	assert_int_equal(registered(4), 0);
	assert_int_equal(registered(9), 0);
}

static void a_report_makes_them_be_looked_at(void **state)
{
	(void)state;
	follow();
	wait_for_groups();
	nv_loop_advance(failover.loop, NV_USEC_PER_SEC);
	nv_loop_run_once(failover.loop, 0);
	assert_int_equal(fake->calls[FAKE_GROUPS], 1);
	join(path.lagg, 2, false);
	for (int i = 0; i < 10; i++) {
		eventfd_write(report_fd, 1);
		nv_loop_run_once(failover.loop, 0);
	}
	wait_for_groups();
	assert_int_equal(fake->calls[FAKE_GROUPS], 2);
	assert_int_equal(registered(2), 1);
}

static void more_groups_than_the_limit_come_by_hn(void **state)
{
	int count = 0;

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		struct nv_group group = {.ifindex = path.lagg, .mac = {1, 0, 0x5e, 1}};

		group.mac[4] = (uint8_t)(i >> 8);
		group.mac[5] = (uint8_t)i;
		assert_int_equal(nv_groups_add(&fake->groups, &group), 0);
	}
	follow();
	wait_for_groups();
	for (size_t i = 0; i < fake->groups.count; i++)
		count += fake->groups.group[i].ifindex == path.vf;
	assert_int_equal(count, 256);
}

/* The link receives frames to 02:00:00:00:01:@last. */
static void receive_too(int ifindex, uint8_t last)
{
	const struct nv_group address = {.ifindex = ifindex, .mac = {2, 0, 0, 0, 1, last}};

	assert_int_equal(nv_groups_add(&fake->unicasts, &address), 0);
}

/* follow(), and the groups and addresses that are compared soon after. */
static void follow_all(void)
{
	follow();
	wait_for_groups();
}

/* A VF that is not checked, and one address above the upper. */
static void tell_one(void)
{
	settings.vf_spoofchk = false;
	receive_too(path.lagg, 1);
	follow_all();
}

static size_t accepted_by_vf(void)
{
	size_t count = 0;

	for (size_t i = 0; i < fake->unicasts.count; i++)
		count += fake->unicasts.group[i].ifindex == path.vf;
	return count;
}

static void a_vf_that_is_checked_is_told_no_mac_addresses_of_others(void **state)
{
	(void)state;
	receive_too(path.lagg, 1);
	follow_all();
	assert_int_equal(accepted_by_vf(), 0);
	assert_int_equal(fake->calls[FAKE_UNICASTS], 0);
}

static void one_that_is_not_checked_is_told_those_of_the_upper(void **state)
{
	(void)state;
	settings.vf_spoofchk = false;
	receive_too(path.lagg, 1);
	receive_too(path.lagg, 2);
	receive_too(path.hn, 3);
	receive_too(path.vf, 9); /* somebody's */
	follow_all();
	assert_int_equal(accepted_by_vf(), 3);
	fake->unicasts.group[0].ifindex = 0;
	follow_all();
	assert_int_equal(accepted_by_vf(), 2);
	settings.vf_spoofchk = true;
	follow_all();
	assert_int_equal(accepted_by_vf(), 1);
	assert_int_equal(managed.vf_filters.n_unicasts, 0);
}

/* Those of an earlier netvfd, and those of a VF that was no port for a while. */
static void one_that_was_told_before_is_told_when_they_go(void **state)
{
	(void)state;
	tell_one();
	assert_int_equal(accepted_by_vf(), 1);
	managed.vf_filters = (struct nv_vf_filters){};
	follow_all();
	fake->unicasts.group[0].ifindex = 0;
	follow_all();
	assert_int_equal(accepted_by_vf(), 0);
}

static void one_that_is_no_port_any_more_forgets_them(void **state)
{
	int vf = path.vf;

	(void)state;
	tell_one();
	assert_int_equal(accepted_by_vf(), 1);
	path.vf = 0;
	follow();
	path.vf = vf;
	assert_int_equal(accepted_by_vf(), 0);
}

/* They would keep the user from making his own. */
static void a_vf_that_is_somebody_elses_has_none_of_ours(void **state)
{
	(void)state;
	put_vlan("lagg0.5", "lagg0", 5);
	tell_one();
	wait_for_groups();
	assert_non_null(vlan_on_vf(5));
	nv_vf_filters_forget(&failover, &managed);
	assert_null(vlan_on_vf(5));
	assert_int_equal(accepted_by_vf(), 0);
	assert_int_equal(managed.vf_filters.vf, 0);
}

/* They would lead frames to an hn that cannot send them. */
static void limits_that_an_earlier_netvfd_has_left_are_taken_off(void **state)
{
	struct nv_link hn = fake_link(fake, "hn0");

	(void)state;
	hn.carrier = false;
	fake_put_link(fake, &hn);
	limits.vf = path.vf;
	follow();
	assert_int_equal(limits.vf, 0);
	assert_int_equal(limited, 1);
}

static void a_new_vf_is_told_anew(void **state)
{
	(void)state;
	tell_one();
	path.vf = fake_make_link(fake, "vf1", "igbvf", 1);
	follow_all();
	assert_int_equal(accepted_by_vf(), 1);
}

static void more_mac_addresses_than_the_limit_are_left_out(void **state)
{
	(void)state;
	settings.vf_spoofchk = false;
	for (uint8_t i = 0; i < 2 * NV_UNICASTS_MAX; i++)
		receive_too(path.lagg, i);
	follow_all();
	assert_int_equal(accepted_by_vf(), NV_UNICASTS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vlans_are_registered_while_they_stand_above),
		TEST(tags_that_a_card_does_not_compare_are_not_registered),
		TEST(a_vlan_that_somebody_has_on_the_vf_stays),
		TEST(a_vlan_that_is_refused_is_asked_for_once),
		TEST(a_vlan_that_is_refused_leaves_by_hn_though_nobody_checks),
		TEST(of_a_hundred_vlans_all_are_registered),
		TEST(a_vlan_that_is_refused_for_a_moment_is_asked_for_again),
		TEST(a_bond_registers_by_itself),
		TEST(the_vf_is_limited_while_hn_can_take_the_rest),
		TEST(a_vf_with_a_mac_of_its_own_sends_for_the_upper),
		TEST(a_vf_for_itself_has_no_limits),
		TEST(a_transparent_vf_is_left_alone_until_it_is_ready),
		TEST(groups_follow_those_of_the_upper),
		TEST(a_report_makes_them_be_looked_at),
		TEST(more_groups_than_the_limit_come_by_hn),
		TEST(a_vf_that_is_checked_is_told_no_mac_addresses_of_others),
		TEST(one_that_is_not_checked_is_told_those_of_the_upper),
		TEST(one_that_was_told_before_is_told_when_they_go),
		TEST(one_that_is_no_port_any_more_forgets_them),
		TEST(a_vf_that_is_somebody_elses_has_none_of_ours),
		TEST(limits_that_an_earlier_netvfd_has_left_are_taken_off),
		TEST(a_new_vf_is_told_anew),
		TEST(more_mac_addresses_than_the_limit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
