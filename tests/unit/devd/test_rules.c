/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rule an event finds. */
#include "rules_help.h"

#include <errno.h>

/* The media types of the interfaces in these tests. */
static const char *media_of(const char *ifname, void *data)
{
	(void)data;
	if (strcmp(ifname, "hn0") == 0)
		return "Ethernet";
	if (strcmp(ifname, "wlan0") == 0)
		return "802.11";
	return NULL;
}

/* The line number of the rule that an event finds, by both ways; 0: none. */
static unsigned int found(const struct nv_rules *rules, const char *line)
{
	NV_AUTO(nv_event) struct nv_event *event = event_of(line);
	const struct nv_rule *rule = nv_rules_match(rules, event, media_of, NULL);

	assert_ptr_equal(rule, nv_rules_match_slowly(rules, event, media_of, NULL));
	return rule ? nv_rule_line(rule) : 0;
}

static void expect_at(const char *conf, const char *line, unsigned int rule, int at)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = rules_of(conf);
	unsigned int is = found(rules, line);

	if (is != rule)
		fail_msg("line %d: %s finds the rule of line %u, not %u", at, line, is, rule);
}

#define expect(conf, line, rule) expect_at(conf, line, rule, __LINE__)

/* A rule with one condition. */
#define WHERE(variable, pattern) "notify 0 { match \"" variable "\" \"" pattern "\"; };\n"

static void priority_then_place_decide(void **state)
{
	const char *conf = "notify 1 { match \"a\" \"[b]\"; };\n"
			   "notify 5 { match \"a\" \"b\"; };\n"
			   "notify 5 { match \"a\" \"b\"; action \"\"; };\n"
			   "attach 9 { match \"a\" \"b\"; };\n"
			   "notify 7 { match \"a\" \"c\"; };\n"
			   "notify 0 { action \"catch\"; };\n"
			   "notify 9 { };\n";

	(void)state;
	expect(conf, "!a=b", 2);
	expect(conf, "!a=c", 5);
	expect(conf, "!a=d", 6);
	expect(conf, "+x at a=b on y", 4);
	expect(conf, "-x at a=b on y", 0);
	expect(conf, "? at a=b on y", 0);
	expect(conf, "a=b", 0);
}

static void all_conditions_must_hold(void **state)
{
	const char *conf =
		"notify 0 { match \"a\" \"1\"; match \"b\" \"2\"; match \"a\" \"[0-9]\"; };";

	(void)state;
	expect(conf, "!a=1 b=2", 1);
	expect(conf, "!a=1 b=3", 0);
	expect(conf, "!a=1", 0);
}

static void patterns_are_whole_and_without_case(void **state)
{
	(void)state;
	expect(WHERE("a", "IFNet"), "!a=ifnET", 1);
	expect(WHERE("a", "IFNET"), "!a=IFNET2", 0);
	expect(WHERE("a", "hn[0-9]"), "!a=HN7", 1);
	expect(WHERE("a", "hn[0-9]"), "!a=HN77", 0);
	expect(WHERE("a", "n[0-9]"), "!a=hn7", 0);
	expect(WHERE("a", "hn$"), "!a=hn", 1);
	expect(WHERE("A", "b"), "!a=b", 0);
	expect(WHERE("a", "(em|igb)[0-9]+"), "!a=igb12", 1);
	/* FreeBSD's meaning of a | without parentheses. */
	expect(WHERE("a", "fxp0|ath0"), "!a=fxp0s", 1);
	expect(WHERE("a", "fxp0|ath0"), "!a=xath0", 1);
	expect(WHERE("a", "fxp0|ath0"), "!a=xfxp0", 0);
}

static void an_unset_variable_is_empty(void **state)
{
	(void)state;
	expect(WHERE("foo", ".*"), "!a=b", 1);
	expect(WHERE("foo", ""), "!a=b", 1);
	expect(WHERE("foo", ""), "!foo=", 1);
	expect(WHERE("foo", ""), "!foo=x", 0);
	expect(WHERE("foo", ".+"), "!foo=", 0);
}

