/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of DHCP clients, for a client that continues with those of another one. Pure. */
#pragma once

#include "base/str.h"
#include "services/dhcp_kind.h"

/*
 * Appends to @options those in @words from @first on. Each option and each value is a word of its
 * own, and udhcpc's options have their short form ("-fqT 5" and "--timeout=5" give "-T" "5").
 * Options that the caller decides itself are left out: the interface, the files for the process id
 * and the lease, and when to go to the background. @known_only: leaves out too what is not an
 * option of that client (dhclient 4.4 as released, busybox 1.35), and what makes it release its
 * lease. Returns 0 or -ENOMEM.
 */
int nv_dhcp_options(enum nv_dhcp_kind kind, const struct nv_words *words, size_t first,
	bool known_only, struct nv_words *options);

/* The value of an option that is a word of its own; NULL: there is none. Owned by @words. */
const char *nv_dhcp_option_value(const struct nv_words *words, const char *option);

/* Whether the value of option @word is a program, or a file that makes the client run programs. */
bool nv_dhcp_option_is_file(enum nv_dhcp_kind kind, const char *word);
