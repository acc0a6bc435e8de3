/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "rcconf/rcconf.h"
#include "rcconf/suggest.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct nv_rcconf *parse(const char *text, struct nv_faults *faults)
{
	struct nv_rcconf *rcconf = NULL;

	nv_rcconf_parse("rc.conf", text, strlen(text), faults, &rcconf);
	return rcconf;
}

static const struct {
	const char *text;
	const char *key;
	const char *value; /* NULL: unset */
} accepted[] = {
	{"", "a", NULL},
	{"a=b", "a", "b"},
	{"a=b\n", "a", "b"},
	{"a=", "a", ""},
	{"a=\n", "a", ""},
	{"a=''", "a", ""},
	{"a=\"\"", "a", ""},
	{"  a=b", "a", "b"},
	{"\ta=b", "a", "b"},
	{"a='b c'", "a", "b c"},
	{"a=\"b c\"", "a", "b c"},
	{"a='$b `c` \\d \"e\"'", "a", "$b `c` \\d \"e\""},
	{"a=\"it's\"", "a", "it's"},
	{"a=b'c d'\"e f\"g", "a", "bc de fg"},
	{"a=b\\ c", "a", "b c"},
	{"a=\\$b", "a", "$b"},
	{"a=\"\\$b \\` \\\" \\\\ \\d\"", "a", "$b ` \" \\ \\d"},
	{"a=b#c", "a", "b#c"},
	{"a=b #c", "a", "b"},
	{"#a=b", "a", NULL},
	{"# it's a comment\na=b # isn't it", "a", "b"},
	{"# no continuation \\\na=b", "a", "b"},
	{"a=b;c=d", "c", "d"},
	{"a=b; c=d", "c", "d"},
	{"a=b c=d", "c", "d"},
	{"a=b;#c", "a", "b"},
	{"a=b;", "a", "b"},
	{"a=b\na=c", "a", "c"},
	{"a=b\\\nc", "a", "bc"},
	{"a=\"b\\\nc\"", "a", "bc"},
	{"a='b\\\nc'", "a", "b\\\nc"},
	{"a=\"b\nc\"", "a", "b\nc"},
	{"a\\\nb=c", "ab", "c"},
	{"\\\na=b", "a", "b"},
	{"a=b\\\n", "a", "b"},
	{"a=\"$\"", "a", "$"},
	{"a=$", "a", "$"},
	{"a=\"$ b\"", "a", "$ b"},
	{"a=\"$%\"", "a", "$%"},
	{"a=\"$'\"", "a", "$'"},
	{"a=1\nb=$a", "b", "1"},
	{"a=1\nb=${a}2", "b", "12"},
	{"a='1  2'\nb=\"x $a\"", "b", "x 1  2"},
	{"a='$x'\nb=$a", "b", "$x"},
	{"a=1\na=\"$a 2\"", "a", "1 2"},
	{"a=1\nb='$a'", "b", "$a"},
	{"a=1 b=$a", "b", "1"},
	{"a=*", "a", "*"},
	{"a={1,2}", "a", "{1,2}"},
	{"a=b=c", "a", "b=c"},
	{"a=b~c", "a", "b~c"},
	{"a='~/b'", "a", "~/b"},
	{"_a9=b", "_a9", "b"},
	{"a=\xc3\xa4", "a", "\xc3\xa4"},
};

/* What sh makes of @text: the value of @key, or "unset". */
static void ask_sh(const char *text, const char *key, struct nv_str *value)
{
	NV_AUTO(nv_str) struct nv_str script = {};
	NV_AUTO(nv_free) char *buffer = calloc(1, 4096);
	int ends[2];
	int status;
	pid_t child;
	ssize_t count;

	nv_str_printf(&script, "%s\nprintf %%s \"${%s-unset}\"", text, key);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execle("/bin/sh", "sh", "-c", script.text, NULL, (char *[]){NULL});
		_exit(127);
	}
	close(ends[1]);
	while ((count = read(ends[0], buffer, 4096)) > 0)
		nv_str_append(value, buffer, count);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void accepted_syntax_gives_what_sh_gives(void **state)
{
	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(accepted); i++) {
		NV_AUTO(nv_faults) struct nv_faults faults = {};
		NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = parse(accepted[i].text, &faults);
		NV_AUTO(nv_str) struct nv_str value = {};

		ask_sh(accepted[i].text, accepted[i].key, &value);
		assert_string_equal(
			nv_str_text(&value), accepted[i].value ? accepted[i].value : "unset");
		if (!rcconf || faults.count ||
			!nv_streq(nv_rcconf_get(rcconf, accepted[i].key), accepted[i].value))
			fail_msg("case %zu: %s", i, accepted[i].text);
	}
}

