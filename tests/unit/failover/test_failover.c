/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/failover.c: what a settle does to pairs. */
#include "room.h"

#include <errno.h>
#include <linux/if.h>
#include <net/if_arp.h>
#include <string.h>

static void a_pair_is_in_the_data_path_before_its_vf(void **state)
{
	struct nv_link link = fake_link(fake, "hn0");

	(void)state;
	assert_int_equal(pair()->vf, 0);
	assert_memory_equal(pair()->mac, link.mac, NV_MAC_LEN);
	expect("");
}

/* The VF first, and the programs of hn when the VF may have its carrier. */
static void where_programs_cost_no_frames_a_pair_begins_with_its_vf(void **state)
{
	struct nv_dp_pair none;
	unsigned int edits;
	int vf;

	(void)state;
	nv_datapath_remove(&path, hn());
	path.gentle = true;
	nv_failover_look_again(failover);
	assert_int_equal(nv_datapath_get(&path, hn(), &none), -ENOENT);
	assert_true(nv_failover_is_inert(failover));
	vf = add_vf("nvt0");
	assert_int_equal(pair()->vf, vf);
	assert_memory_equal(pair()->mac, fake_link(fake, "hn0").mac, NV_MAC_LEN);
	assert_false(nv_failover_is_inert(failover));
	edits = path.edits;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 10 - 1);
	assert_int_equal(path.edits, edits);
	nv_loop_advance(loop, 1);
	assert_int_equal(path.edits, edits + 1);
	fake_del_link(fake, vf);
	hear();
	assert_int_equal(pair()->vf, 0);
	assert_false(nv_failover_is_inert(failover));
}

static void a_vf_joins_bare_and_transmits_when_it_can(void **state)
{
	int vf = add_vf("nvt0");

	(void)state;
	assert_int_equal(pair()->vf, vf);
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_true(fake_link(fake, "nvt0").flags & IFF_ALLMULTI);
	expect("");
	set_flags("nvt0", IFF_UP, IFF_UP);
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_true(nv_datapath_vf_was_up(&path, hn(), vf));
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
}

static void the_programs_of_a_new_vf_are_written_once_more(void **state)
{
	unsigned int edits;

	(void)state;
	add_vf("nvt0");
	edits = path.edits;
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC - 1);
	assert_int_equal(path.edits, edits);
	nv_loop_advance(loop, 1);
	assert_int_equal(path.edits, edits + 1);
	nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	nv_failover_look_again(failover);
	assert_int_equal(path.edits, edits + 1);
}

static void a_vf_that_goes_is_left_before_anybody_is_told(void **state)
{
	int vf = make_all();

	(void)state;
	assert_int_equal(fake_link(fake, "hn0").link_mode, IF_LINK_MODE_DORMANT);
	fake_del_link(fake, vf);
	hear();
	assert_int_equal(pair()->vf, 0);
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_int_equal(fake_link(fake, "hn0").link_mode, IF_LINK_MODE_DEFAULT);
	expect("hn0 by hn0 (hn)\nVF_DOWN hn0\n");
}

static void a_vf_that_becomes_a_pairs_is_to_be_set_up(void **state)
{
	struct nv_link late;

	(void)state;
	/* Its MAC comes late. */
	fake->mute = true;
	make_vf("nvt0", 9);
	fake->mute = false;
	late = fake_link(fake, "nvt0");
	late.flags &= ~(uint32_t)IFF_UP;
	fake_put_link(fake, &late);
	hear();
	assert_int_equal(pair()->vf, 0);
	assert_string_equal(nv_str_text(&attached), "");
	memcpy(late.mac, fake_link(fake, "hn0").mac, NV_MAC_LEN);
	memcpy(late.permanent_mac, late.mac, NV_MAC_LEN);
	fake_put_link(fake, &late);
	hear();
	assert_int_equal(pair()->vf, late.ifindex);
	assert_string_equal(nv_str_text(&attached), "nvt0 ");
	/* Once: what sets it down again is an administrator. */
	set_flags("nvt0", IFF_UP, IFF_UP);
	set_flags("nvt0", IFF_UP, 0);
	assert_string_equal(nv_str_text(&attached), "nvt0 ");
}

