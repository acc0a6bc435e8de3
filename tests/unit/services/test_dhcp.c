/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "services/dhcp.h"
#include "services/dhcp_lease.h"

#include <errno.h>
#include <string.h>

static void assert_command(const struct nv_dhcp_wanted *wanted, const char *like_line,
	enum nv_dhcp_kind kind, const char *expected)
{
	struct nv_dhcp_client like = {.kind = kind, .program = (char *)"/x/program"};
	NV_AUTO(nv_words) struct nv_words args = {};
	NV_AUTO(nv_str) struct nv_str line = {};

	if (like_line)
		assert_int_equal(nv_words_split(like_line, &like.args), 0);
	assert_int_equal(nv_dhcp_command(wanted, "lagg0", like_line ? &like : NULL, &args), 0);
	for (size_t i = 0; i < args.count; i++)
		nv_str_printf(&line, "%s%s", i ? " " : "", args.word[i]);
	assert_null(args.word[args.count]);
	assert_string_equal(nv_str_text(&line), expected);
	nv_words_auto(&like.args);
}

static struct nv_dhcp_wanted wants(const char *program, const char *flags)
{
	return (struct nv_dhcp_wanted){NV_DHCP_ASYNC, false, program, flags};
}

static void kinds_are_known_by_the_last_part(void **state)
{
	enum nv_dhcp_kind kind;

	(void)state;
	assert_int_equal(nv_dhcp_kind_of("/sbin/dhclient", &kind), 0);
	assert_int_equal(kind, NV_DHCP_DHCLIENT);
	assert_int_equal(nv_dhcp_kind_of("udhcpc", &kind), 0);
	assert_int_equal(kind, NV_DHCP_UDHCPC);
	assert_int_equal(nv_dhcp_kind_of("/sbin/dhclient/", &kind), -ENOENT);
	assert_int_equal(nv_dhcp_kind_of("/sbin/dhclient2", &kind), -ENOENT);
}

