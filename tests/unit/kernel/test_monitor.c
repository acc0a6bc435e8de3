/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor over a kernel in memory: every change once, also when messages are lost. */
#include "cm.h"

#include "fake_kernel.h"
#include "kernel/diff.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

struct fixture {
	struct fake_kernel *fake;
	struct nv_loop *loop;
	struct nv_monitor *monitor;
	struct nv_str told; /* a word for each report, "; " after each settling */
	void (*during_report)(struct fixture *fixture);
};

static void on_link(const struct nv_link *old, const struct nv_link *new, void *data)
{
	struct fixture *fixture = data;
	const struct nv_link *known =
		nv_links_by_index(nv_monitor_links(fixture->monitor), (new ? new : old)->ifindex);

	/* What the monitor knows is what the report ends with. */
	assert_true(new ? known &&nv_link_equal(known, new) : !known);
	if (!old)
		nv_str_printf(&fixture->told, "+%s ", new->name);
	else if (!new)
		nv_str_printf(&fixture->told, "-%s ", old->name);
	else if (strcmp(old->name, new->name) != 0)
		nv_str_printf(&fixture->told, "%s=%s ", old->name, new->name);
	else
		nv_str_printf(&fixture->told, "~%s ", new->name);
	if (fixture->during_report)
		fixture->during_report(fixture);
}

static void on_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	struct fixture *fixture = data;
	const struct nv_addr *addr = new ? new : old;
	const struct nv_link *link =
		nv_links_by_index(nv_monitor_links(fixture->monitor), addr->ifindex);
	char text[NV_IP_TEXT];

	nv_str_printf(&fixture->told, "%s%s@%s ",
		!old  ? "+"
		: new ? "~"
		      : "-",
		nv_ip_text(&addr->local, text), link ? link->name : "?");
}

static void on_uevent(const struct nv_uevent *uevent, void *data)
{
	struct fixture *fixture = data;

	nv_str_printf(&fixture->told, "%s:%s ", uevent->action, strrchr(uevent->devpath, '/') + 1);
}

static void on_settled(void *data)
{
	nv_str_add(&((struct fixture *)data)->told, "; ");
}

static void on_notify_peers(const struct nv_link *link, void *data)
{
	struct fixture *fixture = data;

	nv_str_printf(&fixture->told, "peers@%s ", link->name);
}

static const struct nv_monitor_ops monitor_ops = {
	.link = on_link,
	.addr = on_addr,
	.uevent = on_uevent,
	.notify_peers = on_notify_peers,
	.settled = on_settled,
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->fake = fake_kernel_new();
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &fixture->loop), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	nv_monitor_free(fixture->monitor);
	nv_loop_free(fixture->loop);
	nv_kernel_free(fixture->fake->kernel);
	nv_str_auto(&fixture->told);
	free(fixture);
	return 0;
}

static void start(struct fixture *fixture)
{
	assert_int_equal(nv_monitor_new(fixture->loop, fixture->fake->kernel, &monitor_ops, fixture,
				 &fixture->monitor),
		0);
}

static void expect(struct fixture *fixture, const char *told)
{
	if (fixture->monitor)
		nv_loop_run_once(fixture->loop, 0);
	assert_string_equal(nv_str_text(&fixture->told), told);
	nv_str_clear(&fixture->told);
}

static void what_exists_is_told_first(void **state)
{
	struct fixture *fixture = *state;
	struct nv_addr addr;
	int hn = fake_make_link(fixture->fake, "hn0", "hv_netvsc", 1);

	fake_make_link(fixture->fake, "vf0", "mlx5_core", 1);
	addr = fake_addr(hn, "192.0.2.1/24");
	fake_put_addr(fixture->fake, &addr);
	start(fixture);
	expect(fixture, "+hn0 +vf0 +192.0.2.1@hn0 ; ");
	expect(fixture, "");
	assert_int_equal(nv_monitor_resyncs(fixture->monitor), 0);
	assert_string_equal(nv_monitor_links(fixture->monitor)->link[1].driver, "mlx5_core");
}