/* A settle of a pair with a VF looks at the data path before the commands, and after them. */
static void a_settle_reads_the_data_path_twice(void **state)
{
	(void)state;
	make_all();
	path.reads = 0;
	nv_failover_settle_all(failover);
	assert_int_equal(path.reads, 2);
	set_carrier("nvt0", false);
	path.reads = 0;
	nv_failover_settle_all(failover);
	assert_int_equal(path.reads, 2);
}

static void what_nothing_happens_to_is_not_written(void **state)
{
	unsigned int edits, calls;

	(void)state;
	make_all();
	hear();
	edits = path.edits;
	calls = fake->calls[FAKE_LINK_SET];
	nv_failover_settle_all(failover);
	assert_int_equal(path.edits, edits);
	assert_int_equal(fake->calls[FAKE_LINK_SET], calls);
	expect("");
}

/* Traffic moves at once; what needs the lock follows when it is free, each thing once. */
static void a_locked_data_path_is_not_waited_for(void **state)
{
	int vf = make_all();

	(void)state;
	path.locked = true;
	fake_del_link(fake, vf);
	hear();
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_int_equal(pair()->vf, vf);
	expect("hn0 by hn0 (hn)\nVF_DOWN hn0\n");
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(pair()->vf, vf);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(pair()->vf, 0);
	expect("");
}

static void a_vf_that_joins_late_is_attached_once(void **state)
{
	(void)state;
	path.locked = true;
	add_vf("nvt0");
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(pair()->vf, fake_link(fake, "nvt0").ifindex);
	assert_string_equal(nv_str_text(&attached), "nvt0 ");
}

/* As one that was in another network namespace: down, and without what it was given. */
static void a_vf_that_is_back_at_once_is_set_up_when_the_lock_is_free(void **state)
{
	struct nv_link vf;

	(void)state;
	go_transparent();
	vf = fake_link(fake, "nvt0");
	path.locked = true;
	fake_del_link(fake, vf.ifindex);
	hear();
	vf.flags &= ~(uint32_t)IFF_UP;
	fake_put_link(fake, &vf);
	hear();
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	hear();
	assert_true(fake_link(fake, "nvt0").flags & IFF_UP);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void an_hn_that_comes_while_it_is_locked_enters_later(void **state)
{
	int other;

	(void)state;
	path.locked = true;
	other = fake_make_link(fake, "hn1", "virtio_net", 2);
	hear();
	assert_int_equal(path.pair[1].hn, 0);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(fake_path(&path, other)->hn, other);
}

static void a_pair_that_cannot_be_removed_yet_is_later(void **state)
{
	int gone = hn();

	(void)state;
	path.locked = true;
	fake_del_link(fake, gone);
	hear();
	assert_int_equal(failover->n_managed, 1);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(failover->n_managed, 0);
	assert_int_equal(path.pair[0].hn, 0);
}

static void hooks_are_set_when_the_lock_is_free(void **state)
{
	unsigned int before = path.hooks;

	(void)state;
	path.locked = true;
	nv_failover_configure(failover, &settings, NULL);
	nv_failover_look_again(failover);
	assert_int_equal(path.hooks, before);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(path.hooks, before + 1);
	nv_failover_look_again(failover);
	assert_int_equal(path.hooks, before + 1);
}

static void a_failure_leaves_traffic_and_is_tried_again(void **state)
{
	(void)state;
	path.error = -EBUSY;
	add_vf("nvt0");
	assert_int_equal(path.error, 0);
	set_flags("nvt0", IFF_UP, IFF_UP);
	assert_int_not_equal(pair()->vf, 0);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_vf_nobody_answers_for_is_the_upper(void **state)
{
	struct nv_addr addr;
	int vf;

	(void)state;
	answered = false;
	vf = make_vf("nvt0", 1);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
	assert_int_equal(nv_dp_pair_upper(pair()), vf);
	addr = fake_addr(vf, "192.0.2.1/24");
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(fake->addrs.count, 1); /* it is its own */
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_HN), -EOPNOTSUPP);
}

