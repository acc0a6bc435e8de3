/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/udev.h"

#include "base/cleanup.h"
#include "services/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DATA_MAX 16384 /* bytes */
#define DATA_LEN 32

bool nv_udev_data_has(const char *text, const char *property)
{
	size_t wanted = strlen(property);

	for (const char *line = text; *line; line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		if (length == wanted + 2 && memcmp(line, "E:", 2) == 0 &&
			memcmp(line + 2, property, wanted) == 0)
			return true;
		line += length;
	}
	return false;
}

bool nv_udev_data_has_name(const char *text)
{
	return !nv_udev_data_has(text, "ID_RENAMING=1");
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

static void udev_data_path(int ifindex, char path[static DATA_LEN])
{
	snprintf(path, DATA_LEN, "/run/udev/data/n%d", ifindex);
}

/* Returns false if udev has no record of the interface. */
static bool udev_read(int ifindex, char text[static DATA_MAX])
{
	char path[DATA_LEN];

	udev_data_path(ifindex, path);
	return nv_state_file_read(path, text, DATA_MAX) == 0;
}

/*
 * udev has a database file for each interface that it has processed. The file has ID_RENAMING until
 * the kernel has reported the new name.
 */
bool nv_udev_allows_up(int ifindex)
{
	char text[DATA_MAX];

	if (udev_kernel_renames_up() || access("/run/udev/control", F_OK) < 0)
		return true;
	return udev_read(ifindex, text) && nv_udev_data_has_name(text);
}

bool nv_udev_has_record(int ifindex)
{
	char path[DATA_LEN];

	udev_data_path(ifindex, path);
	return access(path, F_OK) == 0;
}

bool nv_udev_has(int ifindex, const char *property)
{
	char text[DATA_MAX];

	return udev_read(ifindex, text) && nv_udev_data_has(text, property);
}

int nv_udev_process_again(const char *ifname, const char *action)
{
	NV_AUTO(nv_fd) int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/uevent", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, action, strlen(action)) < 0 ? -errno : 0;
}
