/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "event/event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct timespec NOON = {.tv_sec = 1700000000, .tv_nsec = 12345678};

static struct nv_event *parse(const char *line)
{
	struct nv_event *event = NULL;

	assert_int_equal(nv_event_parse(line, strlen(line), &NOON, &event), 0);
	return event;
}

/* Fails with the names of event line and variable. */
static void expect_at(const char *line, const char *name, const char *value, int at)
{
	NV_AUTO(nv_event) struct nv_event *event = parse(line);
	const char *got = nv_event_get(event, name);

	if (!nv_streq(got, value))
		fail_msg("line %d: %s of [%s] is [%s], not [%s]", at, name, line,
			got ? got : "(unset)", value ? value : "(unset)");
}

#define expect(line, name, value) expect_at(line, name, value, __LINE__)

static void notify_sets_its_pairs(void **state)
{
	const char *line = "!system=IFNET subsystem=hn0 type=LINK_UP\n\n";

	(void)state;
	expect(line, "system", "IFNET");
	expect(line, "subsystem", "hn0");
	expect(line, "type", "LINK_UP");
	expect(line, "*", "!system=IFNET subsystem=hn0 type=LINK_UP");
	expect(line, "_", "system=IFNET subsystem=hn0 type=LINK_UP");
	expect(line, "timestamp", "1700000000.012345");
	expect(line, "device-name", NULL);
	expect(line, "bus", NULL);
	expect(line, "System", NULL);
}

static void device_lines_have_a_name_and_a_bus(void **state)
{
	const char *attach = "+e1000e0 at slot=3 function=0 dbsf=pci0:0:3:0 vendor=0x8086 "
			     "device=0x10d3 on pci0";
	const char *nomatch = "? at slot=4 vendor=0x1af4 on pci1 the second";

	(void)state;
	expect(attach, "device-name", "e1000e0");
	expect(attach, "slot", "3");
	expect(attach, "dbsf", "pci0:0:3:0");
	expect(attach, "device", "0x10d3");
	expect(attach, "bus", "pci0");
	expect("-hn0 at a=b on vmbus0", "device-name", "hn0");
	expect(nomatch, "device-name", NULL);
	expect(nomatch, "slot", "4");
	expect(nomatch, "vendor", "0x1af4");
	expect(nomatch, "bus", "pci1 the second");
	expect("+loner", "device-name", "loner");
	expect("+loner", "bus", NULL);
	expect("+x at on=1 on y", "on", "1");
	expect("+x at on=1 on y", "bus", "y");
	expect("+x   a=1 on y", "a", "1");
}

static void an_empty_location_does_not_stop_the_parse(void **state)
{
	const char *line = "+hn0 at  classid=f8615163 deviceid=8c5f on vmbus0";

	(void)state;
	expect(line, "classid", "f8615163");
	expect(line, "deviceid", "8c5f");
	expect(line, "bus", "vmbus0");
	expect("+x at   on pci0", "bus", "pci0");
	expect("? at   on .", "bus", ".");
}

static void values_end_at_white_space_or_at_their_quote(void **state)
{
	(void)state;
	expect("!a=\"x y\" b=2", "a", "x y");
	expect("!a=\"x y\" b=2", "b", "2");
	expect("!a=\"x\"b=2", "b", "2");
	expect("!a=\"\" b=2", "a", "");
	expect("!a= b=2", "a", "");
	expect("!a= b=2", "b", "2");
	expect("!a=x\"y z\"", "a", "x\"y");
	expect("!a=1=2 b=3", "a", "1=2");
	expect("!a=1\t \tb=2", "b", "2");
	expect("!=1 b=2", "", "1");
	expect("!a_B-9=1", "a_B-9", "1");
	expect("!a=1 a=2 c=3", "a", "2");
}

static void only_an_escaped_quote_is_unescaped(void **state)
{
	(void)state;
	expect("!a=\"say \\\"hi\\\"\" b=2", "a", "say \"hi\"");
	expect("!a=x\\\"y b=2", "a", "x\"y");
	expect("!a=\"c:\\\\x \\n\" b=2", "a", "c:\\\\x \\n");
	expect("!a=x\\\\\\\"", "a", "x\\\\\"");
	/* The quote after the doubled backslash does not close, for devd looks one byte back. */
	expect("!a=\"x\\\\\" b=\"y\" c=3", "a", "x\\\" b=");
}

static void what_does_not_fit_ends_the_parse(void **state)
{
	(void)state;
	expect("! system=IFNET", "system", NULL);
	expect("!a=1 junk b=2", "a", "1");
	expect("!a=1 junk b=2", "b", NULL);
	expect("!a=1 b.c=2 d=3", "d", NULL);
	expect("!a=1 b=\"open c=3", "a", "1");
	expect("!a=1 b=\"open c=3", "b", NULL);
	expect("!a=1 b=\"open c=3", "c", NULL);
	expect("+x at a=\"open on pci0", "bus", NULL);
	expect("#a=1", "a", NULL);
	expect("#a=1", "_", "a=1");
	expect("!", "_", "");
}

