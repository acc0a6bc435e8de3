/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/tc.h"

#include "base/cleanup.h"
#include "datapath/objects.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int make_clsact(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct nv_clsact clsact;
	int r;

	r = bpf_tc_hook_create(&hook);
	if (r == -ENOENT)
		return -EOPNOTSUPP;
	if (r != -EEXIST || side == BPF_TC_INGRESS)
		return r == -EEXIST ? 0 : r;
	/* The qdisc "ingress" has the same place, and would run an egress filter at ingress. */
	r = nv_kernel_clsact(kernel, ifindex, &clsact);
	if (r < 0)
		return r;
	return strcmp(clsact.kind, "clsact") ? -EBUSY : 0;
}

int nv_tc_program(int ifindex, enum bpf_tc_attach_point side, uint32_t *ret_id)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NV_TC_HANDLE, .priority = NV_TC_PRIORITY);
	int r;

	r = bpf_tc_query(&hook, &opts);
	if (r < 0)
		return r;
	*ret_id = opts.prog_id;
	return 0;
}

int nv_tc_attach(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NV_TC_HANDLE, .priority = NV_TC_PRIORITY,
		.prog_fd = program, .flags = BPF_TC_F_REPLACE);
	uint32_t wanted;
	uint32_t attached;
	int r;

	r = nv_object_id(program, &wanted);
	if (r < 0)
		return r;
	if (!nv_tc_program(ifindex, side, &attached) && attached == wanted)
		return 0;
	r = make_clsact(kernel, ifindex, side);
	if (r < 0)
		return r;
	r = bpf_tc_attach(&hook, &opts);
	if (r == -ENOENT)
		return -EOPNOTSUPP;
	return r == -EINVAL ? -EBUSY : r;
}

void nv_tc_detach(struct nv_kernel *kernel, int ifindex)
{
	const enum bpf_tc_attach_point sides[] = {BPF_TC_INGRESS, BPF_TC_EGRESS};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NV_TC_HANDLE, .priority = NV_TC_PRIORITY);
	struct nv_clsact clsact;
	bool detached = false;

	for (size_t i = 0; i < NV_ARRAY_SIZE(sides); i++) {
		hook.attach_point = sides[i];
		detached |= !bpf_tc_detach(&hook, &opts);
	}
	if (!detached || nv_kernel_clsact(kernel, ifindex, &clsact) < 0 || clsact.has_filters ||
		strcmp(clsact.kind, "clsact"))
		return;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
}
