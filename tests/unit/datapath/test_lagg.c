/* SPDX-License-Identifier: BSD-2-Clause */
/* laggN on kernels that this machine is not: which kind it becomes, and what is done to it. */
#include "datapath/lagg.h"
#include "datapath/shared.h"

#include "cm.h"
#include "fake_kernel.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

/* A data path that knows one pair and has no programs. */
struct nv_datapath {
	struct fake_kernel *fake;
	struct nv_dp_pair pair;
	int error; /* what the next edit fails with */
};

struct nv_kernel *nv_datapath_kernel(const struct nv_datapath *datapath)
{
	return datapath->fake->kernel;
}

int nv_datapath_get(struct nv_datapath *datapath, int hn, struct nv_dp_pair *ret_pair)
{
	if (hn != datapath->pair.hn)
		return -ENOENT;
	*ret_pair = datapath->pair;
	return 0;
}

int nv_datapath_edit(struct nv_datapath *datapath, int hn,
	int (*edit)(struct nv_dp_pair *pair, void *data), void *data)
{
	struct nv_dp_pair pair = datapath->pair;
	int r = datapath->error;

	pair.hn = hn;
	if (!r)
		r = edit(&pair, data);
	if (!r)
		datapath->pair = pair;
	return r;
}

static int setup(void **state)
{
	struct nv_datapath *datapath = calloc(1, sizeof(*datapath));

	assert_non_null(datapath);
	datapath->fake = fake_kernel_new();
	datapath->pair.hn = fake_make_link(datapath->fake, "hn0", "virtio_net", 0xaa);
	*state = datapath;
	return 0;
}

static int teardown(void **state)
{
	struct nv_datapath *datapath = *state;

	nv_kernel_free(datapath->fake->kernel);
	free(datapath);
	return 0;
}

/* The kernel has only the last @last of the three kinds. */
static int create(struct nv_datapath *datapath, unsigned int last, int *ret_ifindex)
{
	struct nv_link hn = fake_link(datapath->fake, "hn0");

	hn.mtu = 9000;
	for (unsigned int nth = 1; nth <= 3 - last; nth++)
		fake_fail(datapath->fake, FAKE_LINK_ADD, nth, -EOPNOTSUPP);
	return nv_lagg_create(datapath, &hn, "lagg0", NV_LAGG_BPF, ret_ifindex);
}

static const char *sysctl(struct nv_datapath *datapath, const char *path)
{
	for (size_t i = 0; i < datapath->fake->n_sysctls; i++)
		if (!strcmp(datapath->fake->sysctl[i].path, path))
			return datapath->fake->sysctl[i].value;
	return "";
}

static void becomes_the_best_kind(void **state)
{
	static const char *const kinds[] = {"veth", "ifb", "dummy"};
	struct nv_datapath *datapath = *state;

	for (unsigned int last = 1; last <= 3; last++) {
		struct nv_link link;
		int ifindex = 0;

		assert_int_equal(create(datapath, last, &ifindex), 0);
		link = fake_link(datapath->fake, "lagg0");
		assert_int_equal(link.ifindex, ifindex);
		assert_string_equal(link.kind, kinds[last - 1]);
		assert_int_equal(link.mtu, 9000);
		assert_int_equal(link.mac[5], 0xaa);
		assert_int_equal(link.flags & (IFF_UP | IFF_NOARP | IFF_MULTICAST), IFF_MULTICAST);
		assert_string_equal(sysctl(datapath, "net/ipv6/conf/lagg0/addr_gen_mode"), "1");
		assert_string_equal(sysctl(datapath, "net/ipv6/conf/lagg0/accept_dad"), "0");
		assert_string_equal(sysctl(datapath, "net/ipv6/conf/lagg0/dad_transmits"), "0");
		assert_string_equal(sysctl(datapath, "net/ipv6/conf/lagg0/disable_ipv6"), "");
		assert_int_equal(datapath->pair.lagg, ifindex);
		assert_int_equal(datapath->pair.mac[5], 0xaa);

		assert_int_equal(nv_lagg_destroy(datapath, datapath->pair.hn), 0);
		assert_int_equal(datapath->pair.lagg, 0);
		assert_null(nv_links_by_name(&datapath->fake->links, "lagg0"));
	}
	assert_int_equal(create(datapath, 0, &(int){0}), -EOPNOTSUPP);
	assert_null(nv_links_by_name(&datapath->fake->links, "lagg0"));
}

