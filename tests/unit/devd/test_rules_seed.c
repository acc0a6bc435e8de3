/* SPDX-License-Identifier: BSD-2-Clause */
/* Our hyperv.conf beside FreeBSD's, where there is a copy of that: NETVF_SEED names it. */
#include "rules_help.h"

#include <errno.h>
#include <stdio.h>

static const char *seed;

/* Asserts that both files do the same with an event. */
static void same_answer(
	const struct nv_rules *ours, const struct nv_rules *theirs, const char *line, bool known)
{
	NV_AUTO(nv_event) struct nv_event *event = event_of(line);
	NV_AUTO(nv_str) struct nv_str a = {};
	NV_AUTO(nv_str) struct nv_str b = {};
	const struct nv_rule *x = nv_rules_match(ours, event, NULL, NULL);
	const struct nv_rule *y = nv_rules_match(theirs, event, NULL, NULL);

	assert_int_equal(x != NULL, known);
	assert_int_equal(y != NULL, known);
	if (!known)
		return;
	assert_int_equal(nv_rule_actions(x), nv_rule_actions(y));
	assert_int_equal(nv_rule_expand(ours, x, 0, event, &a), 0);
	assert_int_equal(nv_rule_expand(theirs, y, 0, event, &b), 0);
	assert_string_equal(nv_str_text(&a), nv_str_text(&b));
}

/* The rules of a file without its comments and white space: they must be the same text. */
static void squeeze(const char *path, struct nv_str *text)
{
	NV_AUTO(nv_file) FILE *file = fopen(path, "r");
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		NV_AUTO(nv_words) struct nv_words words = {};

		if (line[0] == '#')
			continue;
		assert_int_equal(nv_words_split(line, &words), 0);
		for (size_t i = 0; i < words.count; i++)
			nv_str_printf(text, "%s ", words.word[i]);
	}
}

static void they_do_the_same(void **state)
{
	static const struct {
		const char *line;
		bool known;
	} cases[] = {
		{"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev", true},
		{"!system=DEVFS subsystem=CDEV type=DESTROY cdev=hv_kvp_dev", true},
		{"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_fsvss_dev", true},
		{"!system=DEVFS subsystem=CDEV type=DESTROY cdev=hv_fsvss_dev", true},
		{"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev0", false},
		{"!system=HYPERV_NIC_VF subsystem=hn0 type=VF_UP", true},
		{"!system=HYPERV_NIC_VF subsystem=hn0 type=VF_DOWN", false},
		{"!system=ETHERNET subsystem=mlx;reboot type=IFATTACH", true},
		{"+hn0 at  a=b on vmbus0", false},
	};
	NV_AUTO(nv_rules) struct nv_rules *ours = NULL;
	NV_AUTO(nv_rules) struct nv_rules *theirs = NULL;
	NV_AUTO(nv_str) struct nv_str a = {};
	NV_AUTO(nv_str) struct nv_str b = {};
	struct nv_faults faults = {};

	(void)state;
	assert_int_equal(
		nv_rules_load(NETVF_SOURCE_DIR "/etc/devd/hyperv.conf", NULL, NULL, &faults, &ours),
		0);
	assert_int_equal(nv_rules_load(seed, NULL, NULL, &faults, &theirs), 0);
	assert_int_equal(faults.count, 0);
	for (size_t i = 0; i < NV_ARRAY_SIZE(cases); i++)
		same_answer(ours, theirs, cases[i].line, cases[i].known);
	squeeze(NETVF_SOURCE_DIR "/etc/devd/hyperv.conf", &a);
	squeeze(seed, &b);
	assert_string_equal(nv_str_text(&a), nv_str_text(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_do_the_same),
	};

	seed = getenv("NETVF_SEED");
	if (!seed)
		seed = NETVF_SOURCE_DIR "/../shared/seed/hyperv.conf";
	if (access(seed, R_OK)) {
		printf("1..0 # SKIP no copy of FreeBSD's hyperv.conf here: %s: %s\n", seed,
			strerror(errno));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