/* Before Linux 5.14 it is found by a name, which may have been another one by then. */
static void the_parent_of_a_link_that_is_renamed_is_looked_for_again(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link link;

	start(fixture);
	fake_make_link(fixture->fake, "eth1", "mlx5_core", 1);
	expect(fixture, "+eth1 ; ");
	link = fake_link(fixture->fake, "eth1");
	strcpy(link.name, "vf0");
	strcpy(link.parent_bus, "pci");
	fake_put_link(fixture->fake, &link);
	expect(fixture, "eth1=vf0 ; ");
	assert_string_equal(nv_monitor_links(fixture->monitor)->link[0].parent_bus, "pci");
}

static void each_message_is_applied_without_a_dump(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link link;
	struct nv_addr addr;
	unsigned int dumps;
	int vf;

	start(fixture);
	dumps = fixture->fake->calls[FAKE_LINKS];
	vf = fake_make_link(fixture->fake, "eth1", "mlx5_core", 1);
	expect(fixture, "+eth1 ; ");
	assert_string_equal(
		nv_links_by_index(nv_monitor_links(fixture->monitor), vf)->driver, "mlx5_core");
	link = fake_link(fixture->fake, "eth1");
	fake_put_link(fixture->fake, &link);
	expect(fixture, "");
	strcpy(link.name, "vf0");
	fake_put_link(fixture->fake, &link);
	link.carrier = false;
	fake_put_link(fixture->fake, &link);
	addr = fake_addr(vf, "192.0.2.1/24");
	fake_put_addr(fixture->fake, &addr);
	expect(fixture, "eth1=vf0 ~vf0 +192.0.2.1@vf0 ; ");
	addr.valid_lft = 100;
	fake_put_addr(fixture->fake, &addr);
	expect(fixture, "");
	addr.flags = IFA_F_DEPRECATED;
	fake_put_addr(fixture->fake, &addr);
	fake_del_link(fixture->fake, vf);
	expect(fixture, "~192.0.2.1@vf0 -192.0.2.1@vf0 -vf0 ; ");
	assert_int_equal(fixture->fake->calls[FAKE_LINKS], dumps);
	assert_int_equal(nv_monitor_resyncs(fixture->monitor), 0);
}

static void a_link_takes_forgotten_addresses_along(void **state)
{
	struct fixture *fixture = *state;
	int hn = fake_make_link(fixture->fake, "hn0", "hv_netvsc", 1);
	struct nv_addr addr = fake_addr(hn, "192.0.2.1/24");

	fake_put_addr(fixture->fake, &addr);
	start(fixture);
	expect(fixture, "+hn0 +192.0.2.1@hn0 ; ");
	fixture->fake->mute = true;
	fake_del_addr(fixture->fake, &addr);
	fixture->fake->mute = false;
	fake_del_link(fixture->fake, hn);
	expect(fixture, "-192.0.2.1@hn0 -hn0 ; ");
}

/* The same name twice, another ifindex: gone and new. Unseen: one that came and went. */
static void a_loss_leads_to_the_difference(void **state)
{
	struct fixture *fixture = *state;
	struct fake_kernel *fake = fixture->fake;
	int gone = fake_make_link(fake, "gone", "x", 1);
	int kept = fake_make_link(fake, "kept", "x", 2);
	int reborn = fake_make_link(fake, "reborn", "x", 3);
	struct nv_addr lost = fake_addr(kept, "192.0.2.1/24");
	struct nv_addr on_gone = fake_addr(gone, "192.0.2.2/24");
	struct nv_addr added;
	struct nv_link link;

	fake_put_addr(fake, &lost);
	fake_put_addr(fake, &on_gone);
	start(fixture);
	expect(fixture, "+gone +kept +reborn +192.0.2.2@gone +192.0.2.1@kept ; ");
	fake_del_link(fake, gone);
	fake_del_link(fake, reborn);
	fake_make_link(fake, "reborn", "x", 3);
	fake_del_link(fake, fake_make_link(fake, "brief", "x", 4));
	fake_del_addr(fake, &lost);
	link = fake_link(fake, "kept");
	strcpy(link.name, "other");
	fake_put_link(fake, &link);
	added = fake_addr(kept, "192.0.2.3/24");
	fake_put_addr(fake, &added);
	fake_lose(fake, NV_SUBSCRIBE_RTNL);
	expect(fixture, "-192.0.2.2@gone -192.0.2.1@kept -gone -reborn +reborn kept=other "
			"+192.0.2.3@other ; ");
	assert_int_equal(nv_monitor_resyncs(fixture->monitor), 1);
	fake_lose(fake, NV_SUBSCRIBE_RTNL);
	expect(fixture, "; ");
	assert_int_equal(nv_monitor_resyncs(fixture->monitor), 2);
}

