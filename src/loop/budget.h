/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the processor time that is spent on the clients of the daemon's sockets: a share for each
 * uid, and one for all of them together. A share grows with time, up to its burst. A uid that has
 * used up its share waits. Root and the daemon's own uid never wait.
 *
 * Every function accepts NULL, a budget without limits.
 */
#pragma once

#include "loop/loop.h"

#include <stdbool.h>

#define NV_BUDGET_UID_SHARE 20 /* thousandths of a processor, for each uid */
#define NV_BUDGET_UID_BURST (20 * NV_USEC_PER_MSEC)
/* the largest debt; it is paid off after 10 s */
#define NV_BUDGET_UID_DEBT  (200 * NV_USEC_PER_MSEC)
#define NV_BUDGET_ALL_SHARE 50 /* for all uids together */
#define NV_BUDGET_ALL_BURST (50 * NV_USEC_PER_MSEC)
#define NV_BUDGET_ALL_DEBT  (100 * NV_USEC_PER_MSEC) /* likewise; after 2 s */
#define NV_BUDGET_TURN	    50 /* the loop's cost of a callback in microseconds, at most */
/* uids with a share of their own; further ones have one share together */
#define NV_BUDGET_UIDS 64

struct nv_budget;

/* Returns 0 or -ENOMEM. @loop provides the time and must live as long. */
int nv_budget_new(const struct nv_loop *loop, struct nv_budget **ret_budget);
struct nv_budget *nv_budget_free(struct nv_budget *budget);
NV_DEFINE_AUTO(nv_budget, struct nv_budget *, nv_budget_free);

/* Whether @uid never waits. */
bool nv_budget_is_exempt(uid_t uid);

/*
 * Between these calls the thread works for @uid. The processor time is charged to it, and the
 * loop's cost: the time used since the last nv_budget_end(), up to NV_BUDGET_TURN. If calls are
 * nested, the time before the inner ones is charged to nobody.
 */
void nv_budget_begin(struct nv_budget *budget);
void nv_budget_end(struct nv_budget *budget, uid_t uid);

/* Charges @usec to @uid, which may go into debt. */
void nv_budget_charge(struct nv_budget *budget, uid_t uid, uint64_t usec);

/* Microseconds until something may be done for @uid; 0: it may be done now. */
uint64_t nv_budget_wait(struct nv_budget *budget, uid_t uid);

/* The same for a client whose uid is not known yet. */
uint64_t nv_budget_wait_any(struct nv_budget *budget);
