/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan_bench.h"

#include "kernel/attrs.h"
#include "move/dependents.h"

#include <arpa/inet.h>
#include <linux/nexthop.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool group_depends(const char *text)
{
	struct nv_ip group = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(group.family, text, &group.v6), 1);
	return nv_group_depends(&group);
}

static void groups_that_the_kernel_joins_do_not_count(void **state)
{
	static const char *const routine[] = {"224.0.0.1", "224.0.0.251", "224.0.0.252", "ff01::1",
		"ff02::1", "ff01::2", "ff02::2", "ff05::2", "ff02::6a", "ff02::fb", "ff02::1:3",
		"ff02::1:ff12:3456"};
	static const char *const others[] = {"224.0.0.18", "224.0.0.5", "239.1.2.3", "ff02::12",
		"ff02::5", "ff05::1:3", "ff02::2:ff12:3456"};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(routine); i++)
		assert_false(group_depends(routine[i]));
	for (size_t i = 0; i < NV_ARRAY_SIZE(others); i++)
		assert_true(group_depends(others[i]));
}

static void a_socket_that_any_user_can_bind_does_not_count(void **state)
{
	static const enum nv_bound_kind all[] = {
		NV_BOUND_TCP, NV_BOUND_UDP, NV_BOUND_RAW, NV_BOUND_PACKET};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(all); i++) {
		bool needs_rights = all[i] == NV_BOUND_RAW || all[i] == NV_BOUND_PACKET;

		assert_true(nv_bound_depends(&(struct nv_bound){.kind = all[i]}));
		assert_true(nv_bound_depends(&(struct nv_bound){.kind = all[i], .uid = 999}));
		assert_int_equal(nv_bound_depends(&(struct nv_bound){.kind = all[i], .uid = 1000}),
			needs_rights);
		assert_false(
			nv_bound_depends(&(struct nv_bound){.kind = all[i], .link_local = true}));
	}
}

static void put_nexthop(struct bench *bench, int ifindex)
{
	struct nv_request request;
	struct nhmsg *info = nv_request_start(&request, RTM_NEWNEXTHOP, 0, sizeof(*info));

	info->nh_family = AF_INET;
	mnl_attr_put_u32(&request.header, NHA_ID, 7);
	mnl_attr_put_u32(&request.header, NHA_OIF, (uint32_t)ifindex);
	assert_int_equal(nv_rtobjs_take(&bench->plan.objs, &request.header), 0);
}

/* With a VLAN that is deleted to be made anew, the kernel deletes the routes by its next hops. */
static void next_hops_of_a_vlan_that_keeps_its_name_count(void **state)
{
	BENCH(bench);
	NV_AUTO(nv_str) struct nv_str why = {};

	(void)state;
	add_link(&bench, HN, "hn0");
	add_vlan(&bench, 4, "hn0.5", HN, 5);
	add_vlan(&bench, 5, "storage", HN, 8);
	make_from(&bench, NULL);
	put_nexthop(&bench, HN);
	put_nexthop(&bench, 4);
	nv_dependents_find_nexthops(&bench.plan, &why);
	assert_string_equal(nv_str_text(&why), "");
	put_nexthop(&bench, 5);
	nv_dependents_find_nexthops(&bench.plan, &why);
	if (!strstr(nv_str_text(&why), "next hops with ids lead over storage ("))
		fail_msg("%s", nv_str_text(&why));
}

static void a_reason_is_new_once(void **state)
{
	char directory[] = "/tmp/netvf-test-XXXXXX";
	char why[32] = "?";

	(void)state;
	assert_non_null(mkdtemp(directory));
	nv_dependents_kept(directory, "hn0", why, sizeof(why));
	assert_string_equal(why, "");
	assert_false(nv_dependents_keep(directory, "hn0", ""));
	assert_true(nv_dependents_keep(directory, "hn0", "a long reason"));
	assert_false(nv_dependents_keep(directory, "hn0", "another"));
	nv_dependents_kept(directory, "hn0", why, sizeof(why));
	assert_string_equal(why, "another");
	assert_true(nv_dependents_keep(directory, "hn1", "its own"));
	assert_false(nv_dependents_keep(directory, "hn1", ""));
	assert_false(nv_dependents_keep(directory, "hn0", ""));
	assert_true(nv_dependents_keep(directory, "hn0", "new again"));
	nv_dependents_keep(directory, "hn0", "");
	assert_int_equal(rmdir(directory), 0);
}

static void a_socket_has_a_text(void **state)
{
	char text[64];

	(void)state;
	nv_bound_text(&(struct nv_bound){.kind = NV_BOUND_RAW, .number = 112}, text, sizeof(text));
	assert_string_equal(text, "raw protocol 112");
	nv_bound_text(&(struct nv_bound){.kind = NV_BOUND_PACKET, .number = 3}, text, sizeof(text));
	assert_string_equal(text, "packet protocol 0x0003");
	nv_bound_text(&(struct nv_bound){.kind = NV_BOUND_TCP, .number = 22}, text, sizeof(text));
	assert_string_equal(text, "TCP port 22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_that_the_kernel_joins_do_not_count),
		cmocka_unit_test(a_socket_that_any_user_can_bind_does_not_count),
		cmocka_unit_test(next_hops_of_a_vlan_that_keeps_its_name_count),
		cmocka_unit_test(a_reason_is_new_once),
		cmocka_unit_test(a_socket_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
