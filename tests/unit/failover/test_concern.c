/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failover/concern.c: that a change is about the pairs that it concerns, and that nothing is missed
 * by settling only these.
 */
#include "room.h"

#include "failover/concern.h"

#include <errno.h>
#include <linux/if.h>
#include <net/if_arp.h>
#include <string.h>

/* The hns that are to be settled after a link has changed, in the order of their numbers. */
static void expect_due(const struct nv_link *old, const struct nv_link *new, const char *expected)
{
	NV_AUTO(nv_str) struct nv_str text = {};

	nv_failover_note_link(failover, old, new);
	for (size_t i = 0; i < failover->n_managed; i++)
		for (size_t at = 0; at < failover->due.count; at++)
			if (failover->managed[i].id.hn == failover->due.hn[at])
				nv_str_printf(&text, "%s ", failover->managed[i].id.hn_name);
	nv_str_add(&text, failover->due.all ? "all" : "");
	assert_string_equal(nv_str_text(&text), expected);
	failover->due.all = false;
	failover->due.count = 0;
}

static struct nv_link make_above(const char *name, const char *kind, int lower)
{
	struct nv_link link = {.type = ARPHRD_ETHER, .flags = IFF_UP, .lower = lower};

	nv_strcopy(link.name, sizeof(link.name), name);
	nv_strcopy(link.kind, sizeof(link.kind), kind);
	fake_put_link(fake, &link);
	hear();
	return fake_link(fake, name);
}

static void interfaces_of_containers_concern_nobody(void **state)
{
	struct nv_link link = {.ifindex = 700,
		.name = "veth9",
		.kind = "veth",
		.type = ARPHRD_ETHER,
		.has_mac = true};

	(void)state;
	make_all();
	expect_due(NULL, &link, "");
	assert_false(failover->rematch);
	assert_false(failover->stirred);
	settings.hn.n_pairs = 1;
	nv_strcopy(settings.hn.pair[0].hn, IFNAMSIZ, "hn0");
	nv_strcopy(settings.hn.pair[0].vf, IFNAMSIZ, "veth9");
	expect_due(NULL, &link, "");
	assert_true(failover->rematch);
	settings.hn.n_pairs = 0;
	link.lower = 701; /* its other end, which is here too */
	fake_put_link(fake, &link);
	fake_put_link(fake,
		&(struct nv_link){
			.ifindex = 701, .name = "veth8", .kind = "veth", .lower = link.ifindex});
	hear();
	expect_due(NULL, &link, "");
	nv_strcopy(link.kind, sizeof(link.kind), "vlan");
	expect_due(NULL, &link, "");
	assert_true(failover->stirred);
}

static void a_pair_is_concerned_by_its_links_and_what_is_on_them(void **state)
{
	struct nv_link vlan, bridge, port, lagg;
	int ifindex[3];

	(void)state;
	make_all();
	fake_make_link(fake, "hn1", "virtio_net", 2);
	hear();
	memcpy(ifindex, (const int[]){pair()->hn, pair()->vf, pair()->lagg}, sizeof(ifindex));
	for (size_t i = 0; i < NV_ARRAY_SIZE(ifindex); i++) {
		const struct nv_link *link =
			nv_links_by_index(nv_monitor_links(monitor), ifindex[i]);

		expect_due(link, link, "hn0 ");
	}
	lagg = fake_link(fake, "lagg0");
	vlan = make_above("lagg0.5", "vlan", lagg.ifindex);
	expect_due(&vlan, &vlan, "hn0 ");
	bridge = make_above("br0", "bridge", 0);
	expect_due(&bridge, &bridge, "");
	vlan.master = bridge.ifindex;
	fake_put_link(fake, &vlan);
	hear();
	expect_due(&bridge, &bridge, "hn0 ");
	port = make_above("macvlan0", "macvlan", bridge.ifindex);
	expect_due(&port, &port, "hn0 ");
	/* Another port of the bridge is nothing to the pair, as long as it is no pair's. */
	port = make_above("tap0", "tun", 0);
	port.master = bridge.ifindex;
	fake_put_link(fake, &port);
	hear();
	expect_due(&port, &port, "");
	/* One that is in a ring ends. */
	vlan.lower = bridge.ifindex;
	fake_put_link(fake, &vlan);
	hear();
	expect_due(&bridge, &bridge, "all");
}