static void negation_is_a_mark_in_the_file(void **state)
{
	const char *conf = "options { set not \"!b\"; };\n" WHERE("a", "$not");

	(void)state;
	expect(WHERE("a", "!b"), "!a=b", 0);
	expect(WHERE("a", "!b"), "!a=c", 1);
	expect(WHERE("a", "!b"), "!c=b", 1);
	expect(WHERE("a", "!usb[0-9]"), "!a=USB1", 0);
	expect(WHERE("a", "!!b"), "!a=!b", 0);
	expect(WHERE("a", "!!b"), "!a=b", 1);
	expect(WHERE("a", "!"), "!a=b", 1);
	expect(WHERE("a", "!"), "!a=", 0);
	expect(conf, "!a=!b", 2);
	expect(conf, "!a=c", 0);
}

static void patterns_know_only_what_was_set_before(void **state)
{
	const char *conf = "options { set nic \"(em|igb)\"; };\n" WHERE("a", "$nic[0-9]")
		WHERE("a", "$late") "options { set late \"x\"; set nic \"y\"; };\n";

	(void)state;
	expect(conf, "!a=em0", 2);
	expect(conf, "!a=y0", 0);
	expect(conf, "!a=x", 0);
	expect(conf, "!b=x", 3);
	expect(WHERE("a", "$b"), "!a=x b=x", 0);
	expect(WHERE("a", "$*"), "!b=", 1);
	expect(WHERE("a", "x\\$$"), "!a=x$", 1);
	expect(WHERE("a", "x$"), "!a=x", 1);
	expect(WHERE("a", "x$(y)"), "!a=x", 0);
}

static void a_set_variable_is_a_value_too(void **state)
{
	const char *conf = "options { set site \"lab\"; };\n" WHERE("site", "LAB");

	(void)state;
	expect(conf, "!a=b", 2);
	expect(conf, "!a=b site=home", 0);
	expect(conf, "!a=b site=Lab", 2);
}

static void sub_statements_name_their_variables(void **state)
{
	(void)state;
	expect("attach 0 { device-name \"em0\"; };", "+em0 at  on pci0", 1);
	expect("attach 0 { device-name \"em0\"; };", "+em1 at  on pci0", 0);
	expect("nomatch 0 { class \"0x02.*\"; subdevice \"0x1\"; };",
		"? at class=0x020000 subdevice=0x1 on pci0", 1);
	expect("nomatch 0 { class \"0x02.*\"; subdevice \"0x1\"; };",
		"? at class=0x020000 subdevice=0x2 on pci0", 0);
	expect("detach 0 { match \"bus\" \"pci[0-9]+\"; };", "-em0 at  a=b on pci12", 1);
	expect("notify 0 { match \"*\" \"!.a=b\"; };", "!a=b", 0);
	expect("notify 0 { match \"*\" \".a=b\"; match \"_\" \"a=b\"; };", "!a=b", 1);
	expect("notify 0 { match \"timestamp\" \"1[.]000002\"; };", "!a=b", 1);
}

static void media_types_are_asked_for(void **state)
{
#define MEDIA(type) "notify 0 { media-type \"" type "\"; };"
	(void)state;
	expect(MEDIA("ethernet"), "!subsystem=hn0", 1);
	expect(MEDIA("Ethernet"), "!subsystem=wlan0", 0);
	expect(MEDIA("802.11"), "!subsystem=wlan0", 1);
	expect(MEDIA("802.11"), "!subsystem=hn0 device-name=wlan0", 1);
	expect(MEDIA("Ethernet"), "!subsystem=gone0", 0);
	expect(MEDIA("unknown"), "!subsystem=gone0", 1);
	expect(MEDIA("unknown"), "!subsystem=hn0", 0);
	expect("attach 0 { media-type \"ethernet\"; };", "+hn0 at  on x", 1);
#undef MEDIA
}

