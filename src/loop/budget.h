/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a processor's time is spent on those who connect to the daemon's sockets: a share
 * for each uid, and one for all of them together. A share fills with time, up to its burst, and
 * whoever has used it up waits. Root, and the uid that the daemon runs as, never wait.
 *
 * Every function takes NULL for a budget without limits.
 */
#pragma once

#include "loop/loop.h"

#include <stdbool.h>

#define NV_BUDGET_UID_SHARE 20 /* thousandths of a processor, for each uid */
#define NV_BUDGET_UID_BURST (20 * NV_USEC_PER_MSEC)
#define NV_BUDGET_UID_DEBT  (200 * NV_USEC_PER_MSEC) /* more is not owed: it is waited for 10 s */
#define NV_BUDGET_ALL_SHARE 50 /* for all uids together */
#define NV_BUDGET_ALL_BURST (50 * NV_USEC_PER_MSEC)
#define NV_BUDGET_TURN	    50 /* microseconds at most that the loop's way to a callback costs */
#define NV_BUDGET_UIDS	    64 /* that are told apart; further ones share one share */

struct nv_budget;

/* Returns 0 or -ENOMEM. @loop gives the time, and lives as long. */
int nv_budget_new(const struct nv_loop *loop, struct nv_budget **ret_budget);
struct nv_budget *nv_budget_free(struct nv_budget *budget);
NV_DEFINE_AUTO(nv_budget, struct nv_budget *, nv_budget_free);

/* Whether @uid never waits. */
bool nv_budget_is_free(uid_t uid);

/*
 * Between these the thread works for @uid, who pays its processor time, and the loop's way to it:
 * what was used since the last one, up to NV_BUDGET_TURN. Where they nest, what was before the
 * inner ones is nobody's.
 */
void nv_budget_begin(struct nv_budget *budget);
void nv_budget_end(struct nv_budget *budget, uid_t uid);

/* @uid pays @usec. It may come to owe time. */
void nv_budget_charge(struct nv_budget *budget, uid_t uid, uint64_t usec);

/* Microseconds until something may be done for @uid; 0: now. */
uint64_t nv_budget_wait(struct nv_budget *budget, uid_t uid);

/* The same for one whose uid is not known yet. */
uint64_t nv_budget_wait_any(struct nv_budget *budget);
