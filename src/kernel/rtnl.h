/* SPDX-License-Identifier: BSD-2-Clause */
/* A netlink socket: datagrams of any size, requests with their acknowledgement, dumps. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NV_DATAGRAM_MAX (1024 * 1024) /* bytes; the kernel's largest dump parts are 32 KiB */

/* The last datagram received; the buffer grows to what one needs. */
struct nv_datagram {
	char *bytes;
	size_t size;
	size_t length;
	uint32_t portid; /* of the sender; 0: the kernel */
	bool has_uid; /* the socket has SO_PASSCRED set */
	uid_t uid;
};

/*
 * Takes one datagram whole. @flags: of recv(2), MSG_DONTWAIT or 0.
 * Returns 0, -EAGAIN, -ENOBUFS (the socket's buffer overflowed: messages were lost), -EMSGSIZE
 * (larger than NV_DATAGRAM_MAX, dropped), -ENOMEM or another of recv(2).
 */
int nv_datagram_receive(int fd, int flags, struct nv_datagram *datagram);
void nv_datagram_auto(struct nv_datagram *datagram);

struct nv_rtnl {
	int fd; /* -1: closed */
	int protocol; /* NETLINK_* */
	uint32_t sequence;
	struct nv_datagram datagram;
	char error[256]; /* the kernel's words on the last refusal */
};

/* Returns 0 or -errno of socket(2). */
int nv_rtnl_open(struct nv_rtnl *ret_rtnl);
/* The same for another of netlink's families, which speaks likewise: NETLINK_SOCK_DIAG. */
int nv_rtnl_open_other(int protocol, struct nv_rtnl *ret_rtnl);
/* May be called again. */
void nv_rtnl_close(struct nv_rtnl *rtnl);

/* What a request brings back besides its acknowledgement. A value below 0 ends the request with
 * it. */
typedef int (*nv_rtnl_each_fn)(const struct nlmsghdr *message, void *data);

/*
 * Reads the answer to the request numbered rtnl->sequence; what belongs to another is passed over.
 * Returns as nv_rtnl_request(). @ret_whole: whether its end was read, whatever it said.
 */
int nv_rtnl_read(struct nv_rtnl *rtnl, nv_rtnl_each_fn each, void *data, bool *ret_whole);

/*
 * Sends a request with NLM_F_ACK (or NLM_F_DUMP) set and waits for its end. @each may be NULL.
 * Returns 0, the kernel's -errno, what @each refused with, or -EINTR for an interrupted dump.
 */
int nv_rtnl_request(
	struct nv_rtnl *rtnl, struct nlmsghdr *request, nv_rtnl_each_fn each, void *data);

/*
 * Sends @count requests that lie one after another in @bytes, many in one datagram, and sets
 * ret_errors[i] to the kernel's answer to each: 0 or -errno. One that fails does not keep the
 * others from being tried. Returns 0, or -errno of the socket: then the rest was not sent, or what
 * became of it is not known.
 */
int nv_rtnl_batch(struct nv_rtnl *rtnl, char *bytes, size_t length, size_t count, int *ret_errors);