static void kinds_and_subjects(void **state)
{
	static const struct {
		const char *line;
		enum nv_event_kind kind;
		const char *subject;
	} cases[] = {
		{"!system=IFNET subsystem=hn0 type=UP", NV_EVENT_NOTIFY, "hn0"},
		{"!system=IFNET", NV_EVENT_NOTIFY, ""},
		{"+e0 at  on pci0", NV_EVENT_ATTACH, "e0"},
		{"-e0 at  on pci0", NV_EVENT_DETACH, "e0"},
		{"? at  subsystem=x on pci0", NV_EVENT_NOMATCH, ""},
		{"subsystem=hn0", NV_EVENT_UNKNOWN, ""},
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++) {
		NV_AUTO(nv_event) struct nv_event *event = parse(cases[i].line);

		assert_int_equal(nv_event_kind(event), cases[i].kind);
		assert_string_equal(nv_event_subject(event), cases[i].subject);
		assert_string_equal(nv_event_line(event), cases[i].line);
	}
}

static int collect(const char *name, const char *value, void *data)
{
	nv_str_printf(data, "[%s=%s]", name, value);
	return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void each_goes_in_order_until_stopped(void **state)
{
	NV_AUTO(nv_event) struct nv_event *event = parse("!b=1 a=2 b=3 stop= c=4");
	NV_AUTO(nv_str) struct nv_str seen = {};

	(void)state;
	assert_int_equal(nv_event_each(event, collect, &seen), 7);
	assert_string_equal(nv_str_text(&seen),
		"[*=!b=1 a=2 b=3 stop= c=4][_=b=1 a=2 b=3 stop= c=4]"
		"[timestamp=1700000000.012345][b=3][a=2][stop=]");
}

static void bad_lines_are_refused(void **state)
{
	struct nv_event *event = NULL;
	char line[NV_EVENT_LINE_MAX + 3];

	(void)state;
	assert_int_equal(nv_event_parse("", 0, &NOON, &event), -EINVAL);
	assert_int_equal(nv_event_parse("\n\n", 2, &NOON, &event), -EINVAL);
	assert_int_equal(nv_event_parse("!a\0b", 4, &NOON, &event), -EINVAL);
	memset(line, '=', sizeof(line));
	line[0] = '!';
	assert_int_equal(nv_event_parse(line, NV_EVENT_LINE_MAX + 1, &NOON, &event), -EMSGSIZE);
	assert_null(event);

	line[NV_EVENT_LINE_MAX] = line[NV_EVENT_LINE_MAX + 1] = '\n';
	assert_int_equal(nv_event_parse(line, NV_EVENT_LINE_MAX + 2, &NOON, &event), 0);
	assert_int_equal(strlen(nv_event_line(event)), NV_EVENT_LINE_MAX);
	event = nv_event_free(event);

	/* As many variables as a line can hold. */
	for (size_t i = 1; i < NV_EVENT_LINE_MAX; i++)
		line[i] = i % 2 ? '=' : ' ';
	assert_int_equal(nv_event_parse(line, NV_EVENT_LINE_MAX, &NOON, &event), 0);
	event = nv_event_free(event);
}

static void lines_are_written_as_the_kernel_writes_them(void **state)
{
	const struct nv_event_var cdev = {"cdev", "hv_kvp_dev"};
	const struct nv_event_var location[] = {{"slot", "3"}, {"function", "0"}};
	const struct nv_event_var pnpinfo[] = {{"vendor", "0x8086"}};
	NV_AUTO(nv_str) struct nv_str line = {};

	(void)state;
	assert_int_equal(nv_event_format_notify(&line, "DEVFS", "CDEV", "CREATE", &cdev, 1), 0);
	assert_string_equal(line.text, "!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev");
	assert_int_equal(nv_event_format_notify(&line, "IFNET", "hn0", "ATTACH", NULL, 0), 0);
	assert_string_equal(line.text, "!system=IFNET subsystem=hn0 type=ATTACH");
	assert_int_equal(nv_event_format_device(
				 &line, NV_EVENT_ATTACH, "e0", location, 2, pnpinfo, 1, "pci0"),
		0);
	assert_string_equal(line.text, "+e0 at slot=3 function=0 vendor=0x8086 on pci0");
	assert_int_equal(
		nv_event_format_device(&line, NV_EVENT_NOMATCH, NULL, NULL, 0, pnpinfo, 1, NULL),
		0);
	assert_string_equal(line.text, "? at  vendor=0x8086 on .");
	assert_int_equal(
		nv_event_format_device(&line, NV_EVENT_DETACH, "a b\n", NULL, 0, NULL, 0, "p\nq"),
		0);
	assert_string_equal(line.text, "-a_b_ at   on p q");
}

static void a_line_that_is_too_long_is_refused(void **state)
{
	NV_AUTO(nv_str) struct nv_str line = {};
	char value[NV_EVENT_LINE_MAX + 1];
	size_t rest = NV_EVENT_LINE_MAX - strlen("!system=A subsystem=B type=");

	(void)state;
	memset(value, 'x', sizeof(value));
	value[rest + 1] = '\0';
	assert_int_equal(nv_event_format_notify(&line, "A", "B", value, NULL, 0), -EMSGSIZE);
	value[rest] = '\0';
	assert_int_equal(nv_event_format_notify(&line, "A", "B", value, NULL, 0), 0);
}

static unsigned int seed = 1;

static unsigned int dice(unsigned int sides)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % sides;
}

