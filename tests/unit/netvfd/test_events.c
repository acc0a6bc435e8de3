/* SPDX-License-Identifier: BSD-2-Clause */
/* Every event passes here: rules decide, and clients, subscribers and the history are told. */
#include "cm.h"

#include "fake_kernel.h"

#include "netvfd/daemon.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/wait.h>

#define ATTACH(name)   "!system=ETHERNET subsystem=" name " type=IFATTACH"
#define VF(name, type) "!system=HYPERV_NIC_VF subsystem=" name " type=" type

static const char rules[] = "notify 10 {\n"
			    "  match \"system\" \"HYPERV_NIC_VF\";\n"
			    "  match \"subsystem\" \"hn[0-9]\";\n"
			    "  match \"type\" \"VF_UP|VF_DOWN\";\n"
			    "  action \"vf $type $subsystem\";\n"
			    "};\n"
			    "notify 10 {\n"
			    "  match \"system\" \"ETHERNET\";\n"
			    "  match \"subsystem\" \"(nvt|eth)[0-9]\";\n"
			    "  match \"type\" \"IFATTACH\";\n"
			    "  media-type \"Ethernet\";\n"
			    "  action \"attach $subsystem\";\n"
			    "  action \"again $subsystem\";\n"
			    "};\n";

static struct {
	struct nv_daemon daemon;
	struct fake_kernel *fake;
	struct nv_str log; /* what was run, sent and published, one a line */
	int add_error; /* of the next action */
	size_t waiting, running; /* actions */
	bool has_subscriber;
	unsigned int looks, idles;
} t;

/* In place of devd's queues, clients, the control socket, the pairs and the parent. */
int nv_actions_add(struct nv_actions *actions, const char *subject, const char *command,
	const char *event, const char *time, void *cookie)
{
	(void)actions;
	(void)cookie;
	assert_non_null(event);
	assert_non_null(time);
	nv_str_printf(&t.log, "run %s: %s\n", subject, command);
	return t.add_error;
}

size_t nv_actions_waiting(const struct nv_actions *actions)
{
	(void)actions;
	return t.waiting;
}

size_t nv_actions_running(const struct nv_actions *actions)
{
	(void)actions;
	return t.running;
}

void nv_clients_send(struct nv_clients *clients, const char *line)
{
	(void)clients;
	nv_str_printf(&t.log, "send %s\n", line);
}

bool nv_control_has_subscriber(const struct nv_control *control, const char *topic)
{
	(void)control;
	assert_string_equal(topic, "event");
	return t.has_subscriber;
}

void nv_control_publish(struct nv_control *control, const char *topic, json_t *value)
{
	(void)control;
	assert_true(json_is_real(json_object_get(value, "time")));
	nv_str_printf(&t.log, "publish %s %s\n", topic,
		json_string_value(json_object_get(value, "line")));
}

void nv_failover_note_action(struct nv_failover *failover, const char *subject)
{
	(void)failover;
	assert_non_null(subject);
	t.looks++;
}

bool nv_failover_is_urgent(const struct nv_failover *failover)
{
	(void)failover;
	return false;
}

void nv_daemonize_idle(struct nv_daemon *daemon)
{
	(void)daemon;
	t.idles++;
}

static int set_up(void **state)
{
	static const struct nv_monitor_ops nobody;
	NV_AUTO(nv_faults) struct nv_faults faults = {};

	(void)state;
	memset(&t, 0, sizeof(t));
	t.fake = fake_kernel_new();
	fake_make_link(t.fake, "nvt0", "mlx5_core", 1);
	assert_int_equal(nv_loop_new(NV_LOOP_VIRTUAL, &t.daemon.loop), 0);
	assert_int_equal(
		nv_monitor_new(t.daemon.loop, t.fake->kernel, &nobody, NULL, &t.daemon.monitor), 0);
	assert_int_equal(nv_rules_parse("devd.conf", rules, strlen(rules), NULL, NULL, &faults,
				 &t.daemon.rules),
		0);
	return nv_history_new(&t.daemon.history);
}

static int tear_down(void **state)
{
	(void)state;
	nv_words_auto(&t.daemon.pending);
	nv_history_free(t.daemon.history);
	nv_rules_free(t.daemon.rules);
	nv_monitor_free(t.daemon.monitor);
	nv_loop_free(t.daemon.loop);
	nv_kernel_free(t.fake->kernel);
	nv_str_auto(&t.log);
	return 0;
}

static void expect(const char *text)
{
	assert_string_equal(nv_str_text(&t.log), text);
	nv_str_clear(&t.log);
}

