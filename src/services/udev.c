/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/udev.h"

#include "services/state_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DATA_MAX 16384 /* bytes */

bool nv_udev_data_has_name(const char *text)
{
	static const char renaming[] = "E:ID_RENAMING=1";

	for (const char *line = text; *line; line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		if (length == strlen(renaming) && memcmp(line, renaming, length) == 0)
			return false;
		line += length;
	}
	return true;
}

bool nv_udev_renames_up(const char *release)
{
	unsigned int major;
	unsigned int minor;

	return sscanf(release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

static bool udev_kernel_renames_up(void)
{
	struct utsname kernel;

	return uname(&kernel) == 0 && nv_udev_renames_up(kernel.release);
}

/*
 * udev has a database file for each interface that it has processed. The file has ID_RENAMING until
 * the kernel has reported the new name.
 */
bool nv_udev_allows_up(int ifindex)
{
	char path[64];
	char text[DATA_MAX];

	if (udev_kernel_renames_up() || access("/run/udev/control", F_OK) < 0)
		return true;
	snprintf(path, sizeof(path), "/run/udev/data/n%d", ifindex);
	return nv_state_file_read(path, text, sizeof(text)) == 0 && nv_udev_data_has_name(text);
}
