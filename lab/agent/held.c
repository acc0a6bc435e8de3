/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process and the kernel hold, to be compared with what they held before: tells it in one
 * line, and ends.
 *
 *   -> {"descriptors":…,"programs":…,"maps":…,"links":…}: the process's open files, and the
 *      kernel's eBPF objects, whoever made them
 */
#include "agent.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int held_objects(enum bpf_cmd next)
{
	union bpf_attr attr = {0};
	int count = 0;

	while (!syscall(SYS_bpf, next, &attr, sizeof(attr))) {
		attr.start_id = attr.next_id;
		count++;
	}
	return count;
}

static void held_dir_auto(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int lab_held_main(int argc, char **argv)
{
	NV_AUTO(held_dir) DIR *dir = NULL;
	char path[64];
	uint64_t pid;
	int files = 0;

	if (argc != 2 || lab_number(argv[1], 1, INT32_MAX, &pid))
		return 2;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return lab_fail("held: reading the process's open files", errno);
	for (const struct dirent *entry; (entry = readdir(dir));)
		files += entry->d_name[0] != '.';
	printf("{\"descriptors\":%d,\"programs\":%d,\"maps\":%d,\"links\":%d}\n", files,
		held_objects(BPF_PROG_GET_NEXT_ID), held_objects(BPF_MAP_GET_NEXT_ID),
		held_objects(BPF_LINK_GET_NEXT_ID));
	return 0;
}