static void shows_carrier_as_its_kind_can(void **state)
{
	struct nv_datapath *datapath = *state;
	struct nv_link link;
	int ifindex = 0;

	assert_int_equal(create(datapath, 1, &ifindex), 0);
	link = fake_link(datapath->fake, "lagg0p");
	assert_true(link.flags & IFF_NOARP);
	assert_string_equal(sysctl(datapath, "net/ipv6/conf/lagg0p/disable_ipv6"), "1");
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, true), 0);
	assert_true(fake_link(datapath->fake, "lagg0p").flags & IFF_UP);
	assert_false(fake_link(datapath->fake, "lagg0").flags & IFF_UP);
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, false), 0);
	assert_false(fake_link(datapath->fake, "lagg0p").flags & IFF_UP);
	assert_int_equal(nv_lagg_destroy(datapath, datapath->pair.hn), 0);

	assert_int_equal(create(datapath, 2, &ifindex), 0);
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, false), 0);
	assert_int_equal(fake_link(datapath->fake, "lagg0").link_mode, IF_LINK_MODE_DORMANT);
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, true), 0);
	assert_int_equal(fake_link(datapath->fake, "lagg0").link_mode, IF_LINK_MODE_DEFAULT);
	nv_lagg_destroy(datapath, datapath->pair.hn);

	assert_int_equal(create(datapath, 3, &ifindex), 0);
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, false), 0);
	assert_false(fake_link(datapath->fake, "lagg0").carrier);
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, true), 0);
	assert_true(fake_link(datapath->fake, "lagg0").carrier);
	fake_del_link(datapath->fake, ifindex);
	assert_int_equal(nv_lagg_set_carrier(datapath, ifindex, true), -ENODEV);
}

static int create_bond(struct nv_datapath *datapath)
{
	struct nv_link hn = fake_link(datapath->fake, "hn0");
	int ifindex = 0;

	assert_int_equal(nv_lagg_create(datapath, &hn, "lagg0", NV_LAGG_BOND, &ifindex), 0);
	return ifindex;
}

static void bond_takes_ports_and_gives_them_back(void **state)
{
	struct nv_datapath *datapath = *state;
	struct fake_kernel *fake = datapath->fake;
	int vf = fake_make_link(fake, "vf0", "e1000e", 0xaa);
	int lagg = create_bond(datapath);
	struct nv_link link = fake_link(fake, "lagg0");

	assert_string_equal(link.kind, "bond");
	assert_int_equal(link.mac[5], 0xaa);
	assert_true(link.flags & IFF_UP);
	assert_string_equal(sysctl(datapath, "net/ipv6/conf/lagg0/addr_gen_mode"), "1");
	assert_int_equal(datapath->pair.lagg, lagg);
	assert_true(nv_lagg_has_ports(&link));

	assert_int_equal(nv_lagg_take_port(datapath, lagg, vf), 0);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, datapath->pair.hn), 0);
	link = fake_link(fake, "vf0");
	assert_int_equal(link.master, lagg);
	assert_true(link.flags & IFF_UP);

	/* Again, and nothing happens to it. */
	nv_str_clear(&fake->log);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, vf), 0);
	assert_string_equal(nv_str_text(&fake->log), "");

	assert_int_equal(nv_lagg_prefer(datapath, lagg, vf), 0);
	assert_int_equal(fake_link(fake, "lagg0").primary, vf);
	assert_int_equal(nv_lagg_set_carrier(datapath, lagg, false), 0);
	assert_true(fake_link(fake, "vf0").carrier);

	/* A port that was down stays so. */
	assert_int_equal(nv_kernel_link_up(fake->kernel, vf, false), 0);
	assert_int_equal(nv_lagg_destroy(datapath, datapath->pair.hn), 0);
	assert_int_equal(fake_link(fake, "hn0").master, 0);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);
	assert_int_equal(fake_link(fake, "vf0").master, 0);
	assert_false(fake_link(fake, "vf0").flags & IFF_UP);
	assert_null(nv_links_by_name(&fake->links, "lagg0"));
}

