/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/str.h"
#include "netvfd/history.h"

#include <string.h>

static json_int_t number_at(const json_t *list, size_t at)
{
	return json_integer_value(json_object_get(json_array_get(list, at), "n"));
}

static void the_newest_are_last_and_the_oldest_make_room(void **state)
{
	NV_AUTO(nv_history) struct nv_history *history = NULL;
	json_auto_t *all = NULL;
	json_auto_t *some = NULL;
	json_auto_t *more = NULL;

	(void)state;
	assert_int_equal(nv_history_new(&history), 0);
	for (int i = 1; i <= NV_HISTORY_MAX + 3; i++)
		nv_history_add(history, "x", "{si}", "n", i);
	all = nv_history_get(history, 0);
	assert_int_equal(json_array_size(all), NV_HISTORY_MAX);
	for (int i = 0; i < NV_HISTORY_MAX; i++)
		assert_int_equal(number_at(all, i), i + 4);
	some = nv_history_get(history, 2);
	assert_int_equal(json_array_size(some), 2);
	assert_int_equal(number_at(some, 0), NV_HISTORY_MAX + 2);
	assert_int_equal(number_at(some, 1), NV_HISTORY_MAX + 3);
	more = nv_history_get(history, NV_HISTORY_MAX + 1);
	assert_int_equal(json_array_size(more), NV_HISTORY_MAX);
}

static void what_is_too_long_to_be_sent_is_left_out(void **state)
{
	NV_AUTO(nv_history) struct nv_history *history = NULL;
	NV_AUTO(nv_str) struct nv_str text = {};
	json_auto_t *all = NULL;
	json_auto_t *one = NULL;
	size_t count;

	(void)state;
	assert_int_equal(nv_history_new(&history), 0);
	for (int i = 0; i < 1000; i++)
		nv_str_add(&text, "x");
	for (int i = 1; i <= NV_HISTORY_MAX; i++)
		nv_history_add(history, "x", "{si ss}", "n", i, "command", nv_str_text(&text));
	all = nv_history_get(history, 0);
	count = json_array_size(all);
	assert_uint_in_range(count, NV_HISTORY_BYTES / 1100, NV_HISTORY_BYTES / 1000);
	assert_int_equal(number_at(all, count - 1), NV_HISTORY_MAX);
	assert_uint_in_range(json_dumpb(all, NULL, 0, JSON_COMPACT), 0, NV_HISTORY_BYTES + 2);
	while (nv_str_text(&text)[0] && strlen(nv_str_text(&text)) < NV_HISTORY_BYTES)
		nv_str_add(&text, "xxxxxxxxxxxxxxxx");
	nv_history_add(history, "x", "{ss}", "command", nv_str_text(&text));
	one = nv_history_get(history, 0);
	assert_int_equal(json_array_size(one), 1);
}

static void each_has_its_kind_and_time(void **state)
{
	NV_AUTO(nv_history) struct nv_history *history = NULL;
	json_auto_t *all = NULL;
	const json_t *entry;

	(void)state;
	assert_int_equal(nv_history_new(&history), 0);
	nv_history_add(history, "switch", "{ss}", "hn", "hn0");
	nv_history_add(history, "switch", "{ss}", "hn", NULL); /* no object: it is left out */
	all = nv_history_get(history, 0);
	assert_int_equal(json_array_size(all), 1);
	entry = json_array_get(all, 0);
	assert_string_equal(json_string_value(json_object_get(entry, "what")), "switch");
	assert_string_equal(json_string_value(json_object_get(entry, "hn")), "hn0");
	assert_true(json_real_value(json_object_get(entry, "time")) > 1e9);
}

static void an_empty_one_is_a_list(void **state)
{
	NV_AUTO(nv_history) struct nv_history *history = NULL;
	json_auto_t *all = NULL;

	(void)state;
	assert_int_equal(nv_history_new(&history), 0);
	all = nv_history_get(history, 10);
	assert_true(json_is_array(all));
	assert_int_equal(json_array_size(all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_are_last_and_the_oldest_make_room),
		cmocka_unit_test(what_is_too_long_to_be_sent_is_left_out),
		cmocka_unit_test(each_has_its_kind_and_time),
		cmocka_unit_test(an_empty_one_is_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
