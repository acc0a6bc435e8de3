/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps that the programs at tc and the hooks share. */
#pragma once

#include "datapath/entry.h"

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
