/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the parts of rtnetlink messages about addresses, routes, rules, neighbours, next hops and
 * bridge ports (rtnetlink(7)). There is no system call in this file.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The RTM_NEW type of a message, also for the DEL and GET types of the same family: NEW is a
 * multiple of four.
 */
uint16_t nv_rtmessage_family(uint16_t type);

/* Bytes of the family's header, before the attributes; 0: not such a message. */
size_t nv_rtmessage_header_size(uint16_t type);

/* For RTM_NEWNEIGH: whether it is an entry of a bridge's forwarding database. */
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
