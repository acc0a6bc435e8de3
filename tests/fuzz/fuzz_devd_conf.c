/* SPDX-License-Identifier: BSD-2-Clause */
/* Any file of rules: it is read or refused with a place, and then does as the walk does. */
#include "devd/rules.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const EVENTS[] = {
	"!system=IFNET subsystem=hn0 type=LINK_UP",
	"!system=a subsystem=b type=c a=b b= x=\"y z\"",
	"+e0 at slot=1 vendor=0x8086 on pci0",
	"-e0 at  on .",
	"? at a=b class=0x02 on pci0",
};

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static const char *media_of(const char *ifname, void *data)
{
	(void)data;
	return *ifname == 'h' ? "Ethernet" : NULL;
}

static void ask(const struct nv_rules *rules, const char *line)
{
	const struct timespec when = {};
	NV_AUTO(nv_event) struct nv_event *event = NULL;
	NV_AUTO(nv_str) struct nv_str command = {};
	const struct nv_rule *rule;

	require(nv_event_parse(line, strlen(line), &when, &event) == 0);
	rule = nv_rules_match(rules, event, media_of, NULL);
	require(rule == nv_rules_match_slowly(rules, event, media_of, NULL));
	for (size_t i = 0; rule && i < nv_rule_actions(rule); i++)
		if (nv_rule_expand(rules, rule, i, event, &command) == 0)
			require(strlen(nv_str_text(&command)) == command.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	NV_AUTO(nv_rules) struct nv_rules *rules = NULL;
	struct nv_faults faults = {};
	unsigned int lines = 1;
	int r;

	/* Nothing of this machine's files may decide what an input does. */
	if (memmem(data, size, "directory", strlen("directory")))
		return -1;
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	r = nv_rules_parse("f", text, size, NULL, NULL, &faults, &rules);
	require((r == 0) == (rules != NULL));
	require((r == 0) == (faults.errors == 0));
	for (size_t i = 0; i < faults.count; i++) {
		require(faults.fault[i].line >= 1 && faults.fault[i].line <= lines);
		require(faults.fault[i].column >= 1);
	}
	nv_faults_auto(&faults);
	for (size_t i = 0; rules && i < NV_ARRAY_SIZE(EVENTS); i++)
		ask(rules, EVENTS[i]);
	return 0;
}