static void an_override_moves_traffic_and_ends(void **state)
{
	(void)state;
	make_all();
	assert_int_equal(nv_failover_override(failover, "hn7", NV_OVERRIDE_HN), -ENOENT);
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_HN), 0);
	expect("hn0 by hn0 (hn)\n");
	set_carrier("hn0", false);
	expect("hn0 by nvt0 (vf)\n");
	set_carrier("hn0", true);
	expect("hn0 by hn0 (hn)\n");
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_AUTO), 0);
	expect("hn0 by nvt0 (vf)\n");
}

static void an_override_ends_also_when_the_vf_has_become_the_upper(void **state)
{
	(void)state;
	go_transparent();
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_HN), 0);
	settings.hn.transparent = NV_TRANSPARENT_NO;
	answered = false;
	nv_failover_configure(failover, &settings, NULL);
	nv_failover_look_again(failover);
	assert_int_equal(pair()->mode, NV_MODE_VF);
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_AUTO), 0);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_vf_that_flaps_is_held_and_let_in_by_the_clock(void **state)
{
	(void)state;
	make_all();
	set_carrier("nvt0", false);
	set_carrier("nvt0", true);
	expect("hn0 by hn0 (hn)\nVF_DOWN hn0\n");
	assert_int_equal(managed()->state.phase, NV_PHASE_HELD);
	nv_loop_advance(loop, 100 * NV_USEC_PER_MSEC - 1);
	expect("");
	nv_loop_advance(loop, 1);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
}

static void a_lagg_that_is_deleted_leaves_hn_as_the_upper(void **state)
{
	(void)state;
	make_all();
	fake_del_link(fake, pair()->lagg);
	hear();
	assert_int_equal(pair()->lagg, 0);
	assert_int_equal(pair()->mode, NV_MODE_HN);
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_false(managed()->state.released);
}

static void a_lagg_shows_whether_a_port_can_carry(void **state)
{
	(void)state;
	make_all();
	assert_true(fake_link(fake, "lagg0").carrier);
	set_carrier("nvt0", false);
	assert_true(fake_link(fake, "lagg0").carrier);
	set_carrier("hn0", false);
	assert_false(fake_link(fake, "lagg0").carrier);
	set_carrier("nvt0", true);
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC);
	assert_true(fake_link(fake, "lagg0").carrier);
}

static void an_adopted_lagg_shows_it_too(void **state)
{
	struct nv_link lagg;

	(void)state;
	make_all();
	close_failover();
	lagg = fake_link(fake, "lagg0");
	lagg.carrier = false;
	fake_put_link(fake, &lagg);
	open_failover();
	hear();
	assert_true(fake_link(fake, "lagg0").carrier);
}

/* The VF stays the upper until hyperv_vfup has made a lagg. */
static void a_vf_that_is_the_upper_stays_so_though_a_rule_answers_now(void **state)
{
	(void)state;
	answered = false;
	make_vf("nvt0", 1);
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\n");
	close_failover();
	answered = true;
	open_failover();
	hear();
	assert_int_equal(pair()->mode, NV_MODE_VF);
	expect("VF_UP hn0\n");
}

static void a_second_vf_is_ignored_while_the_first_is_there(void **state)
{
	int vf = make_all();
	int other = make_vf("nvt1", 1);

	(void)state;
	hear();
	assert_int_equal(managed()->status.match, NV_MATCH_REFUSED);
	assert_int_equal(pair()->vf, vf);
	assert_int_equal(pair()->active, NV_PORT_VF);
	fake_del_link(fake, vf);
	hear();
	assert_int_equal(pair()->vf, other);
}

