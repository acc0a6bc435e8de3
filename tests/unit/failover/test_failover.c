/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole room over a kernel and a data path in memory, on a virtual clock. */
#include "cm.h"

#include "fake_datapath.h"

#include "failover/failover.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>
#include <unistd.h>

static struct fake_kernel *fake;
static struct nv_datapath path;
static struct nv_loop *loop;
static struct nv_monitor *monitor;
static struct nv_failover *failover;
static struct nv_settings settings;
static struct nv_str events; /* what was raised and told, one a line */
static struct nv_str attached; /* the VFs that are to be set up */
static bool answered; /* a rule answers VF_UP */

static void on_raise(const char *hn, const char *type, void *data)
{
	(void)data;
	nv_str_printf(&events, "%s %s\n", type, hn);
}

static void on_attach(const char *vf, void *data)
{
	(void)data;
	nv_str_printf(&attached, "%s ", vf);
}

static bool on_ask(const char *hn, void *data)
{
	(void)hn;
	(void)data;
	return answered;
}

static void on_switch(const char *hn, const char *to, const char *port, void *data)
{
	(void)data;
	nv_str_printf(&events, "%s by %s (%s)\n", hn, to, port);
}

static void on_done(void *data)
{
	(void)data;
}

static const struct nv_failover_ops ops = {
	.raise_vf = on_raise,
	.raise_attach = on_attach,
	.answers_vf_up = on_ask,
	.switched = on_switch,
	.settled = on_done,
};

static void on_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	(void)data;
	if (!new)
		nv_failover_lose(failover, old->ifindex);
}

static void on_settled(void *data)
{
	(void)data;
	failover->monitor = monitor;
	nv_failover_settle(failover);
}

static const struct nv_monitor_ops monitor_ops = {.link = on_link, .settled = on_settled};

static void open_failover(void)
{
	const struct nv_failover template = {
		.ops = &ops,
		.loop = loop,
		.kernel = fake->kernel,
		.datapath = &path,
		.run_dir = "/nonexistent",
		.settings = &settings,
	};

	path.patient = true;
	assert_int_equal(nv_failover_new(&template, &failover), 0);
	assert_int_equal(nv_monitor_new(loop, fake->kernel, &monitor_ops, NULL, &monitor), 0);
}

static void close_failover(void)
{
	monitor = nv_monitor_free(monitor);
	failover = nv_failover_free(failover);
}

static int set_up(void **state)
{
	(void)state;
	fake = fake_kernel_new();
	fake->next_ifindex = 1000000; /* of which no manager on this machine knows */
	path = (struct nv_datapath){.fake = fake};
	settings = (struct nv_settings){
		.hn = {.transparent = NV_TRANSPARENT_NO}, .holddown = 30, .announce_interval = 1};
	answered = true;
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &loop), 0);
	fake_make_link(fake, "hn0", "virtio_net", 1);
	open_failover();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close_failover();
	close(path.reports_fd);
	nv_loop_free(loop);
	nv_kernel_free(fake->kernel);
	nv_str_auto(&events);
	nv_str_auto(&attached);
	return 0;
}

static int hn(void)
{
	return fake_link(fake, "hn0").ifindex;
}

static struct nv_dp_pair *pair(void)
{
	return fake_path(&path, hn());
}

static struct nv_managed *managed(void)
{
	assert_int_equal(failover->n_managed, 1);
	return &failover->managed[0];
}

/* Until nothing is left to be heard. */
static void hear(void)
{
	for (int i = 0; i < 10; i++)
		nv_loop_run_once(loop, 0);
}

static int make_vf(const char *name, uint8_t mac)
{
	struct nv_link vf;

	fake->mute = true;
	fake_make_link(fake, name, "mlx5_core", mac);
	fake->mute = false;
	vf = fake_link(fake, name);
	nv_strcopy(vf.parent_bus, sizeof(vf.parent_bus), "pci");
	memcpy(vf.permanent_mac, vf.mac, NV_MAC_LEN);
	vf.has_permanent_mac = true;
	return fake_put_link(fake, &vf);
}

