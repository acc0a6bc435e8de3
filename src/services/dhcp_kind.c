/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp_kind.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static const char *const kind_names[] = {
	[NV_DHCP_DHCLIENT] = "dhclient",
	[NV_DHCP_DHCPCD] = "dhcpcd",
	[NV_DHCP_UDHCPC] = "udhcpc",
};

const char *nv_dhcp_kind_name(enum nv_dhcp_kind kind)
{
	return kind_names[kind];
}

int nv_dhcp_kind_of(const char *program, enum nv_dhcp_kind *ret_kind)
{
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < NV_ARRAY_SIZE(kind_names); i++) {
		if (strcmp(slash ? slash + 1 : program, kind_names[i]) != 0)
			continue;
		*ret_kind = (enum nv_dhcp_kind)i;
		return 0;
	}
	return -ENOENT;
}

const char *nv_dhcp_installed(const enum nv_dhcp_kind *running)
{
	static const struct {
		enum nv_dhcp_kind kind;
		const char *path[4];
	} known[] = {
		{NV_DHCP_DHCPCD, {"/usr/sbin/dhcpcd", "/sbin/dhcpcd", "/usr/bin/dhcpcd"}},
		{NV_DHCP_DHCLIENT, {"/sbin/dhclient", "/usr/sbin/dhclient", "/usr/bin/dhclient"}},
		{NV_DHCP_UDHCPC, {"/sbin/udhcpc", "/usr/sbin/udhcpc", "/usr/bin/udhcpc"}},
	};
	const char *found = NULL;

	for (size_t i = 0; i < NV_ARRAY_SIZE(known); i++) {
		for (const char *const *path = known[i].path; *path; path++) {
			if (access(*path, X_OK) < 0)
				continue;
			if (running && *running == known[i].kind)
				return *path;
			found = found ? found : *path;
		}
	}
	return found;
}
