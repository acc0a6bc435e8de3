/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link's place as a port of a bridge (NV_RTOBJ_BRPORT): its settings and VLANs there, as the
 * kernel told of them. The requests are for nv_kernel_batch(). No system call in here.
 *
 * While two ports of a bridge lead to the same wire, one of them is its guard's: *isolated*,
 * nothing goes from one such port to another; *mute*, nothing is sent on it only because it is sent
 * on all.
 *
 * All return 0, -ENOMEM, -E2BIG.
 */
#pragma once

#include "kernel/rtobject.h"

struct nlmsghdr;

/* As nv_rtobjs_take(); -ENOMSG: another link's word, or of a device with a switch of its own. */
int nv_brport_take(struct nv_rtobjs *objs, const struct nlmsghdr *message);

int nv_brport_link(const struct nv_rtobj *port); /* ifindex */
int nv_brport_bridge(const struct nv_rtobj *port); /* ifindex */
bool nv_brport_is_isolated(const struct nv_rtobj *port);

/*
 * Link @ifindex becomes a port of the same bridge with the same settings, but isolated and mute.
 * All these requests must succeed but the one at NV_BRPORT_ENTER_MAY_FAIL, from 0, which deletes
 * the VLANs that a bridge gives each new port: it may have none.
 */
int nv_brport_enter(struct nv_rtobjs *requests, const struct nv_rtobj *port, int ifindex);

#define NV_BRPORT_ENTER_MAY_FAIL 2

/* A port of a bridge is isolated, or not any more. */
int nv_brport_isolate(struct nv_rtobjs *requests, int ifindex, bool on);

/* Link @ifindex gets what is sent on all, as far as @port does; NULL: none of it. */
int nv_brport_flood(struct nv_rtobjs *requests, const struct nv_rtobj *port, int ifindex);

/* It is a port no more. */
int nv_brport_leave(struct nv_rtobjs *requests, int ifindex);

/* Whether this entry of a bridge's table (NV_RTOBJ_FDB) is there because a port has this MAC. */
bool nv_fdb_is_of_itself(const struct nv_rtobj *fdb, const uint8_t mac[NV_MAC_LEN]);
