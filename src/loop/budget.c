/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop/budget.h"

#include <errno.h>
#include <time.h>

struct share {
	uid_t uid;
	int64_t left; /* microseconds; below 0: owed */
	uint64_t filled; /* when time was added last, by nv_loop_now() */
};

struct nv_budget {
	const struct nv_loop *loop;
	uint64_t began; /* the thread's processor time at nv_budget_begin() */
	uint64_t ended; /* the same at the last nv_budget_end() */
	struct share all;
	struct share others; /* of the uids that have no place below */
	struct share uid[NV_BUDGET_UIDS];
	size_t n_uids;
};

int nv_budget_new(const struct nv_loop *loop, struct nv_budget **ret_budget)
{
	struct nv_budget *budget = calloc(1, sizeof(*budget));
	uint64_t now = nv_loop_now(loop);

	if (!budget)
		return -ENOMEM;
	budget->loop = loop;
	budget->all = (struct share){.left = NV_BUDGET_ALL_BURST, .filled = now};
	budget->others = (struct share){.left = NV_BUDGET_UID_BURST, .filled = now};
	*ret_budget = budget;
	return 0;
}

struct nv_budget *nv_budget_free(struct nv_budget *budget)
{
	free(budget);
	return NULL;
}

bool nv_budget_is_exempt(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* A fraction of a microsecond is added the next time. */
static void budget_fill(struct share *share, uint64_t now, unsigned int thousandths, int64_t burst)
{
	int64_t more = (now - share->filled) * thousandths / 1000;

	if (more > burst - share->left) {
		share->left = burst;
		share->filled = now;
	} else {
		share->left += more;
		share->filled += more * 1000 / thousandths;
	}
}

static void budget_fill_uid(struct share *share, uint64_t now)
{
	budget_fill(share, now, NV_BUDGET_UID_SHARE, NV_BUDGET_UID_BURST);
}

/* A share that is full holds no information about its uid: another uid may get its place. */
static struct share *budget_share_of(struct nv_budget *budget, uid_t uid)
{
	uint64_t now = nv_loop_now(budget->loop);
	struct share *full = NULL;

	for (size_t i = 0; i < budget->n_uids; i++) {
		budget_fill_uid(&budget->uid[i], now);
		if (budget->uid[i].uid == uid)
			return &budget->uid[i];
		if (budget->uid[i].left == NV_BUDGET_UID_BURST)
			full = &budget->uid[i];
	}
	if (!full && budget->n_uids < NV_BUDGET_UIDS)
		full = &budget->uid[budget->n_uids++];
	if (full) {
		*full = (struct share){.uid = uid, .left = NV_BUDGET_UID_BURST, .filled = now};
		return full;
	}
	budget_fill_uid(&budget->others, now);
	return &budget->others;
}

static uint64_t budget_thread_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * NV_USEC_PER_SEC + time.tv_nsec / 1000;
}

void nv_budget_begin(struct nv_budget *budget)
{
	if (budget)
		budget->began = budget_thread_time();
}

void nv_budget_end(struct nv_budget *budget, uid_t uid)
{
	uint64_t way;

	if (!budget)
		return;
	way = budget->began - budget->ended;
	budget->ended = budget_thread_time();
	nv_budget_charge(budget, uid,
		budget->ended - budget->began + (way < NV_BUDGET_TURN ? way : NV_BUDGET_TURN));
}

/* A debt has an end, because root waits behind those who have made it. */
static void budget_take(struct share *share, uint64_t usec, int64_t debt)
{
	share->left -= usec;
	if (share->left < -debt)
		share->left = -debt;
}

void nv_budget_charge(struct nv_budget *budget, uid_t uid, uint64_t usec)
{
	struct share *share;

	if (!budget || nv_budget_is_exempt(uid))
		return;
	budget_fill(
		&budget->all, nv_loop_now(budget->loop), NV_BUDGET_ALL_SHARE, NV_BUDGET_ALL_BURST);
	budget_take(&budget->all, usec, NV_BUDGET_ALL_DEBT);
	share = budget_share_of(budget, uid);
	budget_take(share, usec, NV_BUDGET_UID_DEBT);
}

static uint64_t budget_wait_for(const struct share *share, unsigned int thousandths)
{
	return share->left > 0 ? 0 : (1 - share->left) * UINT64_C(1000) / thousandths + 1;
}

uint64_t nv_budget_wait_any(struct nv_budget *budget)
{
	if (!budget)
		return 0;
	budget_fill(
		&budget->all, nv_loop_now(budget->loop), NV_BUDGET_ALL_SHARE, NV_BUDGET_ALL_BURST);
	return budget_wait_for(&budget->all, NV_BUDGET_ALL_SHARE);
}

uint64_t nv_budget_wait(struct nv_budget *budget, uid_t uid)
{
	uint64_t own;
	uint64_t all;

	if (!budget || nv_budget_is_exempt(uid))
		return 0;
	own = budget_wait_for(budget_share_of(budget, uid), NV_BUDGET_UID_SHARE);
	all = nv_budget_wait_any(budget);
	return own > all ? own : all;
}
