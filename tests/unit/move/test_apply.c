/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/log.h"
#include "fake_kernel.h"
#include "kernel/diff.h"
#include "move/apply.h"
#include "move/sysctls.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>

/* hn0 with two addresses of one network, IPv6, a default route, a neighbour and a VLAN; lagg0. */
struct bench {
	struct fake_kernel *fake;
	struct nv_snapshot now;
	struct nv_plan plan;
	struct nv_str why;
	int hn;
	int lagg;
};

static void bench_auto(struct bench *bench)
{
	nv_snapshot_auto(&bench->now);
	nv_plan_auto(&bench->plan);
	nv_str_auto(&bench->why);
	nv_kernel_free(bench->fake->kernel);
}

#define BENCH(name)                                                  \
	__attribute__((cleanup(bench_auto))) struct bench name = {}; \
	set_up(&name)

static void put_addr(struct bench *bench, int ifindex, const char *text, uint32_t valid)
{
	struct nv_addr addr = fake_addr(ifindex, text);

	addr.valid_lft = valid;
	addr.preferred_lft = valid;
	fake_put_addr(bench->fake, &addr);
}

static void put_route(struct bench *bench, int oif, uint8_t protocol)
{
	struct nv_route route = {
		.family = AF_INET,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = protocol,
		.oif = oif,
	};

	if (protocol == RTPROT_KERNEL) {
		route.destination = fake_ip("192.0.2.0");
		route.destination_len = 24;
	} else {
		route.gateway = fake_ip("192.0.2.1");
		route.has_gateway = true;
	}
	assert_int_equal(nv_routes_add(&bench->fake->routes, &route), 0);
}

static void set_up(struct bench *bench)
{
	struct nv_neigh neigh = {.address = fake_ip("192.0.2.1"), .state = NUD_REACHABLE};

	nv_log_open("test", NV_LOG_STDERR, LOG_EMERG);
	bench->fake = fake_kernel_new();
	bench->hn = fake_make_link(bench->fake, "hn0", "virtio_net", 1);
	put_addr(bench, bench->hn, "192.0.2.5/24", UINT32_MAX);
	put_addr(bench, bench->hn, "192.0.2.6/24", 600);
	put_addr(bench, bench->hn, "2001:db8::5/64", UINT32_MAX);
	put_route(bench, bench->hn, RTPROT_KERNEL);
	put_route(bench, bench->hn, RTPROT_STATIC);
	neigh.ifindex = bench->hn;
	assert_int_equal(nv_neighs_add(&bench->fake->neighs, &neigh), 0);
}

static void put_vlan(struct bench *bench, const char *name, uint16_t id)
{
	struct nv_link link = {.kind = "vlan", .lower = bench->hn, .vlan_id = id, .flags = IFF_UP};

	nv_strcopy(link.name, sizeof(link.name), name);
	put_addr(bench, fake_put_link(bench->fake, &link), "198.51.100.5/24", UINT32_MAX);
}

static void set_sysctl(struct bench *bench, const char *path, const char *value)
{
	struct fake_kernel *fake = bench->fake;

	nv_strcopy(fake->sysctl[fake->n_sysctls].path, NV_SYSCTL_PATH_MAX, path);
	nv_strcopy(fake->sysctl[fake->n_sysctls].value, 64, value);
	fake->n_sysctls++;
}

static const char *get_sysctl(struct bench *bench, const char *path)
{
	for (size_t i = 0; i < bench->fake->n_sysctls; i++)
		if (nv_streq(bench->fake->sysctl[i].path, path))
			return bench->fake->sysctl[i].value;
	return NULL;
}

static void make_plan(struct bench *bench)
{
	struct nv_link lagg = {.name = "lagg0", .kind = "dummy"};

	assert_int_equal(nv_snapshot_take(bench->fake->kernel, bench->hn, &bench->now), 0);
	assert_int_equal(
		nv_plan_make(&bench->now, bench->hn, "lagg0", NULL, &bench->plan, &bench->why), 0);
	bench->lagg = fake_put_link(bench->fake, &lagg);
	bench->plan.move[0].to = bench->lagg;
	nv_str_clear(&bench->fake->log);
}

