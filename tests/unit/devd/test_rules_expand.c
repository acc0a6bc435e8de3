/* SPDX-License-Identifier: BSD-2-Clause */
/* What an action becomes, and that real shells take nothing out of an event for code. */
#include "rules_help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

static void expand(const char *conf, const char *line, struct nv_str *command)
{
	NV_AUTO(nv_rules) struct nv_rules *rules = rules_of(conf);
	NV_AUTO(nv_event) struct nv_event *event = event_of(line);
	const struct nv_rule *rule = nv_rules_match(rules, event, NULL, NULL);

	assert_non_null(rule);
	assert_int_equal(nv_rule_expand(rules, rule, 0, event, command), 0);
}

static void expand_action(const char *action, const char *line, struct nv_str *command)
{
	NV_AUTO(nv_str) struct nv_str conf = {};

	nv_str_printf(&conf, "options { set global \"a b\"; set sub-1 \"x\"; };\n");
	nv_str_printf(&conf, "notify 0 { action \"%s\"; };\n", action);
	expand(nv_str_text(&conf), line, command);
}

static void expect_at(const char *action, const char *line, const char *expected, int at)
{
	NV_AUTO(nv_str) struct nv_str command = {};

	expand_action(action, line, &command);
	if (strcmp(nv_str_text(&command), expected) != 0)
		fail_msg("line %d: %s becomes\n%s\nnot\n%s", at, action, nv_str_text(&command),
			expected);
}

#define expect(action, expected) \
	expect_at(action, "!subsystem=hn0 q=it's x=1 *=no 9=nine", expected, __LINE__)

static void values_become_words(void **state)
{
	(void)state;
	expect("up $subsystem", "up 'hn0'");
	expect("up $subsystem 0", "up 'hn0' 0");
	expect("a$x;b${x}", "netvf_1='1'; a\"$netvf_1\";b${x}");
	expect("$q", "'it'\\''s'");
	expect("$nothing", "''");
	expect("$global", "'a b'");
	expect("$x$x$subsystem", "'1''1''hn0'");
	expect("$*", "'!subsystem=hn0 q=it'\\''s x=1 *=no 9=nine'");
	expect("$_", "'subsystem=hn0 q=it'\\''s x=1 *=no 9=nine'");
	expect("$timestamp", "'1.000002'");
}

static void names_are_greedy_as_devds(void **state)
{
	(void)state;
	expect("$sub-1 $sub-1.y", "'x' 'x'.y");
	expect("$subsystem-x", "''");
	expect("$subsystem''-x", "'hn0'''-x");
	expect("$*x", "''");
	expect("$-", "''");
	expect("$x9", "''");
}

static void other_dollars_are_the_shells(void **state)
{
	(void)state;
	expect("echo $$x", "echo $x");
	expect("echo $$$$", "echo $$");
	expect("echo $1 $? $! $@ $# $9", "echo $1 $? $! $@ $# $9");
	expect("echo ${x}", "echo ${x}");
	expect("echo $", "echo $");
	expect("echo $$", "echo $");
	expect("echo $(echo $x (nested) $$) y", "echo $(echo $x (nested) $$) y");
	expect("echo $(echo $x", "echo $(echo $x");
	expect("echo $(a $x) $x", "netvf_1='1'; echo $(a $x) \"$netvf_1\"");
}

static void quotes_in_the_action_are_kept(void **state)
{
	(void)state;
	expect("echo 'on $subsystem.' $x", "echo 'on hn0.' '1'");
	expect("echo '$q' \\'$q", "echo 'it_s' \\''it'\\''s'");
	expect("echo '$nothing'", "echo ''");
	expect("echo 'a\\'$x", "echo 'a\\''1'");
	expect("echo \\$x \\\\$x", "echo \\$'1' \\\\'1'");
	expect("echo a\\\\$x", "echo a\\\\'1'");
	expect("echo \\$x", "echo \\$'1'");
	expect("a # it's $x\nb $x", "netvf_1='1'; a # it's \nb \"$netvf_1\"");
	expect("a#b'$x'", "a#b'1'");
	expect("`a $x '$x'`", "netvf_1='1'; `a \"$netvf_1\" '1'`");
	expect("a <$x >$x", "a <'1' >'1'");
}

