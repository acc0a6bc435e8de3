/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "hn/stack.h"
#include "netvfd/daemon.h"

#include <errno.h>

struct telling {
	struct nv_daemon *daemon;
	const struct nv_managed *managed;
	unsigned int sent;
	unsigned int left_out; /* over the limit */
	int error; /* of the last frame that was not taken */
};

/*
 * On the interface that has the address, as its own traffic goes: by its VLAN tag or its MAC, the
 * upper's egress program, and the port that is active.
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
	r = nv_kernel_send(telling->daemon->kernel, link->ifindex, frame->bytes, frame->length);
	if (r)
		telling->error = r;
}

/* The number in net/ipv6/conf/LINK/KEY; 0: there is none. */
static unsigned int ipv6_get(struct nv_kernel *kernel, const struct nv_link *link, const char *key)
{
	char path[NV_SYSCTL_PATH_MAX];
	unsigned int number = 0;
	char value[16];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", link->name, key);
	if (nv_kernel_sysctl_read(kernel, path, value, sizeof(value)) == 0)
		nv_parse_u32(value, UINT32_MAX, &number);
	return number;
}

static void tell_all(struct telling *telling, int upper)
{
	struct nv_daemon *daemon = telling->daemon;
	const struct nv_links *links = nv_monitor_links(daemon->monitor);
	NV_AUTO(nv_mcasts) struct nv_mcasts mcasts = {};
	int ifindex[NV_STACK_MAX];
	size_t count = nv_stack_find(links, upper, ifindex);
	int r = nv_kernel_mcasts(daemon->kernel, &mcasts);

	if (r)
		nv_warn("%s: cannot read which multicast groups are joined: %s; switches learn "
			"from the next query where they are heard",
			telling->managed->hn_name, nv_strerror(r));
	for (size_t i = 0; i < count; i++) {
		const struct nv_link *link = nv_links_by_index(links, ifindex[i]);
		const struct nv_notify_view view = {
			.link = link,
			.addrs = nv_monitor_addrs(daemon->monitor),
			.mcasts = &mcasts,
			.router = ipv6_get(daemon->kernel, link, "forwarding") > 0,
			.mld = ipv6_get(daemon->kernel, link, "force_mld_version") == 1 ? 1 : 2,
		};

		nv_notify_frames(&view, send_frame, telling);
	}
}

static void tell(struct nv_daemon *daemon, const struct nv_managed *managed)
{
	struct telling telling = {.daemon = daemon, .managed = managed};
	struct nv_dp_pair path;

	if (nv_datapath_get(daemon->datapath, managed->hn, &path) < 0)
		return;
	tell_all(&telling, nv_dp_pair_upper(&path));
	nv_debug("%s: %u frames tell its peers where it is", managed->hn_name, telling.sent);
	/* One that has gone down or away meanwhile makes a new path, of which they will be told. */
	if (telling.error && telling.error != -ENETDOWN && telling.error != -ENXIO &&
		telling.error != -ENODEV)
		nv_warn("%s: cannot tell its peers where it is: %s; they learn it from its other "
			"frames",
			managed->hn_name, nv_strerror(telling.error));
	if (telling.left_out)
		nv_warn("%s: has more addresses and groups than its peers are told of at one time "
			"(%u frames); %u are left out",
			managed->hn_name, NV_NOTIFY_FRAMES_MAX, telling.left_out);
}

void nv_peers_tell(void *data)
{
	struct nv_daemon *daemon = data;
	uint64_t interval = daemon->settings->announce_interval * NV_USEC_PER_SEC;
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < daemon->n_managed; i++) {
		struct nv_notify *notify = &daemon->managed[i].notify;
		uint64_t now = nv_loop_now(daemon->loop);
		uint64_t wait;

		if (nv_notify_due(notify, now, interval))
			tell(daemon, &daemon->managed[i]);
		wait = nv_notify_wait(notify, now);
		soonest = wait < soonest ? wait : soonest;
	}
	if (soonest != UINT64_MAX)
		nv_watch_arm(daemon->tell, soonest);
	else
		nv_watch_disarm(daemon->tell);
}