static void messages_from_before_the_dump_are_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct nv_link link;

	fake_make_link(fixture->fake, "hn0", "x", 1);
	start(fixture);
	expect(fixture, "+hn0 ; ");
	fake_lose(fixture->fake, NV_SUBSCRIBE_RTNL);
	link = fake_link(fixture->fake, "hn0");
	link.carrier = false;
	fake_put_link(fixture->fake, &link);
	link.carrier = true;
	fake_put_link(fixture->fake, &link);
	expect(fixture, "; ");
}

static void make_links_and_an_address(struct fake_kernel *fake)
{
	struct nv_addr addr;
	int ifindex;

	fake->during_dump = NULL;
	ifindex = fake_make_link(fake, "late", "x", 9);
	addr = fake_addr(ifindex, "192.0.2.9/24");
	fake_put_addr(fake, &addr);
}

/* Their address is in the dump that follows, their link is not in the one that was made. */
static void links_made_during_the_dump_are_told_once(void **state)
{
	struct fixture *fixture = *state;

	fake_make_link(fixture->fake, "hn0", "x", 1);
	fixture->fake->during_dump = make_links_and_an_address;
	start(fixture);
	expect(fixture, "+hn0 ; +late +192.0.2.9@late ; ");
	expect(fixture, "");
}

static void an_interrupted_dump_is_made_again(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned int i = 1; i <= 9; i++)
		fake_fail(fixture->fake, FAKE_LINKS, i, -EINTR);
	fake_make_link(fixture->fake, "hn0", "x", 1);
	start(fixture);
	expect(fixture, "+hn0 ; ");
	assert_int_equal(fixture->fake->calls[FAKE_LINKS], 10);
}

static void who_is_patient_outlasts_a_time_of_many_changes(void **state)
{
	struct fixture *fixture = *state;
	struct nv_addrs addrs = {};

	for (unsigned int i = 1; i <= 11; i++)
		fake_fail(fixture->fake, FAKE_ADDRS, i, -EINTR);
	nv_kernel_set_patient(fixture->fake->kernel, true);
	assert_int_equal(nv_kernel_addrs(fixture->fake->kernel, 0, &addrs), 0);
	nv_addrs_auto(&addrs);
}

static void a_dump_interrupted_for_ever_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct nv_addrs addrs = {};

	for (unsigned int i = 1; i <= 10; i++)
		fake_fail(fixture->fake, FAKE_ADDRS, i, -EINTR);
	assert_int_equal(nv_kernel_addrs(fixture->fake->kernel, 0, &addrs), -EAGAIN);
	assert_int_equal(fixture->fake->calls[FAKE_ADDRS], 10);
}