static void a_lagg_is_known_by_its_name_or_its_mac(void **state)
{
	struct nv_link lagg = {.ifindex = 900, .name = "lagg1", .type = ARPHRD_ETHER};

	(void)state;
	fake_make_link(fake, "hn1", "virtio_net", 2);
	hear();
	expect_due(NULL, &lagg, "hn1 ");
	lagg.has_mac = true;
	memcpy(lagg.mac, fake_link(fake, "hn0").mac, NV_MAC_LEN);
	nv_strcopy(lagg.name, sizeof(lagg.name), "lagg7");
	expect_due(NULL, &lagg, "hn0 ");
	lagg.mac[5] = 77;
	expect_due(NULL, &lagg, "all");
}

static void addresses_and_actions_concern_the_pair_that_has_the_link(void **state)
{
	int vf = make_all();

	(void)state;
	nv_failover_note_addr(failover, 4711);
	assert_int_equal(failover->due.count, 0);
	nv_failover_note_addr(failover, vf);
	assert_int_equal(failover->due.count, 1);
	nv_failover_settle(failover);
	assert_int_equal(failover->due.count, 0);
	nv_concern_name(failover, "nvt0");
	assert_int_equal(failover->due.count, 1);
	assert_false(failover->due.all);
	nv_concern_name(failover, "eth7");
	assert_true(failover->due.all);
}

/* It may be that nothing else of the pair will change. */
static void a_step_that_failed_is_done_again_at_the_next_change_of_a_link(void **state)
{
	int vf;

	(void)state;
	vf = add_vf("nvt0");
	path.error = -EIO;
	fake_del_link(fake, vf);
	hear();
	assert_int_equal(pair()->vf, vf);
	make_above("veth9", "veth", 0);
	assert_int_equal(pair()->vf, vf);
	make_above("other", "dummy", 0);
	assert_int_equal(pair()->vf, 0);
	assert_int_equal(failover->restless.count, 0);
}

/* However many there are. */
static void a_switch_looks_at_one_pair(void **state)
{
	char name[IFNAMSIZ];

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "hn%u", i + 1);
		fake_make_link(fake, name, "virtio_net", (uint8_t)(0x20 + i));
	}
	make_all();
	nv_loop_advance(loop, 10 * NV_USEC_PER_SEC);
	hear();
	path.reads = 0;
	set_carrier("nvt0", false);
	assert_int_equal(pair()->active, NV_PORT_HN);
	assert_true(path.reads <= 6);
	path.reads = 0;
	make_above("other", "dummy", 0);
	assert_int_equal(path.reads, 0);
}

/* The world of the walks: few names, MAC addresses and links, of which anything may change. */
#define HNS   4
#define WALKS 300

static unsigned int random_state;

static unsigned int dice(unsigned int sides)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % sides;
}

static const char *any_of(const char *prefix)
{
	static char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "%s%u", prefix, dice(HNS));
	return name;
}

static const struct nv_link *there(const char *name)
{
	return nv_links_by_name(&fake->links, name);
}

static void plug(void)
{
	const char *name = any_of("nvt");

	if (!there(name))
		make_vf(name, (uint8_t)(1 + dice(HNS + 1)));
	else
		fake_del_link(fake, there(name)->ifindex);
}

static void come_or_go(void)
{
	const char *name = any_of("hn");

	if (!there(name))
		fake_make_link(fake, name, "virtio_net", (uint8_t)(1 + dice(HNS)));
	else if (dice(2))
		fake_del_link(fake, there(name)->ifindex);
}

static void change_link(void)
{
	static const char *const names[] = {"hn", "nvt", "lagg", "vlan", "br", "other"};
	const char *name = any_of(names[dice(NV_ARRAY_SIZE(names))]);
	struct nv_link link;

	if (!there(name))
		return;
	link = *there(name);
	switch (dice(5)) {
	case 0:
		link.flags ^= IFF_UP;
		break;
	case 1:
		link.carrier = !link.carrier;
		break;
	case 2:
		link.mtu = 1400 + 100 * dice(3);
		break;
	case 3:
		link.mac[5] = (uint8_t)(1 + dice(HNS));
		if (link.has_permanent_mac)
			link.permanent_mac[5] = link.mac[5];
		break;
	default:
		link.master = there("br0") && dice(2) ? there("br0")->ifindex : 0;
	}
	fake_put_link(fake, &link);
}