static void a_lagg_goes_on_when_hn_has_gone(void **state)
{
	int vf = make_all();
	int gone = hn();
	int next;

	(void)state;
	fake_del_link(fake, gone);
	hear();
	assert_int_equal(fake_path(&path, gone)->vf, vf);
	assert_int_equal(fake_path(&path, gone)->active, NV_PORT_VF);
	next = fake_make_link(fake, "hn0", "virtio_net", 1);
	hear();
	assert_int_equal(pair()->hn, next);
	assert_int_equal(pair()->mode, NV_MODE_LAGG);
	assert_int_equal(managed()->id.hn, next);
	expect("VF_UP hn0\n");
}

/* A NIC that is replaced in the other order. While both are there, neither is taken. */
static void an_hn_that_came_before_the_old_one_went_takes_its_place(void **state)
{
	int vf = make_all();
	int gone = hn();
	int next = fake_make_link(fake, "other", "virtio_net", 1);

	(void)state;
	hear();
	assert_int_equal(fake_path(&path, gone)->vf, vf);
	fake_del_link(fake, gone);
	hear();
	assert_int_equal(fake_path(&path, next)->vf, vf);
	assert_int_equal(fake_path(&path, next)->mode, NV_MODE_LAGG);
	assert_int_equal(fake_path(&path, next)->lagg, fake_link(fake, "lagg0").ifindex);
	assert_int_equal(failover->n_managed, 1);
	assert_true(fake_link(fake, "lagg0").carrier);
	expect("VF_UP other\n");
}

static void it_does_so_without_a_vf(void **state)
{
	int next;

	(void)state;
	fake_del_link(fake, make_all());
	hear();
	next = fake_make_link(fake, "other", "virtio_net", 1);
	hear();
	path.locked = true;
	fake_del_link(fake, hn());
	hear();
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(fake_path(&path, next)->mode, NV_MODE_LAGG);
	assert_int_equal(failover->n_managed, 1);
	assert_true(fake_link(fake, "lagg0").carrier);
}

static void an_hn_takes_its_place_when_the_lock_is_free(void **state)
{
	int vf = make_all();
	int gone = hn();

	(void)state;
	fake_del_link(fake, gone);
	hear();
	path.locked = true;
	fake_make_link(fake, "hn0", "virtio_net", 1);
	hear();
	assert_int_equal(fake_path(&path, gone)->vf, vf);
	assert_int_equal(fake_path(&path, gone)->active, NV_PORT_VF);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(pair()->vf, vf);
	assert_int_equal(managed()->id.hn, hn());
}

static void what_a_process_before_left_is_taken_over(void **state)
{
	int vf = make_all();

	(void)state;
	close_failover();
	open_failover();
	assert_int_equal(managed()->state.vf, vf);
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(pair()->mode, NV_MODE_LAGG);
	expect("");
}

static void lose(int ifindex)
{
	const struct nv_link gone = {.ifindex = ifindex};

	nv_failover_note_link(failover, &gone, NULL);
}

static void filters_are_set_again_after_a_link_was_lost(void **state)
{
	unsigned int edits;

	(void)state;
	make_all();
	edits = path.edits;
	lose(pair()->lagg);
	path.locked = true;
	nv_failover_settle_all(failover);
	assert_int_equal(path.edits, edits);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(path.edits, edits + 1);
	nv_failover_settle_all(failover);
	assert_int_equal(path.edits, edits + 1);
}