/* One that comes as a driver makes it: down. */
static int add_vf(const char *name)
{
	struct nv_link vf;

	fake->mute = true;
	make_vf(name, 1);
	fake->mute = false;
	vf = fake_link(fake, name);
	vf.flags &= ~(uint32_t)IFF_UP;
	fake_put_link(fake, &vf);
	hear();
	return vf.ifindex;
}

static void set_flags(const char *name, uint32_t mask, uint32_t flags)
{
	struct nv_link link = fake_link(fake, name);

	link.flags = (link.flags & ~mask) | flags;
	fake_put_link(fake, &link);
	hear();
}

static void set_carrier(const char *name, bool carrier)
{
	struct nv_link link = fake_link(fake, name);

	link.carrier = carrier;
	fake_put_link(fake, &link);
	hear();
}

/* As hyperv_vfup does it. */
static int make_lagg(void)
{
	int lagg = fake_make_link(fake, "lagg0", "dummy", 1);
	struct nv_link link = fake_link(fake, "lagg0");

	nv_strcopy(link.kind, sizeof(link.kind), "dummy");
	fake_put_link(fake, &link);
	pair()->lagg = lagg;
	pair()->mode = NV_MODE_LAGG;
	hear();
	nv_failover_look_again(failover);
	return lagg;
}

/* A pair whose lagg transmits by the VF. Returns the VF. */
static int make_all(void)
{
	int vf = make_vf("nvt0", 1);

	hear();
	make_lagg();
	nv_str_clear(&events);
	return vf;
}

static void expect(const char *text)
{
	assert_string_equal(nv_str_text(&events), text);
	nv_str_clear(&events);
}

