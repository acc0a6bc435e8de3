/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/observe.c: what a step is told of a pair. */
#include "room.h"

#include "base/move_lock.h"
#include "failover/observe.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>
#include <unistd.h>

static void set_mac(const char *name, uint8_t last)
{
	struct nv_link link = fake_link(fake, name);

	link.mac[NV_MAC_LEN - 1] = link.permanent_mac[NV_MAC_LEN - 1] = last;
	fake_put_link(fake, &link);
	hear();
}

/* As nv_pairs_find() finds it now. */
static struct nv_view observe(void)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_view view;

	assert_int_equal(nv_pairs_find(nv_monitor_links(monitor), &settings.hn, &pairs), 0);
	assert_int_equal(nv_observe(failover, managed(), nv_pairs_by_hn(&pairs, hn()), &view), 0);
	return view;
}

static void links_are_what_the_monitor_has(void **state)
{
	struct nv_view view;
	int vf = make_all();

	(void)state;
	view = observe();
	assert_int_equal(view.facts.vf, vf);
	assert_true(view.facts.vf_up && view.facts.vf_usable);
	assert_true(view.facts.hn_up && view.facts.hn_usable && view.facts.hn_dormant);
	assert_true(view.facts.entered && view.ours);
	assert_int_equal(view.facts.mode, NV_MODE_LAGG);
	assert_int_equal(view.wait, UINT64_MAX);
	set_carrier("nvt0", false);
	view = observe();
	assert_true(view.facts.vf_up && !view.facts.vf_usable);
	fake->mute = true;
	set_flags("hn0", IFF_UP, 0);
	fake->mute = false;
	assert_true(observe().facts.hn_up); /* it is not asked for once more */
}

static void the_data_path_is_read_once_and_nothing_is_changed(void **state)
{
	struct nv_dp_pair before;

	(void)state;
	make_all();
	before = *pair();
	path.reads = 0;
	forget();
	observe();
	assert_int_equal(path.reads, 1);
	assert_memory_equal(pair(), &before, sizeof(before));
	expect_log("");
	expect("");
}

static void a_locked_data_path_leaves_the_view_alone(void **state)
{
	const struct nv_pair found = {.hn = 4711};
	struct nv_managed unknown = {.id = {.hn = 4711, .hn_name = "hn7"}};
	struct nv_view view;
	struct nv_view before;

	(void)state;
	memset(&view, 0x55, sizeof(view));
	memset(&before, 0x55, sizeof(before));
	path.locked = true;
	assert_int_equal(nv_observe(failover, &unknown, &found, &view), -EAGAIN);
	assert_memory_equal(&view, &before, sizeof(view));
	path.locked = false;
	assert_int_equal(nv_observe(failover, &unknown, &found, &view), 0);
	assert_false(view.facts.entered);
	assert_null(view.hn);
	assert_true(view.facts.hn_up); /* nobody has set it down */
	assert_false(view.facts.hn_usable);
}

static struct nv_view observe_as(enum nv_match_result match, int vf)
{
	const struct nv_pair found = {.match = match, .hn = hn(), .vf = vf};
	struct nv_view view;

	assert_int_equal(nv_observe(failover, managed(), &found, &view), 0);
	return view;
}

static void which_vf_it_is_follows_the_match(void **state)
{
	int vf = make_all();

	(void)state;
	assert_int_equal(observe_as(NV_MATCH_MANAGED, vf).facts.vf, vf);
	assert_int_equal(observe_as(NV_MATCH_MANAGED, 0).facts.vf, 0);
	assert_int_equal(observe_as(NV_MATCH_OBSERVED, vf).facts.vf, 0);
	assert_int_equal(observe_as(NV_MATCH_REFUSED, 0).facts.vf, vf); /* the known one */
	assert_false(observe_as(NV_MATCH_REFUSED, 0).ours);
	managed()->state.vf = 4711; /* it has gone */
	assert_int_equal(observe_as(NV_MATCH_REFUSED, vf).facts.vf, 0);
}

static void a_lagg_counts_as_gone_only_when_the_kernel_says_so(void **state)
{
	struct nv_view view;

	(void)state;
	make_all();
	fake->mute = true; /* one that was made a moment ago */
	pair()->lagg = fake_make_link(fake, "lagg9", "dummy", 1);
	fake->mute = false;
	view = observe();
	assert_false(view.facts.lagg_gone);
	assert_int_equal(view.path.lagg, pair()->lagg);
	fake->mute = true;
	fake_del_link(fake, pair()->lagg);
	fake->mute = false;
	view = observe();
	assert_true(view.facts.lagg_gone);
	assert_int_equal(view.path.lagg, 0);
	assert_int_equal(view.facts.mode, NV_MODE_HN);
	assert_int_equal(pair()->mode, NV_MODE_LAGG); /* for the step to change */
	/* An error is no word of the kernel that it has gone. */
	fake_fail(fake, FAKE_LINK, 1, -ENOBUFS);
	assert_false(observe().facts.lagg_gone);
}

static void a_bond_is_made_only_where_it_is_wanted_and_possible(void **state)
{
	(void)state;
	make_vf("nvt0", 1);
	hear();
	assert_int_equal(observe().facts.bond, NV_BOND_NONE);
	settings.hn.lagg = NV_LAGG_BOND;
	assert_int_equal(observe().facts.bond, NV_BOND_MAKE);
	managed()->memory.no_bond = true;
	assert_int_equal(observe().facts.bond, NV_BOND_NONE);
	managed()->memory.no_bond = false;
	managed()->memory.refused = managed()->state.vf;
	assert_int_equal(observe().facts.bond, NV_BOND_NONE);
	managed()->memory.refused = 0;
	assert_int_equal(observe_as(NV_MATCH_REFUSED, 0).facts.bond, NV_BOND_NONE);
	make_lagg(); /* which is none */
	assert_int_equal(observe().facts.bond, NV_BOND_NONE);
}

