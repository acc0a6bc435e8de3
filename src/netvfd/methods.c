/* SPDX-License-Identifier: BSD-2-Clause */
/* The methods of the control socket. */
#include "control/text.h"
#include "datapath/lagg.h"
#include "failover/vf_proof.h"
#include "netvfd/daemon.h"
#include "pair/hn_sysctl.h"
#include "services/manager.h"

#include <errno.h>
#include <string.h>

/* Pairs of one part of an answer. Each takes less than 4 KiB, so they fit NV_CONTROL_ANSWER_MAX. */
#define PART 128

json_t *nv_methods_name(const struct nv_daemon *daemon, int ifindex)
{
	const struct nv_link *link = nv_links_by_index(nv_monitor_links(daemon->monitor), ifindex);

	return link ? nv_json_string(link->name) : json_null();
}

static json_t *methods_count_json(const struct nv_dp_count *count)
{
	return json_pack("{sI sI}", "packets", (json_int_t)count->packets, "bytes",
		(json_int_t)count->bytes);
}

/* What a direct VF receives is not counted. */
static json_t *methods_counters_json(
	struct nv_daemon *daemon, const struct nv_dp_pair *path, int ifindex)
{
	bool uncounted = ifindex == path->vf && nv_dp_pair_is_direct(path);
	struct nv_dp_counters counters;

	if (!ifindex || nv_datapath_counters(daemon->datapath, ifindex, &counters) < 0)
		return json_null();
	return json_pack("{so so so so so}", "tx", methods_count_json(&counters.tx), "rx",
		uncounted ? json_null() : methods_count_json(&counters.rx), "stray",
		methods_count_json(&counters.stray), "dropped_own",
		methods_count_json(&counters.dropped_own), "dropped_copy",
		methods_count_json(&counters.dropped_copy));
}

static const char *methods_match_name(enum nv_match_result match)
{
	switch (match) {
	case NV_MATCH_MANAGED:
		return "managed";
	case NV_MATCH_OBSERVED:
		return "observed";
	case NV_MATCH_REFUSED:
		return "refused";
	}
	return "?";
}

static json_t *methods_port_json(
	struct nv_daemon *daemon, const struct nv_dp_pair *path, int ifindex)
{
	const struct nv_link *link =
		ifindex ? nv_links_by_index(nv_monitor_links(daemon->monitor), ifindex) : NULL;

	if (!link)
		return json_null();
	return json_pack("{so so sb so}", "name", nv_json_string(link->name), "driver",
		nv_json_string(link->driver), "usable", (int)nv_link_usable(link), "counters",
		methods_counters_json(daemon, path, ifindex));
}

/*
 * The port that transmits. Without our program at the upper, an hn sends its frames itself, and a
 * lagg that is no bond sends none.
 */
static const char *methods_active(struct nv_daemon *daemon, const struct nv_dp_pair *path)
{
	bool is_lagg = path->mode == NV_MODE_LAGG;

	if (path->inside || (!is_lagg && path->active == NV_PORT_HN) ||
		nv_datapath_leads(daemon->datapath, path))
		return nv_port_name(path->active);
	return is_lagg ? "none" : nv_port_name(NV_PORT_HN);
}

/* What the lagg is, as in netvf_lagg; null: there is none. */
static json_t *methods_lagg_json(struct nv_daemon *daemon, int lagg)
{
	const struct nv_link *link =
		lagg ? nv_links_by_index(nv_monitor_links(daemon->monitor), lagg) : NULL;

	if (!link)
		return json_null();
	return json_string(nv_lagg_has_ports(link) ? "bond" : "bpf");
}

static json_t *methods_pair_json(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	struct nv_dp_pair path = {.hn = managed->id.hn};
	uint64_t age = nv_loop_now(daemon->loop) - managed->status.since;

	nv_datapath_get(daemon->datapath, managed->id.hn, &path);
	return json_pack("{so ss so so ss so ss ss ss? so? sf sI so so sf}", "hn",
		nv_json_string(managed->id.hn_name), "verdict",
		methods_match_name(managed->status.match), "why",
		nv_json_string(managed->status.why), "upper",
		nv_methods_name(daemon, nv_dp_pair_upper(&path)), "form", nv_mode_name(path.mode),
		"lagg", methods_lagg_json(daemon, path.lagg), "active",
		methods_active(daemon, &path), "wish", nv_override_name(managed->memory.override),
		"manager", managed->status.manager, "last_vf",
		managed->id.vf_name[0] ? nv_json_string(managed->id.vf_name) : NULL, "seconds",
		(double)age / NV_USEC_PER_SEC, "switches", (json_int_t)managed->status.switches,
		"hn_port", methods_port_json(daemon, &path, managed->id.hn), "vf_port",
		methods_port_json(daemon, &path, managed->state.vf), "vf_fails",
		nv_vf_proof_failed(daemon->failover, managed));
}