static void an_action_has_its_limits(void **state)
{
	NV_AUTO(nv_str) struct nv_str conf = {};
	NV_AUTO(nv_str) struct nv_str command = {};
	NV_AUTO(nv_event) struct nv_event *event = event_of("!a=b");
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	const struct nv_rule *rule;

	(void)state;
	nv_str_add(&conf, "notify 0 { action \"x\"; action \"");
	for (int i = 0; i < NV_RULES_ACTION_MAX / 4; i++)
		nv_str_add(&conf, "$a$a");
	nv_str_add(&conf, "\"; };");
	rules = rules_of(nv_str_text(&conf));
	rule = nv_rules_match(rules, event, NULL, NULL);
	assert_int_equal(nv_rule_actions(rule), 2);
	assert_int_equal(nv_rule_expand(rules, rule, 0, event, &command), 0);
	assert_string_equal(nv_str_text(&command), "x");
	assert_int_equal(nv_rule_expand(rules, rule, 1, event, &command), -E2BIG);
	assert_int_equal(nv_rule_expand(rules, rule, 2, event, &command), -ENOENT);
}

/* What an attacker would like to call an interface. All of it tries to make the file "pwned". */
static const char *const hostile[] = {
	"touch pwned",
	";touch pwned;",
	"';touch pwned;'",
	"';touch pwned;#",
	"'';touch pwned;''",
	"'\\'';touch pwned;'",
	"\\';touch pwned;'",
	"\\';touch pwned;\\'",
	"\\\\';touch pwned #",
	"\";touch pwned;\"",
	"\\\";touch pwned;\\\"",
	"$(touch pwned)",
	"$(touch${IFS}pwned)",
	"`touch pwned`",
	"\\`touch pwned\\`",
	"`;touch pwned;`",
	"|touch pwned",
	"&touch pwned&",
	"&&touch pwned||",
	"\ntouch pwned\n#",
	"x\ntouch pwned\ny",
	"'\ntouch pwned\n'",
	"EOF\ntouch pwned\nEOF",
	")touch pwned(",
	");touch pwned;(",
	"}touch pwned;{",
	";;esac;touch pwned;case x in x)",
	"${x:-$(touch pwned)}",
	"a[$(touch pwned)]",
	"<(touch pwned)",
	"\"};system(\"touch pwned\")};{\"",
	"/;s/.*/touch pwned/e;s/",
	"\\",
	"'",
	"\"",
	"it's",
	"*",
	"~ $HOME !! ^a^b",
	"-rf",
	"",
	"caf\xc3\xa9 \x81\x27",
};

static const char *const shells[][3] = {
	{"/bin/sh", NULL}, /* dash on Debian */
	{"/bin/bash", NULL},
	{"/bin/busybox", "sh", NULL},
};

static char cage[] = "/tmp/netvf-test-XXXXXX"; /* where the shells run */

/* Runs the command in the cage; what it prints goes to @output. */
static void run(const char *const *shell, const char *command, char *output, size_t size)
{
	const char *argv[5] = {};
	size_t length = 0;
	size_t argc = 0;
	int pipes[2];
	int status;
	pid_t pid;

	while (shell[argc]) {
		argv[argc] = shell[argc];
		argc++;
	}
	argv[argc++] = "-c";
	argv[argc] = command;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0 || chdir(cage) || dup2(null, 0) < 0 || dup2(pipes[1], 1) < 0 ||
			dup2(null, 2) < 0 || close(pipes[0]) || close(pipes[1]))
			_exit(99);
		alarm(20);
		execv(argv[0], (char **)argv);
		_exit(99);
	}
	close(pipes[1]);
	for (;;) {
		ssize_t got = read(pipes[0], output + length, size - 1 - length);

		if (got <= 0)
			break;
		length += got;
	}
	output[length] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 99);
}

