/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracing programs (hooks) at the moments at which a device ceases to send. A hook counts an event
 * in the entry of the device's pair. The programs at tc then look at the VF again. So with hooks
 * the programs need not look before each frame. An event too many, for example for a device with
 * the same ifindex in another network namespace, costs one look and does no harm.
 *
 * Each hook is on a function at which the device's state already shows the change:
 *
 *   dev_close_many,         devices that are to be closed are on their list; the second name is
 *   netif_close_many        that of Linux 6.18 (dev_deactivate_many runs some microseconds later)
 *   dev_deactivate_many     a device is closed or has lost its carrier: it is not open any more,
 *                           and its queues run until all current senders are through
 *   linkwatch_fire_event    a carrier came or went just now
 *   netif_device_detach     the driver has declared the device not present
 *
 * A driver that is unbound may cease to send long before it closes the device: e1000e drops all
 * frames from the first line of e1000_remove() on, and then waits for its workers. The device's
 * state does not show this. So the VF is marked when the driver core begins to unbind, at three
 * functions from which there is no way back:
 *
 *   device_release_driver_internal   every unbinding calls it, but Linux 5.10 has it inlined in the
 *                                    callers in its own file
 *   __device_release_driver          is called by it and static: inlined where 5.10 does not do so
 *   device_release_driver            is called from other files, so never inlined: used when a
 *                                    card is unplugged
 *
 * A kernel may lack one of these functions, or never call it. Each hook counts its runs, so that
 * the process that has attached it can check this (hooks.c).
 */
#include "datapath/bpf/maps.h"

#include <bpf/bpf_core_read.h>

#define KERNELS __attribute__((preserve_access_index))
/*
 * An addition that fetches nothing: Linux before 5.12 refuses one that does, and clang 21 makes
 * such of __sync_fetch_and_add().
 */
#define ADD(at, number) ((void)__atomic_fetch_add(at, number, __ATOMIC_RELAXED))
#define DEVICES_MAX	256 /* that close at once; the programs also look before each 64th frame */

struct list_head {
	struct list_head *next;
} KERNELS;

struct device {
	struct device *parent;
} KERNELS;

struct net_device {
	int ifindex;
	struct device dev;
	struct list_head close_list;
} KERNELS;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NV_HOOKS);
	__type(key, __u32);
	__type(value, __u64);
} nv_runs SEC(".maps");

static __always_inline void count_run(enum nv_hook hook)
{
	__u32 key = hook;
	__u64 *runs = bpf_map_lookup_elem(&nv_runs, &key);

	if (runs)
		ADD(runs, 1);
}

static __always_inline void count_event(const struct net_device *device)
{
	__u32 ifindex = (__u32)BPF_CORE_READ(device, ifindex);
	__u32 *slot = bpf_map_lookup_elem(&nv_ports, &ifindex);
	struct nv_entry *entry = slot ? bpf_map_lookup_elem(&nv_pairs, slot) : NULL;

	if (entry)
		ADD(&entry->event_seq, NV_EVENT);
}

static __always_inline int count_events(const struct list_head *head)
{
	const struct list_head *node = BPF_CORE_READ(head, next);

	for (int i = 0; i < DEVICES_MAX && node != head; i++) {
		count_event(
			(const void *)node - bpf_core_field_offset(struct net_device, close_list));
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

SEC("fentry/dev_close_many")
int netvf_closing(const __u64 *args)
{
	count_run(NV_HOOK_DEV_CLOSE_MANY);
	return count_events((const void *)args[0]);
}

SEC("fentry/netif_close_many")
int netvf_netif_closing(const __u64 *args)
{
	count_run(NV_HOOK_NETIF_CLOSE_MANY);
	return count_events((const void *)args[0]);
}

SEC("fentry/dev_deactivate_many")
int netvf_close(const __u64 *args)
{
	count_run(NV_HOOK_DEACTIVATE);
	return count_events((const void *)args[0]);
}

SEC("fentry/linkwatch_fire_event")
int netvf_carrier(const __u64 *args)
{
	count_run(NV_HOOK_CARRIER);
	count_event((const void *)args[0]);
	return 0;
}

SEC("fexit/netif_device_detach")
int netvf_detach(const __u64 *args)
{
	count_run(NV_HOOK_DETACH);
	count_event((const void *)args[0]);
	return 0;
}

static __always_inline void mark_removing(__u32 slot, const void *card)
{
	const struct place *place = bpf_map_lookup_elem(&nv_places, &slot);
	struct nv_entry *entry = bpf_map_lookup_elem(&nv_pairs, &slot);
	const struct net_device *device = place ? place->device : NULL;

	if (!entry || !device || BPF_CORE_READ(device, dev.parent) != card ||
		(__u32)BPF_CORE_READ(device, ifindex) != NV_READ(entry->vf))
		return;
	*(volatile __u32 *)&entry->removing_vf = entry->vf;
	ADD(&entry->event_seq, NV_EVENT);
}

static __always_inline int mark_all_removing(const void *card)
{
	for (__u32 slot = 0; slot < NV_DP_PAIRS_MAX; slot++)
		mark_removing(slot, card);
	return 0;
}

SEC("fentry/device_release_driver_internal")
int netvf_release(const __u64 *args)
{
	count_run(NV_HOOK_RELEASE_INTERNAL);
	return mark_all_removing((const void *)args[0]);
}

SEC("fentry/__device_release_driver")
int netvf_release_static(const __u64 *args)
{
	count_run(NV_HOOK_RELEASE_STATIC);
	return mark_all_removing((const void *)args[0]);
}

SEC("fentry/device_release_driver")
int netvf_release_called(const __u64 *args)
{
	count_run(NV_HOOK_RELEASE);
	return mark_all_removing((const void *)args[0]);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