/* What is stacked on a lagg or an hn, and others' links. */
static void stack(void)
{
	static const char *const kinds[] = {"vlan", "br", "other"};
	const char *kind = kinds[dice(NV_ARRAY_SIZE(kinds))];
	struct nv_link link = {.type = ARPHRD_ETHER, .flags = IFF_UP, .has_mac = true, .mtu = 1500};
	const struct nv_link *below;

	nv_strcopy(link.name, sizeof(link.name), any_of(kind));
	if (there(link.name)) {
		fake_del_link(fake, there(link.name)->ifindex);
		return;
	}
	below = there(any_of(dice(2) ? "lagg" : "hn"));
	link.mac[5] = (uint8_t)(0x40 + dice(3));
	if (nv_streq(kind, "vlan") && below) {
		link.lower = below->ifindex;
		link.vlan_id = (uint16_t)(1 + dice(3));
	}
	nv_strcopy(link.kind, sizeof(link.kind),
		nv_streq(kind, "vlan") ? "vlan"
		: nv_streq(kind, "br") ? "bridge"
				       : "dummy");
	fake_put_link(fake, &link);
}

/* As hyperv_vfup does it, with or without netvfd as its parent. */
static void move_configuration(void)
{
	const char *name = any_of("hn");
	const struct nv_link *port = there(name);
	struct nv_dp_pair *entry = NULL;
	struct nv_link lagg;
	char lagg_name[IFNAMSIZ];

	for (size_t i = 0; i < NV_ARRAY_SIZE(path.pair) && port; i++)
		if (path.pair[i].hn == port->ifindex)
			entry = &path.pair[i];
	if (!entry || nv_hn_lagg_name(name, lagg_name) < 0)
		return;
	if (!there(lagg_name)) {
		fake->mute = true;
		fake_make_link(fake, lagg_name, "dummy", port->mac[5]);
		fake->mute = false;
		lagg = fake_link(fake, lagg_name);
		nv_strcopy(lagg.kind, sizeof(lagg.kind), "dummy");
		entry->lagg = fake_put_link(fake, &lagg);
		entry->mode = NV_MODE_LAGG;
	} else if (dice(2)) {
		fake_del_link(fake, there(lagg_name)->ifindex);
	}
	hear();
	nv_failover_note_action(failover, name);
}

static void address(void)
{
	const struct nv_link *link = there(any_of(dice(2) ? "hn" : "nvt"));
	struct nv_addr addr;

	if (!link)
		return;
	addr = fake_addr(link->ifindex, dice(2) ? "192.0.2.1/24" : "2001:db8::1/64");
	if (dice(2))
		fake_put_addr(fake, &addr);
	else
		fake_del_addr(fake, &addr);
}

static void configure(void)
{
	answered = dice(4) > 0;
	settings.hn.transparent = dice(3) ? NV_TRANSPARENT_NO : NV_TRANSPARENT_YES;
	settings.hn.n_pairs = dice(2);
	nv_strcopy(settings.hn.pair[0].hn, IFNAMSIZ, "hn1");
	nv_strcopy(settings.hn.pair[0].vf, IFNAMSIZ, "nvt2");
	nv_failover_configure(failover, &settings, failover->rcconf);
	nv_failover_look_again(failover);
}

static void force(void)
{
	static const enum nv_override overrides[] = {
		NV_OVERRIDE_AUTO, NV_OVERRIDE_HN, NV_OVERRIDE_VF};

	nv_failover_override(failover, any_of("hn"), overrides[dice(3)]);
}

