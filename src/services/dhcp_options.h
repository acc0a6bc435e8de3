/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of DHCP clients, for a client that goes on with those of another. Pure. */
#pragma once

#include "services/dhcp.h"

/*
 * Appends to @options those of @words, from @first on: each option is a word, its value the next
 * one, and udhcpc's are in their short form ("-fqT 5" and "--timeout=5" give "-T" "5"). Left out is
 * what a caller decides anew: the interface, the files for the process id and the lease, and when
 * to go to the background. @known_only: also left out is what is no option of that client (of
 * dhclient 4.4 as its authors ship it, and of busybox 1.35), or makes it release its lease. Returns
 * 0 or -ENOMEM.
 */
int nv_dhcp_options(enum nv_dhcp_kind kind, const struct nv_words *words, size_t first,
	bool known_only, struct nv_words *options);

/* Whether the value of option @word is a program, or a file that makes the client run programs. */
bool nv_dhcp_option_is_file(enum nv_dhcp_kind kind, const char *word);
