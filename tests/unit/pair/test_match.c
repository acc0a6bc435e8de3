/* SPDX-License-Identifier: BSD-2-Clause */
#include "links.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static const struct nv_hn_config nothing;

static void vf_is_the_pci_link_with_hns_mac(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "eth1", "virtio_net", "virtio", 2),
		ethernet(4, "ens5", "e1000e", "pci", 2),
		ethernet(5, "ens6", "e1000e", "pci", 9),
		ethernet(6, "tap0", "tun", "", 1),
	};

	(void)state;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 2);
	assert_int_equal(pairs.pair[0].hn, 2);
	assert_int_equal(pairs.pair[0].vf, 0);
	assert_int_equal(pairs.pair[1].hn, 3);
	assert_int_equal(pairs.pair[1].vf, 4);
	assert_int_equal(pairs.pair[1].match, NV_MATCH_MANAGED);
	assert_ptr_equal(nv_pairs_by_vf(&pairs, 4), &pairs.pair[1]);
	assert_null(nv_pairs_by_vf(&pairs, 0));
	assert_null(nv_pairs_by_hn(&pairs, 4));
	for (size_t i = 0; i < NV_ARRAY_SIZE(link); i++)
		assert_int_equal(nv_link_may_be_vf(&link[i], &nothing), i == 2 || i == 3);
}

static void permanent_mac_counts_more_than_the_current(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "hv_netvsc", "vmbus", 1),
		ethernet(3, "ens5", "mlx5_core", "pci", 7),
	};

	(void)state;
	link[1].has_permanent_mac = true;
	link[1].permanent_mac[0] = 2;
	link[1].permanent_mac[5] = 1;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.pair[0].vf, 3);
}

static void stacked_links_are_no_ports(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "lagg0", "dummy", "", 1),
		ethernet(4, "eth0.5", "802.1Q VLAN Support", "pci", 1),
	};

	(void)state;
	strcpy(link[1].kind, "dummy");
	strcpy(link[2].kind, "vlan");
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 1);
	assert_int_equal(pairs.pair[0].vf, 0);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_MANAGED);
}

static void two_vfs_are_refused_and_named(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "ens5", "e1000e", "pci", 1),
		ethernet(4, "ens6", "igbvf", "pci", 1),
	};

	(void)state;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_REFUSED);
	assert_non_null(strstr(pairs.pair[0].why, "ens5"));
	assert_non_null(strstr(pairs.pair[0].why, "ens6"));

	for (size_t i = 1; i < NV_ARRAY_SIZE(link); i++) {
		struct nv_hn_config config = {.pair = {{.hn = "eth0"}}, .n_pairs = 1};

		strcpy(config.pair[0].vf, link[i].name);
		nv_pairs_auto(&pairs);
		find(link, NV_ARRAY_SIZE(link), &config, &pairs);
		assert_int_equal(pairs.pair[0].match, NV_MATCH_MANAGED);
		assert_int_equal(pairs.pair[0].vf, link[i].ifindex);
	}
}

static void a_virtio_card_may_be_a_vf(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "eth1", "virtio_net", "virtio", 1),
	};

	(void)state;
	link[1].is_virtfn = true;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 1);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_MANAGED);
	assert_int_equal(pairs.pair[0].hn, 2);
	assert_int_equal(pairs.pair[0].vf, 3);
	assert_true(nv_link_may_be_vf(&link[1], &nothing));
}

static void two_hns_with_one_mac_are_refused(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "eth1", "vmxnet3", "pci", 1),
		ethernet(4, "ens6", "e1000e", "pci", 1),
	};

	(void)state;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 2);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_REFUSED);
	assert_int_equal(pairs.pair[1].match, NV_MATCH_REFUSED);
	assert_int_equal(pairs.pair[0].vf, 0);
}

/* hn and its VF are ports of a bond called @name, with the MAC @mac. */
static enum nv_match_result verdict_in_bond(const char *name, const char *kind, uint8_t mac)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "hv_netvsc", "vmbus", 1),
		ethernet(3, "ens5", "mlx5_core", "pci", 1),
		ethernet(4, name, kind, "", mac),
	};

	strcpy(link[2].kind, kind);
	link[0].master = link[1].master = 4;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 1);
	assert_int_equal(pairs.pair[0].vf, 3);
	return pairs.pair[0].match;
}