/* What sees each moment at which a VF ceases to send. */
static json_t *methods_moments_json(const struct nv_daemon *daemon)
{
	struct nv_dp_moment moments[NV_DP_MOMENTS];
	json_t *list = json_array();

	nv_datapath_moments(daemon->datapath, moments);
	for (size_t i = 0; i < NV_DP_MOMENTS; i++)
		json_array_append_new(
			list, json_pack("{ss ss ss? sI}", "moment", moments[i].name, "by",
				      moments[i].by, "function", moments[i].function, "runs",
				      (json_int_t)moments[i].runs));
	return list;
}

json_t *nv_methods_pairs(struct nv_daemon *daemon, const json_t *params,
	json_t *(*make)(struct nv_daemon *daemon, const struct nv_managed *managed),
	json_int_t *ret_next)
{
	const struct nv_failover *failover = daemon->failover;
	const json_t *after = json_object_get(params, "after");
	json_t *pairs = json_array();

	*ret_next = 0;
	for (size_t i = 0; i < failover->n_managed; i++) {
		const struct nv_managed *managed = &failover->managed[i];

		if (after && managed->id.hn <= json_integer_value(after))
			continue;
		if (after && json_array_size(pairs) == PART) {
			*ret_next = failover->managed[i - 1].id.hn;
			break;
		}
		json_array_append_new(pairs, make(daemon, managed));
	}
	return pairs;
}

static int methods_call_status(
	const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	struct nv_daemon *daemon = data;
	uint64_t age = nv_loop_now(daemon->loop) - daemon->failover->started;
	json_int_t next;
	json_t *pairs = nv_methods_pairs(daemon, params, methods_pair_json, &next);
	json_t *result;
	char why[256];

	(void)ret_error;
	nv_datapath_handover_why(daemon->datapath, why, sizeof(why));
	result = json_pack("{ss si sf so so so sI sI sI sI sI sb ss ss ss so so}", "version",
		NETVF_VERSION, "pid", (int)getpid(), "seconds", (double)age / NV_USEC_PER_SEC,
		"rules_file", nv_json_string(daemon->options->rules_path), "rcconf_file",
		nv_json_string(daemon->options->rcconf_path), "run_dir",
		nv_json_string(daemon->run_dir), "rules", (json_int_t)nv_rules_count(daemon->rules),
		"events", (json_int_t)daemon->events, "clients",
		(json_int_t)(daemon->clients ? nv_clients_count(daemon->clients) : 0),
		"actions_running", (json_int_t)nv_actions_running(daemon->actions), "resyncs",
		(json_int_t)nv_monitor_resyncs(daemon->monitor), "adopted",
		(int)nv_datapath_adopted(daemon->datapath), "handover",
		nv_datapath_handover(daemon->datapath), "handover_why", why, "reads",
		nv_datapath_reads(daemon->datapath), "moments", methods_moments_json(daemon),
		"pairs", pairs);
	if (!result)
		return -ENOMEM;
	if (next)
		json_object_set_new(result, "next", json_integer(next));
	*ret_result = result;
	return 0;
}

/* {"hn": "hn0", "to": "hn" | "vf" | "auto"}: switches before it returns. */
static int methods_call_switch(
	const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	struct nv_daemon *daemon = data;
	static const enum nv_override overrides[] = {
		NV_OVERRIDE_AUTO, NV_OVERRIDE_HN, NV_OVERRIDE_VF};
	const char *hn = json_string_value(json_object_get(params, "hn"));
	const char *to = json_string_value(json_object_get(params, "to"));
	const char *why = "\"hn\" and \"to\" are needed: the hn's name, and hn, vf or auto";
	int r = -EINVAL;

	(void)ret_result;
	for (size_t i = 0; i < NV_ARRAY_SIZE(overrides) && hn && to; i++)
		if (nv_streq(to, nv_override_name(overrides[i])))
			r = nv_failover_override(daemon->failover, hn, overrides[i]);
	if (r == -ENOENT)
		why = "no pair has this hn; netvf status lists them";
	else if (r == -EOPNOTSUPP)
		why = "netvfd does not switch this pair; netvf status says why";
	if (r < 0 && asprintf(ret_error, "%s: %s", hn ? hn : "switch", why) < 0)
		*ret_error = NULL;
	return r;
}

