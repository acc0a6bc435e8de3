/* SPDX-License-Identifier: BSD-2-Clause */
/* The language of devd.conf: what is read, what is a fault, and where. */
#include "rules_help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Fails unless the faults of @text are these, one a line; then the rules are NULL. */
static struct nv_rules *check(const char *text, size_t length, const char *expected, int at)
{
	struct nv_faults faults = {};
	struct nv_rules *rules = NULL;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);
	int r = nv_rules_parse("f", text, length, NULL, NULL, &faults, &rules);

	nv_faults_print(&faults, stream);
	fclose(stream);
	if (strcmp(printed, expected) != 0)
		fail_msg("line %d: the faults are\n%snot\n%s", at, printed, expected);
	assert_int_equal(r, faults.errors ? -EINVAL : 0);
	assert_int_equal(rules == NULL, faults.errors > 0);
	nv_faults_auto(&faults);
	free(printed);
	return rules;
}

#define expect_faults(text, expected) \
	nv_rules_free(check(text, sizeof(text) - 1, expected, __LINE__))

static void expect_action_at(const char *conf, const char *line, const char *expected, int at)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = rules_of(conf);
	NV_AUTO(nv_event) struct nv_event *event = event_of(line);
	NV_AUTO(nv_str) struct nv_str command = {};
	const struct nv_rule *rule = nv_rules_match(rules, event, NULL, NULL);

	if (!rule)
		fail_msg("line %d: no rule for %s", at, line);
	assert_int_equal(nv_rule_expand(rules, rule, 0, event, &command), 0);
	if (strcmp(nv_str_text(&command), expected) != 0)
		fail_msg("line %d: [%s] is not [%s]", at, nv_str_text(&command), expected);
}

#define expect_action(conf, line, expected) expect_action_at(conf, line, expected, __LINE__)

static void nothing_is_a_valid_file(void **state)
{
	(void)state;
	expect_faults("", "");
	expect_faults(" \t\n", "");
	expect_faults("# only a comment", "");
	expect_faults("// only a comment", "");
	expect_faults("/* only ** / a * comment **/", "");
	expect_faults("/**//***/", "");
}

static void every_statement_is_read(void **state)
{
	NV_AUTO(nv_rules)
	struct nv_rules *rules = rules_of(
		"options {\n"
		"	pid-file \"/run/a.pid\";\n"
		"	set pci-nic \"(em|igb)[0-9]+\"; # why not\n"
		"	pid-file \"/run/b.pid\";\n"
		"};\n"
		"notify 0 { match \"system\" \"IFNET\"; media-type \"802.11\"; action \"a\"; };\n"
		"attach 10 { device-name \"$pci-nic\"; class \"nic\"; subdevice \"0x1\"; };\n"
		"detach 10 { action \"b\"; action \"c\"; };\n"
		"nomatch 7 { match \"vendor\" \"0x8086\"; };\n"
		"nomatch 7 { };\n");

	(void)state;
	assert_int_equal(nv_rules_count(rules), 4);
	assert_string_equal(nv_rules_pid_file(rules), "/run/b.pid");
}

static void comments_and_white_space_go_anywhere(void **state)
{
	(void)state;
	expect_action("notify/**/0//x\n{#y\nmatch\"type\"/* z\n */\"T\";action\"go\";}\n;",
		"!type=T", "go");
	expect_action("notify 0 { action \"a # b // c /* d\"; };", "!type=T", "a # b // c /* d");
}

static void a_string_goes_on_after_a_backslash(void **state)
{
	(void)state;
	expect_action("notify 0 { action \"one \\\n\t \n  two\"; };", "!x=", "one two");
	expect_action("notify 0 { action \"one\\\n\\\n two\"; };", "!x=", "onetwo");
	expect_action("notify 0 { action \"one\\\n\t\"; };", "!x=", "one");
	expect_action("notify 0 { action \"one\ntwo \\three\"; };", "!x=", "one\ntwo \\three");
	expect_action("notify 0 { action \"\"; };", "!x=", "");
}