static void expect_pending(const char *const *lines, size_t count)
{
	assert_int_equal(t.daemon.pending.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(t.daemon.pending.word[i], lines[i]);
}

static const json_t *last_in_history(void)
{
	static json_t *last;

	json_decref(last);
	last = nv_history_get(t.daemon.history, 1);
	return json_array_get(last, 0);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void a_rules_actions_run_in_their_order(void **state)
{
	(void)state;
	nv_events_dispatch(&t.daemon, ATTACH("nvt0"));
	expect("run nvt0: attach 'nvt0'\nrun nvt0: again 'nvt0'\n");
	nv_events_dispatch(&t.daemon, ATTACH("nvt7")); /* of no such link a medium is not known */
	expect("");
	nv_events_dispatch(&t.daemon, "!system=IFNET subsystem=nvt0 type=LINK_UP");
	expect("");
	assert_int_equal(t.daemon.events, 3);
}

static void an_action_that_is_refused_does_not_keep_the_next(void **state)
{
	(void)state;
	t.add_error = -ENOBUFS;
	nv_events_dispatch(&t.daemon, ATTACH("nvt0"));
	expect("run nvt0: attach 'nvt0'\nrun nvt0: again 'nvt0'\n");
}

static void a_medium_is_what_the_link_is(void **state)
{
	struct nv_link link = fake_link(t.fake, "nvt0");

	(void)state;
	link.type = ARPHRD_LOOPBACK;
	fake_put_link(t.fake, &link);
	nv_loop_run_once(t.daemon.loop, 0);
	nv_events_dispatch(&t.daemon, ATTACH("nvt0"));
	expect("");
}

#define VFATTACH NETVF_LIBEXECDIR "/hyperv_vfattach "

static void set_rule(const char *action)
{
	NV_AUTO(nv_faults) struct nv_faults faults = {};
	NV_AUTO(nv_str) struct nv_str text = {};

	nv_str_printf(&text, "notify 10 { match \"type\" \"IFATTACH\"; action \"%s\"; };", action);
	nv_rules_free(t.daemon.rules);
	assert_int_equal(nv_rules_parse("devd.conf", nv_str_text(&text), text.length, NULL, NULL,
				 &faults, &t.daemon.rules),
		0);
}

/* Where a thousand containers start, each of their interfaces would cost a process. */
static void hyperv_vfattach_is_run_for_what_may_be_a_vf(void **state)
{
	static const struct nv_settings settings;
	struct nv_link link;

	(void)state;
	t.daemon.settings = (struct nv_settings *)&settings;
	fake_del_link(t.fake, fake_link(t.fake, "nvt0").ifindex);
	t.fake->mute = true;
	fake_make_link(t.fake, "nvt0", "mlx5_core", 1);
	t.fake->mute = false;
	link = fake_link(t.fake, "nvt0");
	nv_strcopy(link.parent_bus, sizeof(link.parent_bus), "pci");
	fake_put_link(t.fake, &link);
	fake_make_link(t.fake, "c0", "veth", 2);
	link = fake_link(t.fake, "c0");
	nv_strcopy(link.kind, sizeof(link.kind), "veth");
	fake_put_link(t.fake, &link);
	for (int i = 0; i < 10; i++)
		nv_loop_run_once(t.daemon.loop, 0);
	set_rule(VFATTACH "$subsystem 0");
	nv_events_dispatch(&t.daemon, ATTACH("nvt0"));
	expect("run nvt0: " VFATTACH "'nvt0' 0\n");
	nv_events_dispatch(&t.daemon, ATTACH("c0"));
	expect("");
	/* Of one that has gone, or is not known yet, nobody can tell. */
	nv_events_dispatch(&t.daemon, ATTACH("c1"));
	expect("run c1: " VFATTACH "'c1' 0\n");
	/* What else the action does is for every interface. */
	set_rule(VFATTACH "$subsystem 0; logger $subsystem");
	nv_events_dispatch(&t.daemon, ATTACH("c0"));
	expect("run c0: " VFATTACH "'c0' 0; logger 'c0'\n");
	set_rule("/opt/hyperv_vfattach $subsystem 0");
	nv_events_dispatch(&t.daemon, ATTACH("c0"));
	expect("run c0: /opt/hyperv_vfattach 'c0' 0\n");
}

static void clients_and_subscribers_get_what_no_rule_wants_too(void **state)
{
	static const char line[] = "!system=IFNET subsystem=eth0 type=LINK_UP";

	(void)state;
	t.daemon.clients = (void *)&t;
	t.daemon.control = (void *)&t;
	nv_events_dispatch(&t.daemon, line);
	expect("send !system=IFNET subsystem=eth0 type=LINK_UP\n");
	t.has_subscriber = true;
	nv_events_dispatch(&t.daemon, ATTACH("nvt0"));
	expect("send " ATTACH("nvt0") "\npublish event " ATTACH(
		"nvt0") "\n"
			"run nvt0: attach 'nvt0'\nrun nvt0: again 'nvt0'\n");
}

static void what_is_no_event_goes_nowhere(void **state)
{
	char line[10000];

	(void)state;
	t.daemon.clients = (void *)&t;
	nv_events_dispatch(&t.daemon, "");
	memset(line, 'x', sizeof(line));
	line[0] = '!';
	line[sizeof(line) - 1] = '\0';
	nv_events_dispatch(&t.daemon, line);
	expect("");
	assert_int_equal(t.daemon.events, 2);
}

static void what_waits_is_dispatched_once_in_its_order(void **state)
{
	(void)state;
	t.daemon.clients = (void *)&t;
	nv_events_queue("!system=A subsystem=x type=1", &t.daemon);
	nv_events_queue("!system=A subsystem=x type=2", &t.daemon);
	expect("");
	nv_events_flush(&t.daemon);
	expect("send !system=A subsystem=x type=1\nsend !system=A subsystem=x type=2\n");
	nv_events_flush(&t.daemon);
	expect("");
}

/* FreeBSD's order: VF_DOWN, the DETACH that brought it, VF_UP. */
static void vf_down_comes_before_all_and_vf_up_after_all(void **state)
{
	static const char *const wanted[] = {
		VF("hn1", "VF_DOWN"), ATTACH("nvt9"), VF("hn0", "VF_UP")};

	(void)state;
	nv_events_queue(ATTACH("nvt9"), &t.daemon);
	nv_events_failover_ops.raise_vf("hn0", "VF_UP", &t.daemon);
	assert_string_equal(text_of(last_in_history(), "what"), "VF_UP");
	nv_events_failover_ops.raise_vf("hn1", "VF_DOWN", &t.daemon);
	expect_pending(wanted, NV_ARRAY_SIZE(wanted));
	assert_string_equal(text_of(last_in_history(), "what"), "VF_DOWN");
	assert_string_equal(text_of(last_in_history(), "hn"), "hn1");
	nv_events_failover_ops.settled(&t.daemon);
	expect("run hn1: vf 'VF_DOWN' 'hn1'\nrun hn0: vf 'VF_UP' 'hn0'\n");
}

static void an_attachment_that_is_told_anyway_is_told_once(void **state)
{
	static const char *const wanted[] = {ATTACH("nvt0"), ATTACH("nvt1")};

	(void)state;
	nv_events_queue(ATTACH("nvt0"), &t.daemon);
	nv_events_failover_ops.raise_attach("nvt0", &t.daemon);
	nv_events_failover_ops.raise_attach("nvt1", &t.daemon);
	nv_events_failover_ops.raise_attach("nvt1", &t.daemon);
	expect_pending(wanted, NV_ARRAY_SIZE(wanted));
}

static void whether_a_rule_answers_is_asked_without_running_it(void **state)
{
	(void)state;
	assert_true(nv_events_answers_vf_up("hn0", &t.daemon));
	assert_true(nv_events_failover_ops.answers_vf_up("hn3", &t.daemon));
	assert_false(nv_events_answers_vf_up("net0", &t.daemon));
	expect("");
	assert_int_equal(t.daemon.events, 0);
	assert_null(last_in_history());
}

/* netvfd does the same sooner, and nothing that an administrator has put before it is left out. */
static void a_vf_is_set_up_at_once_only_where_the_rule_does_just_that(void **state)
{
	struct nv_settings settings = {};
	bool (*sets_up)(const char *vf, void *data) = nv_events_failover_ops.sets_up;

	(void)state;
	t.daemon.settings = &settings;
	assert_false(sets_up("nvt0", &t.daemon));
	set_rule(VFATTACH "$subsystem 0");
	assert_true(sets_up("nvt0", &t.daemon));
	settings.vf_delay = 120;
	assert_false(sets_up("nvt0", &t.daemon));
	settings.vf_delay = 0;
	set_rule(VFATTACH "$subsystem 0\"; action \"logger $subsystem");
	assert_true(sets_up("nvt0", &t.daemon));
	set_rule("ethtool -L $subsystem combined 4\"; action \"" VFATTACH "$subsystem 0");
	assert_false(sets_up("nvt0", &t.daemon));
	set_rule(VFATTACH "$subsystem 30");
	assert_false(sets_up("nvt0", &t.daemon));
	set_rule("sleep 9; " VFATTACH "$subsystem 0");
	assert_false(sets_up("nvt0", &t.daemon));
	set_rule("/opt/hyperv_vfattach $subsystem 0");
	assert_false(sets_up("nvt0", &t.daemon));
	expect("");
	assert_int_equal(t.daemon.events, 0);
}

static void why_no_rule_sets_a_vf_up_is_said(void **state)
{
	NV_AUTO(nv_str) struct nv_str why = {};

	(void)state;
	fake_make_link(t.fake, "ib0", "mlx5_core", 2);
	nv_loop_run_once(t.daemon.loop, 0);
	nv_str_add(&why, "as before");
	assert_false(nv_events_unattached(&t.daemon, "nvt0", &why));
	assert_string_equal(nv_str_text(&why), "as before");
	assert_true(nv_events_unattached(&t.daemon, "ib0", &why));
	assert_string_equal(nv_str_text(&why),
		"the nearest, at devd.conf:9, requires subsystem to be \"(nvt|eth)[0-9]\", and "
		"it is \"ib0\"");
	expect("");
}

static void a_switch_is_in_the_history(void **state)
{
	(void)state;
	nv_events_failover_ops.switched("hn0", "nvt0", "vf", &t.daemon);
	assert_string_equal(text_of(last_in_history(), "what"), "switch");
	assert_string_equal(text_of(last_in_history(), "hn"), "hn0");
	assert_string_equal(text_of(last_in_history(), "to"), "nvt0");
	assert_string_equal(text_of(last_in_history(), "port"), "vf");
}

static void how_an_action_ended_is_said(void **state)
{
	static const struct {
		int error, status;
		const char *end;
	} ends[] = {
		{0, 0, "ended with status 0"},
		{0, 3 << 8, "ended with status 3"},
		{0, SIGKILL, "was ended by signal 9"},
		{-ETIME, 0, "was ended at its time limit"},
		{-ECANCELED, 0, "continues without netvfd, which ends"},
		{-ENOENT, 0, "could not be run: No such file or directory"},
	};

	(void)state;
	for (size_t i = 0; i < NV_ARRAY_SIZE(ends); i++) {
		const struct nv_action_result result = {
			.subject = "hn0",
			.command = "vfup",
			.event = VF("hn0", "VF_UP"),
			.error = ends[i].error,
			.status = ends[i].status,
			.started_at = 100,
			.ended_at = 350,
		};

		nv_events_action_done(&result, &t.daemon);
		assert_string_equal(text_of(last_in_history(), "end"), ends[i].end);
		assert_string_equal(text_of(last_in_history(), "event"), result.event);
		assert_int_equal(
			json_integer_value(json_object_get(last_in_history(), "microseconds")),
			250);
	}
	/* Each may have made a lagg, or given one up. */
	assert_int_equal(t.looks, NV_ARRAY_SIZE(ends));
}

static void the_parent_may_go_when_the_last_action_has_ended(void **state)
{
	const struct nv_action_result result = {.subject = "x", .command = "x", .event = "x"};

	(void)state;
	t.waiting = 1;
	t.running = 1; /* the one that is told of */
	nv_events_action_done(&result, &t.daemon);
	t.waiting = 0;
	t.running = 2;
	nv_events_action_done(&result, &t.daemon);
	assert_int_equal(t.idles, 0);
	t.running = 1;
	nv_events_action_done(&result, &t.daemon);
	assert_int_equal(t.idles, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rules_actions_run_in_their_order),
		TEST(an_action_that_is_refused_does_not_keep_the_next),
		TEST(a_medium_is_what_the_link_is),
		TEST(hyperv_vfattach_is_run_for_what_may_be_a_vf),
		TEST(clients_and_subscribers_get_what_no_rule_wants_too),
		TEST(what_is_no_event_goes_nowhere),
		TEST(what_waits_is_dispatched_once_in_its_order),
		TEST(vf_down_comes_before_all_and_vf_up_after_all),
		TEST(an_attachment_that_is_told_anyway_is_told_once),
		TEST(whether_a_rule_answers_is_asked_without_running_it),
		TEST(a_vf_is_set_up_at_once_only_where_the_rule_does_just_that),
		TEST(why_no_rule_sets_a_vf_up_is_said),
		TEST(a_switch_is_in_the_history),
		TEST(how_an_action_ended_is_said),
		TEST(the_parent_may_go_when_the_last_action_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
