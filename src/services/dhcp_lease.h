/* SPDX-License-Identifier: BSD-2-Clause */
/* Lease files of ISC dhclient, as text: dhclient.leases(5). Pure. */
#pragma once

#include "base/str.h"

/*
 * Divides a lease file. Appends the leases of interface @from to @taken, as leases of @to, and
 * those of other interfaces to @left. All other statements, such as default-duid, from which
 * dhclient makes its identifier, are appended to both. Text that is not in that form counts as such
 * a statement. Returns how many leases of @from there were, or the error of @taken or @left.
 */
int nv_dhcp_lease_divide(const char *text, size_t length, const char *from, const char *to,
	struct nv_str *taken, struct nv_str *left);
