/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data path in memory, in place of the one of datapath/datapath.h: pairs in an array, no
 * programs. Linked in front of the library, so all of that header is here. What changes is in the
 * kernel's log, among the kernel's changes.
 */
#pragma once

#include "fake_kernel.h"

#include "datapath/datapath.h"

#define FAKE_PAIRS_MAX 32

struct nv_datapath {
	struct fake_kernel *fake;
	struct nv_dp_pair pair[FAKE_PAIRS_MAX]; /* hn 0: a free place */
	int was_up[FAKE_PAIRS_MAX];
	unsigned int reads; /* of one pair */
	unsigned int edits;
	unsigned int activations;
	unsigned int hooks; /* how often they were asked for */
	int hook_error; /* what that fails with; 0: it does not */
	struct nv_dp_limits limits; /* the last, of any pair */
	bool locked; /* by another process: what needs the lock fails with -EAGAIN, if not patient
		      */
	bool patient;
	bool gentle; /* what nv_datapath_attaches_gently() returns */
	int reports_fd; /* 0: was not asked for; the test closes it */
	int stripped[NV_DP_INTERFACES]; /* interfaces without programs, of any pair; 0: none */
	int reattach_error; /* what attaching again fails with */
	unsigned int looks; /* how often somebody looked for them */
	unsigned int reported; /* what nv_datapath_reports() returns */
	int bypassed; /* the hn of NV_DP_REPORT_BYPASS among these; 0: each */
	int error; /* what the next edit fails with; then it is 0 again */
	unsigned int counted; /* how often counters were read */
	int count_error; /* what reading them fails with; 0: it does not */
	/* what is counted; NULL: nothing */
	void (*count)(int ifindex, struct nv_dp_counters *counters);
	bool awaits_traffic; /* nv_datapath_await_traffic() was called */
};

/* The pair of an hn; the test fails when there is none. */
struct nv_dp_pair *fake_path(struct nv_datapath *datapath, int hn);