/* What a try changes is heard, which is no reason for the next one. */
static void a_vf_that_comes_while_it_is_locked_is_tried_by_the_clock(void **state)
{
	unsigned int asked;

	(void)state;
	path.locked = true;
	add_vf("nvt0");
	asked = fake->calls[FAKE_LINK_SET];
	assert_true(asked < 3);
	nv_loop_advance(loop, NV_USEC_PER_SEC / 10);
	assert_true(fake->calls[FAKE_LINK_SET] - asked < 25);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(pair()->vf, fake_link(fake, "nvt0").ifindex);
}

static void pairs_stand_in_the_order_of_their_hns(void **state)
{
	struct nv_link link = fake_link(fake, "hn0");

	(void)state;
	hear();
	link.ifindex = 900;
	nv_strcopy(link.name, sizeof(link.name), "hn9");
	link.mac[5] = link.permanent_mac[5] = 9;
	fake_put_link(fake, &link);
	hear();
	link.ifindex = 500;
	nv_strcopy(link.name, sizeof(link.name), "hn5");
	link.mac[5] = link.permanent_mac[5] = 5;
	fake_put_link(fake, &link);
	hear();
	assert_int_equal(failover->n_managed, 3);
	assert_int_equal(failover->managed[0].id.hn, hn());
	assert_int_equal(failover->managed[1].id.hn, 500);
	assert_int_equal(failover->managed[2].id.hn, 900);
	assert_string_equal(failover->managed[1].id.hn_name, "hn5");
}

static size_t entered(void)
{
	size_t count = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(path.pair); i++)
		count += !!path.pair[i].hn;
	return count;
}

/* Each waits for the kernel, and a switch must not wait for all of them. */
static void of_many_new_pairs_a_few_enter_at_once(void **state)
{
	char name[IFNAMSIZ];

	(void)state;
	for (unsigned int i = 1; i <= 20; i++) {
		snprintf(name, sizeof(name), "hn%u", i);
		fake_make_link(fake, name, "virtio_net", (uint8_t)(0x20 + i));
	}
	hear();
	assert_int_equal(entered(), 1 + 8);
	nv_loop_advance(loop, NV_USEC_PER_SEC / 1000);
	assert_int_equal(entered(), 1 + 16);
	nv_loop_advance(loop, NV_USEC_PER_SEC / 1000);
	assert_int_equal(entered(), 1 + 20);
	assert_int_equal(failover->n_managed, 1 + 20);
}

/* What needs to be looked at after each of many things is looked at some times a second. */
static void many_reasons_to_look_are_one(void **state)
{
	(void)state;
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	settled = 0;
	nv_failover_note_action(failover, "hn0");
	assert_int_equal(settled, 1);
	for (int i = 0; i < 100; i++)
		nv_failover_note_action(failover, "hn0");
	assert_int_equal(settled, 1);
	nv_loop_advance(loop, NV_USEC_PER_SEC / 20 - 1);
	assert_int_equal(settled, 1);
	nv_loop_advance(loop, 1);
	assert_int_equal(settled, 2);
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(settled, 2);
}

static void only_an_administrator_leaves_a_vf_down(void **state)
{
	struct nv_link vf;

	(void)state;
	add_vf("nvt0");
	vf = fake_link(fake, "nvt0");
	assert_false(nv_failover_left_down(failover, &vf)); /* it has not been up */
	set_flags("nvt0", IFF_UP, IFF_UP);
	vf = fake_link(fake, "nvt0");
	assert_false(nv_failover_left_down(failover, &vf));
	set_flags("nvt0", IFF_UP, 0);
	vf = fake_link(fake, "nvt0");
	assert_true(nv_failover_left_down(failover, &vf));
	vf.ifindex = 4711;
	assert_false(nv_failover_left_down(failover, &vf)); /* nobody's VF */
}

/* By rc.conf hn0 is the VF of another. */
static void take_hn_away(void)
{
	settings.hn.n_pairs = 1;
	nv_strcopy(settings.hn.pair[0].hn, IFNAMSIZ, "eth7");
	nv_strcopy(settings.hn.pair[0].vf, IFNAMSIZ, "hn0");
	nv_failover_look_again(failover);
	hear();
}