static void a_dump_that_fails_is_tried_later(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	fixture->fake->mute = true;
	fake_make_link(fixture->fake, "hn0", "x", 1);
	fixture->fake->mute = false;
	fake_fail(fixture->fake, FAKE_LINKS, 1, -ENOMEM);
	fake_fail(fixture->fake, FAKE_LINKS, 2, -ENOBUFS);
	fake_lose(fixture->fake, NV_SUBSCRIBE_RTNL);
	expect(fixture, "");
	/* Messages go on being applied meanwhile. */
	fake_make_link(fixture->fake, "vf0", "x", 1);
	expect(fixture, "+vf0 ; ");
	nv_loop_advance(fixture->loop, NV_USEC_PER_SEC / 4);
	expect(fixture, "");
	nv_loop_advance(fixture->loop, NV_USEC_PER_SEC / 4);
	expect(fixture, "+hn0 ; ");
	nv_loop_advance(fixture->loop, 10 * NV_USEC_PER_SEC);
	assert_int_equal(fixture->fake->calls[FAKE_LINKS], 4);
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct nv_monitor *monitor = (void *)1;

	fake_fail(fixture->fake, FAKE_ADDRS, 1, -ENOMEM);
	fake_fail(fixture->fake, FAKE_SUBSCRIBE, 3, -EPERM);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nv_monitor_new(fixture->loop, fixture->fake->kernel, &monitor_ops,
					 fixture, &monitor),
			i == 0 ? -ENOMEM : -EPERM);
		assert_ptr_equal(monitor, (void *)1);
	}
	assert_string_equal(nv_str_text(&fixture->told), "");
}

static void ask_for_dumps(struct fixture *fixture)
{
	assert_int_equal(nv_monitor_resync(fixture->monitor), -EBUSY);
	assert_int_equal(nv_monitor_coldplug_devices(fixture->monitor), -EBUSY);
}

static void a_callback_cannot_ask_for_a_dump(void **state)
{
	struct fixture *fixture = *state;

	fixture->during_report = ask_for_dumps;
	fake_make_link(fixture->fake, "hn0", "x", 1);
	start(fixture);
	expect(fixture, "+hn0 ; ");
	fixture->during_report = NULL;
	fixture->fake->mute = true;
	fake_make_link(fixture->fake, "hn1", "x", 2);
	assert_int_equal(nv_monitor_resync(fixture->monitor), 0);
	expect(fixture, "+hn1 ; ");
}

static void set_down(struct fixture *fixture)
{
	const struct nv_link link = fake_link(fixture->fake, "hn0");

	fixture->during_report = NULL;
	assert_int_equal(nv_kernel_link_up(fixture->fake->kernel, link.ifindex, false), 0);
}

static void a_callback_may_change_the_kernel(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	fixture->during_report = set_down;
	fake_make_link(fixture->fake, "hn0", "x", 1);
	expect(fixture, "+hn0 ~hn0 ; ");
	assert_string_equal(fixture->fake->log.text, "link_set hn0 down\n");
}

#define DEVICE(action, subsystem, path, more) \
	"ACTION=" action "\nDEVPATH=/devices/" path "\nSUBSYSTEM=" subsystem "\n" more
#define KVP(action)  DEVICE(action, "misc", "kvp", "DEVNAME=vmbus/hv_kvp")
#define VSS(action)  DEVICE(action, "misc", "vss", "DEVNAME=vmbus/hv_vss")
#define TTY(action)  DEVICE(action, "tty", "ttyUSB0", "DEVNAME=ttyUSB0")
#define DISK(action) DEVICE(action, "block", "sda", "DEVNAME=sda")
#define NIC(action)  DEVICE(action, "pci", "nic", "DRIVER=e1000e")

