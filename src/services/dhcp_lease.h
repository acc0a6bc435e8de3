/* SPDX-License-Identifier: BSD-2-Clause */
/* Lease files of DHCP clients, as text. */
#pragma once

#include "base/str.h"

/*
 * Appends the leases to @copy, those of @from as @to's: in ISC's form, interface "hn0";. What is
 * not in that form stays as it is. Returns 0 or the error of @copy.
 */
int nv_dhcp_lease_rename(
	const char *text, size_t length, const char *from, const char *to, struct nv_str *copy);
