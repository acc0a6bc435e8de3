/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/tcx.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "datapath/object_id.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* From linux/bpf.h, which may be older here than the running kernel (Linux 6.6). */
#define TCX_INGRESS ((enum bpf_attach_type)46) /* BPF_TCX_INGRESS */
#define TCX_EGRESS  ((enum bpf_attach_type)47) /* BPF_TCX_EGRESS */
/* BPF_F_BEFORE: before all others, because no other program is named */
#define TCX_BEFORE	 (1U << 3)
#define TCX_REPLACE	 BPF_F_REPLACE
#define TCX_PROGRAMS_MAX 64 /* BPF_MPROG_MAX */
#define OUR_NAMES	 "netvf_"

#ifndef NV_TCX
#define NV_TCX 1 /* a test builds without it */
#endif

static enum bpf_attach_type tcx_type_of(enum bpf_tc_attach_point side)
{
	return side == BPF_TC_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

/* A kernel without tcx refuses the side before it looks for the interface. */
bool nv_tcx_is_there(void)
{
	uint32_t flags;
	uint32_t count = 0;

	return NV_TCX && bpf_prog_query(INT_MAX, TCX_INGRESS, 0, &flags, NULL, &count) == -ENODEV;
}

static bool tcx_is_ours(int program)
{
	struct bpf_prog_info info = {};
	unsigned int size = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &size) >= 0 &&
	       !strncmp(info.name, OUR_NAMES, strlen(OUR_NAMES));
}

/* A descriptor of the program with this id, if it is ours. -ENOENT: it is not, or it is gone. */
static int tcx_open_ours(uint32_t id, const struct nv_tcx_known *known)
{
	const int candidates[] = {known->program, known->replaced};
	NV_AUTO(nv_fd) int program = -1;
	uint32_t its;

	for (size_t i = 0; i < NV_ARRAY_SIZE(candidates); i++) {
		int copy;

		if (candidates[i] < 0 || nv_object_id(candidates[i], &its) < 0 || its != id)
			continue;
		copy = fcntl(candidates[i], F_DUPFD_CLOEXEC, 3);
		return copy < 0 ? -errno : copy;
	}
	program = bpf_prog_get_fd_by_id(id);
	if (program < 0)
		return program;
	return tcx_is_ours(program) ? TAKE_FD(program) : -ENOENT;
}

/* @ret_others: may be NULL */
static int tcx_find(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	int *ret_program, uint32_t *ret_id, struct nv_dp_others *ret_others)
{
	uint32_t ids[TCX_PROGRAMS_MAX] = {};
	uint32_t count = TCX_PROGRAMS_MAX;
	uint32_t flags;
	int r = bpf_prog_query(ifindex, tcx_type_of(side), 0, &flags, ids, &count);
	int answer = -ENOENT;

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		int program = tcx_open_ours(ids[i], known);

		if (program >= 0) {
			*ret_program = program;
			*ret_id = ids[i];
			if (ret_others)
				*ret_others = (struct nv_dp_others){i, count - i - 1};
			return 0;
		}
		if (program != -ENOENT && program != -EPERM)
			return program;
		if (program == -EPERM)
			answer = -EPERM;
	}
	return answer;
}

int nv_tcx_program(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known,
	uint32_t *ret_id)
{
	NV_AUTO(nv_fd) int program = -1;

	return tcx_find(ifindex, side, known, &program, ret_id, NULL);
}

bool nv_tcx_runs(int ifindex, enum bpf_tc_attach_point side, uint32_t id)
{
	uint32_t ids[TCX_PROGRAMS_MAX] = {};
	uint32_t count = TCX_PROGRAMS_MAX;
	uint32_t flags;

	if (bpf_prog_query(ifindex, tcx_type_of(side), 0, &flags, ids, &count) < 0)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

void nv_tcx_find_others(int ifindex, enum bpf_tc_attach_point side,
	const struct nv_tcx_known *known, struct nv_dp_others *ret_others)
{
	NV_AUTO(nv_fd) int program = -1;
	uint32_t id;

	*ret_others = (struct nv_dp_others){};
	tcx_find(ifindex, side, known, &program, &id, ret_others);
}

unsigned int nv_tcx_count_others(int ifindex, enum bpf_tc_attach_point side)
{
	uint32_t ids[TCX_PROGRAMS_MAX] = {};
	uint32_t count = TCX_PROGRAMS_MAX;
	unsigned int others = 0;
	uint32_t flags;

	if (bpf_prog_query(ifindex, tcx_type_of(side), 0, &flags, ids, &count) < 0)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		NV_AUTO(nv_fd) int program = bpf_prog_get_fd_by_id(ids[i]);

		others += program >= 0 && !tcx_is_ours(program);
	}
	return others;
}

int nv_tcx_attach(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = TCX_BEFORE);
	NV_AUTO(nv_fd) int replaced = -1;
	uint32_t id;
	int r = tcx_find(ifindex, side, known, &replaced, &id, NULL);

	if (r < 0 && r != -ENOENT && r != -EPERM)
		return r;
	if (!NV_TCX && replaced < 0)
		return -EINVAL;
	if (replaced >= 0) {
		opts.flags = TCX_REPLACE;
		opts.replace_prog_fd = replaced;
	}
	return bpf_prog_attach_opts(known->program, ifindex, tcx_type_of(side), &opts);
}

int nv_tcx_detach(int ifindex, enum bpf_tc_attach_point side, const struct nv_tcx_known *known)
{
	NV_AUTO(nv_fd) int program = -1;
	uint32_t id;
	int r;

	r = tcx_find(ifindex, side, known, &program, &id, NULL);
	return r < 0 ? r : bpf_prog_detach2(program, ifindex, tcx_type_of(side));
}