static void bond_that_cannot_take_a_port_leaves_it_as_it_was(void **state)
{
	struct nv_datapath *datapath = *state;
	struct fake_kernel *fake = datapath->fake;
	int vf = fake_make_link(fake, "vf0", "e1000e", 0xaa);
	int lagg = create_bond(datapath);
	struct nv_link other = {.name = "bond0", .kind = "bond", .mtu = 1500};
	struct nv_link link;

	/* Refused. The first change is to set it down, the second to enter. */
	fake_fail(fake, FAKE_LINK_SET, 2, -EINVAL);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, vf), -EINVAL);
	assert_int_equal(fake_link(fake, "vf0").master, 0);
	assert_true(fake_link(fake, "vf0").flags & IFF_UP);

	/* Somebody opens it in between: it is tried again, but not for ever. */
	fake_fail(fake, FAKE_LINK_SET, 2, -EPERM);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, vf), 0);
	assert_int_equal(fake_link(fake, "vf0").master, lagg);
	for (unsigned int nth = 2; nth <= 20; nth += 2)
		fake_fail(fake, FAKE_LINK_SET, nth, -EPERM);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, datapath->pair.hn), -EPERM);
	assert_true(fake_link(fake, "hn0").flags & IFF_UP);

	/* Another's port. */
	link = fake_link(fake, "hn0");
	link.master = fake_put_link(fake, &other);
	fake_put_link(fake, &link);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, link.ifindex), -EBUSY);
	assert_int_equal(fake_link(fake, "hn0").master, link.master);
	assert_int_equal(nv_lagg_take_port(datapath, lagg, 4711), -ENODEV);
}

static void bond_that_has_lost_its_ports_is_taken_over(void **state)
{
	struct nv_datapath *datapath = *state;
	struct fake_kernel *fake = datapath->fake;
	struct nv_link hn = fake_link(fake, "hn0");
	int lagg = create_bond(datapath);
	struct nv_link link = fake_link(fake, "lagg0");
	int ifindex = 0;

	/* hn has gone with its pair, and is back; the kernel has given the bond another MAC. */
	datapath->pair.lagg = 0;
	link.mac[5] = 0x77;
	link.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	fake_put_link(fake, &link);
	assert_int_equal(nv_lagg_create(datapath, &hn, "lagg0", NV_LAGG_BOND, &ifindex), 0);
	assert_int_equal(ifindex, lagg);

	/* One with ports is somebody else's. */
	datapath->pair.lagg = 0;
	assert_int_equal(nv_lagg_take_port(datapath, lagg, hn.ifindex), 0);
	assert_int_equal(nv_lagg_create(datapath, &hn, "lagg0", NV_LAGG_BOND, &ifindex), -EEXIST);
}

static void kernel_without_bonding_says_so(void **state)
{
	struct nv_datapath *datapath = *state;
	struct nv_link hn = fake_link(datapath->fake, "hn0");
	struct nv_link link;
	int ifindex = 0;

	fake_fail(datapath->fake, FAKE_LINK_ADD, 1, -EOPNOTSUPP);
	assert_int_equal(
		nv_lagg_create(datapath, &hn, "lagg0", NV_LAGG_BOND, &ifindex), -EOPNOTSUPP);
	assert_int_equal(ifindex, 0);

	assert_int_equal(create(datapath, 3, &ifindex), 0);
	link = fake_link(datapath->fake, "lagg0");
	assert_false(nv_lagg_has_ports(&link));
	assert_int_equal(nv_lagg_take_port(datapath, ifindex, hn.ifindex), 0);
	assert_int_equal(fake_link(datapath->fake, "hn0").master, 0);
}

