/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/act.c: commands are carried out, and what becomes of those that fail. */
#include "room.h"

#include "failover/act.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

/* What was seen last of the pair, with @vf. */
static struct nv_view view_of(int vf)
{
	const struct nv_links *links = nv_monitor_links(monitor);

	return (struct nv_view){
		.hn = nv_links_by_index(links, hn()),
		.vf = nv_links_by_index(links, vf),
		.ours = true,
		.mac = {2, 0, 0, 0, 0, 1},
		.path = *pair(),
	};
}

/* Carries out one command alone. */
static enum nv_act_result act_one(struct nv_pair_command command)
{
	const struct nv_pair_commands commands = {.command = {command}, .count = 1};
	const struct nv_view view = view_of(command.vf);

	return nv_act(failover, managed(), &view, &commands);
}

static void expect_all(const char *log)
{
	expect_log(log);
	nv_str_clear(&events);
	nv_str_clear(&attached);
}

static void each_command_does_its_thing(void **state)
{
	int vf = make_all();

	(void)state;
	forget();
	act_one((struct nv_pair_command){.verb = NV_PAIR_ACTIVATE, .port = NV_PORT_HN});
	expect_all("path hn0 active=hn\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_REMOVE_VF, .vf = vf});
	expect_all("path hn0 vf=none\n");
	act_one((struct nv_pair_command){
		.verb = NV_PAIR_JOIN, .vf = vf, .mode = NV_MODE_LAGG, .on = true});
	expect_all("link_set nvt0 +allmulti addrgen=1\n"
		   "sysctl net/ipv6/conf/nvt0/accept_ra=0\n"
		   "path hn0 vf=nvt0\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_ACTIVATE, .port = NV_PORT_VF});
	expect_all("path hn0 active=vf\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_OPEN_HN});
	expect_all("link_set hn0 up\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_SET_DORMANT, .on = true});
	expect_all("link_set hn0 mode=dormant\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_SET_DORMANT});
	expect_all("link_set hn0 mode=default\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_RAISE_VF_DOWN});
	expect_all("raise VF_DOWN hn0\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_RAISE_VF_UP});
	expect_all("raise VF_UP hn0\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_STOP_VF, .vf = vf});
	expect_all("link_set nvt0 down\n");
	act_one((struct nv_pair_command){.verb = NV_PAIR_DROP_LAGG});
	expect_all("path hn0 lagg=none mode=transparent\n");
}

static void a_vf_for_itself_is_not_touched_as_it_joins(void **state)
{
	int vf;

	(void)state;
	answered = false;
	forget();
	vf = add_vf("nvt0");
	set_flags("nvt0", IFF_UP, IFF_UP);
	expect_log("path hn0 vf=nvt0\nattach nvt0\n"
		   "path hn0 mode=exclusive\npath hn0 active=vf\nraise VF_UP hn0\n"
		   "link_set hn0 mode=dormant\n");
	assert_int_equal(nv_dp_pair_upper(pair()), vf);
	assert_int_equal(said("nvt0"), 1); /* transmitting on it */
}

static void who_sets_vfs_up_is_told_of_one_that_is_down(void **state)
{
	int vf = make_all();

	(void)state;
	forget();
	act_one((struct nv_pair_command){.verb = NV_PAIR_JOIN, .vf = vf, .mode = NV_MODE_LAGG});
	expect_attached("");
	answered = false; /* the room shall leave it alone */
	set_flags("nvt0", IFF_UP, 0);
	nv_str_clear(&attached);
	act_one((struct nv_pair_command){.verb = NV_PAIR_JOIN, .vf = vf, .mode = NV_MODE_LAGG});
	expect_attached("nvt0 ");
}

static void a_vf_is_set_up_as_it_joins_when_its_programs_are_attached(void **state)
{
	(void)state;
	sets_up = true;
	forget();
	add_vf("nvt0");
	expect_log("link_set nvt0 +allmulti addrgen=1\n"
		   "sysctl net/ipv6/conf/nvt0/accept_ra=0\n"
		   "path hn0 vf=nvt0\n"
		   "attach nvt0\n"
		   "link_set nvt0 up\n"
		   "path hn0 active=vf\n"
		   "raise VF_UP hn0\n");
	/* What an administrator sets down later stays down. */
	set_flags("nvt0", IFF_UP, 0);
	nv_failover_look_again(failover);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
}

/* Before the VF is up: the host sends to it at once. */
static void a_vf_joins_with_its_own_mac(void **state)
{
	struct nv_link vf;

	(void)state;
	sets_up = true;
	settings.hn.pair[0] = (struct nv_hn_named_pair){.hn = "hn0", .vf = "nvt0"};
	settings.hn.n_pairs = 1;
	make_vf("nvt0", 9);
	vf = fake_link(fake, "nvt0");
	vf.flags &= ~(uint32_t)IFF_UP;
	fake_put_link(fake, &vf);
	forget();
	hear();
	expect_log("link_set nvt0 +allmulti addrgen=1\n"
		   "sysctl net/ipv6/conf/nvt0/accept_ra=0\n"
		   "path hn0 vf=nvt0 vf_mac=09\n"
		   "attach nvt0\n"
		   "link_set nvt0 up\n"
		   "path hn0 active=vf\n"
		   "raise VF_UP hn0\n");
	fake_del_link(fake, vf.ifindex);
	hear();
	assert_int_equal(pair()->vf_mac[NV_MAC_LEN - 1], 0);
}

/* Where others find the guest from now on, before the commands that wait for RTNL. */
static void the_address_is_told_first_if_the_vf_had_its_own(void **state)
{
	for (uint8_t mac = 1; mac <= 2; mac++) {
		const char *active, *sent, *down;
		struct nv_addr addr;
		int vf;

		settings.hn.pair[0] = (struct nv_hn_named_pair){.hn = "hn0", .vf = "nvt0"};
		settings.hn.n_pairs = 1;
		vf = make_vf("nvt0", mac);
		hear();
		addr = fake_addr(make_lagg(), "192.0.2.1/24");
		fake_put_addr(fake, &addr);
		hear();
		assert_int_equal(pair()->active, NV_PORT_VF);
		forget();
		fake_del_link(fake, vf);
		hear();
		active = strstr(nv_str_text(&fake->log), "path hn0 active=hn\n");
		sent = strstr(nv_str_text(&fake->log), "send lagg0 ffffffffffff020000000001");
		down = strstr(nv_str_text(&fake->log), "link_set hn0");
		assert_non_null(active);
		assert_non_null(down);
		assert_int_equal(!!sent, mac != 1);
		assert_true(!sent || (active < sent && sent < down));
		room_tear_down(state);
		room_set_up(state);
	}
}

static void a_vf_that_joins_is_left_to_the_rule(void)
{
	add_vf("nvt0");
	assert_int_equal(pair()->vf, fake_link(fake, "nvt0").ifindex);
	assert_false(fake_link(fake, "nvt0").flags & IFF_UP);
	expect_attached("nvt0 ");
}

static void a_vf_that_is_not_to_be_set_up_now_is_left_to_the_rule(void **state)
{
	(void)state;
	a_vf_that_joins_is_left_to_the_rule();
}

static void a_vf_that_would_lose_its_name_is_left_to_the_rule(void **state)
{
	(void)state;
	sets_up = true;
	services.udev_is_busy = true;
	a_vf_that_joins_is_left_to_the_rule();
}

static void a_vf_that_refuses_is_left_to_the_rule(void **state)
{
	(void)state;
	sets_up = true;
	fake_fail(fake, FAKE_LINK_SET, 2, -EBUSY);
	a_vf_that_joins_is_left_to_the_rule();
	assert_int_equal(said("cannot set nvt0, the VF of hn0, up yet: "), 1);
	assert_int_equal(said("cannot"), 1);
}

static void a_vf_for_itself_is_not_set_up(void **state)
{
	(void)state;
	sets_up = true;
	answered = false;
	a_vf_that_joins_is_left_to_the_rule();
}

static void a_lagg_that_was_made_in_vain_goes_before_the_vf_is_the_upper(void **state)
{
	int lagg = make_all();

	(void)state;
	lagg = pair()->lagg;
	forget();
	assert_int_equal(
		act_one((struct nv_pair_command){.verb = NV_PAIR_SET_MODE, .mode = NV_MODE_VF}),
		NV_ACT_DONE);
	assert_null(nv_links_by_index(&fake->links, lagg));
	expect_log("path hn0 lagg=none mode=transparent\nlink_del lagg0\n"
		   "path hn0 mode=exclusive\n");
}

static void a_locked_data_path_stops_at_the_command_and_goes_on_there(void **state)
{
	int vf = make_all();
	struct nv_view view = view_of(vf);
	struct nv_pair_state left = {.phase = NV_PHASE_JOINED, .vf = vf, .answered = true};
	const struct nv_pair_commands commands = {
		.command = {{.verb = NV_PAIR_ACTIVATE, .port = NV_PORT_HN},
			{.verb = NV_PAIR_REMOVE_VF, .vf = vf, .before = left},
			{.verb = NV_PAIR_RAISE_VF_UP}},
		.count = 3,
	};

	(void)state;
	forget();
	path.locked = true;
	assert_int_equal(nv_act(failover, managed(), &view, &commands), NV_ACT_LOCKED);
	expect_log("path hn0 active=hn\n");
	expect("hn0 by hn0 (hn)\n");
	assert_memory_equal(&managed()->state, &left, sizeof(left));
	assert_int_equal(said("cannot change its data path"), 0);
}

static void what_has_gone_meanwhile_is_passed_over(void **state)
{
	int vf = make_all();
	struct nv_view view = view_of(vf);
	const struct nv_pair_commands commands = {
		.command = {{.verb = NV_PAIR_OPEN_HN}, {.verb = NV_PAIR_RAISE_VF_DOWN}},
		.count = 2,
	};

	(void)state;
	forget();
	fake_fail(fake, FAKE_LINK_SET, 1, -ENODEV);
	assert_int_equal(nv_act(failover, managed(), &view, &commands), NV_ACT_DONE);
	expect_log("raise VF_DOWN hn0\n");
	path.error = -ENOENT;
	assert_int_equal(act_one((struct nv_pair_command){.verb = NV_PAIR_REMOVE_VF, .vf = vf}),
		NV_ACT_DONE);
	assert_int_equal(said("cannot change its data path"), 0);
}

static void a_failure_ends_the_step_and_the_data_path_is_believed(void **state)
{
	int vf = make_all();
	struct nv_view view = view_of(vf);
	const struct nv_pair_commands commands = {
		.command = {{.verb = NV_PAIR_REMOVE_VF, .vf = vf}, {.verb = NV_PAIR_RAISE_VF_DOWN}},
		.count = 2,
	};

	(void)state;
	forget();
	managed()->state = (struct nv_pair_state){.was_exclusive = true};
	path.error = -EBUSY;
	assert_int_equal(nv_act(failover, managed(), &view, &commands), NV_ACT_DONE);
	expect_log(""); /* nobody is told of what was not done */
	expect("");
	assert_int_equal(managed()->state.vf, vf);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(managed()->state.mode, NV_MODE_LAGG);
	assert_true(managed()->state.was_exclusive);
	assert_int_equal(said("hn0: cannot change its data path: "), 1);
	nv_failover_look_again(failover);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_port_that_cannot_be_made_bare_is_used_and_told_of(void **state)
{
	(void)state;
	fake_fail(fake, FAKE_LINK_SET, 1, -EIO);
	make_vf("nvt0", 1);
	hear();
	assert_int_equal(said("cannot prepare nvt0 as a port of hn0: "), 1);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_lagg_whose_mode_becomes_transparent_sets_its_vf_up_as_a_port(void **state)
{
	struct nv_link vf;

	(void)state;
	make_all();
	vf = fake_link(fake, "nvt0");
	vf.flags &= ~(uint32_t)(IFF_UP | IFF_ALLMULTI);
	fake_put_link(fake, &vf);
	settings.hn.transparent = NV_TRANSPARENT_YES;
	hear();
	assert_int_equal(pair()->mode, NV_MODE_LAGG);
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_true(fake_link(fake, "nvt0").flags & IFF_ALLMULTI);
}

static void a_switch_that_waits_for_the_lock_is_finished_later(void **state)
{
	(void)state;
	make_all();
	pair()->inside = 1U << NV_PORT_VF;
	path.locked = true;
	assert_int_equal(
		act_one((struct nv_pair_command){.verb = NV_PAIR_ACTIVATE, .port = NV_PORT_HN}),
		NV_ACT_DONE);
	assert_true(managed()->memory.programs_due);
	assert_int_equal(managed()->status.switches, 2);
	assert_int_equal(managed()->status.since, nv_loop_now(loop));
	expect("hn0 by hn0 (hn)\n");
}

static void a_vf_that_the_pair_has_not_is_no_port_to_send_on(void **state)
{
	(void)state;
	assert_int_equal(
		act_one((struct nv_pair_command){.verb = NV_PAIR_ACTIVATE, .port = NV_PORT_VF}),
		NV_ACT_DONE);
	expect("");
	assert_int_equal(managed()->status.switches, 0);
	assert_int_equal(pair()->active, NV_PORT_HN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_command_does_its_thing),
		TEST(a_vf_for_itself_is_not_touched_as_it_joins),
		TEST(who_sets_vfs_up_is_told_of_one_that_is_down),
		TEST(a_vf_is_set_up_as_it_joins_when_its_programs_are_attached),
		TEST(a_vf_joins_with_its_own_mac),
		TEST(the_address_is_told_first_if_the_vf_had_its_own),
		TEST(a_vf_that_is_not_to_be_set_up_now_is_left_to_the_rule),
		TEST(a_vf_that_would_lose_its_name_is_left_to_the_rule),
		TEST(a_vf_that_refuses_is_left_to_the_rule),
		TEST(a_vf_for_itself_is_not_set_up),
		TEST(a_lagg_that_was_made_in_vain_goes_before_the_vf_is_the_upper),
		TEST(a_locked_data_path_stops_at_the_command_and_goes_on_there),
		TEST(what_has_gone_meanwhile_is_passed_over),
		TEST(a_failure_ends_the_step_and_the_data_path_is_believed),
		TEST(a_port_that_cannot_be_made_bare_is_used_and_told_of),
		TEST(a_lagg_whose_mode_becomes_transparent_sets_its_vf_up_as_a_port),
		TEST(a_switch_that_waits_for_the_lock_is_finished_later),
		TEST(a_vf_that_the_pair_has_not_is_no_port_to_send_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
