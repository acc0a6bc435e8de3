/* SPDX-License-Identifier: BSD-2-Clause */
/* A netlink socket: datagrams of any size, requests with acknowledgement, dumps. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NV_DATAGRAM_MAX (1024 * 1024) /* bytes; the kernel's largest dump parts are 32 KiB */

/* The last datagram received. The buffer grows to the size needed. */
struct nv_datagram {
	char *bytes;
	size_t size;
	size_t length;
	uint32_t portid; /* of the sender; 0: the kernel */
	bool has_uid; /* the socket has SO_PASSCRED set */
	uid_t uid;
};

/*
 * Receives one whole datagram. @flags: of recv(2); MSG_DONTWAIT; MSG_PEEK: looks first how large it
 * is. Returns 0, -EAGAIN, -ENOBUFS (the socket's buffer overflowed: messages were lost), -EMSGSIZE
 * (dropped: larger than NV_DATAGRAM_MAX or, without MSG_PEEK, than the buffer, which has grown for
 * the next one), -ENOMEM or another error of recv(2).
 */
int nv_datagram_receive(int fd, int flags, struct nv_datagram *datagram);
void nv_datagram_auto(struct nv_datagram *datagram);

struct nv_rtnl {
	int fd; /* -1: closed */
	int protocol; /* NETLINK_* */
	uint32_t sequence;
	struct nv_datagram datagram;
	char error[256]; /* the kernel's text about the last refusal */
};

/* Returns 0 or -errno of socket(2). */
int nv_rtnl_open(struct nv_rtnl *ret_rtnl);
/* The same for another netlink family, such as NETLINK_SOCK_DIAG. */
int nv_rtnl_open_other(int protocol, struct nv_rtnl *ret_rtnl);
/* May be called twice. */
void nv_rtnl_close(struct nv_rtnl *rtnl);

/*
 * Called for each message of an answer except the acknowledgement. A negative return value ends the
 * request with that value.
 */
typedef int (*nv_rtnl_each_fn)(const struct nlmsghdr *message, void *data);

/*
 * Reads the answer to the request with the number rtnl->sequence; other messages are ignored.
 * Returns as nv_rtnl_request(). @ret_whole: whether the end of the answer was read, whatever it
 * said.
 */
int nv_rtnl_read(struct nv_rtnl *rtnl, nv_rtnl_each_fn each, void *data, bool *ret_whole);

/*
 * Sends a request with NLM_F_ACK (or NLM_F_DUMP) and waits for the end of the answer. @each may be
 * NULL. Returns 0, the kernel's -errno, the value of @each, or -EINTR for an interrupted dump.
 */
int nv_rtnl_request(
	struct nv_rtnl *rtnl, struct nlmsghdr *request, nv_rtnl_each_fn each, void *data);

/*
 * Sends @count requests that follow each other in @bytes, many in one datagram, and sets
 * ret_errors[i] to 0 or -errno of each. A request that fails does not stop the others. Returns 0,
 * or -errno of the socket: then the rest was not sent, or its result is not known.
 */
int nv_rtnl_batch(struct nv_rtnl *rtnl, char *bytes, size_t length, size_t count, int *ret_errors);
