/* SPDX-License-Identifier: BSD-2-Clause */
/* A file in the place of a move's journal: it is read or refused, and comes back as it was. */
#include "require.h"

#include "move/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const struct nv_link HN = {.ifindex = 7, .name = "hn0", .mac = {2, 0, 0, 0, 0, 1}};
static char dir[64];
static char path[96];

static void clean_up(void)
{
	unlink(path);
	rmdir(dir);
}

static void set_up(void)
{
	snprintf(dir, sizeof(dir), "/dev/shm/fuzz-journal.XXXXXX");
	require(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/vfup.hn0.json", dir);
	atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(nv_journal_auto))) struct nv_journal journal = {};
	__attribute__((cleanup(nv_journal_auto))) struct nv_journal again = {};
	int fd;

	if (!dir[0])
		set_up();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	if (nv_journal_read(dir, &HN, &journal) < 0 || !journal.hn)
		return 0;
	require(nv_journal_write(dir, HN.name, &journal) == 0);
	require(nv_journal_read(dir, &HN, &again) == 0 && again.hn == journal.hn);
	require(memcmp(&journal.settings, &again.settings, sizeof(again.settings)) == 0);
	require(journal.addrs.count == again.addrs.count);
	require(journal.displaced.count == again.displaced.count);
	require(journal.ports.count == again.ports.count);
	require(journal.configured.count == again.configured.count);
	return 0;
}
