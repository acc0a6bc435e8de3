/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/rtnl.h"

#include "base/cleanup.h"
#include "kernel/attrs.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define DATAGRAM_START 32768

void nv_datagram_auto(struct nv_datagram *datagram)
{
	free(datagram->bytes);
	*datagram = (struct nv_datagram){};
}

static int rtnl_reserve(struct nv_datagram *datagram, size_t size)
{
	char *bytes;

	if (size < DATAGRAM_START || size > NV_DATAGRAM_MAX)
		size = DATAGRAM_START;
	if (size <= datagram->size)
		return 0;
	bytes = realloc(datagram->bytes, size);
	if (!bytes)
		return -ENOMEM;
	datagram->bytes = bytes;
	datagram->size = size;
	return 0;
}

static void rtnl_read_credentials(struct msghdr *message, struct nv_datagram *datagram)
{
	datagram->has_uid = false;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
		part = CMSG_NXTHDR(message, part)) {
		struct ucred credentials;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS ||
			part->cmsg_len < CMSG_LEN(sizeof(credentials)))
			continue;
		memcpy(&credentials, CMSG_DATA(part), sizeof(credentials));
		datagram->has_uid = true;
		datagram->uid = credentials.uid;
	}
}

int nv_datagram_receive(int fd, int flags, struct nv_datagram *datagram)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct sockaddr_nl from = {};
	struct iovec part;
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = flags & MSG_PEEK ? recv(fd, NULL, 0, flags | MSG_TRUNC) : 0;
	int r;

	if (length < 0)
		return -errno;
	r = rtnl_reserve(datagram, (size_t)length);
	if (r < 0)
		return r;
	part = (struct iovec){datagram->bytes, datagram->size};
	length = recvmsg(fd, &message, (flags & ~MSG_PEEK) | MSG_TRUNC);
	if (length < 0)
		return -errno;
	if (message.msg_flags & MSG_TRUNC) {
		rtnl_reserve(datagram, (size_t)length);
		return -EMSGSIZE;
	}
	datagram->length = (size_t)length;
	datagram->portid = from.nl_pid;
	rtnl_read_credentials(&message, datagram);
	return 0;
}

int nv_rtnl_open_other(int protocol, struct nv_rtnl *ret_rtnl)
{
	NV_AUTO(nv_fd)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	int on = 1;

	if (fd < 0)
		return -errno;
	/* Text with a refusal; no copy of the request in it; filters in dumps (Linux 4.20). */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	*ret_rtnl = (struct nv_rtnl){.fd = TAKE_FD(fd), .protocol = protocol};
	return 0;
}

int nv_rtnl_open(struct nv_rtnl *ret_rtnl)
{
	return nv_rtnl_open_other(NETLINK_ROUTE, ret_rtnl);
}

void nv_rtnl_close(struct nv_rtnl *rtnl)
{
	if (rtnl->fd >= 0)
		close(rtnl->fd);
	rtnl->fd = -1;
	nv_datagram_auto(&rtnl->datagram);
}

/*
 * After a failure in the middle of an answer, the rest of it must not be taken for the answer to
 * the next request.
 */
static int rtnl_reopen(struct nv_rtnl *rtnl)
{
	struct nv_rtnl fresh;
	int r = nv_rtnl_open_other(rtnl->protocol, &fresh);

	nv_rtnl_close(rtnl);
	if (r < 0)
		return r;
	rtnl->fd = fresh.fd;
	return 0;
}

/* Reads the end of an answer, with the kernel's text if there is any. */
static int rtnl_read_end(struct nv_rtnl *rtnl, const struct nlmsghdr *message)
{
	size_t size = message->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	NV_ATTRS(attrs, NLMSGERR_ATTR_MSG);
	int error;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(error))
		return message->nlmsg_type == NLMSG_ERROR ? -EBADMSG : 0;
	memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	if ((message->nlmsg_flags & NLM_F_ACK_TLVS) && nv_attrs_read(message, size, &attrs) == 0)
		nv_attr_string(&attrs, NLMSGERR_ATTR_MSG, rtnl->error, sizeof(rtnl->error));
	return error;
}

struct answer {
	struct nv_rtnl *rtnl;
	nv_rtnl_each_fn each;
	void *data;
	bool ended;
	bool interrupted;
	int error; /* the kernel's, or the first one of each() */
};

static void rtnl_read_message(struct answer *answer, const struct nlmsghdr *message)
{
	int r = 0;

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		answer->ended = true;
		r = rtnl_read_end(answer->rtnl, message);
		break;
	case NLMSG_NOOP:
		break;
	default:
		if (answer->each && answer->error == 0)
			r = answer->each(message, answer->data);
		break;
	}
	if (answer->error == 0 && r < 0)
		answer->error = r;
}

