/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads from the device itself whether it can send, before each frame. So frames leave by hn from
 * the moment at which the VF begins to close, and not only when netvfd hears of it.
 *
 * The kernel's own structures are read, as far as they are declared here; libbpf finds the offsets
 * in the running kernel. NV_ASK says how: NV_ASK_CAST reads directly (bpf_rdonly_cast, Linux 6.2),
 * NV_ASK_PROBE with a helper call for each word, NV_ASK_NOT assumes that the VF can send.
 */
#pragma once

#include "datapath/bpf/maps.h"
#include "datapath/shared.h"

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define NV_ASK_NOT   0
#define NV_ASK_PROBE 1
#define NV_ASK_CAST  2

#if NV_ASK == NV_ASK_NOT

static __always_inline bool can_send(struct __sk_buff *skb, __u32 slot, __u32 ifindex)
{
	(void)skb;
	(void)slot;
	(void)ifindex;
	return true;
}

#else

#define KERNELS		__attribute__((preserve_access_index))

struct list_head {
	struct list_head *next;
} KERNELS;

struct hlist_node {
	struct hlist_node *next;
} KERNELS;

struct net {
	struct hlist_node **dev_index_head;
} KERNELS;

typedef struct {
	struct net *net;
} KERNELS possible_net_t;

struct Qdisc {
	unsigned int flags;
} KERNELS;

struct netdev_queue {
	struct Qdisc *qdisc;
} KERNELS;

struct net_device {
	unsigned long state;
	int ifindex;
	possible_net_t nd_net;
	struct list_head close_list;
	struct hlist_node index_hlist;
	struct netdev_queue *_tx;
} KERNELS;

struct sk_buff {
	struct net_device *dev;
} KERNELS;

/* Bits of net_device.state (enum netdev_state_t). */
#define STATE_START	(1UL << 0)
#define STATE_PRESENT	(1UL << 1)
#define STATE_NOCARRIER (1UL << 2)

#define QDISC_BUILTIN 1U /* TCQ_F_BUILTIN: of noop_qdisc alone, which drops every frame */

#define BUCKETS 256 /* NETDEV_HASHENTRIES */
/* devices in a bucket that are searched: 16,384 devices fill the buckets that far */
#define CHAIN	64

#if NV_ASK == NV_ASK_CAST

extern void *bpf_cast_to_kern_ctx(void *context) __ksym;
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;

#define KERNEL_SKB(context)   ((struct sk_buff *)bpf_cast_to_kern_ctx(context))
#define KERNEL(type, address) ((type *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(type)))
#define READ(object, ...)     ((object)->__VA_ARGS__)

#else

#define KERNEL_SKB(context)   ((struct sk_buff *)(void *)(context))
#define KERNEL(type, address) ((type *)(address))
#define READ(object, field)                                             \
	({                                                              \
		typeof((object)->field) value = 0;                      \
		bpf_core_read(&value, sizeof(value), &(object)->field); \
		value;                                                  \
	})

#endif

/*
 * A device whose carrier has just come drops every frame until the link watch work has activated
 * its queues, one after another (dev_activate()).
 */
static __always_inline bool has_queues(const void *address)
{
	struct netdev_queue *queue = KERNEL(struct netdev_queue, address);
	struct Qdisc *qdisc = READ(queue, qdisc);

	return !(READ(qdisc, flags) & QDISC_BUILTIN);
}

/*
 * The kernel puts a device on the list of devices to be closed before it notifies anybody, and
 * notifies everybody before it stops the queues. A program that reads the list in time sends
 * nothing into a stopped queue.
 */
static __always_inline bool is_open(const struct place *place)
{
	struct net_device *device = KERNEL(struct net_device, place->device);
	const unsigned long mask = STATE_START | STATE_PRESENT | STATE_NOCARRIER;
	const void *alone = place->device + bpf_core_field_offset(struct net_device, close_list);

	return (READ(device, state) & mask) == (STATE_START | STATE_PRESENT) &&
	       (const void *)READ(device, close_list.next) == alone && has_queues(place->queue);
}

/*
 * Like dev_get_by_index_rcu(): a program at tc runs under RCU. The function is not static, so that
 * the verifier checks it once and not on each path that calls it.
 */
__attribute__((noinline)) int nv_look_up(struct __sk_buff *context, __u32 slot, __u32 ifindex)
{
	struct place *place = bpf_map_lookup_elem(&nv_places, &slot);
	struct sk_buff *skb = KERNEL_SKB(context);
	struct net_device *device = READ(skb, dev);
	struct net *net = READ(device, nd_net.net);
	const char *buckets = (const char *)READ(net, dev_index_head);
	const char *node = NULL;

	if (!place)
		return false;
	bpf_probe_read_kernel(&node, sizeof(node), buckets + (ifindex % BUCKETS) * sizeof(node));
	for (int i = 0; i < CHAIN && node; i++) {
		const char *address = node - bpf_core_field_offset(struct net_device, index_hlist);

		device = KERNEL(struct net_device, address);
		if ((__u32)READ(device, ifindex) == ifindex) {
			place->net = net;
			place->device = address;
			place->queue = READ(device, _tx);
			*(volatile __u32 *)&place->ifindex = ifindex;
			return is_open(place);
		}
		node = (const char *)READ(device, index_hlist.next);
	}
	/* not in its bucket: it is gone; in a bucket that is too long: not known */
	return node != NULL;
}

static __always_inline bool can_send(struct __sk_buff *context, __u32 slot, __u32 ifindex)
{
	struct place *place = bpf_map_lookup_elem(&nv_places, &slot);
	struct net_device *device;

	if (!place)
		return false;
	device = KERNEL(struct net_device, place->device);
	if (NV_READ(place->ifindex) == ifindex && (__u32)READ(device, ifindex) == ifindex &&
		READ(device, nd_net.net) == place->net)
		return is_open(place);
	return nv_look_up(context, slot, ifindex);
}

#endif