static void a_pair_that_is_forgotten_leaves_its_hn_as_it_is(void **state)
{
	(void)state;
	answered = false;
	make_vf("nvt0", 1);
	hear();
	assert_int_equal(fake_link(fake, "hn0").link_mode, IF_LINK_MODE_DORMANT);
	take_hn_away();
	assert_int_equal(failover->n_managed, 0);
	assert_int_equal(path.pair[0].hn, 0);
	assert_int_equal(fake_link(fake, "hn0").link_mode, IF_LINK_MODE_DEFAULT);
	assert_int_equal(said("hn0: is no synthetic interface any more; its pair is dropped"), 1);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\nVF_DOWN hn0\n");
}

static void so_is_one_whose_hn_has_gone(void **state)
{
	(void)state;
	answered = false;
	make_vf("nvt0", 1);
	hear();
	fake_del_link(fake, hn());
	hear();
	assert_int_equal(failover->n_managed, 0);
	assert_int_equal(said("hn0: is gone; its pair is dropped"), 1);
	expect("hn0 by nvt0 (vf)\nVF_UP hn0\nVF_DOWN hn0\n");
}

static void a_lagg_that_is_left_without_ports_has_no_carrier(void **state)
{
	(void)state;
	fake_del_link(fake, make_all());
	fake_del_link(fake, hn());
	hear();
	assert_false(fake_link(fake, "lagg0").carrier);
	fake_del_link(fake, fake_link(fake, "lagg0").ifindex);
	hear();
	assert_int_equal(failover->n_managed, 0);
}

/* As when its driver is loaded anew while the VF is away; lagg0 has no other path. */
static void an_hn_that_comes_back_alone_has_its_lagg_again(void **state)
{
	int vf = make_all();
	struct nv_link link;
	int next;

	(void)state;
	fake_del_link(fake, vf);
	hear();
	fake_del_link(fake, hn());
	hear();
	fake_make_link(fake, "other", "virtio_net", 9);
	next = fake_make_link(fake, "hn0", "virtio_net", 1);
	link = fake_link(fake, "hn0");
	link.flags &= ~(unsigned int)IFF_UP;
	fake_put_link(fake, &link);
	hear();
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_int_equal(fake_path(&path, next)->mode, NV_MODE_LAGG);
	assert_int_equal(fake_path(&path, next)->active, NV_PORT_HN);
	assert_int_equal(fake_path(&path, next)->lagg, fake_link(fake, "lagg0").ifindex);
	assert_true(fake_link(fake, "lagg0").carrier);
}

/* From another network namespace: down, and its programs are gone. */
static void so_has_one_that_comes_back_with_its_ifindex(void **state)
{
	struct nv_link link;
	unsigned int edits;

	(void)state;
	fake_del_link(fake, make_all());
	hear();
	link = fake_link(fake, "hn0");
	fake_del_link(fake, link.ifindex);
	hear();
	assert_false(fake_link(fake, "lagg0").carrier);
	link.flags &= ~(unsigned int)IFF_UP;
	fake_put_link(fake, &link);
	edits = path.edits;
	hear();
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_int_equal(path.edits, edits + 1);
	assert_true(fake_link(fake, "lagg0").carrier);
	/* What an administrator sets down later stays down. */
	set_flags("hn0", IFF_UP, 0);
	assert_false(fake_link(fake, "hn0").flags & IFF_UP);
}

