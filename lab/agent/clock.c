/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the time, for machines whose clocks began at different moments.
 *
 *   (any line) -> {"now":…}
 */
#include "agent.h"

#include <inttypes.h>
#include <stdio.h>

int lab_clock_main(int argc, char **argv)
{
	struct lab_input input = {0};
	char line[sizeof(input.buffer)];
	int n;

	(void)argv;
	if (argc != 1)
		return 2;
	while ((n = lab_input_next(&input, line, sizeof(line))) >= 0) {
		if (n) {
			printf("{\"now\":%" PRIu64 "}\n", lab_now());
			fflush(stdout);
		} else {
			lab_wait(-1, 0, lab_now() + 10 * LAB_SEC);
		}
	}
	return 0;
}