static void anything(void)
{
	switch (dice(16)) {
	case 0:
	case 1:
	case 2:
		plug();
		break;
	case 3:
		come_or_go();
		break;
	case 4:
	case 5:
		stack();
		break;
	case 6:
	case 7:
		move_configuration();
		break;
	case 8:
		address();
		break;
	case 9:
		if (dice(4) == 0)
			configure();
		break;
	case 10:
		force();
		break;
	case 11:
		path.locked = dice(3) == 0;
		break;
	case 12:
		if (dice(3) == 0)
			fake_lose(fake, NV_SUBSCRIBE_RTNL);
		break;
	default:
		change_link();
	}
}

/* All that may be seen of all pairs from outside. */
static void describe(struct nv_str *text)
{
	for (int hn_at = 1; hn_at < fake->next_ifindex; hn_at++) {
		struct nv_dp_pair entry;

		if (nv_datapath_get(&path, hn_at, &entry) == 0)
			nv_str_printf(text, "path %d vf=%d lagg=%d mode=%d active=%d mac=%02x\n",
				entry.hn, entry.vf, entry.lagg, (int)entry.mode, (int)entry.active,
				entry.mac[5]);
	}
	for (size_t i = 0; i < fake->links.count; i++) {
		const struct nv_link *link = &fake->links.link[i];

		nv_str_printf(text, "link %s %d flags=%x mode=%d mtu=%u lower=%d\n", link->name,
			link->ifindex, link->flags, link->link_mode, link->mtu, link->lower);
	}
	for (size_t i = 0; i < failover->n_managed; i++) {
		const struct nv_managed *managed = &failover->managed[i];

		nv_str_printf(text, "pair %s %d vf=%d lagg=%d %s switches=%lu\n",
			managed->id.hn_name, managed->id.hn, managed->state.vf, managed->id.lagg,
			managed->status.why, managed->status.switches);
	}
	nv_str_printf(text, "%zu addresses\n", fake->addrs.count);
}

/*
 * The order of events counts for each pair; the pairs may have had their turns in any. What is
 * raised again and again until it is answered counts once.
 */
static void describe_events(struct nv_str *text)
{
	for (unsigned int i = 0; i < HNS; i++) {
		NV_AUTO(nv_free) char *copy = strdup(nv_str_text(&events));
		const char *last = "";
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "hn%u", i);
		for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
			if (!strstr(line, name) || nv_streq(line, last))
				continue;
			nv_str_printf(text, "%s\n", line);
			last = line;
		}
	}
}

static void note_step(struct nv_str *text, unsigned int step)
{
	nv_str_printf(text, "--- step %u\n", step);
	describe(text);
	describe_events(text);
	nv_str_clear(&events);
	nv_str_clear(&attached);
	nv_str_clear(&fake->log);
}

/* The same events; what is then seen after each of them. */
static void walk(unsigned int seed, bool all, struct nv_str *ret_text)
{
	void *state = NULL;

	room_set_up(&state);
	settle_all = all;
	random_state = seed;
	for (unsigned int step = 0; step < 60; step++) {
		for (unsigned int i = 0; i < 1 + dice(2); i++)
			anything();
		hear();
		failover->due.all |= all;
		nv_loop_advance(loop, dice(3) ? NV_USEC_PER_SEC / 50 : 7 * NV_USEC_PER_SEC);
		hear();
		note_step(ret_text, step);
	}
	settle_all = false;
	room_tear_down(&state);
}

static void to_settle_only_these_ends_as_to_settle_all(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= WALKS; seed++) {
		NV_AUTO(nv_str) struct nv_str these = {};
		NV_AUTO(nv_str) struct nv_str all = {};

		walk(seed, false, &these);
		walk(seed, true, &all);
		if (!nv_streq(nv_str_text(&these), nv_str_text(&all)))
			print_message("seed %u\n", seed);
		assert_string_equal(nv_str_text(&these), nv_str_text(&all));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interfaces_of_containers_concern_nobody),
		TEST(a_pair_is_concerned_by_its_links_and_what_is_on_them),
		TEST(a_lagg_is_known_by_its_name_or_its_mac),
		TEST(addresses_and_actions_concern_the_pair_that_has_the_link),
		TEST(a_step_that_failed_is_done_again_at_the_next_change_of_a_link),
		TEST(a_switch_looks_at_one_pair),
		cmocka_unit_test(to_settle_only_these_ends_as_to_settle_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