/* A line that sets v to any value without trailing newline or backslash after white space. */
static void event_line(const char *value, struct nv_str *line)
{
	bool quote = strpbrk(value, " \t\n") || *value == '"';

	nv_str_add(line, quote ? "!v=\"" : "!v=");
	for (; *value; value++) {
		if (*value == '"')
			nv_str_addc(line, '\\');
		nv_str_addc(line, *value);
	}
	nv_str_add(line, quote ? "\"" : "");
}

/* Runs an action with a value; fails if it could make the file. */
static void try_action(
	const char *const *shell, const char *action, const char *value, const char *expected)
{
	NV_AUTO(nv_str) struct nv_str line = {};
	NV_AUTO(nv_str) struct nv_str command = {};
	char output[4096];
	char path[64];

	event_line(value, &line);
	expand_action(action, nv_str_text(&line), &command);
	run(shell, nv_str_text(&command), output, sizeof(output));
	snprintf(path, sizeof(path), "%s/pwned", cage);
	if (access(path, F_OK) == 0) {
		unlink(path);
		fail_msg("%s: %s with [%s] was code: %s", shell[0], action, value,
			nv_str_text(&command));
	}
	if (expected && strcmp(output, expected) != 0)
		fail_msg("%s: %s with [%s] printed [%s], not [%s] (%s)", shell[0], action, value,
			output, expected, nv_str_text(&command));
}

/* Actions that print what they got between other text: head, the value, tail. */
static const struct {
	const char *action;
	const char *head;
	const char *tail;
} exact[] = {
	{"printf '<%s>' $v", "<", ">"},
	{"printf '<%s>' a$v'b'", "<a", "b>"},
	{"printf '<%s>' \\'$v\\'", "<'", "'>"},
	{"printf '<%s>' \\$v", "<$", ">"},
	{"printf '<%s>' \\\\$v", "<\\", ">"},
	{"printf '<%s>' 'a\\'$v", "<a\\", ">"},
	{"(printf '<%s>' $v)|cat", "<", ">"},
	{"case $v in nothing) ;; *) printf '<%s>' $v ;; esac", "<", ">"},
	{"x=$v && printf '<%s>' $v", "<", ">"},
	{"printf '<%s>' $v # don't", "<", ">"},
	{": # don't $v\nprintf '<%s>' $v", "<", ">"},
	{"printf '<%s>' ${nothing:-$v}", "<", ">"},
	{"true $(echo ')' $v) || true; printf '<%s>' $v", "", NULL},
	{"printf '<%s>' `true '$v'`$v", "<", ">"},
	{"sh -c 'printf \\<%s\\> $$1' sh $v", "", NULL},
};

/* Text in which a value must be harmless, whatever it comes out as. */
static const char *const inert[] = {
	"printf '<%s>' '$v'",
	"sh -c 'echo $v'",
	"sh -c 'sh -c '\\''echo $v'\\'''",
	"eval 'echo $v'",
	"awk 'BEGIN { x = 1 } /$v/ { print }'",
	"echo a | sed 's/$v/b/'",
	"trap 'echo $v' EXIT",
	"echo # $v",
	"echo # it's $v\necho $v '$v' # $v",
	"echo a#'$v'#$v",
	"x=`echo $v`",
	"x=`echo \\`echo $v\\``",
	"x=`echo '$v'`; echo `echo it\\\\'$v`",
	"cat <<EOF\n$v\n'$v'\nEOF\necho $v",
	"cat <<'EOF'\n$v\nEOF\necho $v",
	"cat <<-\\EOF\n\t$v\n\tEOF\necho '$v'",
	"echo $$(echo $v)",
	"echo $$(echo '$v')",
	"echo $(echo ')'$v)",
	"echo $(echo ')' '$v')",
	"echo $(echo \\) '$v' )'$v')",
	"echo $$$v",
	"echo $$$$$v",
	"echo $'$v'",
	"echo $'\\'$v''",
	"echo $'\\'$v'$v\\''",
	"echo ${x#'$v'}${x:-$v}",
	"echo ${x:- # '$v} $v' $v",
	"echo {$v,b}",
	"\\\n$v",
	"echo '$v",
	"$v",
	"$v $v",
	"if $v; then $v; fi",
	"case $v in $v) echo $v;; esac",
	"for x in $v; do echo $$x; done",
	"alias echo=$v; echo b",
	"set -- $v; shift; echo $@ $* $1",
};

