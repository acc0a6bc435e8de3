/* SPDX-License-Identifier: BSD-2-Clause */
/* The difference between the links or addresses of two moments. Pure. */
#pragma once

#include "kernel/types.h"

/* The order of addresses by what identifies them; 0: the same address. */
int nv_addr_compare(const struct nv_addr *a, const struct nv_addr *b);

/* Sorts addresses by nv_addr_compare(). All functions below need this order. */
void nv_addrs_sort(struct nv_addrs *addrs);

/* The same address in @addrs, or NULL. Owned by @addrs. */
const struct nv_addr *nv_addrs_find(const struct nv_addrs *addrs, const struct nv_addr *like);

/* Those of one link. Owned by @addrs, and valid until these change. */
struct nv_addrs nv_addrs_of(const struct nv_addrs *addrs, int ifindex);

/* Inserts a copy of @addr in order, or replaces the same address. Returns 0, -ENOMEM, -E2BIG. */
int nv_addrs_put(struct nv_addrs *addrs, const struct nv_addr *addr);

/* Does nothing if the address is not in the list. */
void nv_addrs_remove(struct nv_addrs *addrs, const struct nv_addr *like);

bool nv_link_equal(const struct nv_link *a, const struct nv_link *b); /* in all fields */
/* in all fields except lifetimes */
bool nv_addr_equal(const struct nv_addr *a, const struct nv_addr *b);

/* Which differences to report. */
enum {
	NV_DIFF_GONE = 1 << 0,
	NV_DIFF_NEW = 1 << 1,
	NV_DIFF_CHANGED = 1 << 2,
};

/* @old NULL: it is new. @new NULL: it is gone. */
typedef void (*nv_diff_link_fn)(const struct nv_link *old, const struct nv_link *new, void *data);
typedef void (*nv_diff_addr_fn)(const struct nv_addr *old, const struct nv_addr *new, void *data);

/*
 * Call @each for each difference of the kinds @which, in order of ifindex, or of nv_addr_compare().
 */
void nv_diff_links(const struct nv_links *old, const struct nv_links *new, unsigned int which,
	nv_diff_link_fn each, void *data);
void nv_diff_addrs(const struct nv_addrs *old, const struct nv_addrs *new, unsigned int which,
	nv_diff_addr_fn each, void *data);
