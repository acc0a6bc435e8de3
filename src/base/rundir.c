/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rundir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define RUN_DIR_MAX 80 /* bytes; sun_path has 108 */

static void from_namespace(struct nv_str *dir)
{
	struct stat own;
	struct stat first;

	nv_str_add(dir, NV_RUN_DIR);
	if (stat("/proc/self/ns/net", &own) < 0 || stat("/proc/1/ns/net", &first) < 0)
		return;
	if (own.st_ino != first.st_ino)
		nv_str_printf(dir, "/netns-%llu", (unsigned long long)own.st_ino);
}

int nv_run_dir_of_namespace(char **ret_dir)
{
	NV_AUTO(nv_str) struct nv_str dir = {};

	from_namespace(&dir);
	return nv_str_take(&dir, ret_dir);
}

int nv_run_dir_find(const char *option, char **ret_dir)
{
	NV_AUTO(nv_str) struct nv_str dir = {};
	const char *chosen = option ? option : getenv(NV_RUN_DIR_ENV);

	if (chosen && chosen[0] != '/')
		return -EINVAL;
	if (chosen)
		nv_str_add(&dir, chosen);
	else
		from_namespace(&dir);
	while (dir.length > 1 && dir.text[dir.length - 1] == '/')
		dir.text[--dir.length] = '\0';
	if (dir.length > RUN_DIR_MAX)
		return -ENAMETOOLONG;
	return nv_str_take(&dir, ret_dir);
}

bool nv_run_dir_is_first(const char *dir)
{
	return nv_streq(dir, NV_RUN_DIR);
}
