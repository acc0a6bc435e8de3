/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a message about an address, a route, a rule, a neighbour, a next hop or a bridge's
 * port (rtnetlink(7)). No system call in here.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RTM_NEW…, for the DEL and GET of the same family too: NEW is a multiple of four. */
uint16_t nv_rtmessage_family(uint16_t type);

/* Bytes of the header before the attributes; 0: not such a message. */
size_t nv_rtmessage_header_size(uint16_t type);

/* Of RTM_NEWNEIGH: whether it is an entry of a bridge's forwarding database. */
bool nv_rtmessage_is_fdb(const struct nlmsghdr *message);

/* The attribute behind @after, or the first for NULL; NULL at the end. */
const struct nlattr *nv_rtmessage_next(const struct nlmsghdr *message, const struct nlattr *after);

#define nv_each_attr(attr, message)                                              \
	for (const struct nlattr *attr = nv_rtmessage_next(message, NULL); attr; \
		(attr) = nv_rtmessage_next(message, attr))

/* The first attribute of @type; NULL: there is none. */
const struct nlattr *nv_rtmessage_find(const struct nlmsghdr *message, uint16_t type);

/* Calls @edit for each next hop of RTA_MULTIPATH's @list; false: the list is malformed. */
bool nv_rtmessage_each_hop(char *list, size_t left,
	void (*edit)(struct rtnexthop *hop, const void *data), const void *data);
