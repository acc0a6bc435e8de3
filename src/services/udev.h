/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udev may rename an interface that has just appeared. Since Linux 6.2 an interface that is up can
 * be renamed (dev_change_name(), net/core/dev.c), and udev does so since systemd 253. Before, the
 * interface must stay down until udev has named it.
 */
#pragma once

#include <stdbool.h>

#define NV_UDEV_WAIT_MS 5000 /* after the interface appeared; the longest wait */
#define NV_UDEV_LOOK_MS 5 /* between two looks */

/*
 * Whether an interface can be set up now without losing the name that udev gives it: it can be
 * renamed all the same, or udev has named it, or does not run. May read a small file.
 */
bool nv_udev_allows_up(int ifindex);

/* Whether Linux of this release, as in uname(2), renames an interface that is up. */
bool nv_udev_renames_up(const char *release);

/* Whether udev has named the interface, by the text of its database file. */
bool nv_udev_data_has_name(const char *text);

/*
 * Whether udev has processed the interface. It keeps no record of one that it could not process,
 * because its new name was taken. A record may be the initramfs's.
 */
bool nv_udev_has_record(int ifindex);

/* Whether udev's database file, by its text, has this property (KEY=VALUE). Pure. */
bool nv_udev_data_has(const char *text, const char *property);

/* Whether udev has found this property (KEY=VALUE) of the interface. Reads a small file. */
bool nv_udev_has(int ifindex, const char *property);

/*
 * Has udev process the interface again, as udevadm(8) trigger does: @action is "add", as if it had
 * just appeared, or "change", with which it keeps its name. Returns 0 or -errno of open(2) or
 * write(2).
 */
int nv_udev_process_again(const char *ifname, const char *action);
