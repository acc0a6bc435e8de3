/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sockets.h"

#include "base/cleanup.h"
#include "kernel/attrs.h"
#include "kernel/rtnl.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

struct bound_dump {
	nv_bound_wanted *wanted;
	const void *data;
	struct nv_bound *bound;
	size_t count;
	enum nv_bound_kind kind;
};

static void sockets_note(struct bound_dump *dump, const struct nv_bound *found)
{
	if (dump->wanted && !dump->wanted(found, dump->data))
		return;
	for (size_t i = 0; i < dump->count; i++) {
		struct nv_bound *bound = &dump->bound[i];

		/* those of packet(7) are told apart: there are few, of different programs */
		if (bound->ifindex == found->ifindex && bound->kind == found->kind &&
			found->kind != NV_BOUND_PACKET && bound->number == found->number &&
			bound->uid == found->uid && bound->link_local == found->link_local) {
			bound->count++;
			return;
		}
	}
	if (dump->count == NV_BOUND_MAX)
		return;
	dump->bound[dump->count] = *found;
	dump->bound[dump->count++].count = 1;
}

/* A socket in TIME_WAIT is nobody's any more. */
static int sockets_take(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	const struct in6_addr *source = (const struct in6_addr *)socket->id.idiag_src;
	struct bound_dump *dump = data;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*socket) || !socket->id.idiag_if ||
		(dump->kind == NV_BOUND_TCP && socket->idiag_state == TCP_TIME_WAIT))
		return 0;
	sockets_note(dump, &(struct nv_bound){
				   .ifindex = (int)socket->id.idiag_if,
				   .kind = dump->kind,
				   .number = ntohs(socket->id.idiag_sport),
				   .link_local = socket->idiag_family == AF_INET6 &&
						 IN6_IS_ADDR_LINKLOCAL(source),
				   .uid = socket->idiag_uid,
				   .inode = socket->idiag_inode,
			   });
	return 0;
}

static int sockets_dump(struct nv_rtnl *diag, uint8_t family, struct bound_dump *dump)
{
	static const uint8_t protocols[] = {
		[NV_BOUND_TCP] = IPPROTO_TCP,
		[NV_BOUND_UDP] = IPPROTO_UDP,
		[NV_BOUND_RAW] = IPPROTO_RAW,
	};
	struct nv_request request;
	struct inet_diag_req_v2 *wanted =
		nv_request_start(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*wanted));
	int r;

	wanted->sdiag_family = family;
	wanted->sdiag_protocol = protocols[dump->kind];
	wanted->idiag_states = UINT32_MAX;
	r = nv_rtnl_request(diag, &request.header, sockets_take, dump);
	/* -EINTR: some sockets changed meanwhile, which is acceptable here */
	return r == -EINTR || r == -ENOENT ? 0 : r;
}

/*
 * "ffff… 3 3 0003 2 1 0 0 12345": address, users, type, protocol, ifindex, running, memory, user,
 * inode. With protocol 0 a socket receives nothing.
 */
static int sockets_read_packet(struct bound_dump *dump)
{
	NV_AUTO(nv_file) FILE *file = fopen("/proc/self/net/packet", "re");
	char line[256];

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (fgets(line, sizeof(line), file)) {
		struct nv_bound found = {.kind = NV_BOUND_PACKET};
		unsigned int protocol;

		if (sscanf(line, "%*s %*d %*d %x %d %*d %*u %u %u", &protocol, &found.ifindex,
			    &found.uid, &found.inode) != 4 ||
			!protocol || !found.ifindex)
			continue;
		found.number = (uint16_t)protocol;
		sockets_note(dump, &found);
	}
	return 0;
}

int nv_sockets_bound(nv_bound_wanted *wanted, const void *data,
	struct nv_bound ret_bound[NV_BOUND_MAX], size_t *ret_count)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct bound_dump dump = {.wanted = wanted, .data = data, .bound = ret_bound};
	struct nv_rtnl diag;
	int r = nv_rtnl_open_other(NETLINK_SOCK_DIAG, &diag);

	if (r < 0)
		return r;
	for (; dump.kind < NV_BOUND_PACKET; dump.kind++)
		for (size_t i = 0; i < NV_ARRAY_SIZE(families) && r == 0; i++)
			r = sockets_dump(&diag, families[i], &dump);
	nv_rtnl_close(&diag);
	if (r == 0)
		r = sockets_read_packet(&dump);
	if (r < 0)
		return r;
	*ret_count = dump.count;
	return 0;
}

void nv_bound_text(const struct nv_bound *bound, char *ret_text, size_t size)
{
	static const char *const formats[] = {
		[NV_BOUND_TCP] = "TCP port %u",
		[NV_BOUND_UDP] = "UDP port %u",
		[NV_BOUND_RAW] = "raw protocol %u",
		[NV_BOUND_PACKET] = "packet protocol 0x%04x",
	};

	snprintf(ret_text, size, formats[bound->kind], bound->number);
}