/* An earlier netvfd has made it so. */
static void an_hn_is_promiscuous_only_while_that_is_needed(void **state)
{
	struct nv_link above;

	(void)state;
	make_all();
	above = (struct nv_link){.type = ARPHRD_ETHER,
		.name = "mac0",
		.kind = "macvlan",
		.flags = IFF_UP,
		.lower = fake_link(fake, "lagg0").ifindex,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, 7}};
	fake_put_link(fake, &above);
	hear();
	assert_true(fake_link(fake, "hn0").flags & IFF_PROMISC);
	close_failover();
	open_failover();
	hear();
	assert_true(fake_link(fake, "hn0").flags & IFF_PROMISC);
	fake_del_link(fake, fake_link(fake, "mac0").ifindex);
	hear();
	assert_false(fake_link(fake, "hn0").flags & IFF_PROMISC);
}

static void an_hn_that_rcconf_takes_away_keeps_its_lagg(void **state)
{
	int vf = make_all();

	(void)state;
	take_hn_away();
	assert_int_equal(failover->n_managed, 1);
	assert_int_equal(pair()->vf, vf);
	assert_int_equal(pair()->mode, NV_MODE_LAGG);
	assert_int_equal(said("is no synthetic interface any more by its name and rc.conf"), 1);
	set_carrier("nvt0", false);
	assert_int_equal(pair()->active, NV_PORT_HN);
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC);
	set_carrier("nvt0", true);
	nv_loop_advance(loop, 30 * NV_USEC_PER_SEC);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void an_hn_that_cannot_take_the_place_of_one_is_told_of(void **state)
{
	int vf = make_all();
	int gone = hn();

	(void)state;
	fake_del_link(fake, gone);
	hear();
	path.error = -EBUSY;
	fake_make_link(fake, "hn0", "virtio_net", 1);
	hear();
	assert_int_equal(said("hn0: cannot take the place of hn0 in its pair: "), 1);
	assert_int_not_equal(pair()->hn, gone);
	assert_int_equal(pair()->vf, vf); /* it has a pair of its own */
}

static void filters_that_cannot_be_set_again_are_told_of(void **state)
{
	(void)state;
	make_all();
	lose(hn());
	path.error = -EIO;
	nv_failover_settle_all(failover);
	assert_int_equal(said("hn0: cannot check its tc programs: "), 1);
	assert_false(managed()->memory.programs_due);
	lose(4711); /* is no pair's */
	assert_false(managed()->memory.programs_due);
	lose(hn());
	assert_true(managed()->memory.programs_due);
}

static void messages_that_were_lost_have_all_filters_set_again(void **state)
{
	unsigned int edits;

	(void)state;
	make_all();
	edits = path.edits;
	fake_lose(fake, NV_SUBSCRIBE_RTNL);
	hear();
	nv_failover_look_again(failover);
	assert_int_equal(path.edits, edits + 1);
}

static void how_frames_are_handed_over_is_told_when_it_is_not_by_hooks(void **state)
{
	(void)state;
	assert_int_equal(said("handover by"), 0);
	path.hook_error = -EOPNOTSUPP;
	nv_failover_configure(failover, &settings, failover->rcconf);
	nv_failover_look_again(failover);
	assert_int_equal(said("handover by hooks: the test says so"), 1);
	nv_failover_look_again(failover);
	assert_int_equal(said("handover by"), 1);
}

static void without_a_data_path_there_is_no_failover(void **state)
{
	struct nv_failover *none = NULL;
	const struct nv_failover template = {
		.ops = failover->ops,
		.loop = loop,
		.kernel = fake->kernel,
		.datapath = &path,
		.run_dir = failover->run_dir,
		.settings = &settings,
		.rcconf = failover->rcconf,
	};

	(void)state;
	make_all();
	path.patient = true;
	path.error = -EPERM;
	assert_int_equal(nv_failover_new(&template, &none), -EPERM);
	assert_null(none);
	/* A pair whose hn has gone is no trouble, nor one whose place for programs is taken. */
	for (int i = 0; i < 2; i++) {
		path.patient = true;
		path.error = i ? -EBUSY : -ENODEV;
		assert_int_equal(nv_failover_new(&template, &none), 0);
		assert_int_equal(none->n_managed, 1);
		assert_false(path.patient);
		none = nv_failover_free(none);
	}
	assert_null(nv_failover_free(NULL));
}