static int methods_call_history(
	const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	struct nv_daemon *daemon = data;
	json_int_t count = json_integer_value(json_object_get(params, "count"));

	(void)ret_error;
	*ret_result = nv_history_get(daemon->history, count > 0 ? (size_t)count : 0);
	return *ret_result ? 0 : -ENOMEM;
}

static int methods_call_events(
	const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	(void)params;
	(void)ret_error;
	(void)data;
	*ret_result = json_true();
	return 0;
}

struct sysctls {
	json_t *list; /* {"name": …, "value": …} of each */
	json_t *by_name; /* the same by name; of equal names, the first */
};

static int methods_add_sysctl(const char *name, const char *value, void *data)
{
	struct sysctls *sysctls = data;
	json_auto_t *entry =
		json_pack("{so so}", "name", nv_json_string(name), "value", nv_json_string(value));

	if (!entry || json_array_append(sysctls->list, entry))
		return -ENOMEM;
	if (!json_object_get(sysctls->by_name, name) &&
		json_object_set(sysctls->by_name, name, entry))
		return -ENOMEM;
	return 0;
}

/* The requested ones. Each was made once, even if it is requested several times. */
static int methods_pick_sysctls(
	const json_t *by_name, const json_t *names, json_t *list, char **ret_error)
{
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name);
		json_t *entry = text ? json_object_get(by_name, text) : NULL;

		if (!text)
			return -EINVAL;
		if (!entry && asprintf(ret_error, "no sysctl is named '%s'", text) < 0)
			*ret_error = NULL;
		if (!entry)
			return -ENOENT;
		if (json_array_append(list, entry))
			return -ENOMEM;
	}
	return 0;
}

/* The requested names, or all. */
static int methods_list_sysctls(const struct nv_hn_sysctl_facts *facts, const json_t *names,
	json_t **ret_list, char **ret_error)
{
	json_auto_t *all = json_array();
	json_auto_t *by_name = json_object();
	json_auto_t *picked = json_array();
	struct sysctls sysctls = {all, by_name};
	int r = all && by_name && picked ? nv_hn_sysctl_each(facts, methods_add_sysctl, &sysctls)
					 : -ENOMEM;

	if (r == 0)
		r = methods_pick_sysctls(by_name, names, picked, ret_error);
	if (r == 0)
		*ret_list = json_incref(json_array_size(names) ? picked : all);
	return r;
}

static int methods_call_sysctl(
	const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	struct nv_daemon *daemon = data;
	NV_AUTO(nv_pairs) struct nv_pairs pairs = {};
	NV_AUTO(nv_free) enum nv_port *active = NULL;
	NV_AUTO(nv_free) bool *managed = NULL;
	const struct nv_links *links = nv_monitor_links(daemon->monitor);
	struct nv_hn_sysctl_facts facts = {
		.links = links,
		.pairs = &pairs,
		.config = &daemon->settings->hn,
		.attwait = daemon->settings->attwait,
	};
	int r = nv_pairs_find(links, &daemon->settings->hn, &pairs);

	active = calloc(pairs.count + 1, sizeof(*active));
	managed = calloc(pairs.count + 1, sizeof(*managed));
	if (r == 0 && (!active || !managed))
		r = -ENOMEM;
	for (size_t i = 0; i < pairs.count && r == 0; i++) {
		struct nv_dp_pair path = {};

		if (nv_datapath_get(daemon->datapath, pairs.pair[i].hn, &path) == 0)
			active[i] = path.active;
		managed[i] = nv_manager_of(pairs.pair[i].hn);
	}
	facts.active = active;
	facts.managed = managed;
	if (r == 0)
		r = methods_list_sysctls(
			&facts, json_object_get(params, "names"), ret_result, ret_error);
	return r;
}

const struct nv_control_method nv_daemon_methods[] = {
	{.name = "status", .call = methods_call_status},
	{.name = "history", .call = methods_call_history},
	{.name = "switch", .call = methods_call_switch, .changes = true},
	{.name = "sysctl", .call = methods_call_sysctl},
	{.name = "doctor", .call = nv_doctor_call},
	{.name = "events", .call = methods_call_events, .topic = "event"},
	{},
};