static size_t count_addrs(struct bench *bench, int ifindex)
{
	size_t count = 0;

	for (size_t i = 0; i < bench->fake->addrs.count; i++)
		count += bench->fake->addrs.addr[i].ifindex == ifindex;
	return count;
}

static const struct nv_addr *find(struct bench *bench, int ifindex, const char *text)
{
	struct nv_addr wanted = fake_addr(ifindex, text);

	return nv_addrs_find(&bench->fake->addrs, &wanted);
}

static size_t count_routes(struct bench *bench, int oif)
{
	size_t count = 0;

	for (size_t i = 0; i < bench->fake->routes.count; i++)
		count += bench->fake->routes.route[i].oif == oif;
	return count;
}

static void nothing_is_taken_off_before_the_strip(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	put_vlan(&bench, "hn0.5", 5);
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_null(strstr(nv_str_text(&bench.fake->log), "_del"));
	assert_int_equal(count_addrs(&bench, bench.lagg), 3);
	assert_int_equal(count_routes(&bench, bench.lagg), 1);
	assert_int_equal(bench.fake->neighs.count, 2);
	assert_int_equal(bench.fake->neighs.neigh[1].ifindex, bench.lagg);
	assert_int_equal(bench.fake->neighs.neigh[1].state, NUD_STALE);
	assert_int_equal(find(&bench, bench.lagg, "192.0.2.6/24")->valid_lft, 600);
	assert_int_equal(fake_link(bench.fake, "lagg0.5").lower, bench.lagg);

	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
	assert_int_equal(count_routes(&bench, bench.hn), 0);
	assert_int_equal(count_addrs(&bench, bench.hn), 2);
	assert_null(find(&bench, bench.hn, "2001:db8::5/64"));
	assert_int_equal(fake_link(bench.fake, "hn0").addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);

	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	assert_int_equal(count_addrs(&bench, bench.hn), 0);
	assert_null(nv_links_by_name(&bench.fake->links, "hn0.5"));
	assert_true(fake_link(bench.fake, "hn0").flags & IFF_UP);
	assert_int_equal(count_addrs(&bench, bench.lagg), 3);
}

/* Of one that is for ever the kernel would take another's route to its network, when it changes. */
static void an_ipv6_address_is_for_ever_when_it_is_settled(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;
	const struct nv_addr *addr;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	addr = find(&bench, bench.lagg, "2001:db8::5/64");
	assert_int_equal(addr->flags & (IFA_F_PERMANENT | IFA_F_NODAD), IFA_F_NODAD);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	addr = find(&bench, bench.lagg, "2001:db8::5/64");
	assert_int_equal(addr->flags & (IFA_F_PERMANENT | IFA_F_NODAD), IFA_F_PERMANENT);
	/* And is left alone by a run that follows one that was killed. */
	nv_str_clear(&bench.fake->log);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_null(strstr(nv_str_text(&bench.fake->log), "addr_add lagg0 2001"));
}

static void every_step_may_be_repeated(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	put_vlan(&bench, "hn0.5", 5);
	make_plan(&bench);
	for (int again = 0; again < 2; again++) {
		assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
		bench.plan.move[1].to = 0;
	}
	for (int again = 0; again < 2; again++) {
		assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
		assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	}
	assert_int_equal(count_addrs(&bench, bench.lagg), 3);
	assert_int_equal(count_addrs(&bench, bench.hn), 0);
}

static void a_vlan_whose_name_is_taken_waits(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;
	const char *log;

	(void)state;
	put_vlan(&bench, "storage", 8);
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_int_equal(fake_link(bench.fake, "storage").lower, bench.hn);

	nv_str_clear(&bench.fake->log);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
	log = nv_str_text(&bench.fake->log);
	assert_non_null(strstr(log, "link_del storage\nlink_add storage vlan\n"));
	assert_int_equal(fake_link(bench.fake, "storage").lower, bench.lagg);
	assert_int_equal(fake_link(bench.fake, "storage").vlan_id, 8);
	assert_non_null(find(&bench, fake_link(bench.fake, "storage").ifindex, "198.51.100.5/24"));
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	assert_int_equal(fake_link(bench.fake, "storage").lower, bench.lagg);
}