static void faults_have_their_place(void **state)
{
	(void)state;
	expect_faults("notify 0 {\n\tmatch \"a\" \"b\"\n\taction \"c\";\n}\n",
		"f:2:15: `;` is missing\nf:4:2: `;` is missing\n");
	expect_faults("notify { };", "f:1:7: the rule's priority number is missing\n");
	expect_faults("notify ten { };", "f:1:8: unexpected `ten`, expected a priority number\n");
	expect_faults("notify 0 { match \"a\"; };", "f:1:21: unexpected `;`, expected a string\n");
	expect_faults("notify 0 { matches \"a\" \"b\"; };",
		"f:1:12: unexpected `matches`, expected match, action, device-name, media-type, "
		"class, subdevice or '}'\n");
	expect_faults(
		"options { };", "f:1:11: unexpected `}`, expected set, directory or pid-file\n");
	expect_faults(
		"options { set class \"x\"; };", "f:1:15: unexpected `class`, expected a name\n");
	expect_faults("include \"x\";",
		"f:1:1: unexpected `include`, expected the end of the file, options, attach, "
		"detach, nomatch or notify\n");
	expect_faults("notify 0 { action \"a\"; ",
		"f:1:23: the file ends too early, expected match, action, device-name, "
		"media-type, class, subdevice or '}'\n");
	expect_faults("notify 99999999999 { };",
		"f:1:8: the number 99999999999 is too large: at most 2147483647\n");
}

static void what_devd_would_swallow_is_a_fault(void **state)
{
	(void)state;
	expect_faults("notify 0 { };\r\n", "f:1:14: `\\x0d` means nothing here\n");
	expect_faults("options { set a = \"b\"; };", "f:1:17: `=` means nothing here\n");
	expect_faults("notify 0 { match \"a\", \"b\"; };", "f:1:21: `,` means nothing here\n");
	expect_faults("\n\xc3\xa9/\n", "f:2:1: `\\xc3\\xa9` means nothing here\n"
				       "f:2:3: `/` means nothing here\n");
	expect_faults(
		"notify 0 { action \"a\0b\"; };", "f:1:19: this string has a NUL byte in it\n");
	expect_faults("\n  /* a *\n\n", "f:2:3: this comment is not closed: */ is missing\n");
	expect_faults("notify 0 { action \"a; };\n\n",
		"f:1:19: this string is not closed: \" is missing\n");
}

static void several_faults_are_all_found(void **state)
{
	(void)state;
	expect_faults("notify 0 {\n"
		      "	foo \"x\";\n"
		      "	match \"type\" \"(\";\n"
		      "	action \"a\" \"b\";\n"
		      "};\n"
		      "junk { match \"a\" \"b\"; };\n"
		      "attach 0 { action 5; };\n",
		"f:2:2: unexpected `foo`, expected match, action, device-name, media-type, class, "
		"subdevice or '}'\n"
		"f:3:15: the pattern \"(\" cannot be used: Unmatched ( or \\(\n"
		"f:4:13: unexpected `\"b\"`, expected ';'\n"
		"f:6:1: unexpected `junk`, expected the end of the file, options, attach, detach, "
		"nomatch or notify\n"
		"f:7:19: unexpected `5`, expected a string\n");
}

static void doubtful_text_is_a_warning(void **state)
{
	(void)state;
	expect_faults("notify 0 { match \"a\" \"fxp0|ath0\"; };",
		"f:1:22: warning: \"a|b\" means \"begins with a, or ends with b\"; for one of "
		"the two, write \"(a|b)\"\n");
	expect_faults("notify 0 { match \"a\" \"!(a|b)[|]\\|\"; };", "");
	expect_faults("notify 0 { media-type \"infiniband\"; };",
		"f:1:23: warning: there is no media type \"infiniband\": "
		"\"unknown\" is used (the types are Ethernet, 802.11, ATM and unknown)\n");
	expect_faults("notify 0 { action \"echo don't\"; };",
		"f:1:19: warning: a ' in this action is not closed\n");
	expect_faults("notify 0 { action \"echo don\\'t 'a\\'\"; };", "");
	expect_faults("options { directory \"no/such\"; };",
		"f:1:21: warning: \"no/such\" means another directory after the daemon has changed "
		"to /: write an absolute path\n");
}

