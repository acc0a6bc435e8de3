/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sockets.h"

#include "kernel/attrs.h"
#include "kernel/rtnl.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

struct bound_dump {
	struct nv_bound *bound;
	size_t count;
	uint8_t protocol;
};

static struct nv_bound *sockets_find(struct bound_dump *dump, int ifindex, uint16_t port)
{
	for (size_t i = 0; i < dump->count; i++) {
		struct nv_bound *bound = &dump->bound[i];

		if (bound->ifindex == ifindex && bound->protocol == dump->protocol &&
			bound->port == port)
			return bound;
	}
	if (dump->count == NV_BOUND_MAX)
		return NULL;
	dump->bound[dump->count] =
		(struct nv_bound){.ifindex = ifindex, .protocol = dump->protocol, .port = port};
	return &dump->bound[dump->count++];
}

static int each_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct nv_bound *bound;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*socket) || !socket->id.idiag_if)
		return 0;
	bound = sockets_find(data, (int)socket->id.idiag_if, ntohs(socket->id.idiag_sport));
	if (bound)
		bound->count++;
	return 0;
}

int nv_sockets_bound(struct nv_bound ret_bound[NV_BOUND_MAX], size_t *ret_count)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct bound_dump dump = {.bound = ret_bound};
	struct nv_rtnl diag;
	int r = nv_rtnl_open_other(NETLINK_SOCK_DIAG, &diag);

	if (r < 0)
		return r;
	for (size_t i = 0; i < 4 && r >= 0; i++) {
		struct nv_request request;
		struct inet_diag_req_v2 *wanted = nv_request_start(
			&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*wanted));

		dump.protocol = protocols[i % 2];
		wanted->sdiag_family = families[i / 2];
		wanted->sdiag_protocol = dump.protocol;
		wanted->idiag_states = UINT32_MAX;
		r = nv_rtnl_request(&diag, &request.header, each_socket, &dump);
		if (r == -EINTR) /* some sockets changed meanwhile: acceptable for a diagnosis */
			r = 0;
	}
	nv_rtnl_close(&diag);
	if (r < 0)
		return r;
	*ret_count = dump.count;
	return 0;
}
