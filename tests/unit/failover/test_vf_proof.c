/* SPDX-License-Identifier: BSD-2-Clause */
/* failover/vf_proof.c in the whole room: a guest with two neighbours, and what its host lets pass.
 */
#include "room.h"

#include "failover/vf_proof.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>

static uint64_t sent, heard; /* by the VF */
static bool vf_passes, hn_passes; /* requests by that port are answered, by that port */

/* How many requests were sent by a port. */
static uint64_t requests_by(int ifindex)
{
	const struct nv_link *link = nv_links_by_index(&fake->links, ifindex);
	const char *at = nv_str_text(&fake->log);
	NV_AUTO(nv_str) struct nv_str line = {};
	uint64_t count = 0;

	assert_non_null(link);
	nv_str_printf(&line, "ask %s ", link->name);
	while ((at = strstr(at, nv_str_text(&line)))) {
		count++;
		at++;
	}
	return count;
}

static uint64_t vf_answers, hn_answers, vf_asked, hn_asked;

static void count(int ifindex, struct nv_dp_counters *counters)
{
	bool is_hn = ifindex == hn();
	uint64_t *asked = is_hn ? &hn_asked : &vf_asked;
	uint64_t *answers = is_hn ? &hn_answers : &vf_answers;
	uint64_t now = requests_by(ifindex);

	if (is_hn ? hn_passes : vf_passes)
		*answers += now - *asked;
	*asked = now;
	counters->answers = *answers;
	counters->heard = is_hn ? 0 : heard;
	counters->tx.packets = is_hn ? 0 : sent;
}

static void add_neighbours(int ifindex)
{
	struct nv_addr addr = fake_addr(ifindex, "192.0.2.1/24");
	struct nv_neigh neigh = {
		.ifindex = ifindex, .mac = {2, 0, 0, 0, 0, 9}, .state = NUD_REACHABLE};

	fake_put_addr(fake, &addr);
	neigh.address = fake_ip("192.0.2.9");
	assert_int_equal(nv_neighs_add(&fake->neighs, &neigh), 0);
	neigh.address = fake_ip("192.0.2.10");
	assert_int_equal(nv_neighs_add(&fake->neighs, &neigh), 0);
	hear();
}

static void begin_host(void)
{
	sent = heard = vf_answers = hn_answers = vf_asked = hn_asked = 0;
	vf_passes = hn_passes = true;
}

/* A lagg that transmits by nvt0, all passes, and the guest is quiet. */
static void begin(void)
{
	begin_host();
	make_all();
	add_neighbours(pair()->lagg);
	path.count = count;
	nv_loop_advance(loop, 5 * NV_USEC_PER_SEC);
	assert_true(path.awaits_traffic);
	forget();
	vf_asked = 0;
}

/* The program tells that the guest sends by the VF. */
static void wake(void)
{
	if (!path.awaits_traffic)
		return;
	path.awaits_traffic = false;
	failover->traffic = true;
	nv_watch_arm(failover->proof, 0);
	nv_loop_run_once(loop, 0);
}

/* The guest sends and hears for a tenth of a second. */
static void pass(uint64_t more_sent, uint64_t more_heard)
{
	sent += more_sent;
	heard += more_heard;
	if (more_sent)
		wake();
	nv_loop_advance(loop, NV_USEC_PER_SEC / 10);
}

static void talk(unsigned int tenths)
{
	for (unsigned int i = 0; i < tenths; i++)
		pass(50, 50);
}

/* Tenths of a second until the pair transmits by hn, while the guest sends. */
static unsigned int leave(uint64_t more_heard)
{
	unsigned int tenths = 0;

	while (managed()->state.active == NV_PORT_VF) {
		assert_true(tenths < 600);
		pass(50, more_heard);
		tenths++;
	}
	return tenths;
}

/* As begin(), and the VF has been left because it passes nothing. */
static void begin_failed(void)
{
	begin();
	talk(10);
	vf_passes = false;
	leave(0);
}

static void a_vf_that_brings_nothing_is_left_within_two_seconds(void **state)
{
	(void)state;
	begin();
	talk(33);
	vf_passes = false;
	assert_true(leave(0) <= 15);
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_int_equal(said("passes no frames"), 1);
	assert_true(nv_vf_proof_failed(failover, managed()) < 1);
}

static void one_that_still_hears_is_left_when_its_last_answer_is_old(void **state)
{
	(void)state;
	begin();
	talk(33);
	vf_passes = false;
	assert_true(leave(50) <= 60);
}