static const struct {
	const char *text;
	unsigned int line;
	unsigned int column;
	const char *message; /* a part of it */
} refused[] = {
	{"a=\"$(reboot)\"", 1, 4, "never executed"},
	{"a=$(reboot)", 1, 3, "never executed"},
	{"a=1\n\nb=\"x $(echo \"it's\") y\"\nc=2", 3, 6, "never executed"},
	{"a=`reboot`", 1, 3, "never executed"},
	{"a=\"`echo 'x\"y'`\"\n", 1, 4, "never executed"},
	{"a=${x:-y}", 1, 3, "$NAME and ${NAME}"},
	{"a=\"${x:-\"y\"}\"", 1, 4, "$NAME and ${NAME}"},
	{"a=${x", 1, 3, "$NAME and ${NAME}"},
	{"a=${}", 1, 3, "$NAME and ${NAME}"},
	{"a=${#x}", 1, 3, "$NAME and ${NAME}"},
	{"a=$1", 1, 3, "running shell"},
	{"a=$$", 1, 3, "running shell"},
	{"a=\"$?\"", 1, 4, "running shell"},
	{"a=$'b'", 1, 3, "$'…'"},
	{"a=$((1+1))", 1, 3, "never executed"},
	{"reboot", 1, 1, "`reboot' is not an assignment"},
	{"export a=b", 1, 1, "`export' is not an assignment"},
	{"if [ -f /x ]; then a=b; fi", 1, 1, "`if' is not an assignment"},
	{". /etc/rc.conf", 1, 1, "`.' is not an assignment"},
	{"f() {", 1, 1, "`f()' is not an assignment"},
	{"{ a=b; }", 1, 1, "`{' is not an assignment"},
	{"a=b && c=d", 1, 5, "`&&' is not an assignment"},
	{"a=b&", 1, 4, "`&'"},
	{"a=b|reboot", 1, 4, "`|'"},
	{"a=b>/etc/passwd", 1, 4, "`>'"},
	{"a=b<c", 1, 4, "`<'"},
	{"a=(b c)", 1, 3, "`('"},
	{"a=b reboot", 1, 5, "needs quotes"},
	{"a=inet 192.0.2.1", 1, 8, "needs quotes"},
	{"a = b", 1, 1, "no blanks may stand before"},
	{"a= b", 1, 4, "needs quotes"},
	{"a+=b", 1, 1, "`+='"},
	{"ifconfig_hn0.5=up", 1, 1, "`ifconfig_hn0.5=up'"},
	{"9a=b", 1, 1, "`9a=b'"},
	{"=b", 1, 1, "`=b'"},
	{"a[0]=b", 1, 1, "`a[0]=b'"},
	{"a='b", 1, 3, "not closed"},
	{"b=1\na=\"b\n\n", 2, 3, "not closed"},
	{"a=b\\", 1, 4, "nothing after it"},
	{"a=~/b", 1, 3, "home directory"},
	{"a=b:~c", 1, 5, "home directory"},
	{"a=b\r\n", 1, 4, "Windows"},
	{"a\\\nb c", 1, 1, "not an assignment"},
	{";a=b", 1, 1, "nothing stands before"},
	{"a=b;;", 1, 5, "nothing stands before"},
};

