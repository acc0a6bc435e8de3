/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "base/cleanup.h"
#include "control/text.h"

static void texts_of_any_bytes(void **state)
{
	static const char *const texts[][2] = {
		{"hn0", "hn0"},
		{"", ""},
		{"h\xc3\xb6", "h\xc3\xb6"},
		{"h\xff \xc3\xb6", "h\\xff \\xc3\\xb6"},
		{"\xc3", "\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(texts); i++) {
		json_auto_t *json = nv_json_string(texts[i][0]);

		assert_string_equal(json_string_value(json), texts[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
