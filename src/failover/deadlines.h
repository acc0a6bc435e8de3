/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When something is to be done for which pairs. Pairs for which nothing is to be done cost nothing.
 * Pure.
 */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

#define NV_NEVER UINT64_MAX

struct nv_deadline {
	uint64_t when; /* microseconds of one clock */
	int hn; /* ifindex; 0: of no pair */
};

/* All zero: there is none. */
struct nv_deadlines {
	struct nv_deadline *one;
	size_t count;
	size_t room;
};

void nv_deadlines_auto(struct nv_deadlines *deadlines);

/* Makes room for the deadlines of so many pairs, so that setting them cannot fail. */
int nv_deadlines_reserve(struct nv_deadlines *deadlines, size_t count);

/* Replaces that of @hn; @when may be NV_NEVER. Needs nv_deadlines_reserve() before. */
void nv_deadlines_set(struct nv_deadlines *deadlines, int hn, uint64_t when);

/* The same, but an earlier one stays. */
void nv_deadlines_add(struct nv_deadlines *deadlines, int hn, uint64_t when);

/* The soonest; NV_NEVER: there is none. */
uint64_t nv_deadlines_next(const struct nv_deadlines *deadlines);

/* How many are due. */
size_t nv_deadlines_due(const struct nv_deadlines *deadlines, uint64_t now);

/* Removes one that is due, and returns its hn; -1: none is due. */
int nv_deadlines_take(struct nv_deadlines *deadlines, uint64_t now);