static void everything_else_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(refused); i++) {
		NV_AUTO(nv_faults) struct nv_faults faults = {};
		NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = parse(refused[i].text, &faults);

		if (rcconf || faults.count != 1 || faults.errors != 1 ||
			faults.fault[0].line != refused[i].line ||
			faults.fault[0].column != refused[i].column ||
			!strstr(faults.fault[0].message, refused[i].message)) {
			nv_faults_print(&faults, stderr);
			fail_msg("case %zu: %s", i, refused[i].text);
		}
	}
}

static void all_faults_are_shown_at_once(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	struct nv_rcconf *rcconf = parse("reboot\n"
					 "a=\"$(x)\" b=`y`\n"
					 "c=\"ok\"\n"
					 "d=\"1\n$(x)\n2\"\n"
					 "e=${x:+y}\n",
		&faults);

	(void)state;
	assert_null(rcconf);
	assert_int_equal(faults.errors, 4);
	assert_int_equal(faults.fault[1].line, 2);
	assert_int_equal(faults.fault[2].line, 5);
	assert_int_equal(faults.fault[3].line, 7);
}

static void quotes_in_what_is_refused_do_no_harm(void **state)
{
	static const char *const texts[] = {"a=\"$(echo \"it's\")\"\nreboot\n",
		"a=\"$(echo $(x) \"it's\")\"\nreboot\n", "a=`it's`\nreboot\n",
		"a=\"${x:-\"it's\"}\"\nreboot\n"};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(texts); i++) {
		NV_AUTO(nv_faults) struct nv_faults faults = {};

		assert_null(parse(texts[i], &faults));
		assert_int_equal(faults.errors, 2);
		assert_int_equal(faults.fault[0].line, 1);
		assert_int_equal(faults.fault[1].line, 2);
	}
}

static void nul_byte_is_refused(void **state)
{
	static const char *const texts[] = {"a=b\0c", "a='\0'", "a=\"\0\"", "a\0b=c", "\0\0\0",
		"a=$\0\0", "a=\\\0\0", "a=${\0}"};
	static const size_t lengths[] = {5, 5, 5, 5, 3, 4, 4, 6};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(texts); i++) {
		NV_AUTO(nv_faults) struct nv_faults faults = {};
		struct nv_rcconf *rcconf = NULL;

		assert_int_equal(
			nv_rcconf_parse("f", texts[i], lengths[i], &faults, &rcconf), -EINVAL);
		assert_null(rcconf);
		assert_int_equal(faults.errors, 1);
		assert_non_null(strstr(faults.fault[0].message, "not a text file"));
	}
}

static void unset_reference_is_nothing_with_a_warning(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = parse("a=1\nb=\"x${HOME}y$b\"\n", &faults);

	(void)state;
	assert_non_null(rcconf);
	assert_string_equal(nv_rcconf_get(rcconf, "b"), "xy");
	assert_int_equal(faults.count, 2);
	assert_int_equal(faults.errors, 0);
	assert_int_equal(faults.fault[0].line, 2);
	assert_int_equal(faults.fault[0].column, 5);
	assert_non_null(strstr(faults.fault[0].message, "$HOME"));
}

static void repeat(struct nv_str *text, char c, size_t count)
{
	while (count--)
		nv_str_addc(text, c);
}

static void limits_hold(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_str) struct nv_str text = {};
	struct nv_rcconf *rcconf = NULL;

	(void)state;
	nv_str_add(&text, "a='");
	repeat(&text, 'x', NV_RCCONF_VALUE_MAX);
	nv_str_add(&text, "'\n");
	rcconf = parse(nv_str_text(&text), &faults);
	assert_non_null(rcconf);
	rcconf = nv_rcconf_free(rcconf);
	assert_int_equal(faults.count, 0);

	nv_str_add(&text, "b=\"$a$a\"\n");
	assert_null(parse(nv_str_text(&text), &faults));
	assert_int_equal(faults.errors, 1);
	assert_int_equal(faults.fault[0].line, 2);

	text.length -= strlen("b=\"$a$a\"\n");
	for (int i = 0; i < 70; i++)
		nv_str_printf(&text, "b%d=$a\n", i);
	assert_null(parse(nv_str_text(&text), &faults));
	assert_int_equal(faults.fault[1].line, 65);

	nv_str_clear(&text);
	for (int i = 0; i <= NV_RCCONF_KEYS_MAX; i++)
		nv_str_printf(&text, "b%d=\n", i);
	assert_null(parse(nv_str_text(&text), &faults));
	assert_int_equal(faults.fault[faults.count - 1].line, NV_RCCONF_KEYS_MAX + 1);

	nv_str_clear(&text);
	repeat(&text, 'a', NV_RCCONF_KEY_MAX + 1);
	nv_str_add(&text, "=");
	assert_null(parse(nv_str_text(&text), &faults));
}

