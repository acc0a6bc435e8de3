/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files in which DHCP clients keep their leases. A file is read only if no user but root can
 * write it, and is replaced atomically.
 */
#pragma once

#include "services/dhcp.h"

/* The file that dhclient uses for @ifname alone, as Debian's ifupdown names it. */
#define NV_DHCLIENT_LEASES "/var/lib/dhcp/dhclient%s.%s.leases" /* "" or "6", interface */

/*
 * Copies the leases of @from to the file for a client of kind @kind on @to. @like: the client of
 * that kind on @from, or NULL; its option -lf names another file than the usual one. @to_path: the
 * file for dhclient. Without a lease the client asks for a new one, and usually gets the same for
 * the same MAC address. If a file is refused, because users other than root can change it, this is
 * logged.
 */
void nv_dhcp_leases_copy(enum nv_dhcp_kind kind, const struct nv_dhcp_client *like,
	const char *from, const char *to, const char *to_path);

/*
 * Takes the leases of @from out of dhclient's files: "dhclient -r" releases every lease that it
 * finds there, whether or not a client runs. Unless a client of @to has leases of its own by now,
 * they become its leases.
 * @old: the clients of @from. dhcpcd releases only what a running process has leased, and so keeps
 * its file for the next boot. What fails is logged.
 */
void nv_dhcp_leases_move(const struct nv_dhcp_clients *old, const char *from, const char *to);