static void rtnl_read_datagram(struct answer *answer, const struct nv_datagram *datagram)
{
	const struct nlmsghdr *message = (const void *)datagram->bytes;
	int left = (int)datagram->length;

	for (; mnl_nlmsg_ok(message, left) && !answer->ended;
		message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq == answer->rtnl->sequence)
			rtnl_read_message(answer, message);
	}
}

int nv_rtnl_read(struct nv_rtnl *rtnl, nv_rtnl_each_fn each, void *data, bool *ret_whole)
{
	struct answer answer = {.rtnl = rtnl, .each = each, .data = data};

	*ret_whole = false;
	while (!answer.ended) {
		int r = nv_datagram_receive(rtnl->fd, MSG_PEEK, &rtnl->datagram);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return r;
		if (rtnl->datagram.portid == 0)
			rtnl_read_datagram(&answer, &rtnl->datagram);
	}
	*ret_whole = true;
	if (answer.error < 0)
		return answer.error;
	return answer.interrupted ? -EINTR : 0;
}

int nv_rtnl_request(
	struct nv_rtnl *rtnl, struct nlmsghdr *request, nv_rtnl_each_fn each, void *data)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	bool whole;
	int r = 0;

	rtnl->error[0] = '\0';
	if (rtnl->fd < 0)
		r = rtnl_reopen(rtnl);
	if (r < 0)
		return r;
	request->nlmsg_seq = ++rtnl->sequence;
	if (sendto(rtnl->fd, request, request->nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to)) <
		0)
		return -errno;
	r = nv_rtnl_read(rtnl, each, data, &whole);
	if (!whole)
		rtnl_reopen(rtnl);
	return r;
}

/*
 * Requests in one datagram. They are so few that the answers fit in the socket's buffer if all of
 * them fail (net.core.rmem_default is 208 KiB; an answer takes less than 1 KiB of it).
 */
#define BATCH_REQUESTS 128
#define BATCH_BYTES    65536

struct batch {
	char *bytes;
	size_t length;
	uint32_t first; /* sequence number */
	size_t count;
};

/* Numbers the next requests that go together. Only the last one is acknowledged if all succeed. */
static struct batch rtnl_next_batch(struct nv_rtnl *rtnl, char *bytes, size_t left)
{
	struct batch batch = {.bytes = bytes, .first = rtnl->sequence + 1};
	struct nlmsghdr *message = NULL;

	while (batch.length < left && batch.count < BATCH_REQUESTS) {
		struct nlmsghdr *next = (void *)(bytes + batch.length);

		if (batch.count && batch.length + next->nlmsg_len > BATCH_BYTES)
			break;
		message = next;
		message->nlmsg_seq = ++rtnl->sequence;
		batch.length += MNL_ALIGN(message->nlmsg_len);
		batch.count++;
	}
	if (message)
		message->nlmsg_flags |= NLM_F_ACK;
	return batch;
}

static bool rtnl_read_answers(struct nv_rtnl *rtnl, const struct batch *batch, int *ret_errors)
{
	const struct nlmsghdr *message = (const void *)rtnl->datagram.bytes;
	int left = (int)rtnl->datagram.length;
	bool ended = false;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		uint32_t at = message->nlmsg_seq - batch->first;

		if (message->nlmsg_type != NLMSG_ERROR || at >= batch->count)
			continue;
		ret_errors[at] = rtnl_read_end(rtnl, message);
		ended |= at == batch->count - 1;
	}
	return ended;
}

static int rtnl_send_batch(struct nv_rtnl *rtnl, const struct batch *batch, int *ret_errors)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	bool ended = false;

	memset(ret_errors, 0, batch->count * sizeof(*ret_errors));
	if (sendto(rtnl->fd, batch->bytes, batch->length, 0, (struct sockaddr *)&to, sizeof(to)) <
		0)
		return -errno;
	while (!ended) {
		int r = nv_datagram_receive(rtnl->fd, MSG_PEEK, &rtnl->datagram);

		if (r == -EINTR)
			continue;
		if (r < 0) {
			rtnl_reopen(rtnl);
			return r;
		}
		if (rtnl->datagram.portid == 0)
			ended = rtnl_read_answers(rtnl, batch, ret_errors);
	}
	return 0;
}

int nv_rtnl_batch(struct nv_rtnl *rtnl, char *bytes, size_t length, size_t count, int *ret_errors)
{
	int r = rtnl->fd < 0 ? rtnl_reopen(rtnl) : 0;

	rtnl->error[0] = '\0';
	while (r == 0 && count) {
		struct batch batch = rtnl_next_batch(rtnl, bytes, length);

		r = rtnl_send_batch(rtnl, &batch, ret_errors);
		bytes += batch.length;
		length -= batch.length;
		ret_errors += batch.count;
		count -= batch.count;
	}
	return r;
}
