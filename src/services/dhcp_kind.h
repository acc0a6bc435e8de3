/* SPDX-License-Identifier: BSD-2-Clause */
/* The DHCP clients that are known here. */
#pragma once

enum nv_dhcp_kind {
	NV_DHCP_DHCLIENT,
	NV_DHCP_DHCPCD,
	NV_DHCP_UDHCPC,
};

/* "dhclient", "dhcpcd", "udhcpc". */
const char *nv_dhcp_kind_name(enum nv_dhcp_kind kind);

/* The kind of client, by the last part of a path or name. Returns 0, or -ENOENT: it is unknown. */
int nv_dhcp_kind_of(const char *program, enum nv_dhcp_kind *ret_kind);

/*
 * The client to use if rc.conf wants DHCP and has no dhclient_program: an absolute path, static. It
 * is the client of kind *@running if that is installed (NULL: none runs), else the first of dhcpcd,
 * dhclient and udhcpc that is installed. It is searched in the usual directories; $PATH is ignored.
 * NULL: none is installed.
 */
const char *nv_dhcp_installed(const enum nv_dhcp_kind *running);
