/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves the settings of systemd-resolved for an interface (DNS servers, domains, protocols) with
 * resolvectl(1). Does nothing if systemd-resolved does not run, or serves another network
 * namespace. Functions log what fails.
 */
#pragma once

#include "base/str.h"

/* Gives @to the settings of @from, unless @from has neither servers nor domains. */
void nv_resolved_copy(const char *from, const char *to);

/* Removes all settings of an interface. */
void nv_resolved_revert(const char *ifname);

/*
 * Reads what resolvectl(1) prints for one setting of a link: "Link 3 (eth0): 192.0.2.53
 * 2001:db8::53", possibly continued on further lines. Returns 0, -EBADMSG, -ENOMEM.
 */
int nv_resolved_values(const char *text, struct nv_words *ret_values);