static void without_a_way_to_ask_media_is_unknown(void **state)
{
	NV_AUTO(nv_rules)
	struct nv_rules *rules = rules_of("notify 1 { media-type \"Ethernet\"; };\n"
					  "notify 0 { media-type \"unknown\"; };\n");
	NV_AUTO(nv_event) struct nv_event *event = event_of("!subsystem=hn0");

	(void)state;
	assert_int_equal(nv_rule_line(nv_rules_match(rules, event, NULL, NULL)), 2);
}

static unsigned int seed = 7;

static unsigned int dice(unsigned int sides)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % sides;
}

/* More variables than an index looks at. */
static void variable_name(char *name)
{
	sprintf(name, "v%u", dice(4) ? dice(4) : dice(20));
}

static void random_rules(struct nv_str *text)
{
	static const char *const kinds[] = {"notify", "notify", "attach", "nomatch"};
	static const char *const patterns[] = {"one", "ONE", "Two", "", "three", "four", "!one",
		"!", "(one|two)", "t.*", ".*", "!t.*", "[a-z]+", "one|two", "fo[ou]r", "$s", "f$s"};
	char name[8];

	for (unsigned int i = dice(3); i > 0; i--) {
		variable_name(name);
		nv_str_printf(text, "options { set %s \"%s\"; set s \"our\"; };\n", name,
			dice(2) ? "one" : "four");
	}
	for (unsigned int i = dice(60); i > 0; i--) {
		nv_str_printf(text, "%s %u {", kinds[dice(NV_ARRAY_SIZE(kinds))], dice(4));
		for (unsigned int c = dice(4); c > 0; c--) {
			variable_name(name);
			nv_str_printf(text, " match \"%s\" \"%s\";", name,
				patterns[dice(NV_ARRAY_SIZE(patterns))]);
		}
		if (dice(10) == 0)
			nv_str_add(text, " media-type \"802.11\";");
		nv_str_add(text, dice(3) ? " action \"\"; };\n" : " };\n");
	}
}

static void random_event(struct nv_str *line)
{
	static const char *const heads[] = {"!", "+wlan0 at ", "? at "};
	static const char *const values[] = {"one", "One", "two", "three", "four", "foUr", "", "x"};
	char name[8];

	nv_str_add(line, heads[dice(NV_ARRAY_SIZE(heads))]);
	for (unsigned int i = dice(6); i > 0; i--) {
		variable_name(name);
		nv_str_printf(line, "%s=%s ", name, values[dice(NV_ARRAY_SIZE(values))]);
	}
	nv_str_add(line, "subsystem=hn0");
}

static void the_index_changes_no_answer(void **state)
{
	unsigned int hits = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		NV_AUTO(nv_str) struct nv_str text = {};
		NV_AUTO(nv_rules) struct nv_rules *rules = NULL;

		random_rules(&text);
		rules = rules_of(nv_str_text(&text));
		for (int e = 0; e < 100; e++) {
			NV_AUTO(nv_str) struct nv_str line = {};

			random_event(&line);
			hits += found(rules, nv_str_text(&line)) != 0;
		}
	}
	/* Neither everything nor nothing matched, so that the comparison says something. */
	assert_uint_in_range(hits, 10000, 39000);
}

static const char *guest_is_kvm(void *asked)
{
	(*(int *)asked)++;
	return "kvm";
}

/* Rules of a text on a guest of KVM, and what is said of them. */
static struct nv_rules *rules_on_kvm(const char *text, int *asked, struct nv_faults *faults)
{
	struct nv_rules *rules = NULL;

	assert_int_equal(
		nv_rules_parse("f", text, strlen(text), guest_is_kvm, asked, faults, &rules), 0);
	return rules;
}