static void failure_leaves_nothing_behind(void **state)
{
	static const enum fake_op ops[] = {FAKE_LINK_SET, FAKE_SYSCTL_WRITE};
	struct nv_datapath *datapath = *state;
	int ifindex = 0;

	for (size_t i = 0; i < NV_ARRAY_SIZE(ops); i++) {
		fake_fail(datapath->fake, ops[i], 1, -EIO);
		assert_int_equal(create(datapath, 3, &ifindex), -EIO);
		assert_null(nv_links_by_name(&datapath->fake->links, "lagg0"));
	}
	datapath->error = -EBUSY;
	assert_int_equal(create(datapath, 3, &ifindex), -EBUSY);
	assert_null(nv_links_by_name(&datapath->fake->links, "lagg0"));
	datapath->error = 0;
	assert_int_equal(ifindex, 0);

	/* Without IPv6 there is nothing to say about it. */
	for (unsigned int nth = 1; nth <= 3; nth++)
		fake_fail(datapath->fake, FAKE_SYSCTL_WRITE, nth, -ENOENT);
	assert_int_equal(create(datapath, 3, &ifindex), 0);
}

static void half_made_one_is_taken_over(void **state)
{
	struct nv_datapath *datapath = *state;
	struct nv_link orphan = {.name = "lagg0", .kind = "dummy", .has_mac = true, .mtu = 1500};
	int ifindex = 0;

	memcpy(orphan.mac, fake_link(datapath->fake, "hn0").mac, sizeof(orphan.mac));
	orphan.ifindex = fake_put_link(datapath->fake, &orphan);
	assert_int_equal(create(datapath, 3, &ifindex), 0);
	assert_int_equal(ifindex, orphan.ifindex);
	assert_int_equal(datapath->pair.lagg, orphan.ifindex);

	ifindex = 0;
	assert_int_equal(create(datapath, 3, &ifindex), -EEXIST);
	assert_int_equal(ifindex, orphan.ifindex);

	/* The same link, but in use by somebody else. */
	datapath->pair.lagg = 0;
	orphan.flags = IFF_UP;
	fake_put_link(datapath->fake, &orphan);
	ifindex = 0;
	assert_int_equal(create(datapath, 3, &ifindex), -EEXIST);
	assert_int_equal(ifindex, 0);
}

static void entry_has_no_wrong_state(void **state)
{
	struct nv_entry entry = {.hn = 2};

	(void)state;
	for (entry.mode = NV_MODE_HN; entry.mode <= NV_MODE_VF; entry.mode++) {
		for (entry.active = NV_PORT_HN; entry.active <= NV_PORT_VF; entry.active++) {
			entry.vf = entry.lagg = 0;
			assert_int_equal(nv_entry_active(&entry), 2);
			assert_int_equal(nv_entry_upper(&entry), 2);
			entry.vf = 3;
			entry.lagg = 4;
			assert_int_equal(
				nv_entry_active(&entry), entry.active == NV_PORT_VF ? 3 : 2);
			assert_int_equal(nv_entry_upper(&entry), entry.mode == NV_MODE_LAGG ? 4
								 : entry.mode == NV_MODE_VF ? 3
											    : 2);
		}
	}
	assert_true(nv_entry_has(&entry, 2) && nv_entry_has(&entry, 3) && nv_entry_has(&entry, 4));
	assert_false(nv_entry_has(&entry, 5));
	assert_true(sizeof(entry) >= NV_ENTRY_FIRST_SIZE);
	assert_true(offsetof(struct nv_entry, mac) + sizeof(entry.mac) <= NV_ENTRY_FIRST_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(becomes_the_best_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(shows_carrier_as_its_kind_can, setup, teardown),
		cmocka_unit_test_setup_teardown(
			bond_takes_ports_and_gives_them_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			bond_that_cannot_take_a_port_leaves_it_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
			bond_that_has_lost_its_ports_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(kernel_without_bonding_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(failure_leaves_nothing_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(half_made_one_is_taken_over, setup, teardown),
		cmocka_unit_test(entry_has_no_wrong_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
