/* SPDX-License-Identifier: BSD-2-Clause */
#include "cm.h"

#include "pair/trial.h"

static struct nv_trial trial;
static struct nv_trial_answers answers;
static uint64_t now;
static unsigned int asked_vf, asked_hn;

/* What a port answers to a request; 0: nothing, which is so for all at first. */
static struct {
	unsigned int by_vf; /* answers that the VF brings to a request by the VF */
	unsigned int by_hn; /* answers that hn brings to a request by hn */
	unsigned int across; /* answers that hn brings to a request by the VF */
} host;

static int set_up(void **state)
{
	(void)state;
	trial = (struct nv_trial){};
	answers = (struct nv_trial_answers){.vf = 3, .hn = 5};
	now = 1000000;
	asked_vf = asked_hn = 0;
	host.by_vf = host.by_hn = host.across = 0;
	return 0;
}

/* Runs the trial to its end; returns the verdict, with the time it took in now. */
static enum nv_trial_verdict run(bool listen, bool hn_usable)
{
	nv_trial_begin(&trial, listen, hn_usable, &answers, now);
	for (unsigned int steps = 0; steps < 200; steps++) {
		enum nv_trial_verdict verdict = nv_trial_step(&trial, &answers, now);

		switch (verdict) {
		case NV_TRIAL_ASK_VF:
			asked_vf++;
			answers.vf += host.by_vf;
			answers.hn += host.across;
			break;
		case NV_TRIAL_ASK_HN:
			asked_hn++;
			answers.hn += host.by_hn;
			break;
		case NV_TRIAL_WAIT:
			break;
		case NV_TRIAL_PASSED:
		case NV_TRIAL_FAILED:
		case NV_TRIAL_NOBODY:
			return verdict;
		}
		assert_true(trial.next > now);
		now = trial.next;
	}
	fail();
	return NV_TRIAL_WAIT;
}

static void an_answer_ends_it_within_a_millisecond(void **state)
{
	(void)state;
	host.by_vf = 1;
	assert_int_equal(run(false, true), NV_TRIAL_PASSED);
	assert_int_equal(asked_vf, 1);
	assert_int_equal(asked_hn, 0);
	assert_int_equal(now, 1001000);
	assert_int_equal(trial.phase, NV_TRIAL_NONE);
}

static void an_answer_by_the_other_port_counts(void **state)
{
	(void)state;
	host.across = 1;
	assert_int_equal(run(false, true), NV_TRIAL_PASSED);
}

static void a_vf_fails_only_if_hn_is_answered(void **state)
{
	(void)state;
	host.by_hn = 1;
	assert_int_equal(run(false, true), NV_TRIAL_FAILED);
	assert_int_equal(asked_vf, 3);
	assert_int_equal(asked_hn, 1);
	assert_true(now - 1000000 < 300000);
}

static void nobody_answers(void **state)
{
	(void)state;
	assert_int_equal(run(false, true), NV_TRIAL_NOBODY);
	assert_int_equal(now - 1000000, NV_TRIAL_VF_TIME + NV_TRIAL_HN_TIME);
	set_up(state);
	assert_int_equal(run(false, false), NV_TRIAL_NOBODY);
	assert_int_equal(asked_hn, 0);
}

static void a_second_trial_listens_first(void **state)
{
	(void)state;
	host.across = 1;
	assert_int_equal(run(true, true), NV_TRIAL_PASSED);
	assert_int_equal(now - 1000000, NV_TRIAL_LISTEN_TIME + 1000);
}

static void what_hn_brings_anyway_is_no_answer_to_the_vf(void **state)
{
	(void)state;
	host.across = 1; /* which is answers to somebody else's requests */
	nv_trial_begin(&trial, true, true, &answers, now);
	assert_int_equal(nv_trial_step(&trial, &answers, now), NV_TRIAL_WAIT);
	answers.hn++;
	now = trial.next;
	assert_int_equal(nv_trial_step(&trial, &answers, now), NV_TRIAL_ASK_VF);
	answers.hn++;
	now = trial.next;
	assert_int_equal(nv_trial_step(&trial, &answers, now), NV_TRIAL_WAIT);
	answers.vf++;
	assert_int_equal(nv_trial_step(&trial, &answers, now), NV_TRIAL_PASSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_answer_ends_it_within_a_millisecond, set_up),
		cmocka_unit_test_setup(an_answer_by_the_other_port_counts, set_up),
		cmocka_unit_test_setup(a_vf_fails_only_if_hn_is_answered, set_up),
		cmocka_unit_test_setup(nobody_answers, set_up),
		cmocka_unit_test_setup(a_second_trial_listens_first, set_up),
		cmocka_unit_test_setup(what_hn_brings_anyway_is_no_answer_to_the_vf, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
