/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of pairs. Pure. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

/* All zero: it is empty. */
struct nv_hns {
	int *hn; /* ifindexes, each once */
	size_t count;
	size_t room;
	bool all; /* every pair is in it */
};

/* A set that lacks the memory for one more contains all. */
void nv_hns_add(struct nv_hns *hns, int hn);
void nv_hns_remove(struct nv_hns *hns, int hn);
void nv_hns_auto(struct nv_hns *hns);
