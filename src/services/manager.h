/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network managers that configure an interface for as long as they run: NetworkManager,
 * systemd-networkd, and dhcpcd(8) where it serves all interfaces.
 */
#pragma once

#include <stdbool.h>

/*
 * The manager that configures an interface, by the state files that managers write below /run. A
 * manager that has not decided yet counts, because this is called at boot. A dhcpcd without an
 * interface on its command line counts for each interface. Reads two or three small files. Returns
 * a name, static; NULL: none of them.
 */
const char *nv_manager_of(int ifindex);

/*
 * Whether one of them has started and has written nothing about an interface: it may not have
 * looked at it yet, or does not want it. At boot, NetworkManager reports that it runs before it has
 * looked at any interface.
 */
bool nv_manager_is_silent(int ifindex);

/* Whether systemd-networkd configures it, possibly besides NetworkManager. */
bool nv_networkd_has(int ifindex);

/*
 * systemd-networkd or NetworkManager, which both leave alone what udev says is netvf's, if it has
 * decided to configure an interface. Returns as nv_manager_of() does.
 */
const char *nv_manager_that_has(int ifindex);

/*
 * Asks a manager that nv_manager_that_has() has found to let go of an interface. udev must say
 * already that the interface is netvf's. systemd-networkd reads its files again, of which
 * 00-netvf.network may be new, and looks at the interface again: from version 256 on its DHCP
 * client would go on otherwise. NetworkManager heeds udev only where an interface appears. The
 * manager does it later. Returns 0, or an error of nv_run().
 */
int nv_manager_dismiss(const char *manager, const char *ifname);

/*
 * Parse /run/systemd/netif/links/IFINDEX: whether it may be configured, and whether it is decided
 * that it is. Pure.
 */
bool nv_networkd_manages(const char *state);
bool nv_networkd_configures(const char *state);

/* Parses /run/NetworkManager/devices/IFINDEX. Pure. */
bool nv_nm_manages(const char *state);