static void a_vlan_that_keeps_its_name_keeps_its_settings(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;
	static const char *const names[] = {
		"ipv4/conf/%s/proxy_arp", "ipv6/conf/%s/disable_ipv6", "ipv6/conf/%s/accept_ra"};
	char path[NV_SYSCTL_PATH_MAX];
	struct nv_link *vlan;

	(void)state;
	put_vlan(&bench, "storage", 8);
	vlan = &bench.fake->links.link[bench.fake->links.count - 1];
	vlan->tx_queue_len = 77;
	vlan->group = 3;
	for (size_t i = 0; i < NV_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "net/");
		snprintf(path + 4, sizeof(path) - 4, names[i], "storage");
		set_sysctl(&bench, path, "1");
		snprintf(path + 4, sizeof(path) - 4, names[i], "default");
		set_sysctl(&bench, path, "0");
	}
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
	assert_int_equal(fake_link(bench.fake, "storage").lower, bench.lagg);
	assert_int_equal(fake_link(bench.fake, "storage").tx_queue_len, 77);
	assert_int_equal(fake_link(bench.fake, "storage").group, 3);
	for (size_t i = 0; i < NV_ARRAY_SIZE(names); i++) {
		snprintf(path + 4, sizeof(path) - 4, names[i], "storage");
		assert_string_equal(get_sysctl(&bench, path), "1");
	}
}

static void a_vlan_with_a_mac_address_of_its_own_has_it_again(void **state)
{
	static const uint8_t mac[NV_MAC_LEN] = {2, 0, 0, 0, 5, 5};
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;
	struct nv_link *vlan;

	(void)state;
	put_vlan(&bench, "hn0.5", 5);
	vlan = &bench.fake->links.link[bench.fake->links.count - 1];
	vlan->has_mac = true;
	memcpy(vlan->mac, mac, sizeof(mac));
	vlan->addr_gen_mode = IN6_ADDR_GEN_MODE_RANDOM;
	put_addr(&bench, vlan->ifindex, "fe80::5/64", UINT32_MAX);
	put_vlan(&bench, "hn0.6", 6);
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_memory_equal(fake_link(bench.fake, "lagg0.5").mac, mac, sizeof(mac));
	assert_int_equal(fake_link(bench.fake, "lagg0.5").addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
	/* Without a link-local address the kernel is to make one, as it would have. */
	assert_int_equal(fake_link(bench.fake, "lagg0.6").addr_gen_mode, 0);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	assert_int_equal(fake_link(bench.fake, "lagg0.5").addr_gen_mode, IN6_ADDR_GEN_MODE_RANDOM);
}

/* Somebody has made hn0.5 again, after lagg0.5 had taken its place. */
static void a_vlan_that_the_lagg_uses_is_left_as_it_is(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;
	struct nv_link there = {
		.name = "lagg0.5", .kind = "vlan", .vlan_id = 5, .flags = IFF_UP, .mtu = 9000};
	struct nv_link *vlan;

	(void)state;
	put_vlan(&bench, "hn0.5", 5);
	vlan = &bench.fake->links.link[bench.fake->links.count - 1];
	vlan->flags = 0;
	vlan->mtu = 1500;
	make_plan(&bench);
	there.lower = bench.lagg;
	fake_put_link(bench.fake, &there);
	bench.plan.move[0].keeps = true;
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	assert_int_equal(fake_link(bench.fake, "lagg0.5").flags & IFF_UP, IFF_UP);
	assert_int_equal(fake_link(bench.fake, "lagg0.5").mtu, 9000);
	assert_non_null(find(&bench, fake_link(bench.fake, "lagg0.5").ifindex, "198.51.100.5/24"));
}

static void put_set(struct bench *bench, const char *text)
{
	struct nv_addr addr = fake_addr(bench->hn, text);

	addr.flags = IFA_F_PERMANENT;
	addr.valid_lft = addr.preferred_lft = UINT32_MAX;
	fake_put_addr(bench->fake, &addr);
}

/* What is set by hand moves too. What ends, or is link-local, comes by itself. */
static void what_is_added_during_the_move_is_not_lost(void **state)
{
	struct nv_route route = {.family = AF_INET,
		.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_BOOT,
		.destination_len = 24,
		.destination = fake_ip("203.0.113.0")};
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_set(&bench, "192.0.2.9/24");
	put_set(&bench, "2001:db8::9/64");
	put_set(&bench, "169.254.1.1/16");
	put_set(&bench, "fe80::9/64");
	put_addr(&bench, bench.hn, "192.0.2.10/24", 60);
	route.oif = bench.hn;
	assert_int_equal(nv_routes_add(&bench.fake->routes, &route), 0);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP_PATHS));
	assert_non_null(find(&bench, bench.lagg, "2001:db8::9/64"));
	assert_int_equal(count_routes(&bench, bench.lagg), 2);
	put_set(&bench, "192.0.2.11/24");
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	assert_non_null(find(&bench, bench.lagg, "192.0.2.9/24"));
	assert_non_null(find(&bench, bench.lagg, "192.0.2.11/24"));
	assert_null(find(&bench, bench.lagg, "192.0.2.10/24"));
	assert_null(find(&bench, bench.lagg, "169.254.1.1/16"));
	assert_null(find(&bench, bench.lagg, "fe80::9/64"));
	assert_int_equal(count_addrs(&bench, bench.hn), 0);
	assert_int_equal(count_routes(&bench, bench.hn), 0);
}

