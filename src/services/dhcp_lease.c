/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp_lease.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

int nv_dhcp_lease_rename(
	const char *text, size_t length, const char *from, const char *to, struct nv_str *copy)
{
	char old[IFNAMSIZ + 16];
	const char *end = text + length;
	const char *next;

	snprintf(old, sizeof(old), "interface \"%s\";", from);
	while ((next = memmem(text, end - text, old, strlen(old)))) {
		nv_str_append(copy, text, next - text);
		nv_str_printf(copy, "interface \"%s\";", to);
		text = next + strlen(old);
	}
	nv_str_append(copy, text, end - text);
	return copy->error;
}