static void devices_are_told_once(void **state)
{
	struct fixture *fixture = *state;
	struct fake_kernel *fake = fixture->fake;

	fake->device[0] = KVP("add");
	fake->device[1] = NIC("bind");
	start(fixture);
	fake_uevent(fake, KVP("add"));
	expect(fixture, "add:kvp ; ");
	assert_int_equal(nv_monitor_coldplug_devices(fixture->monitor), 0);
	expect(fixture, "bind:nic ; ");
	assert_int_equal(nv_monitor_coldplug_devices(fixture->monitor), 0);
	fake_uevent(fake, KVP("add"));
	fake_uevent(fake, NIC("add"));
	fake_uevent(fake, NIC("bind"));
	fake_uevent(fake, VSS("remove"));
	expect(fixture, "");
	fake_uevent(fake, KVP("remove"));
	fake_uevent(fake, KVP("remove"));
	fake_uevent(fake, KVP("add"));
	fake_uevent(fake, KVP("change"));
	fake_uevent(fake, NIC("unbind"));
	fake_uevent(fake, NIC("unbind"));
	fake_uevent(fake, NIC("remove"));
	expect(fixture, "remove:kvp add:kvp change:kvp unbind:nic remove:nic ; ");
	fake_uevent(fake, TTY("remove"));
	fake_uevent(fake, DISK("add"));
	fake_uevent(fake, DISK("add"));
	fake_uevent(fake, DEVICE("add", "net", "eth0", ""));
	fake_uevent(fake, DEVICE("add", "net", "eth0", ""));
	expect(fixture, "add:sda add:sda add:eth0 add:eth0 ; ");
}

static void lost_uevents_lead_to_the_difference(void **state)
{
	struct fixture *fixture = *state;
	struct fake_kernel *fake = fixture->fake;

	fake->device[0] = KVP("add");
	fake->device[1] = NIC("bind");
	start(fixture);
	fake_lose(fake, NV_SUBSCRIBE_UEVENT);
	expect(fixture, "");
	assert_int_equal(nv_monitor_coldplug_devices(fixture->monitor), 0);
	fake_uevent(fake, TTY("add"));
	fake_uevent(fake, DISK("add"));
	expect(fixture, "add:kvp bind:nic ; add:ttyUSB0 add:sda ; ");
	fake->device[0] = VSS("add");
	fake->device[1] = DEVICE("add", "pci", "nic", "");
	fake_lose(fake, NV_SUBSCRIBE_UEVENT);
	expect(fixture, "add:vss unbind:nic remove:kvp remove:ttyUSB0 ; ");
	fake_fail(fake, FAKE_DEVICES, 1, -EIO);
	fake->device[0] = NULL;
	fake_lose(fake, NV_SUBSCRIBE_UEVENT);
	expect(fixture, "");
	nv_loop_advance(fixture->loop, NV_USEC_PER_SEC);
	expect(fixture, "remove:vss ; ");
}

static void links_stay_in_order_of_ifindex(void **state)
{
	NV_AUTO(nv_links) struct nv_links links = {};
	unsigned int seed = 1;
	bool there[64] = {};
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct nv_link link = {.ifindex = rand_r(&seed) % 64};

		if (rand_r(&seed) % 2) {
			assert_int_equal(nv_links_put(&links, &link), 0);
			count += !there[link.ifindex];
			there[link.ifindex] = true;
		} else {
			nv_links_remove(&links, link.ifindex);
			count -= there[link.ifindex];
			there[link.ifindex] = false;
		}
		assert_int_equal(links.count, count);
		for (int j = 0; j < 64; j++)
			assert_int_equal(!!nv_links_by_index(&links, j), there[j]);
		for (size_t j = 1; j < links.count; j++)
			assert_true(links.link[j - 1].ifindex < links.link[j].ifindex);
	}
}

static void a_link_differs_in_any_field(void **state)
{
	const struct nv_link link = {.ifindex = 1, .has_mac = true, .has_permanent_mac = true};
	struct nv_link others[22];
	size_t count = 0;

	(void)state;
	assert_true(nv_link_equal(&link, &link));
	for (size_t i = 0; i < NV_ARRAY_SIZE(others); i++)
		others[i] = link;
	others[count++].ifindex = 2;
	others[count++].name[0] = 'x';
	others[count++].type = 1;
	others[count++].flags = 1;
	others[count++].mtu = 1;
	others[count++].tx_queue_len = 1;
	others[count++].promiscuity = 1;
	others[count++].operstate = 1;
	others[count++].link_mode = 1;
	others[count++].carrier = true;
	others[count++].has_mac = false;
	others[count++].mac[5] = 1;
	others[count++].permanent_mac[5] = 1;
	others[count++].master = 1;
	others[count++].lower = 1;
	others[count++].lower_elsewhere = true;
	others[count++].vlan_id = 1;
	others[count++].addr_gen_mode = 1;
	others[count++].kind[0] = 'x';
	others[count++].driver[0] = 'x';
	others[count++].parent_dev[0] = 'x';
	others[count++].alias[0] = 'x';
	assert_int_equal(count, NV_ARRAY_SIZE(others));
	for (size_t i = 0; i < count; i++)
		assert_false(nv_link_equal(&link, &others[i]));
}

