/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What systemd-resolved has for an interface: DNS servers, domains, and how to ask. It is told and
 * asked by resolvectl(1). Where it does not run, or serves another network namespace than this one,
 * nothing is done. Functions log what fails.
 */
#pragma once

#include "base/str.h"

/* Gives @to what @from has, unless that has neither servers nor domains. */
void nv_resolved_copy(const char *from, const char *to);

/* Takes all that was set for an interface from it. */
void nv_resolved_revert(const char *ifname);

/*
 * What resolvectl(1) prints of one setting of a link, "Link 3 (eth0): 192.0.2.53 2001:db8::53",
 * which may go on in further lines. Returns 0, -EBADMSG, -ENOMEM.
 */
int nv_resolved_values(const char *text, struct nv_words *ret_values);
