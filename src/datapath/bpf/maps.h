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
 * slot -> where in the kernel's memory the pair's VF was found last, and this network namespace.
 * The device may be gone from there. But it was closed before that; so what is read there is
 * closed, has another ifindex or namespace, or cannot be read, which gives 0.
 */
struct place {
	const void *device;
	const void *net;
	const void *queue; /* the device's first, which it keeps as long as it lives */
	/* written last; a later device may be at the same address, with another queue */
	__u32 ifindex;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NV_DP_PAIRS_MAX);
	__type(key, __u32);
	__type(value, struct place);
} nv_places SEC(".maps");
