/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent.h"

#include "base/cleanup.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *arguments;
} mode[] = {
	{"udp", lab_udp_main, "LOCAL LOCAL-PORT PEER PEER-PORT PACKETS-PER-SECOND SIZE"},
	{"tcp", lab_tcp_main, "listen|connect ADDRESS PORT INTERVAL-USEC"},
	{"observe", lab_observe_main, "SWITCH-IFINDEX TO-GUEST-PORT FROM-GUEST-PORT HN-IFINDEX..."},
	{"ports", lab_ports_main, "GUEST-NETNS-FILE"},
	{"clock", lab_clock_main, ""},
	{"group", lab_group_main, "INTERFACE GROUP PORT"},
	{"held", lab_held_main, "PID"},
};

static int usage(void)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(mode); i++)
		fprintf(stderr, "%s netvf-lab-agent %s %s\n", i ? "      " : "usage:", mode[i].name,
			mode[i].arguments);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage();

	/* The default slack of 50 us is as long as the pause between two datagrams at 20,000/s. */
	prctl(PR_SET_TIMERSLACK, 1);
	signal(SIGPIPE, SIG_IGN);
	/* Whoever started us decides when it is over, also after a Ctrl-C. */
	signal(SIGINT, SIG_IGN);
	setvbuf(stdout, NULL, _IOFBF, 65536);

	for (size_t i = 0; i < NV_ARRAY_SIZE(mode); i++) {
		if (!strcmp(argv[1], mode[i].name)) {
			int status = mode[i].main(argc - 1, argv + 1);

			return status == 2 ? usage() : status;
		}
	}
	return usage();
}