/* A value out of what hurts most; at most 15 bytes, like an interface's name. */
static void hostile_value(char *value)
{
	static const char alphabet[] = "\"\"\\\\'`$();|&<>= =\tab#!~*?\n\x01\x7f\xc3\xa9";
	size_t length = dice(16);

	for (size_t i = 0; i < length; i++)
		value[i] = alphabet[dice(sizeof(alphabet) - 1)];
	value[length] = '\0';
}

/* What comes back, by the two exceptions that event.h names. */
static void as_expected(const char *value, char *expected)
{
	size_t length = strlen(value);
	bool space = false;

	for (size_t i = 0; i <= length; i++) {
		bool control = i < length && ((unsigned char)value[i] < ' ' || value[i] == 0x7f);

		expected[i] = control ? ' ' : value[i];
		space |= expected[i] == ' ';
	}
	if (space && value[length - 1] == '\\')
		strcpy(expected + length, " ");
}

static void every_value_comes_back(void **state)
{
	static const char *const kept[] = {"eth\"0", "a;b", "$(touch x)", "`x`", "a=b", "\"", "\\",
		"\\\"", "a b\"c", "\\\\\" x", "x'y", "\"\"\"", "a\\ b"};

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		NV_AUTO(nv_str) struct nv_str line = {};
		NV_AUTO(nv_event) struct nv_event *event = NULL;
		char value[5][17];
		char expected[5][18];
		struct nv_event_var vars[] = {{"cdev", value[3]}, {"name", value[4]}};

		for (int v = 0; v < 5; v++) {
			hostile_value(value[v]);
			if (v == 1 && i < NV_ARRAY_SIZE(kept))
				strcpy(value[v], kept[i]);
			as_expected(value[v], expected[v]);
		}
		if (i < NV_ARRAY_SIZE(kept))
			assert_string_equal(expected[1], kept[i]);
		assert_int_equal(
			nv_event_format_notify(&line, value[0], value[1], value[2], vars, 2), 0);
		event = parse(nv_str_text(&line));
		assert_string_equal(nv_event_get(event, "system"), expected[0]);
		assert_string_equal(nv_event_get(event, "subsystem"), expected[1]);
		assert_string_equal(nv_event_get(event, "type"), expected[2]);
		assert_string_equal(nv_event_get(event, "cdev"), expected[3]);
		assert_string_equal(nv_event_get(event, "name"), expected[4]);
		assert_string_equal(nv_event_subject(event), expected[1]);
	}
}

static void every_device_comes_back(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 50000; i++) {
		NV_AUTO(nv_str) struct nv_str line = {};
		NV_AUTO(nv_event) struct nv_event *event = NULL;
		char value[2][17];
		char expected[2][18];
		struct nv_event_var location = {"loc", value[0]};
		struct nv_event_var pnpinfo = {"pnp", value[1]};
		size_t n_location = dice(2);
		size_t n_pnpinfo = dice(2);

		for (int v = 0; v < 2; v++) {
			hostile_value(value[v]);
			as_expected(value[v], expected[v]);
		}
		assert_int_equal(nv_event_format_device(&line, NV_EVENT_ATTACH, "a$(b)\"c",
					 &location, n_location, &pnpinfo, n_pnpinfo, "pci 0"),
			0);
		event = parse(nv_str_text(&line));
		assert_string_equal(nv_event_get(event, "device-name"), "a$(b)\"c");
		assert_string_equal(nv_event_get(event, "bus"), "pci 0");
		if (n_location)
			assert_string_equal(nv_event_get(event, "loc"), expected[0]);
		else
			assert_null(nv_event_get(event, "loc"));
		if (n_pnpinfo)
			assert_string_equal(nv_event_get(event, "pnp"), expected[1]);
		else
			assert_null(nv_event_get(event, "pnp"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notify_sets_its_pairs),
		cmocka_unit_test(device_lines_have_a_name_and_a_bus),
		cmocka_unit_test(an_empty_location_does_not_stop_the_parse),
		cmocka_unit_test(values_end_at_white_space_or_at_their_quote),
		cmocka_unit_test(only_an_escaped_quote_is_unescaped),
		cmocka_unit_test(what_does_not_fit_ends_the_parse),
		cmocka_unit_test(kinds_and_subjects),
		cmocka_unit_test(each_goes_in_order_until_stopped),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(lines_are_written_as_the_kernel_writes_them),
		cmocka_unit_test(a_line_that_is_too_long_is_refused),
		cmocka_unit_test(every_value_comes_back),
		cmocka_unit_test(every_device_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