static void an_address_that_the_kernel_refuses_ends_it(void **state)
{
	BENCH(bench);

	(void)state;
	make_plan(&bench);
	fake_fail(bench.fake, FAKE_ADDR_ADD, 2, -EACCES);
	assert_false(nv_apply(bench.fake->kernel, &bench.plan, NV_STAGE_FILL));
	assert_null(strstr(nv_str_text(&bench.fake->log), "_del"));
}

static void a_live_route_that_the_kernel_refuses_does_where_rcconf_is_silent(void **state)
{
	BENCH(bench);

	(void)state;
	make_plan(&bench);
	fake_fail(bench.fake, FAKE_ROUTE_ADD, 1, -ENETUNREACH);
	assert_false(nv_apply(bench.fake->kernel, &bench.plan, NV_STAGE_FILL));
	bench.plan.is_configured = true;
	fake_fail(bench.fake, FAKE_ROUTE_ADD, 1, -ENETUNREACH);
	assert_true(nv_apply(bench.fake->kernel, &bench.plan, NV_STAGE_FILL));
}

static void set_rp_filter(struct bench *bench, const char *hn, const char *lagg)
{
	set_sysctl(bench, "net/ipv4/conf/all/rp_filter", "0");
	set_sysctl(bench, "net/ipv4/conf/hn0/rp_filter", hn);
	set_sysctl(bench, "net/ipv4/conf/lagg0/rp_filter", lagg);
}

static void expect_rp_filter(struct bench *bench, const char *hn, const char *lagg)
{
	assert_string_equal(get_sysctl(bench, "net/ipv4/conf/hn0/rp_filter"), hn);
	assert_string_equal(get_sysctl(bench, "net/ipv4/conf/lagg0/rp_filter"), lagg);
}

static void sysctls_come_along_and_strict_filtering_is_loose_meanwhile(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	set_rp_filter(&bench, "1", "0");
	set_sysctl(&bench, "net/ipv4/conf/hn0/proxy_arp", "1");
	set_sysctl(&bench, "net/ipv4/conf/lagg0/proxy_arp", "0");
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_string_equal(get_sysctl(&bench, "net/ipv4/conf/lagg0/proxy_arp"), "1");
	expect_rp_filter(&bench, "2", "2");
	nv_apply_undo(kernel, &bench.plan);
	assert_string_equal(get_sysctl(&bench, "net/ipv4/conf/hn0/rp_filter"), "1");
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	expect_rp_filter(&bench, "1", "1");
}

/* As a run that was killed has left them: one loose, one not. */
static void strict_filtering_is_loose_whichever_interface_has_it(void **state)
{
	(void)state;
	for (int undone = 0; undone < 2; undone++) {
		BENCH(bench);
		struct nv_kernel *kernel = bench.fake->kernel;

		set_rp_filter(&bench, "2", "1");
		make_plan(&bench);
		bench.plan.move[0].keeps = true;
		assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
		expect_rp_filter(&bench, "2", "2");
		if (undone)
			nv_sysctls_undo(kernel, &bench.plan.move[0]);
		else
			assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
		expect_rp_filter(&bench, "2", "1");
	}
}