static void file_is_read_or_the_reason_given(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
	char path[] = "/tmp/netvf-test-rcconf-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	fputs("a=\"b\"\n", file);
	fclose(file);
	assert_int_equal(nv_rcconf_load(path, &faults, &rcconf), 0);
	assert_string_equal(nv_rcconf_get(rcconf, "a"), "b");
	assert_string_equal(nv_rcconf_file(rcconf), path);
	assert_int_equal(nv_rcconf_line(rcconf, "a"), 1);
	assert_int_equal(nv_rcconf_line(rcconf, "b"), 0);
	rcconf = nv_rcconf_free(rcconf);

	assert_int_equal(truncate(path, NV_RCCONF_FILE_MAX + 1), 0);
	assert_int_equal(nv_rcconf_load(path, &faults, &rcconf), -EINVAL);
	assert_int_equal(faults.errors, 1);
	assert_int_equal(nv_rcconf_load_or_empty(path, &faults, &rcconf), 1);
	assert_null(nv_rcconf_get(rcconf, "a"));
	rcconf = nv_rcconf_free(rcconf);
	unlink(path);

	assert_int_equal(nv_rcconf_load(path, &faults, &rcconf), 0);
	assert_null(nv_rcconf_get(rcconf, "a"));
	rcconf = nv_rcconf_free(rcconf);

	assert_int_equal(nv_rcconf_load_or_empty(path, &faults, &rcconf), 0);
	rcconf = nv_rcconf_free(rcconf);

	assert_int_equal(nv_rcconf_load("/tmp", &faults, &rcconf), -EINVAL);
	assert_null(rcconf);
	assert_int_equal(faults.errors, 3);
	assert_string_equal(faults.fault[2].file, "/tmp");
}

static void interface_names_are_spelled_for_sh(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf)
	struct nv_rcconf *rcconf = parse("ifconfig_em0_102=a ifconfig_a_b_c_d_ipv6=b", &faults);

	(void)state;
	assert_string_equal(nv_rcconf_get_for(rcconf, "ifconfig_%s", "em0.102"), "a");
	assert_string_equal(nv_rcconf_get_for(rcconf, "ifconfig_%s_ipv6", "a-b/c+d"), "b");
	assert_null(nv_rcconf_get_for(rcconf, "ifconfig_%s", "hn0"));
}

static void yes_and_no_in_any_case(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf)
	struct nv_rcconf *rcconf =
		parse("a=yes b=True c=ON d=1 e=NO f=false g=Off h=0 i=maybe j=", &faults);

	(void)state;
	for (const char *key = "abcd"; *key; key++)
		assert_true(nv_rcconf_yes(rcconf, (char[]){*key, '\0'}, false));
	for (const char *key = "efgh"; *key; key++)
		assert_false(nv_rcconf_yes(rcconf, (char[]){*key, '\0'}, true));
	for (const char *key = "ijk"; *key; key++) {
		assert_true(nv_rcconf_yes(rcconf, (char[]){*key, '\0'}, true));
		assert_false(nv_rcconf_yes(rcconf, (char[]){*key, '\0'}, false));
	}
}

static int append_key(const char *key, const char *value, void *data)
{
	nv_str_printf(data, "%s=%s ", key, value);
	return *key == 'c';
}

static void keys_are_listed_in_order(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = parse("b=1 a=2 b=3 c=4 d=5", &faults);
	NV_AUTO(nv_str) struct nv_str text = {};

	(void)state;
	assert_int_equal(nv_rcconf_each(rcconf, append_key, &text), 1);
	assert_string_equal(nv_str_text(&text), "b=3 a=2 c=4 ");
}