static void traffic_that_is_answered_causes_few_requests(void **state)
{
	(void)state;
	begin();
	talk(600);
	assert_true(requests_by(pair()->vf) <= 2 * 60 / 5);
	assert_int_equal(requests_by(hn()), 0);
	assert_int_equal(said("passes"), 0);
}

static void it_is_tried_again_and_taken_when_it_passes(void **state)
{
	(void)state;
	begin_failed();
	forget();
	vf_asked = hn_asked = 0;
	nv_loop_advance(loop, 10 * 60 * NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_HN);
	/* two neighbours, three times at each attempt: after 1, 2, 4, 8, 16, and each 32 s */
	assert_true(requests_by(pair()->vf) <= (5 + 600 / 32) * 6);
	vf_passes = true;
	nv_loop_advance(loop, 33 * NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(said("passes no frames"), 1);
	assert_int_equal(said("passes frames again"), 1);
}

static void if_nobody_answers_it_stays(void **state)
{
	(void)state;
	begin();
	talk(10);
	vf_passes = hn_passes = false;
	for (int i = 0; i < 6000; i++)
		pass(1, 0);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_int_equal(said("no neighbour answers"), 1);
	assert_int_equal(said("passes no frames"), 0);
	expect("");
}

static void the_administrator_may_use_it_all_the_same(void **state)
{
	(void)state;
	begin_failed();
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_VF), 0);
	assert_int_equal(pair()->active, NV_PORT_VF);
	for (int i = 0; i < 600; i++)
		pass(1, 0);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void a_vf_with_a_link_anew_begins_anew(void **state)
{
	(void)state;
	begin_failed();
	set_carrier("nvt0", false);
	vf_passes = true;
	set_carrier("nvt0", true);
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_true(nv_vf_proof_failed(failover, managed()) == 0);
}

static void nobody_looks_while_the_guest_is_quiet(void **state)
{
	(void)state;
	begin();
	path.counted = 0;
	nv_loop_advance(loop, 24 * 3600 * NV_USEC_PER_SEC);
	assert_int_equal(path.counted, 0);
	expect_log("");
}

/* It is told once: the program tells again only when somebody waits for it again. */
static void traffic_that_is_told_as_a_pair_is_settled_wakes_the_watch(void **state)
{
	(void)state;
	begin();
	path.awaits_traffic = false;
	failover->traffic = true;
	nv_watch_arm(failover->proof, 0);
	nv_vf_proof_follow(failover, managed());
	nv_loop_run_once(loop, 0);
	assert_true(managed()->proof.watch.awake);
}

/* The day of a guest that sends some now and then, and is never answered. */
static void one_way_traffic_raises_no_alarm(void **state)
{
	unsigned int asks = 0;

	(void)state;
	begin();
	for (unsigned int minute = 0; minute < 24 * 60; minute++) {
		pass(3, 0); /* a syslog sender, or a group report */
		nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
		asks += (unsigned int)requests_by(pair()->vf);
		assert_int_equal(requests_by(hn()), 0);
		nv_str_clear(&fake->log);
		vf_asked = 0;
	}
	assert_true(asks <= 2 * 24 * 60);
	assert_int_equal(said("answer"), 0);
	assert_int_equal(said("passes"), 0);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	expect("");
}

/* All day, with strays and broadcasts that the VF hears, which count for nothing. */
static void a_guest_without_neighbours_raises_no_alarm(void **state)
{
	(void)state;
	begin();
	fake->neighs.count = 0;
	vf_passes = false;
	for (unsigned int minute = 0; minute < 24 * 60; minute++) {
		pass(3, 0);
		nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	}
	assert_int_equal(requests_by(pair()->vf), 0);
	assert_int_equal(said("answer"), 0);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
}

/* What the kernel sends to them leaves by hn. */
static void neighbours_in_a_vlan_that_the_vf_refuses_are_not_asked(void **state)
{
	struct nv_link vlan;

	(void)state;
	settings.vf_spoofchk = true;
	begin();
	fake_fail(fake, FAKE_LINK_ADD, 1, -EIO);
	fake_make_link(fake, "lagg0.5", "vlan", 1);
	vlan = fake_link(fake, "lagg0.5");
	nv_strcopy(vlan.kind, sizeof(vlan.kind), "vlan");
	vlan.lower = pair()->lagg;
	vlan.vlan_id = 5;
	fake_put_link(fake, &vlan);
	fake->neighs.count = 0;
	add_neighbours(vlan.ifindex);
	vf_passes = false;
	for (int i = 0; i < 600; i++)
		pass(1, 0);
	assert_int_equal(requests_by(pair()->vf), 0);
	assert_int_equal(requests_by(hn()), 0);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
}

