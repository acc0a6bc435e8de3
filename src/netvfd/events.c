/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatches events to rules, clients and the history. */
#include "base/log.h"
#include "control/text.h"
#include "netvfd/daemon.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define PENDING_MAX   100000 /* lines of one batch; a dump of as many interfaces fits */
#define COMMAND_SHOWN 1024 /* bytes of an action's command that the history keeps */

static void events_keep(struct nv_daemon *daemon, const char *line, bool first)
{
	struct nv_words *pending = &daemon->pending;
	char **more = NULL;
	char *copy = NULL;

	if (pending->count < PENDING_MAX) {
		more = reallocarray(pending->word, pending->count + 1, sizeof(*more));
		copy = more ? strdup(line) : NULL;
	}
	if (more)
		pending->word = more;
	if (!copy) {
		nv_err("cannot store an event; rules and clients do not get it: %s", line);
		return;
	}
	if (first)
		memmove(pending->word + 1, pending->word, pending->count * sizeof(*more));
	pending->word[first ? 0 : pending->count] = copy;
	pending->count++;
}

void nv_events_queue(const char *line, void *daemon)
{
	events_keep(daemon, line, false);
}

void nv_events_flush(struct nv_daemon *daemon)
{
	NV_AUTO(nv_words) struct nv_words lines = TAKE_STRUCT(daemon->pending);

	for (size_t i = 0; i < lines.count; i++)
		nv_events_dispatch(daemon, lines.word[i]);
}

/* devd asks the kernel for the interface's medium; here the link's type is enough. */
static const char *events_media_type(const char *ifname, void *data)
{
	const struct nv_daemon *daemon = data;
	const struct nv_link *link = nv_links_by_name(nv_monitor_links(daemon->monitor), ifname);

	if (!link)
		return NULL;
	switch (link->type) {
	case ARPHRD_ETHER:
		return "Ethernet";
	case ARPHRD_IEEE80211:
	case ARPHRD_IEEE80211_RADIOTAP:
		return "802.11";
	case ARPHRD_ATM:
		return "ATM";
	default:
		return NULL;
	}
}

static int events_parse(const char *line, struct nv_event **ret_event)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return nv_event_parse(line, strlen(line), &now, ret_event);
}

/* Whether a command is only hyperv_vfattach. */
static bool events_is_vfattach(const char *command)
{
	static const char vfattach[] = NETVF_LIBEXECDIR "/hyperv_vfattach ";

	return strncmp(command, vfattach, strlen(vfattach)) == 0 &&
	       !strpbrk(command, ";&|<>()$`\"\\\n");
}

/*
 * Whether a command is only hyperv_vfattach and would do nothing, because the link cannot be a VF.
 * Otherwise it would run for every interface where a thousand containers start. If a link becomes a
 * pair's VF later, events_raise_attach() raises its IFATTACH.
 */
static bool events_is_needless(
	struct nv_daemon *daemon, const struct nv_event *event, const char *command)
{
	const struct nv_link *link =
		nv_links_by_name(nv_monitor_links(daemon->monitor), nv_event_subject(event));

	return link && events_is_vfattach(command) &&
	       !nv_link_may_be_vf(link, &daemon->settings->hn);
}

static void events_run_rule(
	struct nv_daemon *daemon, const struct nv_rule *rule, const struct nv_event *event)
{
	NV_AUTO(nv_str) struct nv_str command = {};

	for (size_t i = 0; i < nv_rule_actions(rule); i++) {
		int r = nv_rule_expand(daemon->rules, rule, i, event, &command);

		if (r == 0 && events_is_needless(daemon, event, nv_str_text(&command))) {
			nv_debug("event '%s': not a VF, not running %s", nv_event_line(event),
				nv_str_text(&command));
			continue;
		}
		if (r == 0)
			r = nv_actions_add(daemon->actions, nv_event_subject(event),
				nv_str_text(&command), nv_event_line(event),
				nv_event_get(event, "timestamp"), NULL);
		if (r < 0)
			nv_err("cannot run the action of %s:%u for event '%s': %s",
				nv_rule_file(rule), nv_rule_line(rule), nv_event_line(event),
				nv_strerror(r));
		else
			nv_info("event '%s': running %s", nv_event_line(event),
				nv_str_text(&command));
	}
}

