/* SPDX-License-Identifier: BSD-2-Clause */
#include "links.h"

#include "pair/hn_sysctl.h"

#include <errno.h>
#include <string.h>

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

/* One pair, hn 2 and VF 3, which transmits. */
static int each_of_one(
	const struct nv_hn_config *config, bool managed, nv_hn_sysctl_fn each, struct nv_str *all)
{
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	const enum nv_port active = NV_PORT_VF;
	struct nv_link link[] = {
		ethernet(2, "hn0", "hv_netvsc", "vmbus", 1),
		ethernet(3, "vf0", "mlx5_core", "pci", 1),
	};
	const struct nv_links links = {.link = link, .count = NV_ARRAY_SIZE(link)};
	const struct nv_hn_sysctl_facts facts = {&links, &pairs, &active, &managed, config, 0};

	find(link, links.count, config, &pairs);
	return nv_hn_sysctl_each(&facts, each, all);
}

static void a_manager_makes_a_pair_transparent(void **state)
{
	const struct nv_hn_config config = {.transparent = NV_TRANSPARENT_AUTO};
	NV_AUTO(nv_str) struct nv_str all = {};

	(void)state;
	assert_int_equal(each_of_one(&config, true, collect, &all), 0);
	assert_non_null(strstr(nv_str_text(&all), "hw.hn.vf_transparent=0\n"));
	assert_non_null(strstr(nv_str_text(&all), "dev.hn.0.vf_xpnt_enabled=1\n"));
	assert_null(strstr(nv_str_text(&all), "rxvf"));
}

static int stop_at_the_map(const char *name, const char *value, void *data)
{
	collect(name, value, data);
	return nv_streq(name, "hw.hn.vfmap") ? -EINTR : 0;
}

static void who_asks_may_stop(void **state)
{
	const struct nv_hn_config config = {.transparent = NV_TRANSPARENT_YES};
	NV_AUTO(nv_str) struct nv_str all = {};

	(void)state;
	assert_int_equal(each_of_one(&config, false, stop_at_the_map, &all), -EINTR);
	assert_string_equal(nv_str_text(&all),
		"hw.hn.vf_transparent=1\nhw.hn.vf_xpnt_accbpf=0\nhw.hn.vf_xpnt_attwait=0\n"
		"hw.hn.vflist=vf0\nhw.hn.vfmap=vf0:hn0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sysctls_answer_by_freebsds_names),
		cmocka_unit_test(a_manager_makes_a_pair_transparent),
		cmocka_unit_test(who_asks_may_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
