/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process and the kernel hold, to be compared with what they held before: tells it in one
 * line, and ends.
 *
 *   -> {"descriptors":…,"KiB":…,"programs":…,"maps":…,"links":…}: the process's open files and
 *      memory of its own (RssAnon, proc(5)), and the kernel's eBPF objects, whoever made them
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

/* -1: errno tells why. */
static int held_files(int pid)
{
	NV_AUTO(held_dir) DIR *dir = NULL;
	char path[64];
	int files = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	for (const struct dirent *entry; (entry = readdir(dir));)
		files += entry->d_name[0] != '.';
	return files;
}

/* -1: errno tells why. */
static long held_memory(int pid)
{
	NV_AUTO(nv_file) FILE *file = NULL;
	char path[64], line[128];
	long kib = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	errno = EPROTO;
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %ld", &kib) != 1)
			kib = -1;
	return kib;
}

int lab_held_main(int argc, char **argv)
{
	uint64_t pid;
	long memory;
	int files;

	if (argc != 2 || lab_number(argv[1], 1, INT32_MAX, &pid))
		return 2;
	files = held_files((int)pid);
	if (files < 0)
		return lab_fail("held: reading the process's open files", errno);
	memory = held_memory((int)pid);
	if (memory < 0)
		return lab_fail("held: reading the process's memory", errno);
	printf("{\"descriptors\":%d,\"KiB\":%ld,\"programs\":%d,\"maps\":%d,\"links\":%d}\n", files,
		memory, held_objects(BPF_PROG_GET_NEXT_ID), held_objects(BPF_MAP_GET_NEXT_ID),
		held_objects(BPF_LINK_GET_NEXT_ID));
	return 0;
}