static void a_lagg_that_is_a_bond_is_no_foreign_master(void **state)
{
	(void)state;
	assert_int_equal(verdict_in_bond("lagg0", "bond", 1), NV_MATCH_MANAGED);
	assert_int_equal(verdict_in_bond("bond0", "bond", 1), NV_MATCH_OBSERVED);
	assert_int_equal(verdict_in_bond("lagg0", "bond", 2), NV_MATCH_MANAGED);
	assert_int_equal(verdict_in_bond("lagg7", "bond", 1), NV_MATCH_MANAGED);
	assert_int_equal(verdict_in_bond("lagg7", "bond", 2), NV_MATCH_OBSERVED);
	assert_int_equal(verdict_in_bond("lagg0", "team", 1), NV_MATCH_OBSERVED);
}

static enum nv_match_result verdict_of_hn_alone_below(const char *name, const char *kind)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "hv_netvsc", "vmbus", 1),
		ethernet(4, name, kind, "", 1),
	};

	strcpy(link[1].kind, kind);
	link[0].master = 4;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 1);
	return pairs.pair[0].match;
}

static void a_bond_is_anothers_also_while_the_vf_is_away(void **state)
{
	(void)state;
	assert_int_equal(verdict_of_hn_alone_below("bond0", "bond"), NV_MATCH_OBSERVED);
	assert_int_equal(verdict_of_hn_alone_below("team0", "team"), NV_MATCH_OBSERVED);
	assert_int_equal(verdict_of_hn_alone_below("lagg0", "bond"), NV_MATCH_MANAGED);
	assert_int_equal(verdict_of_hn_alone_below("br0", "bridge"), NV_MATCH_MANAGED);
}

static void a_rival_of_a_port_of_ours_is_refused(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "eth1", "vmxnet3", "pci", 1),
		ethernet(4, "lagg0", "bond", "", 1),
	};

	(void)state;
	strcpy(link[2].kind, "bond");
	link[0].master = 4;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_REFUSED);
}

static void a_vf_with_a_master_is_only_watched(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "eth0", "hv_netvsc", "vmbus", 1),
		ethernet(3, "ens5", "mlx5_core", "pci", 1),
	};

	(void)state;
	link[1].master = 2;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_OBSERVED);
	assert_non_null(strstr(pairs.pair[0].why, "eth0"));
}

static void a_named_pair_is_any_two_links(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_hn_config config = {.pair = {{.hn = "hn0", .vf = "vf0"}}, .n_pairs = 1};
	struct nv_link link[] = {
		ethernet(2, "hn0", "veth", "", 1),
		ethernet(3, "vf0", "veth", "", 1),
		ethernet(4, "vf1", "veth", "", 1),
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(link); i++)
		strcpy(link[i].kind, "veth");
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.count, 1);
	assert_int_equal(pairs.pair[0].hn, 2);
	assert_int_equal(pairs.pair[0].vf, 3);
}

static void a_named_vf_may_have_a_mac_of_its_own(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_hn_config config = {
		.pair = {{.hn = "eth0", .vf = "ens4"}, {.hn = "eth1", .vf = "ens5"}}, .n_pairs = 2};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "eth1", "virtio_net", "virtio", 2),
		ethernet(4, "ens4", "mlx5_core", "pci", 4),
		ethernet(5, "ens5", "mlx5_core", "pci", 5),
	};

	(void)state;
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.count, 2);
	for (size_t i = 0; i < pairs.count; i++) {
		assert_int_equal(pairs.pair[i].match, NV_MATCH_MANAGED);
		assert_int_equal(pairs.pair[i].vf, 4 + i);
		assert_memory_equal(pairs.pair[i].mac, link[i].mac, NV_MAC_LEN);
	}
	/* Without a name it is nobody's. */
	nv_pairs_auto(&pairs);
	config.n_pairs = 1;
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.pair[1].vf, 0);
}

/* A name may have come to another card meanwhile. */
static void a_vf_with_hns_mac_goes_before_a_named_one_without(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	const struct nv_hn_config config = {
		.pair = {{.hn = "eth0", .vf = "ens4"}, {.hn = "eth0", .vf = "ens5"}}, .n_pairs = 2};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "ens4", "mlx5_core", "pci", 4),
		ethernet(4, "ens6", "mlx5_core", "pci", 1),
		ethernet(5, "ens5", "mlx5_core", "pci", 5),
	};

	(void)state;
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_MANAGED);
	assert_int_equal(pairs.pair[0].vf, 4);

	nv_pairs_auto(&pairs);
	link[2].mac[5] = 6;
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.pair[0].match, NV_MATCH_REFUSED);
	assert_non_null(strstr(pairs.pair[0].why, "ens4"));
	assert_non_null(strstr(pairs.pair[0].why, "ens5"));
}