static void events_publish(struct nv_daemon *daemon, const struct nv_event *event)
{
	json_t *value;

	if (!daemon->control || !nv_control_has_subscriber(daemon->control, "event"))
		return;
	value = json_pack("{so}", "line", nv_json_string(nv_event_line(event)));
	if (!value)
		return;
	if (nv_event_get(event, "timestamp"))
		json_object_set_new(
			value, "time", json_real(strtod(nv_event_get(event, "timestamp"), NULL)));
	nv_control_publish(daemon->control, "event", value);
	json_decref(value);
}

void nv_events_dispatch(struct nv_daemon *daemon, const char *line)
{
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	const struct nv_rule *rule;
	int r = events_parse(line, &event);

	daemon->events++;
	if (r < 0) {
		nv_warn("an event of %zu bytes is dropped: %s: %.100s", strlen(line),
			r == -EMSGSIZE ? "it is longer than devd's limit" : nv_strerror(r), line);
		return;
	}
	if (daemon->clients)
		nv_clients_send(daemon->clients, line);
	events_publish(daemon, event);
	rule = nv_rules_match(daemon->rules, event, events_media_type, daemon);
	nv_debug("event '%s': %s", line, rule ? "a rule matches" : "no rule");
	if (rule)
		events_run_rule(daemon, rule, event);
}

/* Not if the VF appeared in this batch: then it has its own IFATTACH. */
static void events_raise_attach(const char *vf, void *data)
{
	struct nv_daemon *daemon = data;
	NV_AUTO(nv_str) struct nv_str line = {};

	if (nv_event_format_notify(&line, "ETHERNET", vf, "IFATTACH", NULL, 0) < 0)
		return;
	for (size_t i = 0; i < daemon->pending.count; i++)
		if (nv_streq(daemon->pending.word[i], nv_str_text(&line)))
			return;
	events_keep(daemon, nv_str_text(&line), false);
}

static void events_raise_vf(const char *hn, const char *type, void *data)
{
	struct nv_daemon *daemon = data;
	NV_AUTO(nv_str) struct nv_str line = {};

	if (nv_event_format_notify(&line, "HYPERV_NIC_VF", hn, type, NULL, 0) == 0)
		/*
		 * FreeBSD's order: VF_DOWN before the DETACH that caused it, VF_UP after
		 * everything.
		 */
		events_keep(daemon, nv_str_text(&line), nv_streq(type, "VF_DOWN"));
	nv_history_add(daemon->history, type, "{so}", "hn", nv_json_string(hn));
}

bool nv_events_answers_vf_up(const char *hn, void *data)
{
	struct nv_daemon *daemon = data;
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	NV_AUTO(nv_str) struct nv_str line = {};

	if (nv_event_format_notify(&line, "HYPERV_NIC_VF", hn, "VF_UP", NULL, 0) < 0)
		return false;
	if (events_parse(nv_str_text(&line), &event) < 0)
		return false;
	return nv_rules_match(daemon->rules, event, events_media_type, daemon) != NULL;
}

static int events_parse_attach(const char *vf, struct nv_event **ret_event)
{
	NV_AUTO(nv_str) struct nv_str line = {};
	int r = nv_event_format_notify(&line, "ETHERNET", vf, "IFATTACH", NULL, 0);

	return r < 0 ? r : events_parse(nv_str_text(&line), ret_event);
}

