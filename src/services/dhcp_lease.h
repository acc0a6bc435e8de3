/* SPDX-License-Identifier: BSD-2-Clause */
/* Lease files of DHCP clients, as text. */
#pragma once

#include "base/str.h"

/*
 * Appends the leases in @from to @copy, as leases of another interface: in ISC's form, interface
 * "hn0"; becomes that of @to. Text that is not in that form is unchanged. Returns 0 or the error of
 * @copy.
 */
int nv_dhcp_lease_rename(
	const char *text, size_t length, const char *from, const char *to, struct nv_str *copy);