/* A run that was killed has left it loose; the journal knows it. */
static void strict_filtering_that_is_known_comes_along(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	set_rp_filter(&bench, "2", "2");
	make_plan(&bench);
	nv_strcopy(bench.plan.move[0].rp_filter, sizeof(bench.plan.move[0].rp_filter), "1");
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	expect_rp_filter(&bench, "2", "2");
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_STRIP));
	expect_rp_filter(&bench, "1", "1");
}

static void what_was_flushed_is_put_in_force_again(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_route(&bench, bench.lagg, RTPROT_KERNEL);
	nv_str_clear(&bench.fake->log);
	nv_apply_keep(kernel, &bench.plan, &bench.plan.move[0]);
	assert_string_equal(nv_str_text(&bench.fake->log), "");

	fake_del_addr(bench.fake, find(&bench, bench.lagg, "192.0.2.5/24"));
	nv_apply_keep(kernel, &bench.plan, &bench.plan.move[0]);
	assert_non_null(find(&bench, bench.lagg, "192.0.2.5/24"));

	/* Routes only: the kernel's own comes back with the address, and so this is added again. */
	nv_routes_auto(&bench.fake->routes);
	nv_str_clear(&bench.fake->log);
	nv_apply_keep(kernel, &bench.plan, &bench.plan.move[0]);
	assert_non_null(strstr(nv_str_text(&bench.fake->log), "addr_del lagg0 192.0.2.5/24"));
	assert_non_null(find(&bench, bench.lagg, "192.0.2.5/24"));
	assert_int_equal(count_routes(&bench, bench.lagg), 1);

	/* A copy that leads meanwhile is none of them. */
	nv_routes_auto(&bench.fake->routes);
	put_route(&bench, bench.lagg, RTPROT_KERNEL);
	put_route(&bench, bench.lagg, NV_RTPROT_BACKUP);
	bench.fake->routes.route[1].table = RT_TABLE_DEFAULT;
	nv_apply_keep(kernel, &bench.plan, &bench.plan.move[0]);
	assert_int_equal(count_routes(&bench, bench.lagg), 3);
}

static void a_lease_for_the_same_address_is_the_clients_now(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_route(&bench, bench.lagg, RTPROT_KERNEL);

	/* A client that said itself how long is believed. */
	put_addr(&bench, bench.lagg, "192.0.2.6/24", 3600);
	nv_apply_leased(kernel, &bench.plan, &bench.plan.move[0]);
	assert_int_equal(find(&bench, bench.lagg, "192.0.2.6/24")->valid_lft, 3600);

	put_addr(&bench, bench.lagg, "192.0.2.6/24", 599);
	nv_apply_leased(kernel, &bench.plan, &bench.plan.move[0]);
	assert_int_equal(find(&bench, bench.lagg, "192.0.2.6/24")->valid_lft, UINT32_MAX);
}

static void a_lease_for_another_address_ends_the_old_one(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_addr(&bench, bench.lagg, "192.0.2.77/24", 600);
	put_route(&bench, bench.lagg, RTPROT_KERNEL);
	assert_true(nv_apply_leased(kernel, &bench.plan, &bench.plan.move[0]));
	nv_apply_keep(kernel, &bench.plan, &bench.plan.move[0]);
	assert_non_null(find(&bench, bench.lagg, "192.0.2.5/24"));
	assert_null(find(&bench, bench.lagg, "192.0.2.6/24"));
	assert_non_null(find(&bench, bench.lagg, "192.0.2.77/24"));
	assert_non_null(find(&bench, bench.lagg, "2001:db8::5/64"));
}

/* As dhcpcd and others take after some seconds without a server. */
static void a_link_local_address_is_no_lease(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_addr(&bench, bench.lagg, "169.254.7.7/16", UINT32_MAX);
	put_route(&bench, bench.lagg, RTPROT_KERNEL);
	assert_false(nv_apply_leased(kernel, &bench.plan, &bench.plan.move[0]));
	assert_non_null(find(&bench, bench.lagg, "192.0.2.5/24"));
	assert_int_equal(find(&bench, bench.lagg, "192.0.2.6/24")->valid_lft, 600);
}