static void names_make_units_and_laggs(void **state)
{
	char name[IFNAMSIZ] = "untouched";

	(void)state;
	assert_int_equal(nv_hn_lagg_name("hn0", name), 0);
	assert_string_equal(name, "lagg0");
	assert_int_equal(nv_hn_lagg_name("enp0s3", name), 0);
	assert_string_equal(name, "lagg03");
	assert_int_equal(nv_hn_lagg_name("wan", name), -ENOENT);
	assert_int_equal(nv_hn_lagg_name("123456789012", name), -ENAMETOOLONG);
	assert_string_equal(name, "lagg03");
}

static void what_rcconf_says_of_synthetic_counts(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	const struct nv_hn_config config = {
		.driver = {"mana"},
		.n_drivers = 1,
		.name = {"wan"},
		.n_names = 1,
		.pair = {{"lan", "eth5"}},
		.n_pairs = 1,
	};
	struct nv_link link[] = {
		ethernet(2, "eth2", "mana", "pci", 2), /* by its driver */
		ethernet(3, "wan", "e1000", "pci", 3), /* by its name */
		ethernet(4, "lan", "e1000", "pci", 4), /* in a pair */
		ethernet(5, "eth5", "virtio_net", "virtio", 4), /* its VF, whatever drives it */
		ethernet(6, "eth6", "e1000", "pci", 6),
	};

	(void)state;
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.count, 3);
	assert_int_equal(pairs.pair[0].hn, 2);
	assert_int_equal(pairs.pair[1].hn, 3);
	assert_int_equal(pairs.pair[2].hn, 4);
	assert_int_equal(pairs.pair[2].vf, 5);
	assert_ptr_equal(nv_pairs_by_hn(&pairs, 3), &pairs.pair[1]);
}

static void what_is_no_ethernet_is_no_hn_and_no_vf(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	struct nv_link link[] = {
		ethernet(2, "ib0", "virtio_net", "virtio", 1),
		ethernet(3, "eth0", "virtio_net", "virtio", 2),
		ethernet(4, "ib1", "mlx5_core", "pci", 2),
	};

	(void)state;
	link[0].type = link[2].type = ARPHRD_INFINIBAND;
	find(link, NV_ARRAY_SIZE(link), &nothing, &pairs);
	assert_int_equal(pairs.count, 1);
	assert_int_equal(pairs.pair[0].hn, 3);
	assert_int_equal(pairs.pair[0].vf, 0);
}

static void no_links_make_no_pairs(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};

	(void)state;
	find(NULL, 0, &nothing, &pairs);
	assert_int_equal(pairs.count, 0);
	assert_null(nv_pairs_by_hn(&pairs, 2));
	assert_null(nv_pairs_by_vf(&pairs, 2));
}

static unsigned int dice(unsigned int sides)
{
	static unsigned int state = 1;

	state = state * 1103515245 + 12345;
	return (state >> 8) % sides;
}

/* A link that may be anything, of few names, MAC addresses and masters. */
static struct nv_link any_link(int ifindex)
{
	static const char *const names[] = {"hn0", "hn1", "vf0", "vf1", "lagg0", "x"};
	static const char *const drivers[] = {"hv_netvsc", "mlx5_core", "veth"};
	static const char *const kinds[] = {"", "", "bond", "veth", "bridge"};
	struct nv_link link = ethernet(ifindex, names[dice(NV_ARRAY_SIZE(names))],
		drivers[dice(NV_ARRAY_SIZE(drivers))], dice(2) ? "pci" : "", (uint8_t)dice(3));

	snprintf(link.kind, sizeof(link.kind), "%s", kinds[dice(NV_ARRAY_SIZE(kinds))]);
	link.master = dice(3) ? 0 : 1 + (int)dice(8);
	link.has_mac = dice(8) > 0;
	link.has_permanent_mac = dice(3) == 0;
	link.permanent_mac[0] = 2;
	link.permanent_mac[5] = (uint8_t)dice(3);
	link.flags = dice(8) ? IFF_UP : IFF_LOOPBACK;
	link.type = dice(8) ? ARPHRD_ETHER : ARPHRD_NONE;
	link.is_virtfn = dice(4) == 0;
	return link;
}

static void note_difference(int hn, void *data)
{
	bool *differs = data;

	assert_true(hn > 0);
	*differs = true;
}