static void costly_patterns_are_refused(void **state)
{
	NV_AUTO(nv_str) struct nv_str text = {};

	(void)state;
#define ENDLESS "it repeats without limit a part that may be empty"
#define REFUSED(pattern, why)                                       \
	expect_faults("notify 0 { match \"a\" \"" pattern "\"; };", \
		"f:1:22: the pattern \"" pattern "\" cannot be used: " why "\n")
	REFUSED("((a{255}){255}){255}", "it repeats too much");
	REFUSED("a{1,32000}", "it repeats too much");
	REFUSED("a{99999999999999999999", "it repeats too much"); /* no number that is held */
	REFUSED("((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+", "it repeats too much");
	REFUSED("(x?)**********", ENDLESS);
	REFUSED("((((a*)*)*)*)*", ENDLESS);
	REFUSED("((a?)?(b|)?)+", ENDLESS);
	REFUSED("(a|b?){2,}", ENDLESS);
	REFUSED("(a?|b)*", ENDLESS);
	REFUSED("(^|\\b)*", ENDLESS);
	REFUSED("(a{0}){1,}", ENDLESS);
	REFUSED("a|*", ENDLESS);
	REFUSED("(a)\\1", "\\1 to \\9 do not exist in extended regular expressions");
	REFUSED("[[:foo:]]", "Invalid character class name");
#undef REFUSED
#undef ENDLESS
	expect_faults("notify 0 { match \"a\" \"((a|b?c)*.+(x?y|z){2,})*(a?)?(a*){3}\"; };", "");
	expect_faults("notify 0 { match \"a\" \"[0-9a-f]{4}(:[0-9a-f]{1,4}){7}\"; };", "");
	nv_str_add(&text, "notify 0 { match \"a\" \"");
	for (int i = 0; i < NV_RULES_PATTERN_MAX + 1; i++)
		nv_str_addc(&text, 'a');
	nv_str_add(&text, "\"; };");
	nv_rules_free(check(
		text.text, text.length, "f:1:22: a pattern has at most 4096 bytes\n", __LINE__));
}

static void what_can_grow_is_limited(void **state)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	const char *too_many = "f:%d:1: there are more than 10000 rules; this one and those "
			       "after it are ignored\n";
	char expected[200];

	(void)state;
	for (int i = 0; i < NV_RULES_MAX; i++)
		nv_str_add(&text, "notify 0 {action \"\";};\n");
	nv_rules_free(check(text.text, text.length, "", __LINE__));
	nv_str_add(&text, "notify 0 {action \"\";};\n");
	snprintf(expected, sizeof(expected), too_many, NV_RULES_MAX + 1);
	nv_rules_free(check(text.text, text.length, expected, __LINE__));

	nv_str_clear(&text);
	nv_str_add(&text, "notify 0 {\n");
	for (int i = 0; i <= NV_RULES_CONDITIONS_MAX; i++)
		nv_str_add(&text, "match \"a\" \"b\";\n");
	for (int i = 0; i <= NV_RULES_ACTIONS_MAX; i++)
		nv_str_add(&text, "action \"c\";\n");
	nv_str_add(&text, "};");
	nv_rules_free(check(text.text, text.length,
		"f:102:11: a rule has at most 100 conditions\n"
		"f:203:8: a rule has at most 100 actions\n",
		__LINE__));

	nv_str_clear(&text);
	nv_str_add(&text, "options {\n");
	for (int i = 0; i <= NV_RULES_SETS_MAX; i++)
		nv_str_printf(&text, "set v%d \"x\";\n", i);
	for (int i = 0; i <= NV_RULES_DIRECTORIES_MAX; i++)
		nv_str_add(&text, "directory \"/nonexistent\";\n");
	nv_str_add(&text, "};");
	nv_rules_free(check(text.text, text.length,
		"f:1002:5: there are more than 1000 variables\n"
		"f:1103:11: there are more than 100 directories\n",
		__LINE__));
}

