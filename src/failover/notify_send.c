/* SPDX-License-Identifier: BSD-2-Clause */
#include "failover/notify_send.h"

#include "base/log.h"
#include "kernel/diff.h"
#include "pair/notify.h"
#include "pair/uppers.h"

#include <errno.h>

/* One notification of a pair, while its frames are sent. */
struct telling {
	struct nv_kernel *kernel;
	const struct nv_links *links;
	const struct nv_addrs *addrs;
	int direct; /* of nv_notify_send_direct(): the port */
	unsigned int sent;
	unsigned int left_out; /* frames over the limit */
	int error; /* -errno of the last frame that could not be sent */
};

/*
 * Sends on the interface that has the address. The frame takes the way of the interface's own
 * traffic: VLAN tag or MAC address, the upper's egress program, the active port.
 */
static void send_frame(const struct nv_link *link, const struct nv_frame *frame, void *data)
{
	struct telling *telling = data;
	int r;

	if (telling->sent == NV_NOTIFY_FRAMES_MAX) {
		telling->left_out++;
		return;
	}
	telling->sent++;
	r = nv_kernel_send(telling->kernel, link->ifindex, frame->bytes, frame->length);
	if (r < 0)
		telling->error = r;
}

/* 2, unless the administrator has asked for 1. */
static unsigned int notify_send_mld_version(struct nv_kernel *kernel, const struct nv_link *link)
{
	char path[NV_SYSCTL_PATH_MAX];
	char value[16] = "";

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/force_mld_version", link->name);
	nv_kernel_sysctl_read(kernel, path, value, sizeof(value));
	return nv_streq(value, "1") ? 1 : 2;
}

static struct nv_notify_view notify_send_view(const struct telling *telling, int ifindex)
{
	return (struct nv_notify_view){
		.link = nv_links_by_index(telling->links, ifindex),
		.addrs = nv_addrs_of(telling->addrs, ifindex),
	};
}

static void notify_send_report(const struct telling *telling, const char *hn)
{
	nv_debug("%s: %u frames sent to tell the network where it is", hn, telling->sent);
	/* If the link went down or away meanwhile, the next switch notifies the network. */
	if (telling->error && telling->error != -ENETDOWN && telling->error != -ENXIO &&
		telling->error != -ENODEV)
		nv_warn("%s: cannot tell the network where it is: %s; switches learn it from other frames",
			hn, nv_strerror(telling->error));
	if (telling->left_out)
		nv_warn("%s: has more addresses and groups than are announced at one time (%u frames); %u are omitted",
			hn, NV_NOTIFY_FRAMES_MAX, telling->left_out);
}

void nv_notify_mcasts_auto(struct nv_notify_mcasts *mcasts)
{
	nv_mcasts_auto(&mcasts->mcasts);
}

/* @ifindex: the @count links that they are needed of; 0: of all. */
static void notify_send_read(
	struct nv_kernel *kernel, const int *ifindex, size_t count, struct nv_notify_mcasts *mcasts)
{
	int r;

	if (mcasts->read)
		return;
	mcasts->read = true;
	r = nv_kernel_mcasts(kernel, ifindex, count, &mcasts->mcasts);
	if (r < 0)
		nv_warn("cannot read the joined multicast groups: %s; switches learn their ports from the next query",
			nv_strerror(r));
}

static void notify_send_addrs(struct telling *telling, const int *ifindex, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct nv_notify_view view = notify_send_view(telling, ifindex[i]);

		nv_notify_addrs(&view, AF_INET, send_frame, telling);
	}
	for (size_t i = 0; i < count; i++) {
		struct nv_notify_view view = notify_send_view(telling, ifindex[i]);

		nv_kernel_ipv6_forwarding(telling->kernel, ifindex[i], &view.router);
		nv_notify_addrs(&view, AF_INET6, send_frame, telling);
	}
}

void nv_notify_send_addrs(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, int upper, const char *hn)
{
	struct telling telling = {.kernel = kernel, .links = links, .addrs = addrs};
	int ifindex[NV_UPPERS_MAX];
	size_t count = nv_uppers_find(links, upper, ifindex);

	notify_send_addrs(&telling, ifindex, count);
	notify_send_report(&telling, hn);
}

/* The first frame is enough. */
static void send_first_direct(const struct nv_link *upper, const struct nv_frame *frame, void *data)
{
	struct telling *telling = data;

	(void)upper;
	if (telling->sent++ == 0)
		nv_kernel_send_direct(
			telling->kernel, telling->direct, frame->bytes, frame->length);
}

void nv_notify_send_direct(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, int upper, int hn)
{
	struct telling telling = {.kernel = kernel, .links = links, .addrs = addrs, .direct = hn};
	const struct nv_notify_view view = notify_send_view(&telling, upper);

	if (view.link)
		nv_notify_addrs(&view, AF_INET, send_first_direct, &telling);
}

/*
 * The addresses first: peers wait for them, and the groups take longer to read. Of these, IPv4's,
 * for which nothing is read.
 */
void nv_notify_send(struct nv_kernel *kernel, const struct nv_links *links,
	const struct nv_addrs *addrs, struct nv_notify_mcasts *all, int upper, const char *hn)
{
	struct telling telling = {.kernel = kernel, .links = links, .addrs = addrs};
	NV_AUTO(nv_notify_mcasts) struct nv_notify_mcasts few = {};
	int ifindex[NV_UPPERS_MAX];
	size_t count = nv_uppers_find(links, upper, ifindex);

	notify_send_addrs(&telling, ifindex, count);
	notify_send_read(kernel, ifindex, all ? 0 : count, all ? all : &few);
	for (size_t i = 0; i < count; i++) {
		struct nv_notify_view view = notify_send_view(&telling, ifindex[i]);

		view.mcasts = &(all ? all : &few)->mcasts;
		view.mld = notify_send_mld_version(kernel, view.link);
		nv_notify_groups(&view, send_frame, &telling);
	}
	notify_send_report(&telling, hn);
}
