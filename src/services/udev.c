/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/udev.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATA_MAX 16384 /* bytes */

/* What udev has looked at has a file (libudev's database), where ID_RENAMING stands until the
 * kernel has told udev that the interface has its new name. */
bool nv_udev_is_done(int ifindex)
{
	NV_AUTO(nv_file) FILE *file = NULL;
	char path[64];
	char text[DATA_MAX] = "\n";
	size_t length;

	if (access("/run/udev/control", F_OK) < 0)
		return true;
	snprintf(path, sizeof(path), "/run/udev/data/n%d", ifindex);
	file = fopen(path, "re");
	length = file ? fread(text + 1, 1, sizeof(text) - 2, file) : 0;
	text[length + 1] = '\0';
	return file && !strstr(text, "\nE:ID_RENAMING=1\n");
}