static void vm_guest_is_a_variable_of_every_event(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	int asked = 0;

	(void)state;
	rules = rules_on_kvm("notify 9 { match \"vm_guest\" \"hv\"; match \"a\" \"b\"; };\n"
			     "notify 8 { match \"vm_guest\" \"KVM\"; match \"a\" \"b\"; };\n"
			     "attach 1 { match \"vm_guest\" \"!(xen|hv)\"; };\n",
		&asked, &faults);
	assert_int_equal(asked, 1);
	assert_int_equal(found(rules, "!a=b"), 2);
	assert_int_equal(found(rules, "+x at a=b on y"), 3);
	/* An event's own word counts more, as with every variable. */
	assert_int_equal(found(rules, "!a=b vm_guest=hv"), 1);
	assert_int_equal(faults.count, 1);
	assert_int_equal(faults.errors, 0);
	assert_int_equal(faults.fault[0].line, 1);
	assert_non_null(strstr(faults.fault[0].message, "vm_guest is kvm"));
}

static void vm_guest_is_looked_for_where_rules_name_it(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	int asked = 0;

	(void)state;
	nv_rules_free(rules_on_kvm(WHERE("guest", "kvm"), &asked, &faults));
	assert_int_equal(asked, 0);
	nv_rules_free(rules_on_kvm(
		"options { set vm_guest \"hv\"; };\n" WHERE("vm_guest", "hv"), &asked, &faults));
	assert_int_equal(asked, 1);
	assert_int_equal(faults.count, 0);
}

static void expect_miss(const char *conf, const char *line, const char *expected)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = rules_of(conf);
	NV_AUTO(nv_event) struct nv_event *event = event_of(line);
	struct nv_rule_miss miss;
	char text[200] = "none";

	if (nv_rules_nearest(rules, event, media_of, NULL, &miss) == 0)
		snprintf(text, sizeof(text), "%s:%u: %s is \"%s\", not \"%s%s\"", miss.file,
			miss.line, miss.variable, miss.value, miss.negated ? "!" : "",
			miss.pattern);
	assert_string_equal(text, expected);
}

static void the_nearest_rule_is_told(void **state)
{
	const char *conf = "notify 1 {\n match \"system\" \"A\";\n match \"type\" \"B\";\n};\n"
			   "notify 5 {\n match \"system\" \"A\";\n match \"type\" \"[XY]\";\n"
			   " match \"guest\" \"hv\";\n};\n"
			   "attach 9 { match \"system\" \"A\"; };\n";

	(void)state;
	/* One condition fails of the first, two of the second. */
	expect_miss(conf, "!system=A type=C", "test.conf:3: type is \"C\", not \"B\"");
	expect_miss(
		conf, "!system=A type=X guest=kvm", "test.conf:8: guest is \"kvm\", not \"hv\"");
	expect_miss(conf, "!system=B type=X", "test.conf:6: system is \"B\", not \"A\"");
	expect_miss(conf, "!system=B", "none");
	expect_miss(conf, "-x at a=b on y", "none");
	expect_miss("notify 1 { match \"a\" \"!b\"; media-type \"ATM\"; };", "!a=c subsystem=hn0",
		"test.conf:1: media-type is \"Ethernet\", not \"ATM\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priority_then_place_decide),
		cmocka_unit_test(all_conditions_must_hold),
		cmocka_unit_test(patterns_are_whole_and_without_case),
		cmocka_unit_test(an_unset_variable_is_empty),
		cmocka_unit_test(negation_is_a_mark_in_the_file),
		cmocka_unit_test(patterns_know_only_what_was_set_before),
		cmocka_unit_test(a_set_variable_is_a_value_too),
		cmocka_unit_test(sub_statements_name_their_variables),
		cmocka_unit_test(media_types_are_asked_for),
		cmocka_unit_test(without_a_way_to_ask_media_is_unknown),
		cmocka_unit_test(the_index_changes_no_answer),
		cmocka_unit_test(vm_guest_is_a_variable_of_every_event),
		cmocka_unit_test(vm_guest_is_looked_for_where_rules_name_it),
		cmocka_unit_test(the_nearest_rule_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