static bool events_sets_up(const char *vf, void *data)
{
	struct nv_daemon *daemon = data;
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	NV_AUTO(nv_str) struct nv_str command = {};
	const struct nv_rule *rule;

	if (daemon->settings->vf_delay || events_parse_attach(vf, &event) < 0)
		return false;
	rule = nv_rules_match(daemon->rules, event, events_media_type, daemon);
	return rule && nv_rule_actions(rule) > 0 &&
	       nv_rule_expand(daemon->rules, rule, 0, event, &command) == 0 &&
	       events_is_vfattach(nv_str_text(&command)) &&
	       nv_streq(strrchr(nv_str_text(&command), ' '), " 0");
}

bool nv_events_unattached(struct nv_daemon *daemon, const char *vf, struct nv_str *why)
{
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	struct nv_rule_miss miss;

	if (events_parse_attach(vf, &event) < 0)
		return false;
	if (nv_rules_match(daemon->rules, event, events_media_type, daemon))
		return false;
	nv_str_clear(why);
	if (nv_rules_nearest(daemon->rules, event, events_media_type, daemon, &miss) < 0)
		nv_str_add(why, "no rule comes near");
	else
		nv_str_printf(why,
			"the nearest, at %s:%u, requires %s to be%s \"%s\", and it is \"%s\"",
			miss.file, miss.line, miss.variable, miss.negated ? " other than" : "",
			miss.pattern, miss.value);
	return true;
}

static void events_note_switch(const char *hn, const char *to, const char *port, void *data)
{
	struct nv_daemon *daemon = data;

	nv_history_add(daemon->history, "switch", "{so so ss}", "hn", nv_json_string(hn), "to",
		nv_json_string(to), "port", port);
}

static void events_on_settled(void *data)
{
	struct nv_daemon *daemon = data;

	nv_priority_need(daemon, nv_failover_is_urgent(daemon->failover));
	nv_events_flush(daemon);
}

const struct nv_failover_ops nv_events_failover_ops = {
	.raise_vf = events_raise_vf,
	.raise_attach = events_raise_attach,
	.answers_vf_up = nv_events_answers_vf_up,
	.sets_up = events_sets_up,
	.switched = events_note_switch,
	.settled = events_on_settled,
};

static void events_describe_end(const struct nv_action_result *result, struct nv_str *text)
{
	if (result->error == -ETIME)
		nv_str_add(text, "was ended at its time limit");
	else if (result->error == -ECANCELED)
		nv_str_add(text, "continues without netvfd, which ends");
	else if (result->error)
		nv_str_printf(text, "could not be run: %s", nv_strerror(result->error));
	else if (WIFSIGNALED(result->status))
		nv_str_printf(text, "was ended by signal %d", WTERMSIG(result->status));
	else
		nv_str_printf(text, "ended with status %d", WEXITSTATUS(result->status));
}

void nv_events_action_done(const struct nv_action_result *result, void *data)
{
	struct nv_daemon *daemon = data;
	NV_AUTO(nv_str) struct nv_str end = {};
	NV_AUTO(nv_str) struct nv_str command = {};
	bool good = !result->error && result->status == 0;

	events_describe_end(result, &end);
	nv_log(good ? LOG_INFO : LOG_WARNING, "action '%s' for event '%s' %s", result->command,
		result->event, nv_str_text(&end));
	nv_str_printf(&command, "%.*s", COMMAND_SHOWN, result->command);
	nv_history_add(daemon->history, "action", "{so so so so sI}", "subject",
		nv_json_string(result->subject), "command", nv_json_string(nv_str_text(&command)),
		"event", nv_json_string(result->event), "end", nv_json_string(nv_str_text(&end)),
		"microseconds", (json_int_t)(result->ended_at - result->started_at));

	/* hyperv_vfup may have changed a pair's mode. */
	nv_failover_note_action(daemon->failover, result->subject);
	/* The command that is reported here still counts as running. */
	if (!nv_actions_waiting(daemon->actions) && nv_actions_running(daemon->actions) == 1)
		nv_daemonize_idle(daemon);
}
