/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux before 6.2 cannot rename an interface that is up, so udev, which gives it its name, goes
 * first.
 */
#pragma once

#include <stdbool.h>

#define NV_UDEV_WAIT_MS 5000 /* after the interface has come: it is waited for no longer */

/* Whether udev has named an interface, or does not run. Reads a small file. */
bool nv_udev_is_done(int ifindex);

/* The same of the text of its file in udev's database. */
bool nv_udev_data_is_done(const char *text);
