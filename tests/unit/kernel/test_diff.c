/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/cleanup.h"
#include "kernel/diff.h"

#include <string.h>

#define FIELD(name)                                   \
	{                                             \
#name, offsetof(struct nv_link, name) \
	}

/* One that is left out is a change of which nobody hears. */
static void links_are_equal_in_all_fields(void **state)
{
	static const struct {
		const char *name;
		size_t at;
	} fields[] = {
		FIELD(ifindex),
		FIELD(name),
		FIELD(type),
		FIELD(flags),
		FIELD(mtu),
		FIELD(tx_queue_len),
		FIELD(group),
		FIELD(promiscuity),
		FIELD(operstate),
		FIELD(link_mode),
		FIELD(carrier),
		FIELD(has_mac),
		FIELD(has_permanent_mac),
		FIELD(mac),
		FIELD(permanent_mac),
		FIELD(master),
		FIELD(stp),
		FIELD(isolated),
		FIELD(primary),
		FIELD(lower),
		FIELD(lower_elsewhere),
		FIELD(vlan_id),
		FIELD(vlan_is_8021ad),
		FIELD(vlan),
		FIELD(vlan_length),
		FIELD(addr_gen_mode),
		FIELD(token),
		FIELD(kind),
		FIELD(driver),
		FIELD(parent_bus),
		FIELD(parent_dev),
		FIELD(alias),
	};
	const struct nv_link link = {.has_mac = true, .has_permanent_mac = true, .vlan_length = 8};

	(void)state;
	assert_true(nv_link_equal(&link, &link));
	for (size_t i = 0; i < NV_ARRAY_SIZE(fields); i++) {
		struct nv_link other = link;

		((uint8_t *)&other)[fields[i].at] ^= 1;
		if (nv_link_equal(&link, &other) || nv_link_equal(&other, &link))
			fail_msg("%s makes no difference", fields[i].name);
	}
}

static void what_is_not_there_makes_no_difference(void **state)
{
	struct nv_link a = {};
	struct nv_link b = {.mac = {1}, .permanent_mac = {1}, .vlan = {1}};

	(void)state;
	assert_true(nv_link_equal(&a, &b));
	/* Of mappings that did not fit only the length is known. */
	a.vlan_length = b.vlan_length = NV_VLAN_MAX + 1;
	assert_true(nv_link_equal(&a, &b));
	b.vlan_length++;
	assert_false(nv_link_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_equal_in_all_fields),
		cmocka_unit_test(what_is_not_there_makes_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