/* hn0 has neighbours, and nvt0 comes. */
static void come(bool passes)
{
	begin_host();
	vf_passes = passes;
	add_neighbours(hn());
	path.count = count;
	make_vf("nvt0", 1);
	hear();
}

static void a_new_vf_is_used_when_its_first_answer_is_there(void **state)
{
	(void)state;
	come(true);
	assert_int_equal(managed()->state.active, NV_PORT_HN);
	expect("");
	nv_loop_advance(loop, 1000);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(requests_by(pair()->vf), 2);
	assert_int_equal(requests_by(hn()), 0);
	assert_int_equal(said("passes"), 0);
}

static void one_that_passes_nothing_is_not_used_nor_announced(void **state)
{
	(void)state;
	come(false);
	nv_loop_advance(loop, 10 * 60 * NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_HN);
	assert_int_equal(said("passes no frames"), 1);
	expect("");
	vf_passes = true;
	nv_loop_advance(loop, 33 * NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(said("passes frames again"), 1);
}

static void one_whose_answers_cannot_be_counted_is_used(void **state)
{
	(void)state;
	come(false);
	path.count_error = -ENOENT;
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(said("passes"), 0);
}

static void one_that_nobody_answers_is_used_after_half_a_second(void **state)
{
	(void)state;
	come(false);
	hn_passes = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 10);
	assert_int_equal(managed()->state.active, NV_PORT_HN);
	nv_loop_advance(loop, 4 * NV_USEC_PER_SEC / 10);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
	assert_int_equal(said("answer"), 0);
}

static void it_is_not_asked_while_the_administrator_keeps_hn(void **state)
{
	(void)state;
	come(true);
	set_carrier("nvt0", false);
	forget();
	vf_asked = 0;
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_HN), 0);
	set_carrier("nvt0", true);
	nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(requests_by(managed()->state.vf), 0);
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_AUTO), 0);
	nv_loop_advance(loop, 1000);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
}

/* Whoever keeps traffic on hn wants to mend the VF. */
static void nor_is_one_that_has_failed(void **state)
{
	(void)state;
	begin_failed();
	forget();
	vf_asked = 0;
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_HN), 0);
	nv_loop_advance(loop, 60 * NV_USEC_PER_SEC);
	assert_int_equal(requests_by(managed()->state.vf), 0);
	vf_passes = true;
	assert_int_equal(nv_failover_override(failover, "hn0", NV_OVERRIDE_AUTO), 0);
	nv_loop_advance(loop, 33 * NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
}

/* A host whose bridge forwards nothing yet when the link is back. */
static void a_link_that_is_back_is_tried_before_it_is_used(void **state)
{
	(void)state;
	begin();
	set_carrier("nvt0", false);
	vf_passes = false;
	set_carrier("nvt0", true);
	nv_loop_advance(loop, NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_HN);
	vf_passes = true;
	nv_loop_advance(loop, 2 * NV_USEC_PER_SEC);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
}

static void without_hn_it_is_used_at_once(void **state)
{
	(void)state;
	begin();
	set_carrier("nvt0", false);
	vf_passes = false;
	set_carrier("hn0", false);
	set_carrier("nvt0", true);
	assert_int_equal(managed()->state.active, NV_PORT_VF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vf_that_brings_nothing_is_left_within_two_seconds),
		TEST(one_that_still_hears_is_left_when_its_last_answer_is_old),
		TEST(traffic_that_is_answered_causes_few_requests),
		TEST(it_is_tried_again_and_taken_when_it_passes),
		TEST(if_nobody_answers_it_stays),
		TEST(the_administrator_may_use_it_all_the_same),
		TEST(a_vf_with_a_link_anew_begins_anew),
		TEST(nobody_looks_while_the_guest_is_quiet),
		TEST(traffic_that_is_told_as_a_pair_is_settled_wakes_the_watch),
		TEST(one_way_traffic_raises_no_alarm),
		TEST(a_guest_without_neighbours_raises_no_alarm),
		TEST(neighbours_in_a_vlan_that_the_vf_refuses_are_not_asked),
		TEST(a_new_vf_is_used_when_its_first_answer_is_there),
		TEST(one_that_passes_nothing_is_not_used_nor_announced),
		TEST(one_whose_answers_cannot_be_counted_is_used),
		TEST(one_that_nobody_answers_is_used_after_half_a_second),
		TEST(it_is_not_asked_while_the_administrator_keeps_hn),
		TEST(nor_is_one_that_has_failed),
		TEST(a_link_that_is_back_is_tried_before_it_is_used),
		TEST(without_hn_it_is_used_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