static void what_a_vf_may_send_waits_for_the_lock(void **state)
{
	(void)state;
	settings.vf_spoofchk = true;
	make_all();
	assert_int_equal(path.limits.vf, pair()->vf);
	path.locked = true;
	set_carrier("hn0", false); /* hn could not send the rest */
	assert_int_equal(path.limits.vf, pair()->vf);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(path.limits.vf, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_is_in_the_data_path_before_its_vf),
		TEST(where_programs_cost_no_frames_a_pair_begins_with_its_vf),
		TEST(a_vf_joins_bare_and_transmits_when_it_can),
		TEST(the_programs_of_a_new_vf_are_written_once_more),
		TEST(a_vf_that_goes_is_left_before_anybody_is_told),
		TEST(a_vf_that_becomes_a_pairs_is_to_be_set_up),
		TEST(a_settle_reads_the_data_path_twice),
		TEST(what_nothing_happens_to_is_not_written),
		TEST(a_locked_data_path_is_not_waited_for),
		TEST(a_vf_that_joins_late_is_attached_once),
		TEST(a_vf_that_is_back_at_once_is_set_up_when_the_lock_is_free),
		TEST(an_hn_that_comes_while_it_is_locked_enters_later),
		TEST(a_pair_that_cannot_be_removed_yet_is_later),
		TEST(hooks_are_set_when_the_lock_is_free),
		TEST(a_failure_leaves_traffic_and_is_tried_again),
		TEST(a_vf_nobody_answers_for_is_the_upper),
		TEST(an_override_moves_traffic_and_ends),
		TEST(an_override_ends_also_when_the_vf_has_become_the_upper),
		TEST(a_vf_that_flaps_is_held_and_let_in_by_the_clock),
		TEST(a_lagg_that_is_deleted_leaves_hn_as_the_upper),
		TEST(a_lagg_shows_whether_a_port_can_carry),
		TEST(an_adopted_lagg_shows_it_too),
		TEST(a_vf_that_is_the_upper_stays_so_though_a_rule_answers_now),
		TEST(a_second_vf_is_ignored_while_the_first_is_there),
		TEST(a_lagg_goes_on_when_hn_has_gone),
		TEST(an_hn_that_came_before_the_old_one_went_takes_its_place),
		TEST(it_does_so_without_a_vf),
		TEST(an_hn_takes_its_place_when_the_lock_is_free),
		TEST(what_a_process_before_left_is_taken_over),
		TEST(filters_are_set_again_after_a_link_was_lost),
		TEST(a_vf_that_comes_while_it_is_locked_is_tried_by_the_clock),
		TEST(pairs_stand_in_the_order_of_their_hns),
		TEST(of_many_new_pairs_a_few_enter_at_once),
		TEST(many_reasons_to_look_are_one),
		TEST(only_an_administrator_leaves_a_vf_down),
		TEST(a_pair_that_is_forgotten_leaves_its_hn_as_it_is),
		TEST(so_is_one_whose_hn_has_gone),
		TEST(a_lagg_that_is_left_without_ports_has_no_carrier),
		TEST(an_hn_that_comes_back_alone_has_its_lagg_again),
		TEST(so_has_one_that_comes_back_with_its_ifindex),
		TEST(an_hn_is_promiscuous_only_while_that_is_needed),
		TEST(an_hn_that_rcconf_takes_away_keeps_its_lagg),
		TEST(an_hn_that_cannot_take_the_place_of_one_is_told_of),
		TEST(filters_that_cannot_be_set_again_are_told_of),
		TEST(messages_that_were_lost_have_all_filters_set_again),
		TEST(how_frames_are_handed_over_is_told_when_it_is_not_by_hooks),
		TEST(without_a_data_path_there_is_no_failover),
		TEST(what_a_vf_may_send_waits_for_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