static int make_cage(void **state)
{
	(void)state;
	return mkdtemp(cage) ? 0 : -1;
}

static int remove_cage(void **state)
{
	(void)state;
	return rmdir(cage);
}

static void shell_takes_values_as_they_are(const char *const *shell)
{
	for (size_t a = 0; a < NV_ARRAY_SIZE(exact); a++) {
		for (size_t h = a % 2; h < NV_ARRAY_SIZE(hostile); h += 2) {
			char expected[256];

			snprintf(expected, sizeof(expected), "%s%s%s", exact[a].head, hostile[h],
				exact[a].tail ? exact[a].tail : "");
			try_action(shell, exact[a].action, hostile[h],
				exact[a].tail ? expected : NULL);
		}
	}
}

/* Every value with /bin/sh; to spare time, some with the others. */
static void shell_takes_no_value_for_code(const char *const *shell)
{
	size_t step = shell == shells[0] ? 1 : 3;

	for (size_t a = 0; a < NV_ARRAY_SIZE(inert); a++)
		for (size_t h = a % step; h < NV_ARRAY_SIZE(hostile); h += step)
			try_action(shell, inert[a], hostile[h], NULL);
}

static unsigned int seed = 3;

static unsigned int dice(unsigned int sides)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % sides;
}

/* No text at all may let a value out. */
static void shell_takes_no_value_for_code_in_any_text(const char *const *shell)
{
	static const char *const parts[] = {"'", "'", "\\", "\\", "`", "$v", "$v", " $v ", " ",
		"echo ", ": ", "#", " #", "\n", ";", "|", "&&", "$(", ")", "$$(", "$$", "$", "{",
		"}", "${x:-", "<<EOF\n", "<<'EOF'\n", "\nEOF\n", "x=", "if ", "; then ", "; fi",
		"case x in x) ", ";; esac "};

	for (int i = 0; i < 300; i++) {
		NV_AUTO(nv_str) struct nv_str action = {};

		for (unsigned int p = 3 + dice(8); p > 0; p--)
			nv_str_add(&action, parts[dice(NV_ARRAY_SIZE(parts))]);
		nv_str_add(&action, "$v");
		try_action(
			shell, nv_str_text(&action), hostile[dice(NV_ARRAY_SIZE(hostile))], NULL);
	}
}

/* Calls @test for every shell that is here; /bin/sh always is. */
static void with_every_shell(void (*test)(const char *const *shell))
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(shells); i++)
		if (access(shells[i][0], X_OK) == 0)
			test(shells[i]);
}

static void values_are_taken_as_they_are(void **state)
{
	(void)state;
	with_every_shell(shell_takes_values_as_they_are);
}

static void no_value_is_code(void **state)
{
	(void)state;
	with_every_shell(shell_takes_no_value_for_code);
}

static void no_value_is_code_in_any_text(void **state)
{
	(void)state;
	with_every_shell(shell_takes_no_value_for_code_in_any_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_words),
		cmocka_unit_test(names_are_greedy_as_devds),
		cmocka_unit_test(other_dollars_are_the_shells),
		cmocka_unit_test(quotes_in_the_action_are_kept),
		cmocka_unit_test(an_action_has_its_limits),
		cmocka_unit_test(values_are_taken_as_they_are),
		cmocka_unit_test(no_value_is_code),
		cmocka_unit_test(no_value_is_code_in_any_text),
	};

	return cmocka_run_group_tests(tests, make_cage, remove_cage);
}