static void count_addr(const struct nv_addr *old, const struct nv_addr *new, void *data)
{
	unsigned int *counts = data;

	counts[!old ? 0 : !new ? 1 : 2]++;
}

static void addresses_are_told_apart_as_the_kernel_does(void **state)
{
	NV_AUTO(nv_addrs) struct nv_addrs old = {};
	NV_AUTO(nv_addrs) struct nv_addrs new = {};
	struct nv_addr a = fake_addr(1, "192.0.2.1/24");
	struct nv_addr b = fake_addr(1, "192.0.2.1/32");
	struct nv_addr c = b;
	struct nv_addr six = fake_addr(1, "2001:db8::1/64");
	struct nv_addr same = fake_addr(1, "2001:db8::1/128");
	unsigned int counts[3] = {};

	(void)state;
	c.has_peer = true;
	c.peer = fake_ip("192.0.2.2");
	assert_int_equal(nv_addrs_put(&old, &six), 0);
	assert_int_equal(nv_addrs_put(&old, &b), 0);
	assert_int_equal(nv_addrs_put(&old, &a), 0);
	assert_int_equal(nv_addrs_put(&old, &a), 0);
	assert_int_equal(old.count, 3);
	assert_int_equal(nv_addrs_put(&new, &same), 0);
	assert_int_equal(nv_addrs_put(&new, &c), 0);
	assert_int_equal(nv_addrs_put(&new, &b), 0);
	assert_int_equal(new.count, 3);
	nv_diff_addrs(&old, &new, NV_DIFF_GONE | NV_DIFF_NEW | NV_DIFF_CHANGED, count_addr, counts);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[2], 1);
}

static void a_request_to_notify_peers_is_reported(void **state)
{
	struct fixture *fixture = *state;
	int hn = fake_make_link(fixture->fake, "hn0", "virtio_net", 1);

	start(fixture);
	expect(fixture, "+hn0 ; ");
	fake_notify_peers(fixture->fake, hn);
	fake_notify_peers(fixture->fake, hn + 1);
	expect(fixture, "peers@hn0 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_exists_is_told_first),
		TEST(a_request_to_notify_peers_is_reported),
		TEST(the_parent_of_a_link_that_is_renamed_is_looked_for_again),
		TEST(each_message_is_applied_without_a_dump),
		TEST(a_link_takes_forgotten_addresses_along),
		TEST(a_loss_leads_to_the_difference),
		TEST(messages_from_before_the_dump_are_not_told),
		TEST(links_made_during_the_dump_are_told_once),
		TEST(an_interrupted_dump_is_made_again),
		TEST(who_is_patient_outlasts_a_time_of_many_changes),
		TEST(a_dump_interrupted_for_ever_is_an_error),
		TEST(a_dump_that_fails_is_tried_later),
		TEST(a_start_that_fails_leaves_nothing),
		TEST(a_callback_cannot_ask_for_a_dump),
		TEST(a_callback_may_change_the_kernel),
		TEST(devices_are_told_once),
		TEST(lost_uevents_lead_to_the_difference),
		cmocka_unit_test(a_link_differs_in_any_field),
		cmocka_unit_test(links_stay_in_order_of_ifindex),
		cmocka_unit_test(addresses_are_told_apart_as_the_kernel_does),
	};

	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