/* A scratch directory with files in it, removed with all that is in it. */
struct scratch {
	char path[64];
};

static void scratch_make(struct scratch *scratch)
{
	strcpy(scratch->path, "/tmp/netvf-test-XXXXXX");
	assert_non_null(mkdtemp(scratch->path));
}

static void scratch_file(const struct scratch *scratch, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static void scratch_remove(const struct scratch *scratch)
{
	NV_AUTO(nv_dir) DIR *dir = opendir(scratch->path);
	const struct dirent *entry;

	while ((entry = readdir(dir)))
		if (unlinkat(dirfd(dir), entry->d_name, 0))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	assert_int_equal(rmdir(scratch->path), 0);
}

/* Loads the main file "main" of @scratch; replaces its path in the faults by "@". */
static struct nv_rules *load(const struct scratch *scratch, const char *expected)
{
	struct nv_faults faults = {};
	NV_AUTO(nv_str) struct nv_str seen = {};
	struct nv_rules *rules = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/main", scratch->path);
	nv_rules_load(path, NULL, NULL, &faults, &rules);
	for (size_t i = 0; i < faults.count; i++) {
		const char *file = faults.fault[i].file;

		assert_int_equal(strncmp(file, scratch->path, strlen(scratch->path)), 0);
		nv_str_printf(&seen, "@%s:%u: %s%s\n", file + strlen(scratch->path),
			faults.fault[i].line,
			faults.fault[i].severity == NV_FAULT_WARNING ? "warning: " : "",
			faults.fault[i].message);
	}
	nv_faults_auto(&faults);
	assert_string_equal(nv_str_text(&seen), expected);
	return rules;
}

static void main_file(const struct scratch *scratch, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		"options { directory \"/nonexistent\"; directory \"%s\"; };\n%s", scratch->path,
		more);
	scratch_file(scratch, "main", text);
}

static void directories_are_read_in_name_order(void **state)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	NV_AUTO(nv_event) struct nv_event *event = event_of("!a=b");
	struct scratch scratch;
	char path[128];

	(void)state;
	scratch_make(&scratch);
	main_file(&scratch, "notify 0 { match \"a\" \"x\"; action \"main\"; };");
	scratch_file(&scratch, "20-b.conf", "notify 0 { match \"a\" \"$v\"; action \"20\"; };");
	scratch_file(&scratch, "10-a.conf",
		"options { pid-file \"/p\"; set v \"b\"; directory \"/etc\"; };\n\n"
		"notify 0 { match \"a\" \"b\"; action \"10\"; };");
	scratch_file(&scratch, "30-c.conf", "notify 0 { match \"a\" \"b\"; action \"30\"; };");
	scratch_file(&scratch, ".#x.conf", "an editor's");
	scratch_file(&scratch, "x.conf~", "an editor's");
	scratch_file(&scratch, "conf", "not ours");
	rules = load(&scratch,
		"@/10-a.conf:1: warning: \"directory\" is used only in the main file; this one is "
		"ignored\n");
	assert_int_equal(nv_rules_count(rules), 4);
	assert_string_equal(nv_rules_pid_file(rules), "/p");
	snprintf(path, sizeof(path), "%s/10-a.conf", scratch.path);
	assert_string_equal(nv_rule_file(nv_rules_match(rules, event, NULL, NULL)), path);
	assert_int_equal(nv_rule_line(nv_rules_match(rules, event, NULL, NULL)), 3);
	scratch_remove(&scratch);
}