static const struct {
	const char *text;
	enum nv_fault_severity severity;
	const char *message; /* NULL: no fault */
} checked[] = {
	{"ifconfig_hn0=up", 0, NULL},
	{"gw=192.0.2.1\ndefaultrouter=$gw ifconfig_hn0='inet 192.0.2.9/24'", 0, NULL},
	{"defaultrouter=192.0.2.1 ifconfig_hn0='inet 198.51.100.9/24'", NV_FAULT_WARNING,
		"is not used"},
	{"ipv6_defaultrouter=2001:db8::1", NV_FAULT_WARNING, "is not used"},
	{"route_a='10/8 192.0.2.1' ifconfig_hn0='inet 192.0.2.9/24'", NV_FAULT_WARNING,
		"is not used"},
	{"defaultrouter=192.0.2.1 ifconfig_hn0=DHCP", 0, NULL},
	{"defaultrouter=NO ipv6_defaultrouter=", 0, NULL},
	{"static_routes=a:hn7 route_a='10/8 192.0.2.1'", 0, NULL},
	{"static_routes=a route_a='10/8 192.0.2.1 -ifp hn7'", 0, NULL},
	{"static_routes=a route_a='10/8 127.0.0.1 -blackhole'", 0, NULL},
	{"synchronous_dhclient=no", 0, NULL},
	{"background_dhclient_hn0=1", 0, NULL},
	{"synchronous_dhclient=maybe", NV_FAULT_ERROR, "neither YES nor NO"},
	{"background_dhclient_hn0=maybe", NV_FAULT_ERROR, "neither YES nor NO"},
	{"hyperv_vf_delay=soon", NV_FAULT_ERROR, "hyperv_vf_delay: `soon'"},
	{"hyperv_vf_dealy=1", NV_FAULT_WARNING, "is hyperv_vf_delay meant?"},
	{"ifconfg_hn0=up", NV_FAULT_WARNING, "is ifconfig_IF meant?"},
	{"ifconfig_hn0_alais0=up", NV_FAULT_WARNING, "is ifconfig_IF_alias* meant?"},
	{"ifconfig_hn0_ipv='inet6 ::1'", NV_FAULT_WARNING, "is ifconfig_IF_ipv6 meant?"},
	{"ifconfig_anamethatistoolong=up", NV_FAULT_WARNING, "more than 15 characters"},
	{"ifconfig_hn0='mtu x'", NV_FAULT_ERROR, "ifconfig_hn0: `mtu x'"},
	{"ifconfig_hn0_alias3='inet x'", NV_FAULT_ERROR, "does not know `x'"},
	{"ifconfig_DEFAULT='mtu x'", NV_FAULT_ERROR, "ifconfig_DEFAULT: `mtu x'"},
	{"ifconfig_hn0_5='inet6 fe80::1%hn0.5/64'", 0, NULL},
	{"vlans_hn0=4095", NV_FAULT_ERROR, "from 1 to 4094"},
	{"defaultrouter=gateway", NV_FAULT_ERROR, "not an IPv4 gateway"},
	{"defaultrouter=gateway ifconfig_hn0=up ifconfig_hn1=up", NV_FAULT_ERROR,
		"not an IPv4 gateway"},
	{"ipv6_defaultrouter=fe80::1 ifconfig_hn0=up", NV_FAULT_ERROR, "needs its interface"},
	{"static_routes=a", NV_FAULT_WARNING, "route_a is not set"},
	{"netvf_par='a:b'", NV_FAULT_WARNING, "is netvf_pairs meant?"},
	{"sshd_enable=YES", NV_FAULT_WARNING, "no such key"},
	{"defaultrouter_fib1=192.0.2.1", NV_FAULT_WARNING, "has no effect"},
	{"ifconfig_hn0_name=net0", NV_FAULT_WARNING, "has no effect"},
};

