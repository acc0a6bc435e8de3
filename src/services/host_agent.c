/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/host_agent.h"

#include "services/process.h"

#include <string.h>

static const char *const agents[] = {"qemu-ga", "hv_kvp_daemon", "vmtoolsd", "xe-daemon"};

static bool agent_runs(pid_t pid, void *data)
{
	NV_AUTO(nv_process) struct nv_process process = NV_PROCESS_NONE;
	NV_AUTO(nv_words) struct nv_words args = {};
	const char **ret_agent = data;
	const char *name;

	if (nv_process_open(pid, &process) < 0 || !nv_process_is_roots(&process) ||
		nv_process_args(&process, &args) < 0 || !args.count)
		return false;
	name = strrchr(args.word[0], '/');
	name = name ? name + 1 : args.word[0];
	for (size_t i = 0; i < NV_ARRAY_SIZE(agents) && !*ret_agent; i++)
		if (nv_streq(name, agents[i]))
			*ret_agent = agents[i];
	return *ret_agent;
}

const char *nv_host_agent(void)
{
	const char *agent = NULL;

	nv_process_each(agent_runs, &agent);
	return agent;
}
