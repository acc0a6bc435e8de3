/* SPDX-License-Identifier: BSD-2-Clause */
/* The difference between two moments' links or addresses. Pure. */
#pragma once

#include "kernel/types.h"

/* The order of addresses by what makes each the one that it is; 0: the same address. */
int nv_addr_compare(const struct nv_addr *a, const struct nv_addr *b);

/* Puts addresses in the order of nv_addr_compare(), which all functions below want. */
void nv_addrs_sort(struct nv_addrs *addrs);

/* Where such an address is, or NULL. Owned by @addrs. */
const struct nv_addr *nv_addrs_find(const struct nv_addrs *addrs, const struct nv_addr *like);

/* Copies @addr in, at its place, over the same address. Returns 0, -ENOMEM, -E2BIG. */
int nv_addrs_put(struct nv_addrs *addrs, const struct nv_addr *addr);

/* 0 also when it is not there. */
void nv_addrs_remove(struct nv_addrs *addrs, const struct nv_addr *like);

bool nv_link_equal(const struct nv_link *a, const struct nv_link *b); /* in every field */
bool nv_addr_equal(const struct nv_addr *a, const struct nv_addr *b); /* but in lifetimes */

/* Which differences are wanted. */
enum {
	NV_DIFF_GONE = 1 << 0,
	NV_DIFF_NEW = 1 << 1,
	NV_DIFF_CHANGED = 1 << 2,
};

/* @old NULL: new. @new NULL: gone. */
typedef void (*nv_diff_link_fn)(const struct nv_link *old, const struct nv_link *new, void *data);
typedef void (*nv_diff_addr_fn)(const struct nv_addr *old, const struct nv_addr *new, void *data);

/* Call @each for each difference of @which in order of ifindex, or of nv_addr_compare(). */
void nv_diff_links(const struct nv_links *old, const struct nv_links *new, unsigned int which,
	nv_diff_link_fn each, void *data);
void nv_diff_addrs(const struct nv_addrs *old, const struct nv_addrs *new, unsigned int which,
	nv_diff_addr_fn each, void *data);