static void check_finds_unknown_keys_and_bad_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(checked); i++) {
		NV_AUTO(nv_faults) struct nv_faults faults = {};
		NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = parse(checked[i].text, &faults);

		assert_non_null(rcconf);
		nv_rcconf_check(rcconf, &faults);
		if (checked[i].message
				? faults.count != 1 ||
					  faults.fault[0].severity != checked[i].severity ||
					  faults.fault[0].column != 1 ||
					  !strstr(faults.fault[0].message, checked[i].message)
				: faults.count > 0) {
			nv_faults_print(&faults, stderr);
			fail_msg("case %zu: %s", i, checked[i].text);
		}
	}
}

static void fault_of_a_value_is_added_once(void **state)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = parse("a=1\n  b=2", &faults);

	(void)state;
	nv_rcconf_fault(rcconf, "b", NV_FAULT_ERROR, &faults, "bad %d", 1);
	nv_rcconf_fault(rcconf, "b", NV_FAULT_ERROR, &faults, "bad %d", 1);
	nv_rcconf_fault(rcconf, "b", NV_FAULT_ERROR, &faults, "bad %d", 2);
	assert_int_equal(faults.count, 2);
	assert_int_equal(faults.fault[0].line, 2);
	assert_int_equal(faults.fault[0].column, 3);
	assert_string_equal(faults.fault[0].message, "b: bad 1");
	nv_rcconf_fault(rcconf, "b", NV_FAULT_ERROR, &faults, "bad %s", "\033[31m\n");
	assert_string_equal(faults.fault[2].message, "b: bad  [31m ");
}

static void distance_counts_slips(void **state)
{
	static const struct {
		const char *word;
		const char *pattern;
		unsigned int distance;
	} cases[] = {
		{"", "", 0},
		{"abc", "abc", 0},
		{"abc", "", 3},
		{"", "abc", 3},
		{"abc", "abd", 1},
		{"abc", "ab", 1},
		{"abc", "abxc", 1},
		{"abc", "acb", 1},
		{"abcd", "badc", 2},
		{"ifconfig_hn0", "ifconfig_*", 0},
		{"ifconfig_hn0_alas7", "ifconfig_*_alias*", 1},
		{"x", "*", 0},
		{"", "*", 0},
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++)
		assert_int_equal(
			nv_suggest_distance(cases[i].word, cases[i].pattern), cases[i].distance);
}

/* The files that are installed have no fault, not even a warning. */
static void shipped_files_are_sound(void **state)
{
	static const char *const names[] = {"rc.conf", "rc.conf.sample"};
	const char *etc = getenv("NETVF_ETC");

	(void)state;
	if (!etc)
		skip();
	for (size_t i = 0; i < NV_ARRAY_SIZE(names); i++) {
		NV_AUTO(nv_faults) struct nv_faults faults = {};
		NV_AUTO(nv_rcconf) struct nv_rcconf *rcconf = NULL;
		NV_AUTO(nv_str) struct nv_str path = {};

		nv_str_printf(&path, "%s/%s", etc, names[i]);
		assert_int_equal(access(nv_str_text(&path), R_OK), 0);
		assert_int_equal(nv_rcconf_load(nv_str_text(&path), &faults, &rcconf), 0);
		nv_rcconf_check(rcconf, &faults);
		nv_faults_print(&faults, stderr);
		assert_int_equal(faults.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_syntax_gives_what_sh_gives),
		cmocka_unit_test(everything_else_is_refused_with_its_place),
		cmocka_unit_test(all_faults_are_shown_at_once),
		cmocka_unit_test(quotes_in_what_is_refused_do_no_harm),
		cmocka_unit_test(nul_byte_is_refused),
		cmocka_unit_test(unset_reference_is_nothing_with_a_warning),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(file_is_read_or_the_reason_given),
		cmocka_unit_test(interface_names_are_spelled_for_sh),
		cmocka_unit_test(yes_and_no_in_any_case),
		cmocka_unit_test(keys_are_listed_in_order),
		cmocka_unit_test(check_finds_unknown_keys_and_bad_values),
		cmocka_unit_test(fault_of_a_value_is_added_once),
		cmocka_unit_test(distance_counts_slips),
		cmocka_unit_test(shipped_files_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
