/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What systemd-resolved has for an interface: DNS servers, domains, and how to ask. It is told and
 * asked by resolvectl(1). Where it does not run, or serves another network namespace than this one,
 * nothing is done. Functions log what fails.
 */
#pragma once

/* Gives @to what @from has, unless that has neither servers nor domains. */
void nv_resolved_copy(const char *from, const char *to);

/* Takes all that was set for an interface from it. */
void nv_resolved_revert(const char *ifname);
