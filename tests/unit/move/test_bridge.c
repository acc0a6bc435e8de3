/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a move into a bridge when the kernel refuses one of its requests. */
#include "cm.h"

#include "kernel/attrs.h"
#include "kernel/bridge_port.h"
#include "kernel/ops.h"
#include "move/bridge.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>

#define HN   3
#define LAGG 7

/* A kernel that takes requests in batches, and refuses the one of that number. */
struct refusing {
	struct nv_kernel *kernel;
	size_t refused;
	size_t asked;
};

static int on_batch(void *self, struct nv_rtobjs *requests, int *ret_errors)
{
	struct refusing *refusing = self;

	refusing->asked = requests->count;
	for (size_t i = 0; i < requests->count; i++)
		ret_errors[i] = i == refusing->refused ? -EINVAL : 0;
	return 0;
}

static const struct nv_kernel_ops ops = {.batch = on_batch};

/* A port with one VLAN, as the kernel tells of it. */
static void tell_port(struct nv_move *move)
{
	const struct bridge_vlan_info vlan = {.flags = BRIDGE_VLAN_INFO_PVID, .vid = 7};
	struct nv_request told;
	struct nlmsghdr *header = &told.header;
	struct ifinfomsg *info = nv_request_start(&told, RTM_NEWLINK, 0, sizeof(*info));
	struct nlattr *nest;

	info->ifi_family = AF_BRIDGE;
	info->ifi_index = HN;
	mnl_attr_put_u32(header, IFLA_MASTER, 9);
	nest = mnl_attr_nest_start(header, IFLA_PROTINFO);
	mnl_attr_put_u8(header, IFLA_BRPORT_UNICAST_FLOOD, 1);
	mnl_attr_nest_end(header, nest);
	nest = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	mnl_attr_put(header, IFLA_BRIDGE_VLAN_INFO, sizeof(vlan), &vlan);
	mnl_attr_nest_end(header, nest);
	assert_int_equal(nv_rtobjs_take(&move->port, header), 0);
}

static bool enter(int from, size_t refused, size_t *ret_asked)
{
	struct nv_move move = {
		.from = from, .to = LAGG, .from_name = "hn0", .to_name = "lagg0", .bridge = "br0"};
	struct refusing refusing = {.refused = refused};
	bool good;

	tell_port(&move);
	assert_int_equal(nv_kernel_new(&ops, &refusing, &refusing.kernel), 0);
	good = nv_bridge_enter(refusing.kernel, &move);
	nv_kernel_free(refusing.kernel);
	nv_rtobjs_auto(&move.port);
	*ret_asked = refusing.asked;
	return good;
}

/* Master, settings, no VLANs, the port's VLANs: it may have had no VLAN that could be deleted. */
static void only_the_deletion_of_vlans_may_fail(void **state)
{
	size_t asked;

	(void)state;
	assert_true(enter(0, SIZE_MAX, &asked));
	assert_int_equal(asked, 4);
	for (size_t refused = 0; refused < 4; refused++)
		assert_int_equal(enter(0, refused, &asked), refused == 2);
}

static void so_it_is_where_the_old_port_is_isolated_first(void **state)
{
	size_t asked;

	(void)state;
	assert_true(enter(HN, SIZE_MAX, &asked));
	assert_int_equal(asked, 5);
	for (size_t refused = 0; refused < 5; refused++)
		assert_int_equal(enter(HN, refused, &asked), refused == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_deletion_of_vlans_may_fail),
		cmocka_unit_test(so_it_is_where_the_old_port_is_isolated_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
