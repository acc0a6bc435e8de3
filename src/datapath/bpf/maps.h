/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps that the programs at tc and the hooks share. */
#pragma once

#include "datapath/shared.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NV_DP_PORTS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} nv_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NV_DP_PAIRS_MAX);
	__type(key, __u32);
	__type(value, struct nv_entry);
} nv_pairs SEC(".maps");

/*
 * slot -> where the kernel has the pair's VF, as it was found last, and this network namespace. It
 * may be gone from there. But then it was closed before, and what is read there says so, or has
 * another index or namespace, or cannot be read, which reads as 0.
 */
struct place {
	const void *device;
	const void *net;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NV_DP_PAIRS_MAX);
	__type(key, __u32);
	__type(value, struct place);
} nv_places SEC(".maps");