static void files_that_cannot_be_read_are_faults(void **state)
{
	struct scratch scratch;
	char path[128];

	(void)state;
	scratch_make(&scratch);
	assert_null(load(&scratch, "@/main:0: cannot read the rules: No such file or directory\n"));
	main_file(&scratch, "foo");
	snprintf(path, sizeof(path), "%s/d.conf", scratch.path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/e.conf", scratch.path);
	assert_int_equal(symlink("gone", path), 0);
	snprintf(path, sizeof(path), "%s/f.conf", scratch.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(load(&scratch,
		"@/main:2: unexpected `foo`, expected the end of the file, options, attach, "
		"detach, nomatch or notify\n"
		"@/d.conf:0: cannot read this file of rules: Is a directory\n"
		"@/e.conf:0: cannot read this file of rules: No such file or directory\n"));
	scratch_remove(&scratch);
}

static void a_file_that_is_too_large_is_a_fault(void **state)
{
	NV_AUTO(nv_free) char *text = malloc(NV_RULES_FILE_MAX + 2);
	struct scratch scratch;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', NV_RULES_FILE_MAX + 1);
	text[NV_RULES_FILE_MAX + 1] = '\0';
	scratch_make(&scratch);
	scratch_file(&scratch, "main", text);
	assert_null(load(&scratch, "@/main:0: cannot read the rules: File too large\n"));
	text[NV_RULES_FILE_MAX] = '\0';
	scratch_file(&scratch, "main", text);
	nv_rules_free(load(&scratch, ""));
	scratch_remove(&scratch);
}

static void our_devd_conf_is_valid(void **state)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	struct nv_faults faults = {};

	(void)state;
	assert_int_equal(
		nv_rules_load(NETVF_SOURCE_DIR "/etc/devd.conf", NULL, NULL, &faults, &rules), 0);
	assert_int_equal(faults.count, 0);
	assert_string_equal(nv_rules_pid_file(rules), "/run/netvfd.pid");
}

/* What the rules files in FreeBSD's sbin/devd of 2026 make use of, in rules of our own. */
static void the_forms_of_freebsds_files_are_read(void **state)
{
	(void)state;
	expect_faults(
		"options {\n"
		"\tdirectory \"/nowhere/at/all\";\n"
		"\tpid-file \"/run/some.pid\";\n"
		"\tset radio-regex\n\t\t\"(abc|def|\\\n\t\tghi)[0-9]+\";\n"
		"};\n"
		"attach 0 { device-name \"$radio-regex\"; action \"prog $device-name up\"; };\n"
		"detach 100 {\n\tdevice-name \"abc7\";\n};\n"
		"notify 0 { match \"subsystem\" \"!(usb|radio)[0-9]+\";\n"
		"\tmedia-type\t\"ethernet\"; action \"service x quietstart $subsystem\"; };\n"
		"nomatch 0 {\n#\taction \"logger $bus\";\n};\n"
		"nomatch 100 { action \"service match quietstart '?'$_\"; };\n"
		"notify 10 { match \"type\" \"report.disk\\..*\";\n"
		"\taction \"logger -t disk 'trouble, pool=$pool path=$path'\"; };\n"
		"notify 10 { match \"cdev\" \"input/event[0-9]+\"; match \"notify\" \"0xcc\";\n"
		"\taction\t\"echo A: B, c!\"; };\n"
		"nomatch 10 { action \"logger vendor $vendor \\\n\t\tbus $bus\"; };\n"
		"/* examples\n# of rules\nnotify 10 { match \"a\" \"b\"; };\n*/\n",
		"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_a_valid_file),
		cmocka_unit_test(every_statement_is_read),
		cmocka_unit_test(comments_and_white_space_go_anywhere),
		cmocka_unit_test(a_string_goes_on_after_a_backslash),
		cmocka_unit_test(faults_have_their_place),
		cmocka_unit_test(what_devd_would_swallow_is_a_fault),
		cmocka_unit_test(several_faults_are_all_found),
		cmocka_unit_test(doubtful_text_is_a_warning),
		cmocka_unit_test(costly_patterns_are_refused),
		cmocka_unit_test(what_can_grow_is_limited),
		cmocka_unit_test(directories_are_read_in_name_order),
		cmocka_unit_test(files_that_cannot_be_read_are_faults),
		cmocka_unit_test(a_file_that_is_too_large_is_a_fault),
		cmocka_unit_test(our_devd_conf_is_valid),
		cmocka_unit_test(the_forms_of_freebsds_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