static void an_address_that_somebody_adds_ends_no_lease(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_addr(&bench, bench.lagg, "192.0.2.6/24", 3600);
	put_addr(&bench, bench.lagg, "198.51.100.1/24", UINT32_MAX);
	put_route(&bench, bench.lagg, RTPROT_KERNEL);
	assert_true(nv_apply_leased(kernel, &bench.plan, &bench.plan.move[0]));
	assert_non_null(find(&bench, bench.lagg, "192.0.2.5/24"));
	assert_int_equal(find(&bench, bench.lagg, "192.0.2.6/24")->valid_lft, 3600);
}

/* A second move: the lagg has addresses that the plan does not know. */
static void an_address_that_the_lagg_had_is_no_lease(void **state)
{
	BENCH(bench);
	struct nv_kernel *kernel = bench.fake->kernel;

	(void)state;
	make_plan(&bench);
	put_addr(&bench, bench.lagg, "198.51.100.1/24", UINT32_MAX);
	assert_true(nv_apply(kernel, &bench.plan, NV_STAGE_FILL));
	put_route(&bench, bench.lagg, RTPROT_KERNEL);
	nv_apply_before_lease(kernel, &bench.plan.move[0]);
	assert_true(nv_apply_leased(kernel, &bench.plan, &bench.plan.move[0]));
	assert_int_equal(find(&bench, bench.lagg, "192.0.2.6/24")->valid_lft, UINT32_MAX);
}

static void only_what_a_plan_may_touch_is_taken(void **state)
{
	BENCH(bench);
	int other = fake_make_link(bench.fake, "eth0", "virtio_net", 2);

	(void)state;
	put_route(&bench, other, RTPROT_STATIC);
	put_vlan(&bench, "hn0.5", 5);
	put_route(&bench, fake_link(bench.fake, "hn0.5").ifindex, RTPROT_STATIC);
	assert_int_equal(nv_snapshot_take(bench.fake->kernel, bench.hn, &bench.now), 0);
	assert_int_equal(bench.now.objs.count, 4);
	nv_snapshot_auto(&bench.now);
	fake_fail(bench.fake, FAKE_THINGS, 5, -ENOBUFS);
	assert_int_equal(nv_snapshot_take(bench.fake->kernel, bench.hn, &bench.now), -ENOBUFS);
	assert_int_equal(bench.now.links.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_taken_off_before_the_strip),
		cmocka_unit_test(an_ipv6_address_is_for_ever_when_it_is_settled),
		cmocka_unit_test(every_step_may_be_repeated),
		cmocka_unit_test(a_vlan_whose_name_is_taken_waits),
		cmocka_unit_test(a_vlan_that_keeps_its_name_keeps_its_settings),
		cmocka_unit_test(a_vlan_with_a_mac_address_of_its_own_has_it_again),
		cmocka_unit_test(a_vlan_that_the_lagg_uses_is_left_as_it_is),
		cmocka_unit_test(what_is_added_during_the_move_is_not_lost),
		cmocka_unit_test(an_address_that_the_kernel_refuses_ends_it),
		cmocka_unit_test(a_live_route_that_the_kernel_refuses_does_where_rcconf_is_silent),
		cmocka_unit_test(sysctls_come_along_and_strict_filtering_is_loose_meanwhile),
		cmocka_unit_test(strict_filtering_is_loose_whichever_interface_has_it),
		cmocka_unit_test(strict_filtering_that_is_known_comes_along),
		cmocka_unit_test(what_was_flushed_is_put_in_force_again),
		cmocka_unit_test(a_lease_for_the_same_address_is_the_clients_now),
		cmocka_unit_test(a_lease_for_another_address_ends_the_old_one),
		cmocka_unit_test(a_link_local_address_is_no_lease),
		cmocka_unit_test(an_address_that_somebody_adds_ends_no_lease),
		cmocka_unit_test(an_address_that_the_lagg_had_is_no_lease),
		cmocka_unit_test(only_what_a_plan_may_touch_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
