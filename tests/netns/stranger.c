/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user's own program: waits to be ended. Whoever runs it as root leaves a file beside it, called
 * as it is with ".root" at its end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char self[4000];
	char marker[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (geteuid() == 0 && length > 0) {
		self[length] = '\0';
		snprintf(marker, sizeof(marker), "%s.root", self);
		close(open(marker, O_WRONLY | O_CREAT, 0644));
		return 0;
	}
	for (;;)
		pause();
}
