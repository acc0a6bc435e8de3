/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept from one boot to the next. */
#include "cm.h"
#include "services/unused_hn.h"

#include "base/cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

static const struct nv_link hn = {.mac = {2, 0x15, 0x5d, 0x4e, 0x56, 1}};
static char top[] = "/tmp/netvf-unused-XXXXXX";
static char dir[sizeof(top) + 8];

static int set_up(void **state)
{
	(void)state;
	strcpy(strrchr(top, '-'), "-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	return snprintf(dir, sizeof(dir), "%s/state", top) < 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void each_hn_is_kept_by_its_mac(void **state)
{
	static const struct nv_link other = {.mac = {2, 0x15, 0x5d, 0x4e, 0x56, 2}};

	(void)state;
	assert_false(nv_unused_hn_is_kept(dir, &hn));
	assert_int_equal(nv_unused_hn_keep(dir, &hn, false), 0);
	assert_int_equal(nv_unused_hn_keep(dir, &hn, true), 0);
	assert_int_equal(nv_unused_hn_keep(dir, &hn, true), 0);
	assert_true(nv_unused_hn_is_kept(dir, &hn));
	assert_false(nv_unused_hn_is_kept(dir, &other));
	assert_int_equal(nv_unused_hn_keep(dir, &other, false), 0);
	assert_true(nv_unused_hn_is_kept(dir, &hn));
	assert_int_equal(nv_unused_hn_keep(dir, &hn, false), 0);
	assert_false(nv_unused_hn_is_kept(dir, &hn));
}

static void there_is_an_end_to_them(void **state)
{
	struct nv_link many = {.mac = {2}};

	(void)state;
	for (unsigned int i = 0; i < NV_UNUSED_HNS_MAX; i++) {
		many.mac[5] = (uint8_t)i;
		assert_int_equal(nv_unused_hn_keep(dir, &many, true), 0);
	}
	assert_int_equal(nv_unused_hn_keep(dir, &hn, true), -ENOSPC);
	assert_int_equal(nv_unused_hn_keep(dir, &many, true), 0); /* it is there */
	assert_int_equal(nv_unused_hn_keep(dir, &many, false), 0);
	assert_int_equal(nv_unused_hn_keep(dir, &hn, true), 0);
}

static void what_is_in_its_way_is_told(void **state)
{
	FILE *file = fopen(dir, "we");

	(void)state;
	assert_non_null(file);
	fclose(file);
	assert_int_equal(nv_unused_hn_keep(dir, &hn, true), -ENOTDIR);
	assert_false(nv_unused_hn_is_kept(dir, &hn));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_hn_is_kept_by_its_mac, set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_is_an_end_to_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_its_way_is_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
