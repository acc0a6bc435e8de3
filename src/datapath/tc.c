/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/tc.h"

#include "base/cleanup.h"
#include "datapath/object_id.h"
#include "datapath/tcx.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int tc_make_clsact(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side)
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

static int tc_filter_program(int ifindex, enum bpf_tc_attach_point side, uint32_t *ret_id)
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

int nv_tc_program(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	uint32_t *ret_id)
{
	int at_tcx = nv_tcx_program(ifindex, side, known, ret_id);
	int r = at_tcx < 0 ? tc_filter_program(ifindex, side, ret_id) : 0;

	return r < 0 && at_tcx == -EPERM ? -EPERM : r;
}

static int tc_attach_filter(
	struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NV_TC_HANDLE, .priority = NV_TC_PRIORITY,
		.prog_fd = program, .flags = BPF_TC_F_REPLACE);
	int r;

	r = tc_make_clsact(kernel, ifindex, side);
	if (r < 0)
		return r;
	r = bpf_tc_attach(&hook, &opts);
	if (r == -ENOENT)
		return -EOPNOTSUPP;
	return r == -EINVAL ? -EBUSY : r;
}

static bool tc_detach_filter(int ifindex, enum bpf_tc_attach_point side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = NV_TC_HANDLE, .priority = NV_TC_PRIORITY);

	return !bpf_tc_detach(&hook, &opts);
}

/*
 * Ours is in one of the two places only: two programs would see each frame twice. While a filter
 * moves, the program at tcx comes first, and the filter sees only what that lets continue.
 */
int nv_tc_attach(struct nv_kernel *kernel, int ifindex, enum bpf_tc_attach_point side,
	const struct nv_tcx_known *known, enum nv_tc_place place)
{
	uint32_t wanted, at_tcx, at_filter;
	bool has_filter, has_tcx, is_current;
	int r;

	r = nv_object_id(known->program, &wanted);
	if (r < 0)
		return r;
	has_tcx = nv_tcx_program(ifindex, side, known, &at_tcx) == 0;
	has_filter = !has_tcx && tc_filter_program(ifindex, side, &at_filter) == 0;
	is_current = has_filter && at_filter == wanted;
	if ((has_tcx && at_tcx == wanted) || (is_current && place != NV_TC_MOVE))
		return 0;
	if (!has_tcx && !has_filter && place == NV_TC_SOON &&
		tc_attach_filter(kernel, ifindex, side, known->program) == 0)
		return 0;
	r = has_filter && place != NV_TC_MOVE ? -EINVAL : nv_tcx_attach(ifindex, side, known);
	if (r == 0 && has_filter)
		tc_detach_filter(ifindex, side);
	if (r < 0 && is_current)
		return 0;
	return r == -EINVAL ? tc_attach_filter(kernel, ifindex, side, known->program) : r;
}

bool nv_tc_remove(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known)
{
	nv_tcx_detach(ifindex, side, known);
	return tc_detach_filter(ifindex, side);
}

void nv_tc_detach(struct nv_kernel *kernel, int ifindex, const struct nv_tcx_known *ingress,
	const struct nv_tcx_known *egress, bool moved)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct nv_clsact clsact;
	bool detached = nv_tc_remove(ifindex, BPF_TC_INGRESS, ingress);

	detached |= nv_tc_remove(ifindex, BPF_TC_EGRESS, egress);
	if ((!detached && !moved) || nv_kernel_clsact(kernel, ifindex, &clsact) < 0 ||
		clsact.count || strcmp(clsact.kind, "clsact"))
		return;
	bpf_tc_hook_destroy(&hook);
}

/* Filters of others; @ret_before: those that run before ours, because the last of a priority does.
 */
static unsigned int tc_count_filters(
	const struct nv_clsact *clsact, bool egress, unsigned int *ret_before)
{
	unsigned int elsewhere = 0;
	unsigned int before = 0;

	for (size_t i = 0; i < clsact->count; i++) {
		const struct nv_filter *filter = &clsact->filter[i];
		bool is_our_priority = filter->priority == NV_TC_PRIORITY;

		if (filter->egress != egress)
			continue;
		elsewhere += !is_our_priority && !filter->handle;
		before += is_our_priority && filter->handle && filter->handle != NV_TC_HANDLE;
	}
	*ret_before = before;
	return elsewhere + before;
}

unsigned int nv_tc_count_others(struct nv_kernel *kernel, int ifindex)
{
	struct nv_clsact clsact = {};
	unsigned int before;

	nv_kernel_clsact(kernel, ifindex, &clsact);
	return nv_tcx_count_others(ifindex, BPF_TC_INGRESS) +
	       nv_tcx_count_others(ifindex, BPF_TC_EGRESS) +
	       tc_count_filters(&clsact, false, &before) + tc_count_filters(&clsact, true, &before);
}

struct nv_dp_others nv_tc_others_at_egress(
	struct nv_kernel *kernel, int ifindex, const struct nv_tcx_known *known)
{
	struct nv_dp_others others = {};
	struct nv_clsact clsact = {};
	unsigned int before = 0;
	unsigned int filters = 0;
	uint32_t id;

	if (nv_kernel_clsact(kernel, ifindex, &clsact) == 0)
		filters = tc_count_filters(&clsact, true, &before);
	if (nv_tcx_program(ifindex, BPF_TC_EGRESS, known, &id) == 0) {
		nv_tcx_find_others(ifindex, BPF_TC_EGRESS, known, &others);
		others.behind += filters;
	} else if (tc_filter_program(ifindex, BPF_TC_EGRESS, &id) == 0) {
		others.before = before + nv_tcx_count_others(ifindex, BPF_TC_EGRESS);
		others.behind = filters - before;
	}
	return others;
}