static bool find_differs(
	const struct nv_links *links, const struct nv_hn_config *config, struct nv_pairs *pairs)
{
	NV_AUTO(nv_pairs) struct nv_pairs old = *pairs;
	bool differs = false;

	assert_int_equal(nv_pairs_find(links, config, pairs), 0);
	nv_pairs_diff(&old, pairs, note_difference, &differs);
	return differs;
}

/* So pairs need not be found again after most changes. */
static void pairs_change_only_with_what_they_depend_on(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	NV_AUTO(nv_links) struct nv_links links = {};
	static struct nv_hn_config config = {.n_pairs = 1, .pair = {{.hn = "hn1", .vf = "vf1"}}};
	unsigned int changes = 0, needless = 0;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		struct nv_link link = any_link(1 + (int)dice(8));
		const struct nv_link *known = nv_links_by_index(&links, link.ifindex);
		struct nv_link old = known ? *known : (struct nv_link){};
		bool gone = known && dice(4) == 0;
		bool small = known && dice(2);
		bool depends;

		if (small) { /* what happens most of the time */
			link = old;
			link.flags ^= dice(2) ? IFF_UP : IFF_LOOPBACK;
			link.carrier = dice(2);
			link.mtu = dice(3);
			link.is_virtfn ^= dice(8) == 0;
		}
		if (gone)
			nv_links_remove(&links, link.ifindex);
		else
			assert_int_equal(nv_links_put(&links, &link), 0);
		depends =
			nv_pairs_depend(&links, &config, known ? &old : NULL, gone ? NULL : &link);
		if (find_differs(&links, &config, &pairs)) {
			assert_true(depends);
			changes++;
		} else {
			needless += !depends;
		}
	}
	assert_true(changes > 1000);
	assert_true(needless > 1000);
}

static void note_hn(int hn, void *text)
{
	nv_str_printf(text, "%d ", hn);
}

static void differing_pairs_are_named(void **state)
{
	struct nv_pair old[] = {{.hn = 1}, {.hn = 2, .vf = 7}, {.hn = 3}, {.hn = 5}};
	struct nv_pair new[] = {{.hn = 1}, {.hn = 2, .vf = 8}, {.hn = 4}, {.hn = 5, .why = "x"}};
	const struct nv_pairs none = {};
	const struct nv_pairs before = {old, NV_ARRAY_SIZE(old)};
	const struct nv_pairs after = {new, NV_ARRAY_SIZE(new)};
	NV_AUTO(nv_str) struct nv_str text = {};

	(void)state;
	nv_pairs_diff(&before, &after, note_hn, &text);
	assert_string_equal(nv_str_text(&text), "2 3 4 5 ");
	nv_str_clear(&text);
	nv_pairs_diff(&none, &after, note_hn, &text);
	assert_string_equal(nv_str_text(&text), "1 2 4 5 ");
	nv_str_clear(&text);
	nv_pairs_diff(&after, &none, note_hn, &text);
	nv_pairs_diff(&after, &after, note_hn, &text);
	assert_string_equal(nv_str_text(&text), "1 2 4 5 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_is_the_pci_link_with_hns_mac),
		cmocka_unit_test(permanent_mac_counts_more_than_the_current),
		cmocka_unit_test(stacked_links_are_no_ports),
		cmocka_unit_test(two_vfs_are_refused_and_named),
		cmocka_unit_test(a_virtio_card_may_be_a_vf),
		cmocka_unit_test(two_hns_with_one_mac_are_refused),
		cmocka_unit_test(a_vf_with_a_master_is_only_watched),
		cmocka_unit_test(a_lagg_that_is_a_bond_is_no_foreign_master),
		cmocka_unit_test(a_bond_is_anothers_also_while_the_vf_is_away),
		cmocka_unit_test(a_rival_of_a_port_of_ours_is_refused),
		cmocka_unit_test(a_named_pair_is_any_two_links),
		cmocka_unit_test(a_named_vf_may_have_a_mac_of_its_own),
		cmocka_unit_test(a_vf_with_hns_mac_goes_before_a_named_one_without),
		cmocka_unit_test(names_make_units_and_laggs),
		cmocka_unit_test(what_rcconf_says_of_synthetic_counts),
		cmocka_unit_test(what_is_no_ethernet_is_no_hn_and_no_vf),
		cmocka_unit_test(no_links_make_no_pairs),
		cmocka_unit_test(pairs_change_only_with_what_they_depend_on),
		cmocka_unit_test(differing_pairs_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
