/* SPDX-License-Identifier: BSD-2-Clause */
#include "datapath/counts.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* One zero value for each CPU. */
struct values {
	char *bytes;
	size_t size; /* bytes of a value that both versions have */
	size_t stride; /* bytes from one value to the next */
	size_t cpus;
};

static void values_auto(struct values *values)
{
	free(values->bytes);
}

static int counts_make_values(int counts, struct values *ret_values)
{
	struct bpf_map_info info = {};
	unsigned int size = sizeof(info);
	int cpus = libbpf_num_possible_cpus();
	struct values values = {};
	int r;

	if (cpus < 0)
		return cpus;
	r = bpf_obj_get_info_by_fd(counts, &info, &size);
	if (r < 0)
		return r;
	if (info.type != BPF_MAP_TYPE_PERCPU_ARRAY)
		return -EPROTO;
	values.cpus = (size_t)cpus;
	values.stride = (info.value_size + 7) & ~(size_t)7;
	values.size = info.value_size < sizeof(struct nv_counts) ? info.value_size
								 : sizeof(struct nv_counts);
	values.bytes = calloc(values.cpus, values.stride);
	if (!values.bytes)
		return -ENOMEM;
	*ret_values = values;
	return 0;
}

static void counts_add(struct nv_count *sum, const struct nv_count *count)
{
	sum->packets += count->packets;
	sum->bytes += count->bytes;
}

int nv_counts_get(int counts, __u32 slot, enum nv_port port, struct nv_counts *ret_sum)
{
	NV_AUTO(values) struct values values = {};
	__u32 key = 2 * slot + port;
	struct nv_counts sum = {};
	int r;

	r = counts_make_values(counts, &values);
	if (r == 0)
		r = bpf_map_lookup_elem(counts, &key, values.bytes);
	if (r < 0)
		return r;
	for (size_t cpu = 0; cpu < values.cpus; cpu++) {
		struct nv_counts one = {};

		memcpy(&one, values.bytes + cpu * values.stride, values.size);
		counts_add(&sum.tx, &one.tx);
		counts_add(&sum.rx, &one.rx);
		counts_add(&sum.stray, &one.stray);
		counts_add(&sum.own, &one.own);
		counts_add(&sum.copy, &one.copy);
		sum.heard += one.heard;
		sum.answers += one.answers;
	}
	*ret_sum = sum;
	return 0;
}

int nv_counts_put(int counts, __u32 slot, enum nv_port port, const struct nv_counts *sum)
{
	NV_AUTO(values) struct values values = {};
	__u32 key = 2 * slot + port;
	int r;

	r = counts_make_values(counts, &values);
	if (r < 0)
		return r;
	memcpy(values.bytes, sum, values.size);
	return bpf_map_update_elem(counts, &key, values.bytes, BPF_EXIST);
}
