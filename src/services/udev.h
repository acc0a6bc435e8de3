/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux before 6.2 cannot rename an interface that is up. So netvf waits until udev has named it.
 */
#pragma once

#include <stdbool.h>

#define NV_UDEV_WAIT_MS 5000 /* after the interface appeared; the longest wait */

/* Whether udev has named an interface, or does not run. Reads a small file. */
bool nv_udev_is_done(int ifindex);

/* The same for the text of the database file. */
bool nv_udev_data_is_done(const char *text);