static void a_pair_is_in_the_data_path_before_its_vf(void **state)
{
	struct nv_link link = fake_link(fake, "hn0");

	(void)state;
	assert_int_equal(pair()->vf, 0);
	assert_memory_equal(pair()->mac, link.mac, NV_MAC_LEN);
	expect("");
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

/* A settle of a pair with a VF looks at the data path before the commands, and after them. */
static void a_settle_reads_the_data_path_twice(void **state)
{
	(void)state;
	make_all();
	path.reads = 0;
	nv_failover_settle(failover);
	assert_int_equal(path.reads, 2);
	set_carrier("nvt0", false);
	path.reads = 0;
	nv_failover_settle(failover);
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
	nv_failover_settle(failover);
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

static void addresses_are_taken_off_a_vf(void **state)
{
	int vf = make_all();
	struct nv_addr addr = fake_addr(vf, "192.0.2.1/24");

	(void)state;
	assert_true(nv_failover_cares(failover, vf));
	assert_false(nv_failover_cares(failover, hn()));
	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(fake->addrs.count, 0);
	assert_int_equal(managed()->warned.guarded_vf, vf);
	fake_fail(fake, FAKE_ADDR_DEL, 1, -EPERM);
	fake_put_addr(fake, &addr);
	hear();
	nv_failover_look_again(failover);
	assert_int_equal(fake->addrs.count, 0);
}

static void give_address(int vf)
{
	struct nv_addr addr = fake_addr(vf, "192.0.2.1/24");

	fake_put_addr(fake, &addr);
	hear();
	assert_int_equal(fake->addrs.count, 0);
}

static void expect_attached(const char *names)
{
	assert_string_equal(nv_str_text(&attached), names);
	nv_str_clear(&attached);
}

static void who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate(void **state)
{
	int vf = make_all();

	(void)state;
	nv_str_clear(&attached);
	give_address(vf);
	expect_attached("nvt0 ");
	give_address(vf);
	give_address(vf);
	expect_attached("");
	nv_loop_advance(loop, NV_USEC_PER_SEC - 1);
	expect_attached("");
	nv_loop_advance(loop, 1);
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 100 * NV_USEC_PER_SEC);
	expect_attached("");
	give_address(vf);
	expect_attached("nvt0 ");
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	set_flags("nvt0", IFF_UP, 0);
	give_address(vf);
	expect_attached(""); /* an administrator set it down */
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

static void an_hn_that_is_set_down_is_opened_underneath(void **state)
{
	(void)state;
	make_all();
	set_flags("hn0", IFF_UP, 0);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_true(managed()->warned.dormant);
	assert_int_equal(pair()->active, NV_PORT_VF);
}

static void an_hn_that_cannot_be_dormant_is_told_of_once(void **state)
{
	(void)state;
	make_vf("nvt0", 1);
	hear();
	fake_fail(fake, FAKE_LINK_SET, 1, -EOPNOTSUPP);
	make_lagg();
	assert_int_equal(pair()->active, NV_PORT_VF);
	assert_true(managed()->warned.dormant);
}

static void a_second_vf_is_ignored_while_the_first_is_there(void **state)
{
	int vf = make_all();
	int other = make_vf("nvt1", 1);

	(void)state;
	hear();
	assert_int_equal(managed()->status.match, NV_MATCH_AMBIGUOUS);
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

static void filters_are_set_again_after_a_link_was_lost(void **state)
{
	unsigned int edits;

	(void)state;
	make_all();
	edits = path.edits;
	nv_failover_lose(failover, pair()->lagg);
	path.locked = true;
	nv_failover_settle(failover);
	assert_int_equal(path.edits, edits);
	path.locked = false;
	nv_loop_advance(loop, NV_USEC_PER_SEC / 50);
	assert_int_equal(path.edits, edits + 1);
	nv_failover_settle(failover);
	assert_int_equal(path.edits, edits + 1);
}

static void go_transparent(void)
{
	settings.hn.transparent = NV_TRANSPARENT_YES;
	make_vf("nvt0", 1);
	hear();
	nv_loop_advance(loop, 6 * NV_USEC_PER_SEC); /* udev has had its time */
	hear();
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_is_in_the_data_path_before_its_vf),
		TEST(a_vf_joins_bare_and_transmits_when_it_can),
		TEST(a_vf_that_goes_is_left_before_anybody_is_told),
		TEST(a_vf_that_becomes_a_pairs_is_to_be_set_up),
		TEST(a_transparent_vf_that_refuses_is_asked_again),
		TEST(a_settle_reads_the_data_path_twice),
		TEST(what_nothing_happens_to_is_not_written),
		TEST(a_locked_data_path_is_not_waited_for),
		TEST(an_hn_that_comes_while_it_is_locked_enters_later),
		TEST(a_pair_that_cannot_be_removed_yet_is_later),
		TEST(hooks_are_set_when_the_lock_is_free),
		TEST(a_failure_leaves_traffic_and_is_tried_again),
		TEST(a_vf_nobody_answers_for_is_the_upper),
		TEST(an_override_moves_traffic_and_ends),
		TEST(a_vf_that_flaps_is_held_and_let_in_by_the_clock),
		TEST(addresses_are_taken_off_a_vf),
		TEST(who_may_end_hidden_dhcp_clients_is_told_at_a_bounded_rate),
		TEST(a_lagg_that_is_deleted_leaves_hn_as_the_upper),
		TEST(a_lagg_shows_whether_a_port_can_carry),
		TEST(an_hn_that_is_set_down_is_opened_underneath),
		TEST(an_hn_that_cannot_be_dormant_is_told_of_once),
		TEST(a_second_vf_is_ignored_while_the_first_is_there),
		TEST(a_lagg_goes_on_when_hn_has_gone),
		TEST(an_hn_takes_its_place_when_the_lock_is_free),
		TEST(what_a_process_before_left_is_taken_over),
		TEST(filters_are_set_again_after_a_link_was_lost),
		TEST(a_transparent_vf_follows_hn),
		TEST(a_transparent_vf_is_left_alone_at_first),
		TEST(a_vf_that_cannot_be_set_up_is_not_used),
		TEST(the_vf_enters_the_bond_before_it_is_up),
		TEST(hn_enters_the_bond_when_the_vf_carries),
		TEST(a_bond_that_cannot_be_made_is_not_waited_for),
		TEST(a_bond_that_refuses_a_vf_is_not_asked_again),
		TEST(a_bond_that_is_deleted_has_its_ports_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
