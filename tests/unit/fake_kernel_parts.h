/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the fake kernel have in common; tests include fake_kernel.h. */
#pragma once

#include "fake_kernel.h"

/* Counts the call; the error that the script has for it, or 0. */
int fake_call(struct fake_kernel *fake, enum fake_op op);

/* Adds "VERB NAME WHAT" to the log, for a change that is done; @what may be "". */
void fake_log(struct fake_kernel *fake, const char *verb, int ifindex, const char *what);

/* fake_kernel_feeds.c */
void fake_tell_link(struct fake_kernel *fake, const struct nv_link *link, bool gone);
void fake_tell_addr(struct fake_kernel *fake, const struct nv_addr *addr, bool gone);
void fake_free_notices(struct fake_notice **list);
int fake_op_devices(void *self, const struct nv_subscribe_sink *sink);
int fake_op_subscribe(void *self, enum nv_subscription feed, int *ret_fd);
int fake_op_receive(
	void *self, enum nv_subscription feed, int fd, const struct nv_subscribe_sink *sink);

/* fake_kernel_links.c */
int fake_op_links(void *self, struct nv_links *ret_links);
int fake_op_addrs(void *self, int ifindex, struct nv_addrs *ret_addrs);
int fake_op_link(void *self, int ifindex, struct nv_link *ret_link);
int fake_op_link_set(void *self, int ifindex, const struct nv_link_change *change);
int fake_op_link_add(
	void *self, const struct nv_link *link, const char *peer_name, int *ret_ifindex);
int fake_op_link_del(void *self, int ifindex);
void fake_reset_sysctls(struct fake_kernel *fake, const char *ifname);
int fake_op_addr_add(void *self, const struct nv_addr *addr, bool replace);
int fake_op_addr_del(void *self, const struct nv_addr *addr);

/* fake_kernel_routes.c */
int fake_op_routes(void *self, int oif, struct nv_routes *ret_routes);
int fake_op_neighs(void *self, int ifindex, struct nv_neighs *ret_neighs);
int fake_op_route_add(void *self, const struct nv_route *route, enum nv_route_how how);
int fake_op_route_del(void *self, const struct nv_route *route);
int fake_op_neigh_add(void *self, const struct nv_neigh *neigh);
int fake_op_objs(void *self, enum nv_rtobj_kind kind, int ifindex, struct nv_rtobjs *ret_objs);
int fake_op_batch(void *self, struct nv_rtobjs *requests, int *ret_errors);
