/* SPDX-License-Identifier: BSD-2-Clause */
/* Network managers that configure an interface for as long as they run: NetworkManager and
 * systemd-networkd. */
#pragma once

#include <stdbool.h>

/*
 * Who configures an interface, by the state that both write below /run for themselves: one that has
 * yet to decide counts, for it is asked at boot. Opens two small files.
 * Returns a name for people, static; NULL: neither of them.
 */
const char *nv_manager_of(int ifindex);

/*
 * Whether one of them was started and has written nothing of an interface: it may have yet to look
 * at it, or does not want it. NetworkManager says at boot that it runs before it has looked at
 * anything.
 */
bool nv_manager_is_silent(int ifindex);

/* Whether it is systemd-networkd, maybe beside another. */
bool nv_networkd_has(int ifindex);

/* Of /run/systemd/netif/links/IFINDEX. Pure. */
bool nv_networkd_manages(const char *state);

/* Of /run/NetworkManager/devices/IFINDEX. Pure. */
bool nv_nm_manages(const char *state);