static void rcconf_gives_program_and_flags(void **state)
{
	struct nv_dhcp_wanted dhclient = wants("/sbin/dhclient", "-v -cf /etc/x.conf");
	struct nv_dhcp_wanted dhcpcd = wants("/usr/sbin/dhcpcd", "-b -4");
	struct nv_dhcp_wanted udhcpc = wants("/bin/udhcpc", "");

	(void)state;
	assert_command(&dhclient, NULL, 0,
		"/sbin/dhclient -4 -v -cf /etc/x.conf -pf /run/dhclient.lagg0.pid "
		"-lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
	assert_command(&dhcpcd, NULL, 0, "/usr/sbin/dhcpcd -t 0 -4 lagg0");
	assert_command(&udhcpc, NULL, 0, "/bin/udhcpc -i lagg0 -p /run/udhcpc.lagg0.pid");
}

static void the_old_clients_options_are_kept_but_not_its_files(void **state)
{
	struct nv_dhcp_wanted bare = wants("/sbin/dhclient", "");
	struct nv_dhcp_wanted own = wants("/sbin/dhclient", "-1");
	const char *ifupdown = "dhclient -4 -d -i -pf /run/dhclient.hn0.pid -lf /x/hn0.leases "
			       "-I -df /var/lib/dhcp/dhclient6.hn0.leases hn0";

	(void)state;
	/* -i: a client identifier of its own making, without which the lease would be another. */
	assert_command(&bare, ifupdown, NV_DHCP_DHCLIENT,
		"/sbin/dhclient -4 -i -I -df /var/lib/dhcp/dhclient6.hn0.leases "
		"-pf /run/dhclient.lagg0.pid -lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
	assert_command(NULL, ifupdown, NV_DHCP_DHCLIENT,
		"dhclient -4 -i -I -df /var/lib/dhcp/dhclient6.hn0.leases "
		"-pf /run/dhclient.lagg0.pid -lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
	assert_command(&own, ifupdown, NV_DHCP_DHCLIENT,
		"/sbin/dhclient -4 -1 -pf /run/dhclient.lagg0.pid "
		"-lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
	/* What would make it give up is rc.conf's alone. */
	assert_command(NULL, "dhclient -6 -1 -nw hn0", NV_DHCP_DHCLIENT,
		"dhclient -6 -pf /run/dhclient6.lagg0.pid "
		"-lf /var/lib/dhcp/dhclient6.lagg0.leases lagg0");
	/* Of another kind, its options mean nothing. */
	assert_command(&bare, "udhcpc -i hn0 -C", NV_DHCP_UDHCPC,
		"/sbin/dhclient -4 -pf /run/dhclient.lagg0.pid "
		"-lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
}

static void udhcpcs_joined_options_are_taken_apart(void **state)
{
	(void)state;
	assert_command(NULL,
		"udhcpc -fqSi hn0 -p/run/x.pid -x hostname:q -Cb -t 5 -a200 -r 1.2.3.4",
		NV_DHCP_UDHCPC,
		"udhcpc -i lagg0 -p /run/udhcpc.lagg0.pid -S -x hostname:q -C -t 5 -a200 "
		"-r 1.2.3.4");
	assert_command(
		NULL, "udhcpc -i", NV_DHCP_UDHCPC, "udhcpc -i lagg0 -p /run/udhcpc.lagg0.pid");
}

static void only_known_options_are_lent(void **state)
{
	(void)state;
	assert_command(NULL, "dhclient -r -x -nosuch value -v --release=1 other -e A=b hn0",
		NV_DHCP_DHCLIENT,
		"dhclient -4 -v -e A=b -pf /run/dhclient.lagg0.pid "
		"-lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
	assert_command(NULL,
		"udhcpc --interface hn0 --timeout=5 --script /x/s --pidfile=/x/p -zR --nosuch=1 "
		"hn0",
		NV_DHCP_UDHCPC, "udhcpc -i lagg0 -p /run/udhcpc.lagg0.pid -T 5 -s /x/s -R");
}

static void rcconfs_options_are_all_taken(void **state)
{
	struct nv_dhcp_wanted udhcpc = wants("/bin/udhcpc", "-nyw --new=1 -T5 -zb");
	struct nv_dhcp_wanted dhclient = wants("/sbin/dhclient", "--new value -d");

	(void)state;
	assert_command(&udhcpc, NULL, 0,
		"/bin/udhcpc -i lagg0 -p /run/udhcpc.lagg0.pid -y -w --new=1 -T 5 -z");
	assert_command(&dhclient, NULL, 0,
		"/sbin/dhclient -4 --new value -pf /run/dhclient.lagg0.pid "
		"-lf /var/lib/dhcp/dhclient.lagg0.leases lagg0");
}

static void dhcpcds_title_is_no_option(void **state)
{
	(void)state;
	assert_command(NULL, "dhcpcd hn0 [ip4] [ip6]", NV_DHCP_DHCPCD, "dhcpcd -t 0 lagg0");
}

static void dhcpcds_title_tells_a_family_alone(void **state)
{
	struct nv_dhcp_wanted bare = wants("/usr/sbin/dhcpcd", "");
	struct nv_dhcp_wanted both = wants("/usr/sbin/dhcpcd", "-q");

	(void)state;
	assert_command(NULL, "dhcpcd hn0 [ip4]", NV_DHCP_DHCPCD, "dhcpcd -t 0 -4 lagg0");
	assert_command(&bare, "dhcpcd hn0 [ip6]", NV_DHCP_DHCPCD, "/usr/sbin/dhcpcd -t 0 -6 lagg0");
	assert_command(&both, "dhcpcd hn0 [ip4]", NV_DHCP_DHCPCD, "/usr/sbin/dhcpcd -t 0 -q lagg0");
}

static void an_unknown_program_is_refused(void **state)
{
	struct nv_dhcp_wanted other = wants("/sbin/pump", "");
	NV_AUTO(nv_words) struct nv_words args = {};

	(void)state;
	assert_int_equal(nv_dhcp_command(&other, "lagg0", NULL, &args), -EINVAL);
	assert_null(args.word);
}

static void assert_divided(const char *text, int count, const char *taken, const char *left)
{
	NV_AUTO(nv_str) struct nv_str its = {};
	NV_AUTO(nv_str) struct nv_str others = {};
	/* As long as the text and no longer, so that a sanitizer sees what is read beyond it. */
	NV_AUTO(nv_free) char *exact = strndup(text, strlen(text));

	assert_non_null(exact);
	assert_int_equal(
		nv_dhcp_lease_divide(exact, strlen(text), "hn0", "lagg0", &its, &others), count);
	assert_string_equal(nv_str_text(&its), taken);
	assert_string_equal(nv_str_text(&others), left);
}

static void a_lease_file_is_divided(void **state)
{
	(void)state;
	assert_divided("# a comment without an end", 0, "# a comment without an end",
		"# a comment without an end");
	assert_divided("lease {\n  interface \"hn0\";\n  renew 1;\n}\n"
		       "lease {\n  interface \"hn01\";\n}\n",
		1, "lease {\n  interface \"lagg0\";\n  renew 1;\n}\n",
		"lease {\n  interface \"hn01\";\n}\n");
	assert_divided("lease6 { interface \"hn0\"; ia-na 1 { iaaddr 2 { max-life 3; } } }", 1,
		"lease6 { interface \"lagg0\"; ia-na 1 { iaaddr 2 { max-life 3; } } }", "");
	/* in a string, in a comment, deeper inside, or in no lease: not the lease's interface */
	assert_divided("lease { option x \"}interface \\\"hn0\\\";\"; }\n", 0, "",
		"lease { option x \"}interface \\\"hn0\\\";\"; }\n");
	assert_divided("lease { # } interface \"hn0\";\n a { interface \"hn0\"; } }\n", 0, "",
		"lease { # } interface \"hn0\";\n a { interface \"hn0\"; } }\n");
	assert_divided(
		"default-duid \";}\";\n", 0, "default-duid \";}\";\n", "default-duid \";}\";\n");
	/* a file that was cut off */
	assert_divided("lease { interface \"hn0\"; option x \"", 1,
		"lease { interface \"lagg0\"; option x \"", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_known_by_the_last_part),
		cmocka_unit_test(rcconf_gives_program_and_flags),
		cmocka_unit_test(the_old_clients_options_are_kept_but_not_its_files),
		cmocka_unit_test(udhcpcs_joined_options_are_taken_apart),
		cmocka_unit_test(only_known_options_are_lent),
		cmocka_unit_test(rcconfs_options_are_all_taken),
		cmocka_unit_test(dhcpcds_title_is_no_option),
		cmocka_unit_test(dhcpcds_title_tells_a_family_alone),
		cmocka_unit_test(an_unknown_program_is_refused),
		cmocka_unit_test(a_lease_file_is_divided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