static void a_bond_is_not_for_a_vf_with_a_mac_of_its_own(void **state)
{
	(void)state;
	settings.hn.pair[0] = (struct nv_hn_named_pair){.hn = "hn0", .vf = "nvt0"};
	settings.hn.n_pairs = 1;
	make_vf("nvt0", 9);
	hear();
	settings.hn.lagg = NV_LAGG_BOND;
	assert_true(observe().facts.vf);
	assert_int_equal(observe().facts.bond, NV_BOND_NONE);
	set_mac("nvt0", 1);
	assert_int_equal(observe().facts.bond, NV_BOND_MAKE);
}

static void a_bond_that_nobody_asked_for_takes_no_link_from_a_vf(void **state)
{
	(void)state;
	make_vf("nvt0", 1);
	hear();
	settings.hn.lagg = NV_LAGG_AUTO;
	assert_int_equal(observe().facts.bond, NV_BOND_NONE); /* it is up */
	settings.hn.lagg = NV_LAGG_BPF;
	set_flags("nvt0", IFF_UP, 0);
	settings.hn.lagg = NV_LAGG_AUTO;
	assert_int_equal(observe().facts.bond, NV_BOND_MAKE);
}

static void a_bond_takes_a_vf_that_is_in_none(void **state)
{
	struct nv_links *links;

	(void)state;
	settings.hn.lagg = NV_LAGG_BOND;
	add_vf("nvt0");
	assert_int_equal(observe().facts.bond, NV_BOND_NONE); /* it is in */
	/* Of a VF that has just come, whatever is wanted by now. */
	links = (struct nv_links *)nv_monitor_links(monitor);
	((struct nv_link *)nv_links_by_name(links, "nvt0"))->master = 0;
	settings.hn.lagg = NV_LAGG_BPF;
	assert_int_equal(observe().facts.bond, NV_BOND_TAKE);
}

static void an_hn_that_is_given_back_is_looked_at_soon(void **state)
{
	char dir[] = "/tmp/test-observe.XXXXXX";
	char lock[64];
	NV_AUTO(nv_fd) int fd = -1;
	struct nv_view view;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(lock, sizeof(lock), "%s/vfup.hn0.lock", dir);
	failover->run_dir = dir;
	make_all();
	assert_int_equal(nv_move_lock_take(dir, "hn0", NV_MOVE_TO_LAGG, &fd), 0);
	assert_false(observe().facts.giving_back);
	nv_fd_auto(&fd);
	assert_int_equal(nv_move_lock_take(dir, "hn0", NV_MOVE_TO_HN, &fd), 0);
	view = observe();
	assert_true(view.facts.giving_back);
	assert_int_equal(view.wait, NV_USEC_PER_SEC / 10);
	pair()->mode = NV_MODE_HN; /* it has been */
	assert_false(observe().facts.giving_back);
	unlink(lock);
	rmdir(dir);
}

static void what_hyperv_vfup_does_to_hn_meanwhile_stays(void **state)
{
	char dir[] = "/tmp/test-observe.XXXXXX";
	char lock[64];
	int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(lock, sizeof(lock), "%s/vfup.hn0.lock", dir);
	failover->run_dir = dir;
	make_all();
	assert_int_equal(nv_move_lock_take(dir, "hn0", NV_MOVE_TO_HN, &fd), 0);
	set_flags("hn0", IFF_UP, 0);
	assert_false(fake_link(fake, "hn0").flags & IFF_UP);
	close(fd); /* it could not be given back */
	nv_loop_advance(loop, NV_USEC_PER_SEC / 10);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	unlink(lock);
	rmdir(dir);
}

static void a_hold_down_is_of_one_vf(void **state)
{
	int vf = make_all();
	struct nv_view view;

	(void)state;
	set_carrier("nvt0", false);
	set_carrier("nvt0", true);
	view = observe();
	assert_true(view.facts.held_down);
	assert_int_equal(view.wait, NV_HOLDDOWN_FIRST);
	nv_loop_advance(loop, NV_HOLDDOWN_FIRST / 4);
	assert_int_equal(observe().wait, NV_HOLDDOWN_FIRST - NV_HOLDDOWN_FIRST / 4);
	fake_del_link(fake, vf);
	make_vf("nvt1", 1);
	hear();
	assert_false(observe().facts.held_down);
	assert_int_equal(managed()->memory.holddown.flaps, 0);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void nobody_is_asked_who_answers_for_no_vf(void **state)
{
	(void)state;
	assert_false(observe().facts.answered);
	make_vf("nvt0", 1);
	hear();
	assert_true(observe().facts.answered);
	answered = false;
	assert_false(observe().facts.answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_are_what_the_monitor_has),
		TEST(the_data_path_is_read_once_and_nothing_is_changed),
		TEST(a_locked_data_path_leaves_the_view_alone),
		TEST(which_vf_it_is_follows_the_match),
		TEST(a_lagg_counts_as_gone_only_when_the_kernel_says_so),
		TEST(a_bond_is_made_only_where_it_is_wanted_and_possible),
		TEST(a_bond_is_not_for_a_vf_with_a_mac_of_its_own),
		TEST(a_bond_that_nobody_asked_for_takes_no_link_from_a_vf),
		TEST(a_bond_takes_a_vf_that_is_in_none),
		TEST(an_hn_that_is_given_back_is_looked_at_soon),
		TEST(what_hyperv_vfup_does_to_hn_meanwhile_stays),
		TEST(a_hold_down_is_of_one_vf),
		TEST(nobody_is_asked_who_answers_for_no_vf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
