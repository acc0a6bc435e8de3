/* SPDX-License-Identifier: BSD-2-Clause */
/* The method "doctor": what `netvf doctor` cannot see from outside. */
#include "control/text.h"
#include "failover/hn_guard.h"
#include "failover/mode.h"
#include "netvfd/daemon.h"

#include <errno.h>

/* Only the beginning of an action matters; all of them fit in an answer. */
#define ACTIONS_MAX 1000
#define ACTION_MAX  256

static json_t *doctor_missing_json(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	int ifindex[NV_DP_INTERFACES];
	int count = managed->memory.incomplete
			    ? 0
			    : nv_datapath_missing(daemon->datapath, managed->id.hn, ifindex);
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(list, nv_methods_name(daemon, ifindex[i]));
	return list;
}

/* Seconds for which a hold-down still keeps traffic off a usable VF; 0: none. */
static double doctor_held(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	uint64_t limit = daemon->settings->holddown * NV_USEC_PER_SEC;
	const struct nv_link *vf =
		nv_links_by_index(nv_monitor_links(daemon->monitor), managed->state.vf);

	if (!vf || !nv_link_usable(vf) || managed->state.active == NV_PORT_VF)
		return 0;
	return (double)nv_holddown_left(
		       &managed->memory.holddown, nv_loop_now(daemon->loop), limit) /
	       NV_USEC_PER_SEC;
}

static bool doctor_waits(
	struct nv_daemon *daemon, const struct nv_managed *managed, bool transparent)
{
	struct nv_attach_delay attwait = managed->memory.attach_delay;

	return transparent && !managed->state.ready &&
	       nv_attach_delay_left(&attwait, managed->state.vf, nv_loop_now(daemon->loop),
		       daemon->settings->attwait * NV_USEC_PER_SEC);
}

/* Why no rule sets the VF up; null: a rule does, or none is needed. */
static json_t *doctor_unattached_json(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	const struct nv_link *vf =
		nv_links_by_index(nv_monitor_links(daemon->monitor), managed->state.vf);
	NV_AUTO(nv_str) struct nv_str why = {};

	if (!vf || nv_mode_is_transparent(daemon->failover, managed) ||
		!nv_events_unattached(daemon, vf->name, &why))
		return json_null();
	return nv_json_string(nv_str_text(&why));
}

/* Programs of others at the upper, while there is a VF that they may keep frames from. */
static json_t *doctor_others_json(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	struct nv_dp_others others = {};
	struct nv_dp_pair path;

	if (nv_datapath_get(daemon->datapath, managed->id.hn, &path) == 0 && path.vf)
		others = nv_datapath_others(daemon->datapath, &path);
	return json_pack("{si si}", "before", (int)others.before, "behind", (int)others.behind);
}

static json_t *doctor_pair_json(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	bool transparent = nv_mode_is_transparent(daemon->failover, managed);
	uint64_t since = managed->memory.attach_delay.since;

	if (since < daemon->failover->started)
		since = daemon->failover->started;
	return json_pack("{so so so sI sf so so sb sb sb sb sb sf sf}", "hn",
		nv_json_string(managed->id.hn_name), "others", doctor_others_json(daemon, managed),
		"unfiltered", doctor_missing_json(daemon, managed), "stripped",
		(json_int_t)managed->stripped.count, "stripped_seconds",
		(double)(nv_loop_now(daemon->loop) - managed->stripped.when) / NV_USEC_PER_SEC,
		"unattached", doctor_unattached_json(daemon, managed), "port_vf",
		nv_methods_name(daemon, managed->memory.port_vf), "transparent", (int)transparent,
		"given_up", (int)nv_hn_guard_has_given_up(daemon->failover, managed), "vfs_own",
		(int)managed->memory.vfs_own, "answered",
		(int)nv_events_answers_vf_up(managed->id.hn_name, daemon), "waits",
		(int)doctor_waits(daemon, managed, transparent), "held",
		doctor_held(daemon, managed), "vf_seconds",
		(double)(nv_loop_now(daemon->loop) - since) / NV_USEC_PER_SEC);
}

static int doctor_add_action(const char *file, unsigned int line, const char *action, void *data)
{
	json_t *list = data;
	char begin[ACTION_MAX];

	nv_strcopy(begin, sizeof(begin), action);
	if (json_array_size(list) >= ACTIONS_MAX)
		return 1;
	return json_array_append_new(
		       list, json_pack("{so si so}", "file", nv_json_string(file), "line",
				     (int)line, "action", nv_json_string(begin)))
		       ? -ENOMEM
		       : 0;
}

int nv_doctor_call(const json_t *params, json_t **ret_result, char **ret_error, void *data)
{
	struct nv_daemon *daemon = data;
	json_int_t next;
	json_t *pairs = nv_methods_pairs(daemon, params, doctor_pair_json, &next);
	json_t *actions = json_array();

	(void)ret_error;
	nv_rules_each_action(daemon->rules, doctor_add_action, actions);
	*ret_result = json_pack("{so so}", "pairs", pairs, "actions", actions);
	if (next)
		json_object_set_new(*ret_result, "next", json_integer(next));
	return *ret_result ? 0 : -ENOMEM;
}
