/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/hn_sysctl.h"
#include "pair/match.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

static struct nv_link ethernet(
	int ifindex, const char *name, const char *driver, const char *bus, uint8_t mac)
{
	struct nv_link link = {
		.ifindex = ifindex,
		.type = ARPHRD_ETHER,
		.has_mac = true,
		.mac = {2, 0, 0, 0, 0, mac},
	};

	snprintf(link.name, sizeof(link.name), "%s", name);
	snprintf(link.driver, sizeof(link.driver), "%s", driver);
	snprintf(link.parent_bus, sizeof(link.parent_bus), "%s", bus);
	return link;
}

static void find(struct nv_link *link, size_t count, const struct nv_hn_config *config,
	struct nv_pairs *pairs)
{
	const struct nv_links links = {.link = link, .count = count};

	assert_int_equal(nv_pairs_find(&links, config, pairs), 0);
}

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
	assert_int_equal(pairs.pair[1].match, NV_MATCH_OURS);
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
	assert_int_equal(pairs.pair[0].match, NV_MATCH_OURS);
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
	assert_int_equal(pairs.pair[0].match, NV_MATCH_AMBIGUOUS);
	assert_non_null(strstr(pairs.pair[0].why, "ens5"));
	assert_non_null(strstr(pairs.pair[0].why, "ens6"));
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
	assert_int_equal(pairs.pair[0].match, NV_MATCH_AMBIGUOUS);
	assert_int_equal(pairs.pair[1].match, NV_MATCH_AMBIGUOUS);
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
	assert_int_equal(verdict_in_bond("lagg0", "bond", 1), NV_MATCH_OURS);
	assert_int_equal(verdict_in_bond("bond0", "bond", 1), NV_MATCH_COUPLED);
	assert_int_equal(verdict_in_bond("lagg0", "bond", 2), NV_MATCH_OURS);
	assert_int_equal(verdict_in_bond("lagg7", "bond", 1), NV_MATCH_OURS);
	assert_int_equal(verdict_in_bond("lagg7", "bond", 2), NV_MATCH_COUPLED);
	assert_int_equal(verdict_in_bond("lagg0", "team", 1), NV_MATCH_COUPLED);
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
	assert_int_equal(verdict_of_hn_alone_below("bond0", "bond"), NV_MATCH_COUPLED);
	assert_int_equal(verdict_of_hn_alone_below("team0", "team"), NV_MATCH_COUPLED);
	assert_int_equal(verdict_of_hn_alone_below("lagg0", "bond"), NV_MATCH_OURS);
	assert_int_equal(verdict_of_hn_alone_below("br0", "bridge"), NV_MATCH_OURS);
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
	assert_int_equal(pairs.pair[0].match, NV_MATCH_AMBIGUOUS);
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
	assert_int_equal(pairs.pair[0].match, NV_MATCH_COUPLED);
	assert_non_null(strstr(pairs.pair[0].why, "eth0"));
}

static void a_named_pair_needs_only_equal_macs(void **state)
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

	nv_pairs_auto(&pairs);
	link[1].mac[5] = 8;
	find(link, NV_ARRAY_SIZE(link), &config, &pairs);
	assert_int_equal(pairs.pair[0].vf, 0);
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

static int collect(const char *name, const char *value, void *data)
{
	nv_str_printf(data, "%s=%s\n", name, value);
	return 0;
}

static void sysctls_answer_by_freebsds_names(void **state)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	NV_AUTO(nv_str) struct nv_str all = {};
	struct nv_hn_config config = {.transparent_name = {"eth1"}, .n_transparent_names = 1};
	enum nv_port active[] = {NV_PORT_VF, NV_PORT_HN};
	struct nv_link link[] = {
		ethernet(2, "eth0", "virtio_net", "virtio", 1),
		ethernet(3, "eth1", "virtio_net", "virtio", 2),
		ethernet(4, "ens5", "e1000e", "pci", 2),
		ethernet(5, "ens4", "e1000e", "pci", 1),
	};
	const struct nv_links links = {.link = link, .count = NV_ARRAY_SIZE(link)};
	const bool managed[] = {false, false};
	const struct nv_hn_sysctl_facts facts = {&links, &pairs, active, managed, &config, 2};

	(void)state;
	find(link, links.count, &config, &pairs);
	assert_int_equal(nv_hn_sysctl_each(&facts, collect, &all), 0);
	assert_string_equal(nv_str_text(&all),
		"hw.hn.vf_transparent=0\nhw.hn.vf_xpnt_accbpf=0\nhw.hn.vf_xpnt_attwait=2\n"
		"hw.hn.vflist=ens5 ens4\nhw.hn.vfmap=ens5:eth1 ens4:eth0\ndev.hn.0.vf=ens4\n"
		"dev.hn.0.rxvf=ens4\ndev.hn.1.vf=ens5\ndev.hn.1.vf_xpnt_enabled=0\n"
		"dev.hn.1.vf_xpnt_accbpf=0\n");
}

static void an_hn_has_its_own_word_on_transparency(void **state)
{
	struct nv_hn_config config = {
		.transparent_name = {"eth1", "br_lan"},
		.n_transparent_names = 2,
		.opaque_name = {"eth2"},
		.n_opaque_names = 1,
	};

	(void)state;
	assert_true(nv_hn_is_transparent(&config, "eth1", false));
	assert_true(nv_hn_is_transparent(&config, "br-lan", false));
	assert_false(nv_hn_is_transparent(&config, "eth10", false));
	assert_false(nv_hn_is_transparent(&config, "eth", false));
	assert_true(nv_hn_is_transparent(&config, "eth10", true));
	assert_false(nv_hn_is_transparent(&config, "eth2", true));
	config.transparent = NV_TRANSPARENT_NO;
	assert_false(nv_hn_is_transparent(&config, "eth10", true));
	assert_true(nv_hn_is_transparent(&config, "eth1", true));
	config.transparent = NV_TRANSPARENT_YES;
	assert_true(nv_hn_is_transparent(&config, "eth10", false));
	assert_false(nv_hn_is_transparent(&config, "eth2", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_is_the_pci_link_with_hns_mac),
		cmocka_unit_test(permanent_mac_counts_more_than_the_current),
		cmocka_unit_test(stacked_links_are_no_ports),
		cmocka_unit_test(two_vfs_are_refused_and_named),
		cmocka_unit_test(two_hns_with_one_mac_are_refused),
		cmocka_unit_test(a_vf_with_a_master_is_only_watched),
		cmocka_unit_test(a_lagg_that_is_a_bond_is_no_foreign_master),
		cmocka_unit_test(a_bond_is_anothers_also_while_the_vf_is_away),
		cmocka_unit_test(a_rival_of_a_port_of_ours_is_refused),
		cmocka_unit_test(a_named_pair_needs_only_equal_macs),
		cmocka_unit_test(names_make_units_and_laggs),
		cmocka_unit_test(an_hn_has_its_own_word_on_transparency),
		cmocka_unit_test(sysctls_answer_by_freebsds_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
