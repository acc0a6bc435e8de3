/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link as a port of a bridge (NV_RTOBJ_BRPORT): its settings and VLANs there, as the kernel
 * described them. The requests are for nv_kernel_batch(). There is no system call in this file.
 *
 * While two ports of a bridge lead to the same wire, both are *isolated*: the bridge forwards
 * nothing between isolated ports. And one of them has no *flooding*: it gets no frames that are
 * sent to all ports.
 *
 * All functions return 0, -ENOMEM or -E2BIG.
 */
#pragma once

#include "kernel/rtobject.h"

struct nlmsghdr;

/*
 * As nv_rtobjs_take(). -ENOMSG: the message is about another link, or about a device with a switch
 * of its own.
 */
int nv_brport_take(struct nv_rtobjs *objs, const struct nlmsghdr *message);

int nv_brport_link(const struct nv_rtobj *port); /* ifindex */
int nv_brport_bridge(const struct nv_rtobj *port); /* ifindex */
bool nv_brport_is_isolated(const struct nv_rtobj *port);

/*
 * Makes link @ifindex a port of the same bridge with the same settings, but isolated and without
 * flooding. All these requests must succeed, except number NV_BRPORT_ENTER_MAY_FAIL (from 0). That
 * one deletes the VLANs that a bridge gives each new port, and there may be none.
 */
int nv_brport_enter(struct nv_rtobjs *requests, const struct nv_rtobj *port, int ifindex);

#define NV_BRPORT_ENTER_MAY_FAIL 2

/* Isolates a port of a bridge, or ends that. */
int nv_brport_isolate(struct nv_rtobjs *requests, int ifindex, bool on);

/* Link @ifindex gets the flooding settings of @port; NULL: no flooding. */
int nv_brport_flood(struct nv_rtobjs *requests, const struct nv_rtobj *port, int ifindex);

/* Removes link @ifindex from its bridge. */
int nv_brport_leave(struct nv_rtobjs *requests, int ifindex);

/*
 * Whether this entry of the forwarding database (NV_RTOBJ_FDB) exists because a port has this MAC
 * address.
 */
bool nv_fdb_is_of_itself(const struct nv_rtobj *fdb, const uint8_t mac[NV_MAC_LEN]);
